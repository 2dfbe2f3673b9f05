"""The case: an incident as its times tell it, with merged duplicates folded in and closures that did not hold undone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from watchword.model.incident import PER_TEAM, Moment, MomentEntry
from watchword.model.metric import Window
from watchword.respond.incident_state import current

HELD: Final = timedelta(days=14)
"""A closure undone within this never was one: the clock runs on (measures.md, K6)."""
DOMAINS: Final = ("it", "physical")
JOINT: Final = "joint"


@dataclass(frozen=True, slots=True)
class Spell:
    """One stretch for which a case stood open; `until` None: it still does."""

    since: datetime
    until: datetime | None = None

    def hours_in(self, window: Window) -> float:
        """Return how many hours of it lie inside a window."""
        end = window.until if self.until is None else min(self.until, window.until)
        return max(0.0, (end - max(self.since, window.since)) / timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Undone:
    """A closure and what became of it."""

    closed: datetime
    reopened: datetime | None = None

    @property
    def void(self) -> bool:
        """Tell whether it did not hold."""
        return self.reopened is not None and self.reopened - self.closed <= HELD


@dataclass(frozen=True, slots=True)
class Case:
    """An incident as measures see it."""

    uid: str
    severity: int
    """1 gravest to 4."""
    raised: datetime
    """The alert, t2: the clock starts here."""
    teams: frozenset[str] = frozenset()
    number: int = 0
    title: str = ""
    closure: str = ""
    """``true``, ``benign``, ``false``, ``undecided``; empty while open."""
    marks: Mapping[tuple[Moment, str], datetime] = field(default_factory=dict)
    """The moments in force; team '' for those of the whole incident."""
    closures: tuple[Undone, ...] = ()
    """Every closure there was, in order."""
    merged_into: str = ""
    recurs: bool = False
    """It is linked as the recurrence of one that was closed within 14 days before."""
    uncertainty: timedelta = timedelta()
    """Half-width of what is known of its start and end together."""
    lead_changes: int = 0
    """Changes of lead between teams, beyond the first lead."""

    @property
    def domain(self) -> str:
        """Return whose it is: ``it``, ``physical``, or ``joint`` when both worlds are touched."""
        mine = self.teams & frozenset(DOMAINS)
        return JOINT if len(mine) == len(DOMAINS) else next(iter(mine), "")

    @property
    def spells(self) -> tuple[Spell, ...]:
        """Return the stretches for which it stood open; a closure that did not hold ends none."""
        found, since = [], self.raised
        for each in self.closures:
            if each.void:
                continue
            found.append(Spell(since, max(since, each.closed)))
            if each.reopened is None:
                return tuple(found)
            since = each.reopened
        return (*found, Spell(since))

    @property
    def closed(self) -> datetime | None:
        """Return when it was first closed for good; None: it was not."""
        return next((each.closed for each in self.closures if not each.void), None)

    def mark(self, moment: Moment, team: str = "") -> datetime | None:
        """Return when a moment was; of a moment that each team has, without a team: the earliest."""
        if moment in PER_TEAM and not team:
            return min((at for (kind, _), at in self.marks.items() if kind is moment), default=None)
        return self.marks.get((moment, team))

    def open_at(self, moment: datetime) -> bool:
        """Tell whether it stood open at a moment."""
        return any(spell.since <= moment and (spell.until is None or moment < spell.until) for spell in self.spells)


def read_series(
    series: Sequence[MomentEntry], raised: datetime
) -> tuple[dict[tuple[Moment, str], datetime], tuple[Undone, ...], timedelta]:
    """Return the moments in force, every closure, and how sure start and end are, from an incident's moment entries in order of entry.

    Args:
        series: All entries of all moments.
        raised: When it was opened here, where no entry says when the alert was.
    """
    now = current(series)
    marks = {key: entry.at for key, entry in now.items() if entry.at is not None}
    marks.setdefault((Moment.RAISED, ""), raised)
    closures: list[Undone] = []
    for entry in series:
        if entry.moment is not Moment.CLOSED:
            continue
        still = closures and closures[-1].reopened is None
        if entry.at is not None:
            if still:
                closures.pop()
            closures.append(Undone(entry.at))
        elif still:
            closures[-1] = replace(closures[-1], reopened=max(entry.entered_at or closures[-1].closed, closures[-1].closed))
    ends = [now[key].uncertainty for key in ((Moment.RAISED, ""), (Moment.CLOSED, "")) if key in now]
    return marks, tuple(closures), sum(ends, timedelta())


def folded(cases: Iterable[Case]) -> list[Case]:
    """Return the cases with every merged duplicate folded into the one that took it up.

    The earliest moments and the gravest severity hold, the taker's closures count: so an incident that was split into duplicates
    measures the same after the merge as if it had never been split.
    """
    by_uid = {case.uid: case for case in cases}
    groups: dict[str, list[Case]] = {}
    for case in by_uid.values():
        root, seen = case, {case.uid}
        while root.merged_into in by_uid and root.merged_into not in seen:
            root = by_uid[root.merged_into]
            seen.add(root.uid)
        groups.setdefault(root.uid, []).append(case)
    return [_fold(by_uid[uid], members) for uid, members in groups.items()]


def _fold(root: Case, members: Sequence[Case]) -> Case:
    if len(members) == 1:
        return root
    marks = dict(root.marks)
    for other in members:
        for key, at in other.marks.items():
            if key[0] in PER_TEAM or key[0] in {Moment.ONSET, Moment.SIGNAL, Moment.RAISED}:
                marks[key] = min(marks.get(key, at), at)
    return replace(
        root,
        severity=min(case.severity for case in members),
        raised=min(case.raised for case in members),
        teams=frozenset().union(*(case.teams for case in members)),
        marks=marks,
        recurs=any(case.recurs for case in members),
    )
