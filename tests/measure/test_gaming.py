"""The detectors on hand cases, and on the queue with known truth: seeded, small; bench/gaming_table.py runs the whole table."""

from functools import cache

import numpy as np
import pytest

from watchword.measure.gaming import (
    Picks,
    bulk,
    burst,
    disagreement,
    discoveries,
    downgrades,
    error_rates,
    reopenings,
    selection,
    tail,
    team_selection,
    upper,
)
from watchword.measure.gaming_trial import PERSONAL, Row, try_scenario
from watchword.measure.gaming_windows import Tally, lasting_downgrades, lasting_reopenings
from watchword.model.metric import Flag
from watchword.simulate.queue import scenario, scenarios

RUNS = 10
SEED = 4_100


@cache
def tried(name: str) -> Row:
    """Return a scenario run ten times; each has seeds of its own."""
    first = SEED + 1000 * [each.name for each in scenarios()].index(name)
    return try_scenario(scenario(name), range(first, first + RUNS))


@pytest.mark.parametrize(
    ("name", "detector"),
    [
        ("cherry_pick_g0.6_one", "D1"),
        ("cherry_pick_g0.6_team", "D1 team"),
        ("bulk_g0.6_one", "D2"),
        ("downgrade_g0.6_one", "D3"),
        ("premature_g0.6_one", "D4"),
        ("downgrade_g0.6_one", "D3 quarter"),
        ("premature_g0.6_one", "D4 quarter"),
    ],
)
def test_the_detector_made_for_a_scheme_finds_it(name: str, detector: str) -> None:
    assert tried(name).rate(detector) >= 0.9


@pytest.mark.parametrize("name", ["honest", "honest_mix_shift", "honest_automation", "honest_surge", "honest_holiday"])
def test_an_honest_team_raises_no_alarm_and_hardly_any_sign(name: str) -> None:
    row = tried(name)
    assert row.fired["D1 team"] == 0
    assert sum(row.false[each] for each in PERSONAL) <= 2


def test_false_signs_stay_below_one_in_a_hundred_analyst_quarters() -> None:
    rows = [tried(each.name) for each in scenarios() if each.gamers != 10 and each.intensity != 0.25]
    honest = sum(row.honest for row in rows)
    assert honest >= 800
    for detector in PERSONAL:
        assert sum(row.false[detector] for row in rows) <= 0.01 * honest, detector


def test_a_quarter_finds_mild_downgrading_and_mild_haste_better_than_four_weeks_do() -> None:
    """In the reference four weeks find .22 and .64 of these; measured over 100 runs, a quarter finds .69 and .91."""
    assert tried("downgrade_g0.25_one").rate("D3 quarter") >= 0.40
    assert tried("premature_g0.25_one").rate("D4 quarter") >= 0.75


def test_counting_rewards_what_value_punishes() -> None:
    """A noisy rule lifts the count while value falls; a surge cuts the count while value rises (measures.md section 8)."""
    noisy, surge = tried("honest_mix_shift"), tried("honest_surge")
    assert noisy.mean("after", "closures") > 1.25 * noisy.mean("before", "closures")
    assert noisy.mean("after", "value") < noisy.mean("before", "value")
    assert surge.mean("after", "closures") < 0.8 * surge.mean("before", "closures")
    assert surge.mean("after", "value") > surge.mean("before", "value")


def test_the_binomial_tail_and_the_normal_one() -> None:
    assert tail(0, 5, 0.3) == 1
    assert tail(6, 5, 0.3) == 0
    assert tail(5, 5, 0.5) == pytest.approx(1 / 32)
    assert tail(2, 3, 0.25) == pytest.approx(3 * 0.0625 * 0.75 + 0.015625)
    assert tail(1, 4, 0.0) == 0
    assert tail(1, 4, 1.0) == 1
    assert upper(1.6448536) == pytest.approx(0.05, abs=1e-6)


def test_discoveries_of_benjamini_and_hochberg() -> None:
    assert discoveries([0.001, 0.9, 0.0035, 0.2], 0.01) == [True, False, True, False]
    # The third alone would fail its own step, but a later one passes: all below it are found.
    assert discoveries([0.004, 0.0049, 0.5, 0.5], 0.01) == [True, True, False, False]
    assert discoveries([], 0.01) == []
    assert discoveries([0.02, 0.5], 0.01) == [False, False]


def _picks(rows: list[tuple[int, int, tuple[int, int, int, int]]]) -> Picks:
    return Picks(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), np.array([row[2] for row in rows]).reshape(-1, 4))


