"""Closures counted, value delivered: what ranking people by closed items rewards, computed from the queue with known truth.

Ten simulated analysts, one of whom takes the easy items; then what a surge, a noisy rule and hasty closing do to the figures of a team
(`measures.md`, section 8). Nothing here is typed in: every number comes from runs of the simulation.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from watchword.measure.gaming_trial import AFTER, BEFORE, figures, judge
from watchword.simulate.queue import WEIGHTS, Scenario, at_intensity, run_queue, scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME: Final = "closures_versus_value"
RUNS: Final = 12
SEED: Final = 500
INTENSITIES: Final = (0.6, 0.95)
TEAM_STORIES: Final = ("honest", "honest_surge", "honest_mix_shift", "premature_g0.6_one")


@dataclass(frozen=True, slots=True)
class Analyst:
    """One simulated analyst: a letter, and what the weeks after the change amounted to on average."""

    letter: str
    closures: float
    """A week."""
    value: float
    """Closures weighted by true severity, a week."""
    by_count: int
    """Place by count, 1 first."""
    by_value: int
    """Place by value, 1 first."""
    games: bool


@dataclass(frozen=True, slots=True)
class League:
    """Ten analysts, one of whom games with this intensity."""

    intensity: float
    runs: int
    analysts: tuple[Analyst, ...]
    """By count, the highest first."""

    @property
    def gamer(self) -> Analyst:
        """Return who games."""
        return next(each for each in self.analysts if each.games)

    def peers(self, figure: str) -> float:
        """Return the mean of ``closures`` or ``value`` over those who do not game."""
        found = [float(getattr(each, figure)) for each in self.analysts if not each.games]
        return sum(found) / len(found)

    def difference(self, figure: str) -> float:
        """Return by how much the one who games is above the peers, as a share of theirs."""
        return float(getattr(self.gamer, figure)) / self.peers(figure) - 1


@dataclass(frozen=True, slots=True)
class TeamStory:
    """One scenario of the whole team, before and after, on average a week over the runs."""

    name: str
    story: str
    closures_before: float
    closures_after: float
    value_before: float
    value_after: float
    reopened_before: float
    """Share of the gaming analysts' closures that came back (of all, when nobody games)."""
    reopened_after: float
    found: float
    """Share of runs in which the paired reopen share (D4) told who it was; 0 when nobody games."""

    @property
    def closures_change(self) -> float:
        """Return the change of the count, as a share."""
        return self.closures_after / self.closures_before - 1

    @property
    def value_change(self) -> float:
        """Return the change of the value, as a share."""
        return self.value_after / self.value_before - 1


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Everything that the page shows."""

    leagues: tuple[League, ...]
    stories: tuple[TeamStory, ...]
    weights: tuple[int, ...] = WEIGHTS
    first_week: int = AFTER[0]
    last_week: int = AFTER[1]


def demonstrate(seed: int = SEED, runs: int = RUNS, intensities: Sequence[float] = INTENSITIES) -> Demonstration:
    """Compute it; twelve runs each take some seconds of one processor.

    Args:
        seed: Of the first run; the same seed gives the same figures.
        runs: Of each scenario.
        intensities: Of cherry-picking, one league each.
    """
    picker = scenario("cherry_pick_g0.6_one")
    leagues = tuple(_league(at_intensity(picker, each), range(seed, seed + runs)) for each in intensities)
    stories = tuple(_story(scenario(name), range(seed, seed + runs)) for name in TEAM_STORIES)
    return Demonstration(leagues, stories)


def _league(chosen: Scenario, seeds: Sequence[int]) -> League:
    import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

    count, value = np.zeros(chosen.analysts), np.zeros(chosen.analysts)
    weights = np.array(WEIGHTS, dtype=float)
    for seed in seeds:
        run = run_queue(chosen, seed)
        after = run.weeks(*AFTER)
        count += np.bincount(run.analyst[after], minlength=chosen.analysts)
        value += np.bincount(run.analyst[after], weights=weights[run.severity[after]], minlength=chosen.analysts)
    per_week = len(seeds) * (AFTER[1] - AFTER[0] + 1)
    letters = [chr(ord("A") + number) for number in range(chosen.analysts)]
    Random(f"letters {chosen.intensity}").shuffle(letters)  # noqa: S311 - letters of simulated analysts
    by_count = {int(who): place for place, who in enumerate(np.argsort(-count, kind="stable"), 1)}
    by_value = {int(who): place for place, who in enumerate(np.argsort(-value, kind="stable"), 1)}
    analysts = [
        Analyst(letters[who], float(count[who]) / per_week, float(value[who]) / per_week, by_count[who], by_value[who], who < chosen.gamers)
        for who in range(chosen.analysts)
    ]
    return League(chosen.intensity, len(seeds), tuple(sorted(analysts, key=lambda each: each.by_count)))


def _story(chosen: Scenario, seeds: Sequence[int]) -> TeamStory:
    before, after, reopened, found = [], [], [0.0, 0.0], 0
    for seed in seeds:
        run = run_queue(chosen, seed)
        before.append(figures(run, *BEFORE))
        after.append(figures(run, *AFTER))
        mine = run.analyst < chosen.gamers if chosen.gamers else run.analyst >= 0
        for index, weeks in enumerate((BEFORE, AFTER)):
            reopened[index] += float(run.reopened[mine & run.weeks(*weeks)].mean()) / len(seeds)
        if chosen.gamers:
            found += any(sign.person < chosen.gamers for sign in judge(run)["D4"])
    runs = len(seeds)
    return TeamStory(
        chosen.name,
        chosen.story,
        sum(each.closures for each in before) / runs,
        sum(each.closures for each in after) / runs,
        sum(each.value for each in before) / runs,
        sum(each.value for each in after) / runs,
        reopened[0],
        reopened[1],
        found / runs,
    )


def to_plain(made: Demonstration) -> dict[str, Any]:
    """Return a demonstration as JSON can keep it."""
    return asdict(made)


def from_plain(kept: Mapping[str, Any]) -> Demonstration:
    """Return a demonstration as it was kept.

    Raises:
        KeyError, TypeError: it was kept by other code.
    """
    return Demonstration(
        tuple(League(each["intensity"], each["runs"], tuple(Analyst(**one) for one in each["analysts"])) for each in kept["leagues"]),
        tuple(TeamStory(**each) for each in kept["stories"]),
        tuple(kept["weights"]),
        kept["first_week"],
        kept["last_week"],
    )
