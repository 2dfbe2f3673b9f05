"""XmR charts: limits of an ordinary series from its moving ranges, and the signals that leave them (measures.md section 4)."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from watchword.model.metric import Better

LIMIT: Final = 2.66
"""3 / d₂ with d₂ = 1.128 for ranges of two (Shewhart; Wheeler)."""
RANGE_LIMIT: Final = 3.268
"""D₄ for ranges of two."""
RUN: Final = 8
"""So many points in a row on one side of the mean are a signal."""
SKEWED: Final = 1.0
"""Sample skewness from which a positive series is logged first."""
FIRM: Final = 20
"""Points from which limits are firm; with fewer they are provisional."""
LEAST: Final = 6
"""With fewer points no limits are drawn."""


class Sign(StrEnum):
    """What a signal says."""

    ABOVE = "above"
    """One point above the upper limit."""
    BELOW = "below"
    RUN_HIGH = "run high"
    """Eight in a row above the mean."""
    RUN_LOW = "run low"


class Scale(StrEnum):
    """On which scale the limits were made."""

    PLAIN = "plain"
    LOG = "log"
    ROOT = "root"
    """Skewed, with zeros."""
    LANEY = "laney"
    """Shares of differing numbers: each point has limits of its own, and those shown are the newest point's."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: where and what."""

    index: int
    """Position in the series, from 0."""
    sign: Sign
    good: bool | None
    """Whether it is an improvement; None: nobody said which way is better."""
    says: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Limits of a series and its signals, in the series' own unit."""

    mean: float
    lower: float
    upper: float
    signals: tuple[Signal, ...]
    scale: Scale
    provisional: bool
    """Made from fewer than 20 points."""
    autocorrelated: bool
    """The lag-1 correlation exceeds 2/√n: longer periods would be more honest, the signals are weaker than they look."""
    baseline: int
    """How many points the limits rest on."""


def chart(
    values: Sequence[float],
    better: Better | None = None,
    *,
    baseline: int = FIRM,
    floor: float | None = None,
    sizes: Sequence[int] | None = None,
) -> Chart | None:
    """Return limits and signals of a series in order of time; None with fewer than six points.

    The limits rest on the first `baseline` points: so a later shift is judged by what was before it. A
    skewed series is logged, or rooted where it holds zeros.

    Args:
        values: The points, oldest first; none missing.
        better: Which way is an improvement.
        baseline: How many points the limits rest on.
        floor: The least value that can be, such as 0 of a share: the lower limit never lies below it.
        sizes: Of shares, how many each rests on: few scatter more than many, so each point has limits of its own (Laney p'), and those
            of the newest one are given.
    """
    if len(values) < LEAST:
        return None
    if sizes is not None and (found := _laney(values, sizes, better, baseline)) is not None:
        return found
    first = list(values[:baseline])
    scale = _scale(values, first)
    points = [_TO[scale](value) for value in values]
    base = points[: len(first)]
    mean = math.fsum(base) / len(base)
    ranges = [abs(after - before) for before, after in itertools.pairwise(base)]
    spread = LIMIT * math.fsum(ranges) / len(ranges)
    lower, upper = mean - spread, mean + spread
    back = _BACK[scale]
    signals = tuple(_signals(points, mean, lower, upper, better))
    low = back(lower) if floor is None else max(floor, back(lower))
    return Chart(back(mean), low, back(upper), signals, scale, len(first) < FIRM, _correlated(base), len(first))