def test_picks_without_a_choice_are_no_picks() -> None:
    """Only low items wait, or none: whoever takes one chose nothing."""
    low_only = [(0, 0, (5, 0, 0, 0))] * 60 + [(1, 2, (0, 0, 3, 0))] * 60
    assert selection(_picks(low_only), ["A", "B"]) == []


def test_a_person_is_compared_with_peers_before_the_same_queue() -> None:
    """B's queue is of low items mostly, so that anyone would take them: the peers did, when they saw it so."""
    hard, easy = (4, 0, 2, 0), (50, 1, 0, 0)
    rows = [(0, 2, hard)] * 40 + [(2, 2, hard)] * 40 + [(1, 0, easy)] * 40 + [(0, 0, easy)] * 40 + [(2, 0, easy)] * 40
    assert selection(_picks(rows), ["A", "B", "C"]) == []
    cherry = [(1, 0, hard)] * 30
    signs = selection(_picks(rows + cherry), ["A", "B", "C"])
    assert [sign.person for sign in signs] == [1]
    assert signs[0].flag is Flag.SELECTION
    assert signs[0].because.startswith("B took the low item in 70 of 70 choices")


def test_a_team_is_compared_with_itself_and_only_in_states_that_it_knew() -> None:
    before = [(0, 2, (4, 0, 2, 0))] * 90 + [(0, 0, (4, 0, 2, 0))] * 10
    assert team_selection(_picks([(0, 0, (0, 0, 0, 1))] * 80), _picks(before)) == []
    unknown = [(0, 0, (9, 0, 0, 1))] * 80
    assert team_selection(_picks(unknown), _picks(before)) == []
    turned = [(0, 0, (4, 0, 2, 0))] * 60
    sign = team_selection(_picks(turned), _picks(before))[0]
    assert sign.person == -1
    assert sign.because.endswith("with the same queue it would have taken it 6 times before.")


def test_bursts_within_a_quarter_of_an_hour() -> None:
    assert burst(np.array([]), 15) == 0
    assert burst(np.array([0.0, 15.0, 30.0]), 15) == 1
    assert burst(np.array([0.0, 1, 2, 14.9, 40]), 15) == 4
    signs = bulk([4, 12, 11], 5, ["A", "B", "C"])
    assert [sign.person for sign in signs] == [1]
    assert "nobody closed more than 5" in signs[0].because


def test_few_closures_say_nothing_and_a_small_difference_is_none() -> None:
    assert downgrades([7, 0, 0], [7, 100, 100], ["A", "B", "C"]) == []
    assert downgrades([150, 1000, 1000], [1000, 10_000, 10_000], ["A", "B", "C"]) == []
    signs = downgrades([15, 10, 12], [30, 100, 100], ["A", "B", "C"])
    assert [(sign.person, sign.flag) for sign in signs] == [(0, Flag.DOWNGRADE)]
    assert signs[0].because == "Of 30 closures by A, 15 were marked down (50%); of peers' 11%."
    assert [sign.flag for sign in reopenings([20, 4, 4], [100, 100, 100], ["A", "B", "C"])] == [Flag.REOPEN]
    assert downgrades([5], [20], ["A"]) == []


def test_a_quarter_names_the_window_in_which_it_shows_most() -> None:
    short = Tally(4, (6, 3, 3), (20, 25, 25))
    middle = Tally(8, (18, 6, 6), (50, 50, 50))
    long = Tally(12, (22, 9, 9), (80, 75, 75))
    signs = lasting_downgrades([short, middle, long], ["A", "B", "C"])
    assert [sign.person for sign in signs] == [0]
    assert "in 8 weeks" in signs[0].because
    assert lasting_reopenings([Tally(4, (0, 0), (50, 50))], ["A", "B"]) == []


def test_disagreement_is_unknown_without_reviews() -> None:
    assert disagreement(0, 0) is None
    share, low, high = disagreement(0, 50)
    assert (share, low) == (0, 0)
    assert high == pytest.approx(0.049, abs=0.002)


def test_error_rates_lean_on_the_house_where_cases_are_few() -> None:
    rates = error_rates([1, 10, 8, 0], [1, 100, 100, 0])
    assert rates[0].share < 0.3
    assert rates[1].share == pytest.approx(0.1, abs=0.02)
    assert rates[3].reviewed == 0
    assert rates[3].lo < 0.095 < rates[3].hi
    apart = error_rates([60, 2], [100, 100])
    assert apart[0].share > 0.5
    assert apart[1].share < 0.06
    assert all(rate.lo < rate.share < rate.hi for rate in (*rates, *apart))
