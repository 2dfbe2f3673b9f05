"""The detectors on the house's own closure log: four weeks against eight before, each team by itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from watchword.measure.closure_log import HELD, Closure, ClosureLog, Pick, people_of
from watchword.measure.gaming import Picks, Sign, bulk, burst, downgrades, reopenings, selection, team_selection
from watchword.measure.gaming_windows import SPANS, Tally, lasting_downgrades, lasting_reopenings
from watchword.model.metric import Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WEEK: Final = timedelta(days=7)
WINDOW: Final = 4
"""Weeks that are judged."""
BASELINE: Final = 8
"""Weeks before them; with fewer the detectors say nothing."""
QUARTER_HOUR: Final = 900.0
HIGH: Final = 2
"""Severities 1 and 2 are high."""
PERSON_WORDS: Final = {
    Flag.SELECTION: "Picks of at least one person differ from what colleagues took when the same waited.",
    Flag.BULK: "Many items were closed within a quarter of an hour, more than ever in the weeks before.",
    Flag.DOWNGRADE: "Severe incidents are marked down more often by some than by others.",
    Flag.REOPEN: "What some close comes back more often than what others close.",
}
"""What the team is asked to look at: nobody is named."""


@dataclass(frozen=True, slots=True)
class HouseSign:
    """A sign in one team, over one window; `person` is empty when it is of the team."""

    flag: Flag
    team: str
    person: str
    sign: Sign
    since: datetime
    until: datetime

    @property
    def told(self) -> str:
        """Return what the team is told: names nobody."""
        return PERSON_WORDS[self.flag] if self.person else self.sign.because


def look(log: ClosureLog, end: datetime, first: datetime) -> list[HouseSign]:
    """Return every sign in the four weeks before `end`, team by team.

    Args:
        log: Picks and closures, at least 14 weeks back where there are so many.
        end: End of the newest full week.
        first: Since when there is a log.
    """
    if end - first < (WINDOW + BASELINE) * WEEK:
        return []
    found = []
    for team in sorted({team for team in log.teams.values() if team}):
        names = people_of(log, team)
        if names:
            found += _Team(log, team, names, end).signs()
    return found


class _Team:
    """One team's log."""

    def __init__(self, log: ClosureLog, team: str, names: Sequence[str], end: datetime) -> None:
        self.team, self.names, self.end = team, list(names), end
        self.number = {name: index for index, name in enumerate(names)}
        self.picks = [each for each in log.picks if each.person in self.number]
        self.closures = [each for each in log.closures if each.person in self.number]
        self.since = end - WINDOW * WEEK

    def signs(self) -> list[HouseSign]:
        picks, before = self._picks(self.since, self.end), self._picks(self.since - BASELINE * WEEK, self.since)
        found = [*selection(picks, self.names), *team_selection(picks, before)]
        bursts = self._bursts(self.since, self.end)
        found += bulk(bursts, max(self._bursts(self.since - BASELINE * WEEK, self.since)), self.names)
        found += downgrades(*self._tally(WINDOW, self.end, _severe, _marked_down), self.names)
        # A closure counts for D4 once 14 days have passed: its window ends so much earlier.
        old = self.end - HELD
        found += reopenings(*self._tally(WINDOW, old, _any, _came_back), self.names)
        found += lasting_downgrades(self._tallies(self.end, _severe, _marked_down), self.names)
        found += lasting_reopenings(self._tallies(old, _any, _came_back), self.names)
        unique = {(sign.flag, sign.person): sign for sign in reversed(found)}
        return [
            HouseSign(sign.flag, self.team, self.names[sign.person] if sign.person >= 0 else "", sign, self.since, self.end)
            for sign in unique.values()
        ]

    def _picks(self, since: datetime, until: datetime) -> Picks:
        import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

        chosen: list[Pick] = [each for each in self.picks if since <= each.at < until]
        return Picks(
            np.array([self.number[each.person] for each in chosen], dtype=np.int64),
            np.array([4 - each.severity for each in chosen], dtype=np.int64),
            np.array([each.waiting for each in chosen], dtype=np.int64).reshape(-1, 4),
        )

    def _bursts(self, since: datetime, until: datetime) -> list[int]:
        import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

        moments: list[list[float]] = [[] for _ in self.names]
        for each in self.closures:
            if since <= each.at < until:
                moments[self.number[each.person]].append(each.at.timestamp())
        return [burst(np.array(sorted(each)), QUARTER_HOUR) for each in moments]

    def _tally(
        self, weeks: int, end: datetime, could: Callable[[Closure], bool], such: Callable[[Closure], bool]
    ) -> tuple[list[int], list[int]]:
        counts, totals = [0] * len(self.names), [0] * len(self.names)
        for each in self.closures:
            if end - weeks * WEEK <= each.at < end and could(each):
                totals[self.number[each.person]] += 1
                counts[self.number[each.person]] += such(each)
        return counts, totals

    def _tallies(self, end: datetime, could: Callable[[Closure], bool], such: Callable[[Closure], bool]) -> list[Tally]:
        tallies = [(weeks, self._tally(weeks, end, could, such)) for weeks in SPANS]
        return [Tally(weeks, tuple(counts), tuple(totals)) for weeks, (counts, totals) in tallies]


def _any(closure: Closure) -> bool:
    return bool(closure.item)


def _severe(closure: Closure) -> bool:
    return closure.kind == "incident" and closure.severity <= HIGH


def _marked_down(closure: Closure) -> bool:
    return closure.marked_down


def _came_back(closure: Closure) -> bool:
    return closure.came_back
