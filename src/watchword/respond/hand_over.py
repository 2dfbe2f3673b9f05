"""The hand-over: what is still open when one person gives a role to another, acknowledged item by item."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watchword.model.incident import IncidentRole


class ItemKind(StrEnum):
    """What can be open."""

    WAIT = "wait"
    """A step that waits for a person."""
    APPROVAL = "approval"
    TIMER = "timer"
    TEMPORARY_ACTION = "temporary_action"
    """A state set for a time, still in force."""
    UNANSWERED_PAGE = "unanswered_page"
    EVIDENCE = "evidence"
    """Evidence in hand: custody goes with it."""
    TASK = "task"
    RATING = "rating"
    """A downgrade that waits for a second person."""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One open thing of an incident."""

    kind: ItemKind
    uid: str
    text: str
    due: datetime | None = None
    team: str = ""
    owner: str = ""
    """Account name; '' where a team owes it."""
    link: str = ""
    """Where it is dealt with: a path of the pages."""


@dataclass(frozen=True, slots=True)
class Handed:
    """One item on a hand-over's list."""

    kind: str
    uid: str
    text: str
    due: datetime | None
    acknowledged_at: datetime | None = None
    gone_at: datetime | None = None
    """It was dealt with meanwhile: nothing is left to acknowledge."""

    @property
    def settled(self) -> bool:
        """Tell whether the incoming person need not acknowledge it any more."""
        return self.acknowledged_at is not None or self.gone_at is not None


@dataclass(frozen=True, slots=True)
class HandOver:
    """One hand-over of a role."""

    uid: str
    incident: str
    role: IncidentRole
    outgoing: str
    incoming: str
    note: str
    state: str
    """``open``, ``done`` or ``cancelled``."""
    at: datetime
    items: tuple[Handed, ...] = ()
    ended_at: datetime | None = None

    @property
    def responsible(self) -> str:
        """Return who answers for the role: the outgoing one until every item is acknowledged and the hand-over done."""
        return self.incoming if self.state == "done" else self.outgoing

    @property
    def left(self) -> tuple[Handed, ...]:
        """Return what the incoming one has yet to acknowledge."""
        return tuple(item for item in self.items if not item.settled)


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between a hand-over's list and what is open now."""

    new: tuple[OpenItem, ...]
    gone: tuple[tuple[str, str], ...]
    """(kind, uid)."""


def compare(items: Iterable[Handed], open_now: Iterable[OpenItem]) -> Difference:
    """Return what came up since the list was made (it joins the list), and what on it is no longer open."""
    listed = {(item.kind, item.uid): item for item in items}
    now = {(item.kind.value, item.uid): item for item in open_now}
    new = tuple(item for key, item in now.items() if key not in listed or listed[key].gone_at is not None)
    return Difference(new, tuple(key for key, item in listed.items() if key not in now and item.gone_at is None))
