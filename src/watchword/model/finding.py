"""The finding: something looks wrong, and why."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class FindingState(StrEnum):
    """Whether late events may still change a finding."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    WITHDRAWN = "withdrawn"


class Mode(StrEnum):
    """What a finding does: call a human, or add risk to those it names."""

    PAGE = "page"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict of one rule on one set of events. Its uid is a hash of the rule, its version and the events."""

    uid: str
    rule: str
    rule_version: int
    title: str
    severity: int
    """OCSF ``severity_id``, 1 to 6."""
    confidence: float
    """0 to 1."""
    time: datetime
    """When the condition came true: the event time of the event that completed it."""
    first_time: datetime
    last_time: datetime
    because: str
    """One plain sentence: who, what, where, when, why that is odd, and what is not known."""
    persons: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    """Uids of the events, in order of time."""
    state: FindingState = FindingState.FINAL
    mode: Mode = Mode.RISK
    author: str = ""
    """Author of a foreign rule, shown where its match is shown."""
    refuted_by: str = ""
    """The event that made a provisional finding be withdrawn."""
    attack: tuple[str, ...] = field(default=())
    """ATT&CK ids of the rule."""
