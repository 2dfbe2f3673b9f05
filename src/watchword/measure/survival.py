"""Survival: times to an event that has not come yet for some, with late entry and competing ends (Kaplan, Meier; Aalen, Johansen)."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from watchword.measure.intervals import LEVEL, Interval, two_sided_p, z_of

CENSORED: Final = 0
EVENT: Final = 1
TINY: Final = 1e-12
COMPETING: Final = 2
"""It ended otherwise, as a false alarm: the event can no longer come."""


@dataclass(frozen=True, slots=True)
class Life:
    """One observed stretch on the clock of one item: seen from `entry` (0: from its start) until `end`, and how it ended."""

    end: float
    event: int = EVENT
    """`CENSORED`, `EVENT` or `COMPETING`."""
    entry: float = 0.0
    """Late entry: it was not under watch before."""


@dataclass(frozen=True, slots=True)
class Step:
    """One moment at which something ended."""

    time: float
    at_risk: int
    events: int
    competing: int
    survival: float
    """Just after it."""
    hazard_sum: float
    """Greenwood's sum Σ d / (n (n - d)) up to here; infinite once nobody is left."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A Kaplan-Meier estimate."""

    steps: tuple[Step, ...]
    n: int
    events: int
    longest: float
    """The longest time watched: nothing is known beyond it."""

    def survival(self, time: float) -> float:
        """Return the estimated share that still waits after a time."""
        place = bisect_right([step.time for step in self.steps], time)
        return self.steps[place - 1].survival if place else 1.0

    def band(self, level: float = LEVEL) -> list[Interval]:
        """Return the pointwise log-log interval at each step (Kalbfleisch & Prentice)."""
        return [_log_log(step, z_of(level)) for step in self.steps]

    def quantile(self, share: float) -> float | None:
        """Return the time by which so large a share has ended; None: not reached within what was watched."""
        return next((step.time for step in self.steps if step.survival <= 1 - share + 1e-12), None)

    def quantile_interval(self, share: float, level: float = LEVEL) -> tuple[float | None, float | None]:
        """Return the interval of a quantile (Brookmeyer & Crowley on the log-log band); None: not reached, so open on that side."""
        band = self.band(level)
        bounds = [next((s.time for s, pair in zip(self.steps, band, strict=True) if pair[side] <= 1 - share), None) for side in (0, 1)]
        return bounds[0], bounds[1]

    def mean_until(self, bound: float) -> tuple[float, float]:
        """Return RMST(bound), the mean time up to a bound, and its standard error (Greenwood): ∫ S and √Σ (∫ₜ S)² d/(n(n-d))."""
        inside = [step for step in self.steps if step.time < bound]
        times = [0.0, *(step.time for step in inside), bound]
        levels = [1.0, *(step.survival for step in inside)]
        areas = [level * (after - before) for level, before, after in zip(levels, times, times[1:], strict=False)]
        variance, left = 0.0, math.fsum(areas)
        for step, area in zip(inside, areas, strict=False):
            left -= area
            if step.at_risk > step.events:
                variance += left * left * step.events / (step.at_risk * (step.at_risk - step.events))
        return math.fsum(areas), math.sqrt(variance)


def _log_log(step: Step, z: float) -> Interval:
    if step.survival <= 0 or math.isinf(step.hazard_sum):
        return 0.0, 0.0
    return _powers(step.survival, z * math.sqrt(step.hazard_sum) / abs(math.log(step.survival)))


def _powers(share: float, half: float) -> Interval:
    """Return share^(e^half) and share^(e^-half): bounds on the log-log scale; far out they are 0 and 1."""
    half = min(half, 500.0)
    return share ** math.exp(half), share ** math.exp(-half)


def _counted(lives: Iterable[Life]) -> tuple[list[Life], list[tuple[float, int, int, int]]]:
    """Return the lives that were watched at all, and (time, at risk, events, competing) at each time at which one ended."""
    watched = [life for life in lives if life.end > life.entry or (life.end == life.entry == 0)]
    events, others = Counter[float](), Counter[float]()
    for life in watched:
        if life.event == EVENT:
            events[life.end] += 1
        elif life.event == COMPETING:
            others[life.end] += 1
    entries = sorted(life.entry for life in watched)
    ends = sorted(life.end for life in watched)
    rows = []
    for time in sorted(events.keys() | others.keys()):
        entered = bisect_left(entries, time) if time > 0 else len([entry for entry in entries if entry <= 0])
        rows.append((time, entered - bisect_left(ends, time), events[time], others[time]))
    return watched, rows


