"""Intervals equal published values and an independent library's, and cover what they say."""

import numpy as np
import pytest
from scipy import stats

from watchword.measure.intervals import bootstrap, compound_poisson, jeffreys, mean_interval, poisson, wilson


def test_fifty_of_fifty_is_never_a_hundred_per_cent():
    assert jeffreys(50, 50)[0] == pytest.approx(0.951, abs=5e-4)
    assert wilson(50, 50)[0] == pytest.approx(0.929, abs=5e-4)
    assert jeffreys(0, 0) == (0.0, 1.0)
    assert jeffreys(0, 20)[0] == 0.0


@pytest.mark.parametrize(("k", "n"), [(1, 10), (7, 20), (19, 20), (120, 400)])
def test_they_equal_scipy(k, n):
    assert jeffreys(k, n) == pytest.approx(stats.beta.interval(0.95, k + 0.5, n - k + 0.5))
    theirs = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((theirs.low, theirs.high))
    assert poisson(k) == pytest.approx((stats.chi2.ppf(0.025, 2 * k) / 2, stats.chi2.ppf(0.975, 2 * k + 2) / 2))


def test_none_in_an_exposure_is_not_none_ever():
    assert poisson(0) == (0.0, pytest.approx(3.689, abs=1e-3))


def test_jeffreys_and_the_bootstrap_cover_what_they_say():
    """2,000 simulations each, at the levels asked for."""
    rng = np.random.default_rng(11)
    shares = rng.binomial(40, 0.3, 2000)
    table = {int(k): jeffreys(int(k), 40) for k in set(shares.tolist())}
    assert 0.92 <= np.mean([table[int(k)][0] <= 0.3 <= table[int(k)][1] for k in shares]) <= 0.98
    held = 0
    for run in range(2000):
        lo, hi = mean_interval(rng.normal(5, 2, 60).tolist(), seed=run, resamples=400)
        held += lo <= 5 <= hi
    assert 0.92 <= held / 2000 <= 0.98


def test_the_bootstrap_can_be_drawn_again():
    sample = [1.0, 2.0, 3.0, 9.0]
    assert bootstrap(sample, max, seed=1) == bootstrap(sample, max, seed=1)
    with pytest.raises(ValueError, match="empty"):
        bootstrap([], max, seed=1)
    with pytest.raises(ValueError, match="no share"):
        jeffreys(3, 2)


def test_a_total_of_few_great_amounts_is_moved_by_chance():
    few, many = compound_poisson([100.0]), compound_poisson([1.0] * 100)
    assert few[1] - few[0] > 5 * (many[1] - many[0])
