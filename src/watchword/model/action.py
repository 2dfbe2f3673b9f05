"""The action: one state that a run wants set on a door, credential, account, host or camera, and what came of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class Hazard(IntEnum):
    """How much harm a mistaken action does, and so how many must agree: 0 none, 1 logged, 2 one other person, 3 two people of two teams."""

    H0 = 0
    H1 = 1
    H2 = 2
    H3 = 3


class Team(StrEnum):
    """The two teams, and those who lead both."""

    IT = "it"
    PHYSICAL = "physical"
    MANAGEMENT = "management"


@dataclass(frozen=True, slots=True)
class Action:
    """A rendered request: no variable is left in it. Verbs set a state; none toggles or pulses."""

    verb: str
    """Name in the action catalogue, ``door.secure_ingress``."""
    target: str
    """Uid of the door, zone, credential, account, asset or person that it acts on; a name of the product's own when it has no uid."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    revert_after: timedelta | None = None
    """How long a temporary state lasts, from the moment it was set."""
    incident: str = ""
    run: str = ""
    path: str = ""
    """The step instance that asks, as the interpreter names it."""
    requested_by: str = ""
    reason: str = ""
    exercise: bool = False
    """In an exercise only twins are called."""
    key: str = ""
    """Idempotency key: the same key never has its effect twice."""

    @property
    def digest(self) -> str:
        """Return the SHA-256 (hex) of what approvers agree to: verb, target, parameters, duration, incident and exercise mark."""
        said = {
            "verb": self.verb,
            "target": self.target,
            "parameters": dict(self.parameters),
            "revert_after": None if self.revert_after is None else self.revert_after.total_seconds(),
            "incident": self.incident,
            "exercise": self.exercise,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


class OutcomeStatus(StrEnum):
    """What came of an action."""

    DONE = "done"
    """The responder says so, and the read-back, where there is one, agrees."""
    REFUSED = "refused"
    """The interlock, a missing approval or the catalogue refused; nothing was sent."""
    FAILED = "failed"
    """The responder could not, or the read-back says otherwise."""
    UNKNOWN = "unknown"
    """The responder did not answer and cannot be read: never taken for done."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one action: what the responder said, and what was read back from the device."""

    status: OutcomeStatus
    said: str
    """One sentence for people."""
    at: datetime
    responder: str = ""
    observed: Mapping[str, str] = field(default_factory=dict)
    """The state read back; empty when the product cannot be read."""
    verified: bool | None = None
    """Whether the read-back agrees; None when there is none, and then the page says so."""
    code: str = ""
    """Of a refusal or failure: its word, ``fire-unknown``, ``no-approval``, ``timeout``."""
