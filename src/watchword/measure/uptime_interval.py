"""Intervals of uptime: a bootstrap over whole outages, and an exact bound on their number where there were few."""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from watchword.measure.uptime import Shares, Span, State

FEW: Final = 25
"""Below so many outages they are not resampled: the bootstrap of two outages knows no third."""
RESAMPLES: Final = 1000
SEED: Final = 20_260_301
"""The same spans give the same interval."""
RULE_OF_THREE: Final = 3.0
KNOWN_LOST: Final = frozenset({State.DEGRADED, State.DOWN})
TYPICAL: Final = timedelta(hours=1)
"""How long an outage is taken to last where none was seen."""


def blocks(spans: Sequence[Span], only: frozenset[State]) -> list[tuple[float, float]]:
    """Return (seconds up, seconds lost) of each block: the time up before an outage, and the outage, a run of states in `only`.

    What was up after the last outage belongs to the last block. States neither up nor in `only` are left out.
    """
    found: list[tuple[float, float]] = []
    up = lost = 0.0
    for span in spans:
        seconds = span.length.total_seconds()
        if span.state in only:
            lost += seconds
        elif span.state is State.UP:
            if lost:
                found.append((up, lost))
                up = lost = 0.0
            up += seconds
    if lost or not found:
        return [*found, (up, lost)]
    last = found.pop()
    return [*found, (last[0] + up, last[1])]


def lowest(spans: Sequence[Span], shares: Shares, level: float = 0.95) -> float | None:
    """Return the lower end for A: outages and unknown time both count as lost. None where no time counts.

    With `FEW` outages or more, the (1 - level)/2 quantile of A over resampled blocks. With fewer, the largest number of outages that such
    a count allows (Poisson, exact), each as long as their mean; with none, the rule of three: at most 3 in the time, of `TYPICAL` length.
    """
    found = _quantile(spans, shares, frozenset({State.DEGRADED, State.DOWN, State.UNKNOWN}), (1 - level) / 2)
    return None if found is None or shares.value is None else min(found, shares.value)


def highest(spans: Sequence[Span], shares: Shares, level: float = 0.95) -> float | None:
    """Return the upper end: as `lowest`, of the upper bound (U + Q)/(T - P).

    With few outages, the smallest number of them that such a count allows.
    """
    if shares.highest is None:
        return None
    found = [each for each in blocks(spans, KNOWN_LOST) if each[1]]
    if len(found) < FEW:
        if not found:
            return shares.highest
        lost = least_lost([each for _, each in found], 1 - level)
        return max(shares.highest, min(1.0, 1 - lost / shares.exposure.total_seconds()))
    known = [span if span.state is not State.UNKNOWN else Span(span.since, span.until, State.UP) for span in spans]
    return max(_resampled(blocks(known, KNOWN_LOST), 1 - (1 - level) / 2), shares.highest)


def _quantile(spans: Sequence[Span], shares: Shares, lost: frozenset[State], share: float) -> float | None:
    if not shares.exposure:
        return None
    found = [each for each in blocks(spans, lost) if each[1]]
    if len(found) >= FEW:
        return _resampled(blocks(spans, lost), share)
    exposure = shares.exposure.total_seconds()
    if not found:
        return max(0.0, 1 - RULE_OF_THREE * TYPICAL.total_seconds() / max(exposure, TYPICAL.total_seconds()))
    return max(0.0, 1 - most_lost([each for _, each in found], 2 * share) / exposure)


def most_lost(lengths: Sequence[float], tail: float) -> float:
    """Return the most time that such outages allow to be lost: the largest number of them, each as long as their mean may be.

    Their number is Poisson, their lengths exponential; both ends are exact, and `tail` is allowed for each, as both rarely meet.
    """
    return largest(len(lengths), tail) * sum(lengths) / fewest(len(lengths), tail)


def least_lost(lengths: Sequence[float], tail: float) -> float:
    """Return the least time that such outages allow to be lost, as `most_lost`."""
    return fewest(len(lengths), tail) * sum(lengths) / largest(len(lengths) - 1, tail)


def largest(count: int, tail: float) -> float:
    """Return the largest mean of a Poisson variable that still gives `count` or fewer with the probability `tail` (exact, Garwood 1936)."""
    return _solved(lambda mean: _at_most(count, mean), tail, count)


def fewest(count: int, tail: float) -> float:
    """Return the smallest mean of a Poisson variable that still gives `count` or more with the probability `tail`; 0 for none."""
    return _solved(lambda mean: _at_most(count - 1, mean), 1 - tail, count) if count else 0.0


def _at_most(count: int, mean: float) -> float:
    term = total = math.exp(-mean)
    for step in range(1, count + 1):
        term *= mean / step
        total += term
    return total


def _solved(falling: Callable[[float], float], wanted: float, count: int) -> float:
    """Return where a falling function of the mean takes a value, by bisection."""
    low, high = 0.0, 10.0 + 4.0 * count
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > wanted else (low, middle)
    return (low + high) / 2


def _resampled(found: Sequence[tuple[float, float]], share: float) -> float:
    import numpy as np  # noqa: PLC0415 - slow to import

    pairs = np.asarray(found, dtype=float)
    chosen = np.random.default_rng(SEED).integers(0, len(pairs), size=(RESAMPLES, len(pairs)))
    sums = pairs[chosen].sum(axis=1)
    return float(np.quantile(sums[:, 0] / sums.sum(axis=1), share))
