"""The closure log: who took what while what waited, who closed it as what, and whether it came back; from deeds in order of time. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

TIERS: Final = 4
HELD: Final = timedelta(days=14)
"""A closure undone within this is a reopened one."""


class Verb(StrEnum):
    """What was done."""

    TAKE = "take"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Item:
    """A finding or incident that somebody has to look at."""

    kind: str
    """``finding`` or ``incident``."""
    uid: str
    raised: datetime
    severity: int
    """As detectors and assets rate it, 1 gravest to 4."""
    teams: frozenset[str] = frozenset()
    """Teams whose members may take it; empty: any."""
    kept: int = 0
    """Severity at which it was closed, 1 to 4; 0: nobody said another."""
    ended: datetime | None = None
    """When it stopped waiting without anybody's deed (withdrawn, merged); None: it did not."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One deed on one item."""

    at: datetime
    person: str
    """Account name; empty: a program did it."""
    verb: Verb
    item: str
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Pick:
    """An item taken, and what waited just before that this person could have taken."""

    at: datetime
    person: str
    item: str
    severity: int
    """1 gravest to 4."""
    waiting: tuple[int, int, int, int]
    """How many waited of severity 4, 3, 2 and 1: the least grave first."""


@dataclass(frozen=True, slots=True)
class Closure:
    """A closure by a person."""

    at: datetime
    person: str
    kind: str
    item: str
    severity: int
    kept: int
    verdict: str
    reopened: datetime | None = None

    @property
    def marked_down(self) -> bool:
        """Tell whether it was closed as less grave than detectors and assets rate it."""
        return self.kept > self.severity

    @property
    def came_back(self) -> bool:
        """Tell whether it was reopened within 14 days."""
        return self.reopened is not None and self.reopened - self.at <= HELD


@dataclass(frozen=True, slots=True)
class ClosureLog:
    """Picks and closures in order of time, and the team of each person."""

    picks: tuple[Pick, ...] = ()
    closures: tuple[Closure, ...] = ()
    teams: Mapping[str, str] = field(default_factory=dict)


def read_log(items: Iterable[Item], deeds: Iterable[Deed], teams: Mapping[str, str]) -> ClosureLog:
    """Return the log: the queue is played through, so that each pick knows what waited.

    Args:
        items: Everything that waited at some time.
        deeds: What people and programs did with them.
        teams: Person → team; who has none could take anything.
    """
    known = {item.uid: item for item in items}
    moments: list[tuple[datetime, int, str, Deed | None]] = [(item.raised, 0, item.uid, None) for item in known.values()]
    moments += [(item.ended, 1, item.uid, None) for item in known.values() if item.ended is not None]
    moments += [(deed.at, 2, deed.item, deed) for deed in deeds if deed.item in known]
    queue = _Queue()
    picks: list[Pick] = []
    closures: list[Closure] = []
    standing: dict[str, int] = {}
    for at, rank, uid, deed in sorted(moments, key=lambda each: (each[0], each[1], each[2])):
        item = known[uid]
        if deed is None:
            if rank == 0:
                queue.add(item)
            else:
                queue.drop(item)
        elif deed.verb is Verb.REOPEN:
            queue.add(item)
            if uid in standing:
                place = standing.pop(uid)
                closures[place] = replace(closures[place], reopened=at)
        else:
            if uid in queue.waiting and deed.person:
                picks.append(Pick(at, deed.person, uid, item.severity, queue.seen_by(teams.get(deed.person, ""))))
            queue.drop(item)
            if deed.verb is Verb.CLOSE and deed.person:
                standing[uid] = len(closures)
                closures.append(Closure(at, deed.person, item.kind, uid, item.severity, item.kept or item.severity, deed.verdict))
    return ClosureLog(tuple(picks), tuple(closures), teams)


class _Queue:
    """What waits, counted for each set of teams that may take it."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()
        self._counts: dict[frozenset[str], list[int]] = {}

    def add(self, item: Item) -> None:
        if item.uid not in self.waiting:
            self.waiting.add(item.uid)
            self._counts.setdefault(item.teams, [0] * TIERS)[TIERS - item.severity] += 1

    def drop(self, item: Item) -> None:
        if item.uid in self.waiting:
            self.waiting.discard(item.uid)
            self._counts[item.teams][TIERS - item.severity] -= 1

    def seen_by(self, team: str) -> tuple[int, int, int, int]:
        found = [0] * TIERS
        for teams, counts in self._counts.items():
            if not team or not teams or team in teams:
                found = [one + other for one, other in zip(found, counts, strict=True)]
        return found[0], found[1], found[2], found[3]


def people_of(log: ClosureLog, team: str = "") -> Sequence[str]:
    """Return everyone who picked or closed anything, in the order of their names; of one team only, when one is named."""
    found = {each.person for each in log.picks} | {each.person for each in log.closures}
    return sorted(person for person in found if not team or log.teams.get(person, "") == team)
