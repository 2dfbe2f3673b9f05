"""Meetings and their items as values: states, roles, numbers as they were frozen, actions, minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from watchword.govern.decision_rules import canonical
from watchword.model.metric import Metric


class MeetingState(StrEnum):
    """Where a meeting stands."""

    PLANNED = "planned"
    FROZEN = "frozen"
    """Its agenda stands, with the numbers of that moment."""
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """What became of an item."""

    OPEN = "open"
    DONE = "done"
    CARRIED = "carried"
    """It goes to the next meeting."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting of a body."""

    uid: str
    body: str
    number: int
    starts: datetime
    ends: datetime
    state: MeetingState
    roles: Mapping[str, str]
    dropped: tuple[str, ...]
    """Rules of the rotation that could not hold."""
    agenda_dropped: tuple[str, ...]
    frozen: datetime | None
    invited: datetime | None
    opened: datetime | None
    closed: datetime | None
    current: str
    """Uid of the item on the shared screen."""
    version: int

    @property
    def minutes(self) -> int:
        """Return how long it is planned to last."""
        return int((self.ends - self.starts).total_seconds() // 60)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on an agenda, or left out of it."""

    uid: str
    meeting: str
    key: str
    kind: str
    title: str
    why: str
    value: float
    delta_risk_eur: float | None
    urgency: float
    staleness: float
    passed_over: int
    minutes: int
    domain: str
    iso_input: str
    refs: tuple[str, ...]
    metrics: tuple[Mapping[str, Any], ...]
    """Numbers as `frozen_number` writes them."""
    metrics_hash: str
    position: int
    """From 1; 0: left out."""
    added_by: str
    state: ItemState
    outcome: str
    closed: datetime | None


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody's word on a meeting."""

    person: str
    domain: str
    here: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class BodyAction:
    """Something that a body wants done."""

    uid: str
    body: str
    meeting: str
    decision: str
    text: str
    owner: str
    domain: str
    due: date
    metric: str
    made: datetime
    done: datetime | None = None
    done_said: str = ""
    dropped: bool = False

    def overdue(self, today: date) -> bool:
        """Tell whether it should be done by now and is not."""
        return self.done is None and not self.dropped and self.due < today


@dataclass(frozen=True, slots=True)
class MinutesVersion:
    """One version of a meeting's minutes."""

    meeting: str
    number: int
    content: Mapping[str, Any]
    hash: str
    at: datetime
    by: str
    approved: datetime | None
    answers: Mapping[str, tuple[bool, str]]
    """Account → (objects, reason)."""


def frozen_number(metric: Metric) -> dict[str, Any]:
    """Return a Metric as an item keeps it: what was known then, whatever is computed later."""
    return {
        "uid": metric.uid,
        "name": metric.name,
        "subject": metric.subject,
        "value": metric.value,
        "lo": metric.lo,
        "hi": metric.hi,
        "n": metric.n,
        "unit": metric.unit,
        "grade": metric.grade.value,
        "coverage": metric.coverage,
        "since": metric.window.since.isoformat(),
        "until": metric.window.until.isoformat(),
        "because": metric.because,
    }


def numbers_hash(numbers: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of an item's frozen numbers (64 hex digits)."""
    return sha256(canonical([dict(each) for each in numbers]).encode()).hexdigest()