def kaplan_meier(lives: Iterable[Life]) -> Curve:
    """Return the estimate; who enters late counts from there on, a competing end counts as censored, those still waiting as waiting."""
    watched, rows = _counted(lives)
    survival, total, steps = 1.0, 0.0, []
    for time, at_risk, events, competing in rows:
        if not events:
            continue
        survival *= 1 - events / at_risk
        total = math.inf if events == at_risk else total + events / (at_risk * (at_risk - events))
        steps.append(Step(time, at_risk, events, competing, survival, total))
    longest = max((life.end for life in watched), default=0.0)
    return Curve(tuple(steps), len(watched), sum(step.events for step in steps), longest)


def cumulative_incidence(lives: Iterable[Life], time: float, cause: int = EVENT, level: float = LEVEL) -> tuple[float, float, float]:
    """Return the probability that an item ends by this cause up to a time, when the other cause competes, with its interval.

    Aalen-Johansen; variance by Marubini & Valsecchi's delta formula, bounds on the log-log scale.
    """
    _, rows = _counted(lives)
    survival, incidence = 1.0, 0.0
    seen: list[tuple[int, int, int, float, float]] = []
    for when, at_risk, events, competing in rows:
        if when > time:
            break
        mine = events if cause == EVENT else competing
        incidence += survival * mine / at_risk
        seen.append((at_risk, events + competing, mine, survival, incidence))
        survival *= 1 - (events + competing) / at_risk
    variance = 0.0
    for at_risk, ended, mine, before, upto in seen:
        gap = incidence - upto
        if at_risk > ended:
            variance += gap * gap * ended / (at_risk * (at_risk - ended))
        variance += before * before * mine * (at_risk - mine) / at_risk**3
        variance -= 2 * gap * before * mine / at_risk**2
    lo, hi = _bounds(incidence, max(0.0, variance), level)
    return incidence, lo, hi


def _bounds(share: float, variance: float, level: float) -> Interval:
    if not TINY < share < 1 - TINY or variance <= 0:
        return share, share
    return _powers(share, z_of(level) * math.sqrt(variance) / abs(share * math.log(share)))


def log_rank(one: Sequence[Life], other: Sequence[Life]) -> tuple[float, float]:
    """Return the two-sample log-rank score (normal; positive: the first group ends sooner) and its two-sided p; late entry allowed."""
    _, first = _counted(one)
    _, rows = _counted([*one, *other])
    mine = {time: events for time, _, events, _ in first}
    watched = [life for life in one if life.end > life.entry or (life.end == life.entry == 0)]
    entries, ends = sorted(life.entry for life in watched), sorted(life.end for life in watched)
    excess = variance = 0.0
    for time, at_risk, events, _ in rows:
        entered = bisect_left(entries, time) if time > 0 else len([entry for entry in entries if entry <= 0])
        risk = entered - bisect_left(ends, time)
        if not events or not at_risk:
            continue
        excess += mine.get(time, 0) - events * risk / at_risk
        if at_risk > 1:
            share = risk / at_risk
            variance += events * share * (1 - share) * (at_risk - events) / (at_risk - 1)
    if variance <= 0:
        return 0.0, 1.0
    score = excess / math.sqrt(variance)
    return score, two_sided_p(score)


def mean_difference(one: Curve, other: Curve, bound: float, level: float = LEVEL) -> tuple[float, float, float, float]:
    """Return RMST of the second minus the first up to a bound, its interval, and its two-sided p: how to compare two periods."""
    (a, sa), (b, sb) = one.mean_until(bound), other.mean_until(bound)
    error = math.hypot(sa, sb)
    gap = b - a
    return gap, gap - z_of(level) * error, gap + z_of(level) * error, two_sided_p(gap / error) if error else 1.0 if not gap else 0.0
