"""An incident with all that its page shows, and its row in the list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchword.model.incident import Incident, MomentEntry
from watchword.respond.hand_over import HandOver, OpenItem
from watchword.respond.incident_state import Duration, Key
from watchword.respond.roles import Holding, RoleWarning
from watchword.respond.severity import KeptRating


@dataclass(frozen=True, slots=True)
class TeamTimes:
    """Where one team stands: notified, acknowledged by a person, first substantive deed."""

    team: str
    notified_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    engaged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Something that somebody has to do."""

    uid: str
    incident: str
    title: str
    detail: str
    team: str
    owner: str
    """Account name; '' while it is the team's."""
    state: str
    """``open``, ``done`` or ``dropped``."""
    by: str
    at: datetime
    due: datetime | None = None
    sla: timedelta | None = None
    ended_by: str = ""
    ended_at: datetime | None = None
    note: str = ""

    def late(self, now: datetime) -> bool:
        """Tell whether it was, or is, not done by its due time."""
        return self.due is not None and (self.ended_at or now) > self.due

    def left(self, now: datetime) -> timedelta | None:
        """Return the time left (negative: overdue), None without a due time."""
        return None if self.due is None else self.due - (self.ended_at or now)


@dataclass(frozen=True, slots=True)
class Link:
    """How an incident belongs to another."""

    uid: str
    number: int
    title: str
    kind: str
    """``merged``, ``split``, ``suggested`` (a person decides), ``recurs``."""
    because: str
    by: str
    at: datetime
    forward: bool
    """This incident stands first in the link: it took the other up, or the other was split from it."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is next, and who owes it."""

    code: str
    """A word, for tests and styles: ``acknowledge``, ``lead``, ``approval``, ``contain`` …"""
    text: str
    team: str = ""
    person: str = ""
    due: datetime | None = None
    overdue: bool = False
    link: str = ""

    @property
    def who(self) -> str:
        """Return who owes it, in words."""
        return self.person or {"it": "IT", "physical": "Physical security", "management": "Management"}.get(self.team, "Anybody")


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Everything of one incident but its timeline, which comes in pages."""

    incident: Incident
    now: datetime
    series: tuple[MomentEntry, ...] = ()
    """All entries of all moments, in order of entry."""
    moments: dict[Key, MomentEntry] = field(default_factory=dict)
    """Those in force."""
    durations: dict[str, Duration] = field(default_factory=dict)
    teams: tuple[TeamTimes, ...] = ()
    roles: tuple[Holding, ...] = ()
    """Past ones too."""
    warnings: tuple[RoleWarning, ...] = ()
    ratings: tuple[KeptRating, ...] = ()
    tasks: tuple[Task, ...] = ()
    links: tuple[Link, ...] = ()
    hand_overs: tuple[HandOver, ...] = ()
    """Open ones."""
    open_items: tuple[OpenItem, ...] = ()
    owed: tuple[Owed, ...] = ()
    """What is next, the first thing first."""

    @property
    def next_step(self) -> Owed:
        """Return the first thing on the page: what is next and who owes it."""
        return self.owed[0]


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One line of the list of incidents."""

    incident: Incident
    teams: Sequence[TeamTimes]
    open_tasks: int
    late_tasks: int
    next_step: Owed
