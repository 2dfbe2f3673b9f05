"""XmR: signals where something changed, few where nothing did."""

import numpy as np
import pytest

from watchword.measure.xmr import LEAST, Scale, Sign, chart, range_limit
from watchword.model.metric import Better


def test_limits_by_hand():
    found = chart([10, 12, 11, 13, 12, 14])
    assert found is not None
    assert found.mean == pytest.approx(12)
    assert found.upper - found.mean == pytest.approx(2.66 * (2 + 1 + 2 + 1 + 2) / 5)
    assert found.provisional
    assert chart([1] * (LEAST - 1)) is None
    assert range_limit([10, 12, 11, 13, 12, 14]) == pytest.approx(3.268 * 1.6)


def test_a_point_outside_and_a_run_of_eight_are_signals():
    steady = [10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 10]
    found = chart([*steady, 30], Better.DOWN)
    assert [(each.index, each.sign, each.good) for each in found.signals] == [(20, Sign.ABOVE, False)]
    found = chart([*steady, *[9.4] * 8], Better.DOWN)
    assert [(each.sign, each.good) for each in found.signals] == [(Sign.RUN_LOW, True)]
    assert "improvement" in found.signals[0].says


def test_a_skewed_series_is_logged_and_a_share_has_no_limit_below_none():
    rng = np.random.default_rng(2)
    values = np.exp(rng.normal(0, 1.2, 40)).tolist()
    assert chart(values).scale is Scale.LOG
    assert chart(values).lower > 0
    assert chart([0.0, *values]).scale is Scale.ROOT
    assert chart([0.0, *values]).lower >= 0
    assert chart([0.0, 0.1, 0.0, 0.3, 0.0, 0.1], floor=0.0).lower == 0.0


def test_false_signals_and_power_are_as_measured():
    """measures.md section 4: any false signal in 12 points, normal: .15; a shift of 1.5 sigma is found in .86 (twenty points before)."""
    rng = np.random.default_rng(5)
    false = shifted = 0
    runs = 1500
    for _ in range(runs):
        base = rng.normal(0, 1, 20)
        quiet, moved = rng.normal(0, 1, 12), rng.normal(1.5, 1, 12)
        false += any(each.index >= 20 for each in chart([*base, *quiet]).signals)
        shifted += any(each.index >= 20 for each in chart([*base, *moved]).signals)
    assert 0.10 <= false / runs <= 0.24
    assert 0.78 <= shifted / runs <= 0.97


def test_neighbours_that_go_together_are_said():
    assert chart([float(number) for number in range(24)]).autocorrelated
    rng = np.random.default_rng(3)
    assert not chart(rng.normal(0, 1, 24).tolist()).autocorrelated


def test_shares_of_few_scatter_more_than_those_of_many():
    rng = np.random.default_rng(4)
    sizes = [int(size) for size in rng.choice([10, 400], 24)]
    values = [rng.binomial(size, 0.3) / size for size in sizes]
    found = chart(values, Better.DOWN, sizes=sizes)
    assert found.scale is Scale.LANEY
    assert found.mean == pytest.approx(0.3, abs=0.05)
    few, many = chart([*values, 0.55], sizes=[*sizes, 10]), chart([*values, 0.55], sizes=[*sizes, 400])
    assert not [each for each in few.signals if each.index == 24], "six of ten say little"
    assert [each.sign for each in many.signals if each.index == 24] == [Sign.ABOVE]
    assert few.upper - few.lower > 3 * (many.upper - many.lower)
    assert 0 <= few.lower <= few.upper <= 1
    assert chart([0.0] * 8, sizes=list(range(1, 9))).scale is Scale.PLAIN, "of none no scatter is known"
    assert chart(values, sizes=[5] * 24).scale is Scale.PLAIN


def test_laneys_limits_hold_what_they_say():
    rng = np.random.default_rng(6)
    false = 0
    for _ in range(600):
        sizes = rng.integers(15, 60, 32)
        values = (rng.binomial(sizes, 0.4) / sizes).tolist()
        found = chart(values, sizes=sizes.tolist())
        false += any(each.index >= 20 and each.sign in {Sign.ABOVE, Sign.BELOW} for each in found.signals)
    assert false / 600 <= 0.14
