"""Intervals: how far a share, a count, a mean or any statistic may be from what we saw, at a stated level."""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.95
RESAMPLES: Final = 1_000
Interval = tuple[float, float]
"""Lower and upper bound."""


def z_of(level: float = LEVEL) -> float:
    """Return the normal quantile of a two-sided interval: 1.96 for .95."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def jeffreys(successes: float, trials: float, level: float = LEVEL) -> Interval:
    """Return Jeffreys' equal-tailed interval of a share, Beta(k + ½, n - k + ½); its ends are 0 and 1 where none or all succeeded.

    50 of 50 gives a lower bound of .951 and never "100 %" (Brown, Cai & DasGupta 2001).

    Raises:
        ValueError: successes outside 0 to trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    if trials == 0:
        return 0.0, 1.0
    from scipy.special import betaincinv  # noqa: PLC0415 - heavy, and wanted by those who compute only

    tail = (1 - level) / 2
    a, b = successes + 0.5, trials - successes + 0.5
    lo = 0.0 if successes == 0 else float(betaincinv(a, b, tail))
    hi = 1.0 if successes == trials else float(betaincinv(a, b, 1 - tail))
    return lo, hi


def wilson(successes: float, trials: float, level: float = LEVEL) -> Interval:
    """Return Wilson's score interval of a share.

    Raises:
        ValueError: successes outside 0 to trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    if trials == 0:
        return 0.0, 1.0
    z, share = z_of(level), successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def poisson(count: int, level: float = LEVEL) -> Interval:
    """Return Garwood's exact interval of a Poisson mean after `count` events; none in an exposure gives 0 to 3.69 at .95.

    Raises:
        ValueError: a negative count.
    """
    if count < 0:
        raise ValueError(f"{count} events")
    from scipy.special import gammaincinv  # noqa: PLC0415 - as above

    tail = (1 - level) / 2
    lo = float(gammaincinv(count, tail)) if count else 0.0
    return lo, float(gammaincinv(count + 1, 1 - tail))


def bootstrap(
    sample: Sequence[float], statistic: Callable[[Sequence[float]], float], *, seed: int, level: float = LEVEL, resamples: int = RESAMPLES
) -> Interval:
    """Return the percentile bootstrap interval of a statistic over independent observations; the same seed gives the same interval.

    Raises:
        ValueError: an empty sample.
    """
    if not sample:
        raise ValueError("an empty sample has no interval")
    import numpy as np  # noqa: PLC0415 - as above

    rng = np.random.default_rng(seed)
    values = np.asarray(sample, dtype=float)
    drawn = np.sort([statistic(values[rng.integers(0, len(values), len(values))].tolist()) for _ in range(resamples)])
    tail = (1 - level) / 2
    return float(np.quantile(drawn, tail)), float(np.quantile(drawn, 1 - tail))


def mean_interval(sample: Sequence[float], *, seed: int, level: float = LEVEL, resamples: int = RESAMPLES) -> Interval:
    """Return the bootstrap interval of a mean, in one vectorised draw.

    Raises:
        ValueError: an empty sample.
    """
    if not sample:
        raise ValueError("an empty sample has no interval")
    import numpy as np  # noqa: PLC0415 - as above

    rng = np.random.default_rng(seed)
    values = np.asarray(sample, dtype=float)
    means = values[rng.integers(0, len(values), (resamples, len(values)))].mean(axis=1)
    tail = (1 - level) / 2
    return float(np.quantile(means, tail)), float(np.quantile(means, 1 - tail))


def compound_poisson(amounts: Sequence[float], level: float = LEVEL) -> Interval:
    """Return how far the sum of the amounts of a Poisson number of events may be from what is usual: ± z·√Σx², never below 0.

    It says how much of a total chance alone would move from one period to the next; few great amounts make it wide.
    """
    total = math.fsum(amounts)
    half = z_of(level) * math.sqrt(math.fsum(amount * amount for amount in amounts))
    return max(0.0, total - half), total + half


def two_sided_p(z: float) -> float:
    """Return the two-sided p of a normal score."""
    return math.erfc(abs(z) / math.sqrt(2))
