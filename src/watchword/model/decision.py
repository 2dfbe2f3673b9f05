"""The decision: who decided what, on which numbers, until when, and what was expected of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Method(StrEnum):
    """How a decision was reached; only the first is ever called consent."""

    CONSENT = "consent"
    SUPERMAJORITY = "supermajority"
    DECIDER = "decider"
    """A named person decided after an escalation."""


class Direction(StrEnum):
    """Which way a metric is expected to move."""

    UP = "up"
    DOWN = "down"
    NONE = "none"
    """No measurable effect is expected: allowed, and counted."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a decision, or an action of a retrospective, is expected to do to a metric."""

    metric: str
    """Name of the metric definition; empty only with direction none."""
    direction: Direction
    size: float = 0.0
    """Expected change, in the metric's unit, absolute."""
    by: date | None = None
    subject: str = ""


class Effect(StrEnum):
    """What came of it, told by measuring before and after."""

    AS_EXPECTED = "as expected"
    CONTRARY = "contrary"
    NONE_DETECTED = "no detectable effect"
    TOO_EARLY = "too early"
    NOT_EXPECTED = "no effect was expected"


@dataclass(frozen=True, slots=True)
class KeptObjection:
    """An objection as it stands in the decision's record."""

    person: str
    domain: str
    reason: str
    harm: str
    paramount: bool
    resolved_in: int = 0
    """Version of the text that integrated it; 0: it was recorded and did not block."""
    how: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a body decided. Frozen: a later decision supersedes it, none changes it."""

    uid: str
    number: int
    """For people: counts from 1."""
    body: str
    """Uid of the body."""
    question: str
    choice: str
    """The text decided, word for word as it was frozen."""
    because: str
    version_hash: str
    """SHA-256 of the frozen text, title and parameters that were decided."""
    method: Method
    decided: datetime
    in_force: datetime
    review_on: date
    expects: Expectation
    objections: tuple[KeptObjection, ...] = ()
    sets: Mapping[str, object] = field(default_factory=dict)
    """Policy parameters: ``STATEMENT.KEY`` → value; how a decision reaches the ground."""
    metrics: tuple[str, ...] = ()
    """Uids of the Metrics that it stood on, frozen with the agenda item."""
    meeting: str = ""
    proposal: str = ""
    supersedes: str = ""
    expires: date | None = None
    kind: str = "decision"
    """``decision``, ``policy``, ``exception``, ``acceptance`` (of a risk), ``investment``, ``target``."""
    subject: str = ""
    """Uid of what it is about (a policy, scenario, investment, control, metric)."""
