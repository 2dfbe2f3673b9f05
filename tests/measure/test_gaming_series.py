"""Times heaped below a promise, measures that improve at another's cost, denominators that shrink."""

import numpy as np

from watchword.measure.gaming_series import denominators, divergence, heaping
from watchword.model.metric import Better, Flag

PROMISE = 240.0


def _durations(seed: int, n: int, shifted: float) -> list[float]:
    """Return lognormal durations; of those up to half too late, a share is brought forward to just below the promise."""
    rng = np.random.default_rng(seed)
    found = rng.lognormal(np.log(180), 0.9, n)
    late = (found >= PROMISE) & (found < 1.5 * PROMISE) & (rng.random(n) < shifted)
    found[late] = rng.uniform(0.9 * PROMISE, PROMISE, int(late.sum()))
    return [float(each) for each in found]


def _rate(n: int, shifted: float, runs: int = 200) -> float:
    return sum(heaping(_durations(seed, n, shifted), PROMISE) is not None for seed in range(runs)) / runs


def test_heaping_is_as_powerful_as_the_reference_and_as_quiet() -> None:
    """Measured in the reference: false alarms .001 to .007; n = 500: .51, .99, 1."""
    assert _rate(500, 0.0, 400) <= 0.02
    assert abs(_rate(500, 0.25) - 0.51) <= 0.12
    assert _rate(500, 0.5) >= 0.95
    assert abs(_rate(200, 0.5) - 0.64) <= 0.12


def test_heaping_says_nothing_of_few_times() -> None:
    assert heaping([230.0] * 9, PROMISE) is None
    sign = heaping([230.0] * 20, PROMISE)
    assert sign is not None
    assert sign.flag is Flag.HEAPING
    assert "20 lie just below it" in sign.because


def test_divergence_needs_both_sides() -> None:
    steady = [10.0, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 10]
    better, worse = [*steady, 3.0, 3.0], [*steady, 17.0, 17.0]
    names = ("Time to resolve", "Share reopened")
    assert divergence(better, Better.DOWN, [*steady, 10.0, 10.0], Better.DOWN, names) is None
    assert divergence([*steady, 10.0, 10.0], Better.DOWN, worse, Better.DOWN, names) is None
    sign = divergence(better, Better.DOWN, worse, Better.DOWN, names)
    assert sign is not None
    assert "Time to resolve is" in sign.because
    assert "while Share reopened is" in sign.because


def test_an_old_divergence_is_no_news() -> None:
    steady = [10.0, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 10]
    calm = [10.0, 11, 9, 10, 11, 9]
    names = ("one", "other")
    assert divergence([*steady, 3.0, *calm], Better.DOWN, [*steady, 17.0, *calm], Better.DOWN, names) is None


def test_a_denominator_that_shrinks_is_told_and_one_that_grows_is_not() -> None:
    steady = [100.0, 102, 99, 101, 100, 98, 101, 100, 102, 99]
    assert denominators("items that could be chosen", [*steady, 60.0], suspect=Better.DOWN) is not None
    assert denominators("items that could be chosen", [*steady[:7], 140.0], suspect=Better.DOWN) is None
    sign = denominators("planned maintenance", [*steady, 140.0], suspect=Better.UP)
    assert sign is not None
    assert sign.flag is Flag.DENOMINATOR
    assert sign.because.startswith("Planned maintenance: above")
