"""The trial of the detectors: runs of the queue with known truth, and how often each detector fired on whom.

Reproduces the table of the design (`measures.md`, section 6); the windows of judgement are those of the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from watchword.measure.gaming import Picks, Sign, bulk, burst, downgrades, reopenings, selection, team_selection
from watchword.measure.gaming_windows import SPANS, Tally, lasting_downgrades, lasting_reopenings
from watchword.simulate.queue import WEIGHTS, QueueRun, Scenario, run_queue

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

WINDOW: Final = (9, 12)
"""Weeks that are judged, both included."""
BEFORE: Final = (2, 7)
"""Weeks before anything changes, without the first two, in which the queue fills."""
AFTER: Final = (9, 15)
QUARTER_HOUR: Final = 15.0
PERSONAL: Final = ("D1", "D2", "D3", "D4", "D3 quarter", "D4 quarter")
"""Detectors that name a person."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run's weeks amounted to, on average a week."""

    closures: float
    value: float
    """Closures weighted by true severity."""
    open_risk_hours: float


@dataclass(slots=True)
class Row:
    """One scenario over many runs."""

    scenario: Scenario
    runs: int = 0
    fired: dict[str, int] = field(default_factory=dict)
    """Detector → runs in which it fired on a gaming analyst; ``D1 team``: on the team."""
    false: dict[str, int] = field(default_factory=dict)
    """Detector → signs on analysts who did not game."""
    honest: int = 0
    """Honest analysts judged, summed over runs."""
    before: list[Figures] = field(default_factory=list)
    after: list[Figures] = field(default_factory=list)

    def rate(self, detector: str) -> float:
        """Return the share of runs in which a detector fired."""
        return self.fired.get(detector, 0) / max(1, self.runs)

    def mean(self, which: str, figure: str) -> float:
        """Return the mean over runs of a figure ``before`` or ``after``."""
        found = [float(getattr(each, figure)) for each in getattr(self, which)]
        return sum(found) / len(found)


def judge(run: QueueRun) -> dict[str, list[Sign]]:
    """Return what each detector says of one run."""
    names = [chr(ord("A") + number) for number in range(run.scenario.analysts)]
    window, before = run.weeks(*WINDOW), run.weeks(*BEFORE)
    picks = Picks(run.analyst, run.severity, run.waiting)
    baseline = max(_bursts(run, before))
    high = run.severity >= 2
    low = run.label == 0
    last = run.scenario.weeks
    spans = [(weeks, run.weeks(last - weeks, last - 1)) for weeks in SPANS]
    return {
        "D1": selection(picks.where(window), names),
        "D1 team": team_selection(picks.where(window), picks.where(before)),
        "D2": bulk(_bursts(run, window), baseline, names),
        "D3": downgrades(_count(run, window & high & low), _count(run, window & high), names),
        "D4": reopenings(_count(run, window & run.reopened), _count(run, window), names),
        "D3 quarter": lasting_downgrades([_tally(run, weeks, when & high, low) for weeks, when in spans], names),
        "D4 quarter": lasting_reopenings([_tally(run, weeks, when, run.reopened) for weeks, when in spans], names),
    }


def _count(run: QueueRun, chosen: NDArray[np.bool_]) -> list[int]:
    import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

    return [int(each) for each in np.bincount(run.analyst[chosen], minlength=run.scenario.analysts)]


def _tally(run: QueueRun, weeks: int, could: NDArray[np.bool_], such: NDArray[np.bool_]) -> Tally:
    return Tally(weeks, tuple(_count(run, could & such)), tuple(_count(run, could)))


def _bursts(run: QueueRun, chosen: NDArray[np.bool_]) -> list[int]:
    return [burst(run.closed[chosen & (run.analyst == who)], QUARTER_HOUR) for who in range(run.scenario.analysts)]


def figures(run: QueueRun, first: int, last: int) -> Figures:
    """Return what weeks `first` to `last` amounted to, on average a week."""
    import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

    chosen, weeks = run.weeks(first, last), last - first + 1
    value = float(np.array(WEIGHTS)[run.severity[chosen]].sum())
    return Figures(int(chosen.sum()) / weeks, value / weeks, float(run.open_risk_hours[first : last + 1].mean()))


def try_scenario(chosen: Scenario, seeds: Sequence[int]) -> Row:
    """Run a scenario once for each seed and count who was flagged."""
    row = Row(chosen)
    for seed in seeds:
        run = run_queue(chosen, seed)
        row.runs += 1
        row.honest += chosen.analysts - chosen.gamers
        row.before.append(figures(run, *BEFORE))
        row.after.append(figures(run, *AFTER))
        for detector, signs in judge(run).items():
            hit = any(sign.person < chosen.gamers for sign in signs)
            row.fired[detector] = row.fired.get(detector, 0) + hit
            if detector in PERSONAL:
                false = sum(sign.person >= chosen.gamers for sign in signs)
                row.false[detector] = row.false.get(detector, 0) + false
    return row