def _laney(values: Sequence[float], sizes: Sequence[int], better: Better | None, baseline: int) -> Chart | None:
    """Return a Laney p' chart (2002): z-scores of the shares, limited by their own moving ranges; None where none can be made.

    The scatter between periods thus counts beside that of counting itself: with huge numbers a plain p chart sees signals everywhere.
    """
    first = len(values[:baseline])
    if min(sizes) < 1 or len(set(sizes)) == 1 or min(values) < 0 or max(values) > 1:
        return None
    share = math.fsum(value * size for value, size in zip(values[:first], sizes[:first], strict=True)) / sum(sizes[:first])
    if not 0 < share < 1:
        return None
    errors = [math.sqrt(share * (1 - share) / size) for size in sizes]
    scores = [(value - share) / error for value, error in zip(values, errors, strict=True)]
    base = scores[:first]
    spread = LIMIT * math.fsum(abs(after - before) for before, after in itertools.pairwise(base)) / (len(base) - 1)
    signals = tuple(_signals(scores, 0.0, -spread, spread, better))
    low, high = max(0.0, share - spread * errors[-1]), min(1.0, share + spread * errors[-1])
    return Chart(share, low, high, signals, Scale.LANEY, first < FIRM, _correlated(base), first)


def _scale(values: Sequence[float], first: Sequence[float]) -> Scale:
    if min(values) < 0 or skewness(first) <= SKEWED:
        return Scale.PLAIN
    return Scale.LOG if min(values) > 0 else Scale.ROOT


def _square(value: float) -> float:
    return max(0.0, value) ** 2


_TO: Final[dict[Scale, Callable[[float], float]]] = {Scale.PLAIN: float, Scale.LOG: math.log, Scale.ROOT: math.sqrt}
_BACK: Final[dict[Scale, Callable[[float], float]]] = {Scale.PLAIN: float, Scale.LOG: math.exp, Scale.ROOT: _square}


def _signals(points: Sequence[float], mean: float, lower: float, upper: float, better: Better | None) -> list[Signal]:
    found = []
    high = low = 0
    for index, point in enumerate(points):
        high, low = (high + 1, 0) if point > mean else (0, low + 1) if point < mean else (0, 0)
        if point > upper:
            found.append(_signal(index, Sign.ABOVE, better))
        elif point < lower:
            found.append(_signal(index, Sign.BELOW, better))
        elif high == RUN:
            found.append(_signal(index, Sign.RUN_HIGH, better))
        elif low == RUN:
            found.append(_signal(index, Sign.RUN_LOW, better))
    return found


_WORDS: Final = {
    Sign.ABOVE: "above the upper limit of what is ordinary here",
    Sign.BELOW: "below the lower limit of what is ordinary here",
    Sign.RUN_HIGH: "eight periods in a row above the mean",
    Sign.RUN_LOW: "eight periods in a row below the mean",
}


def _signal(index: int, sign: Sign, better: Better | None) -> Signal:
    up = sign in {Sign.ABOVE, Sign.RUN_HIGH}
    good = None if better is None else up == (better is Better.UP)
    judged = "" if good is None else ", an improvement" if good else ", a worsening"
    return Signal(index, sign, good, f"{_WORDS[sign]}{judged}")


def skewness(values: Sequence[float]) -> float:
    """Return the sample skewness g₁; 0 for a constant series."""
    n = len(values)
    mean = math.fsum(values) / n
    second = math.fsum((value - mean) ** 2 for value in values) / n
    if second <= 0:
        return 0.0
    return float(math.fsum((value - mean) ** 3 for value in values) / n / second**1.5)


def lag_correlation(values: Sequence[float]) -> float:
    """Return the lag-1 autocorrelation; 0 for a constant series."""
    n = len(values)
    mean = math.fsum(values) / n
    total = math.fsum((value - mean) ** 2 for value in values)
    if total <= 0:
        return 0.0
    return math.fsum((a - mean) * (b - mean) for a, b in itertools.pairwise(values)) / total


def _correlated(values: Sequence[float]) -> bool:
    return abs(lag_correlation(values)) > 2 / math.sqrt(len(values))


def range_limit(values: Sequence[float]) -> float | None:
    """Return the upper limit of the moving ranges; None with fewer than six points."""
    if len(values) < LEAST:
        return None
    ranges = [abs(after - before) for before, after in itertools.pairwise(values)]
    return RANGE_LIMIT * math.fsum(ranges) / len(ranges)
