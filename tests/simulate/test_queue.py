"""The queue with known truth: repeatable, in order, and true to its parameters."""

import numpy as np
import pytest

from watchword.simulate.queue import WEEK, WEIGHTS, at_intensity, run_queue, scenario, scenarios


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    one, again, other = (run_queue(scenario("honest"), seed) for seed in (1, 1, 2))
    assert np.array_equal(one.closed, again.closed)
    assert np.array_equal(one.analyst, again.analyst)
    assert len(one.closed) != len(other.closed) or not np.array_equal(one.closed, other.closed)


def test_nothing_is_closed_before_it_came_and_all_within_the_weeks() -> None:
    run = run_queue(scenario("premature_g0.6_one"), 3)
    assert (run.entered <= run.picked).all()
    assert (run.picked <= run.closed).all()
    assert (np.diff(run.closed) >= 0).all()
    assert run.closed.max() <= 16 * WEEK
    assert (run.waiting[np.arange(len(run.closed)), run.severity] > 0).all()
    assert len(run.open_risk_hours) == 16


def test_the_honest_queue_has_the_shares_of_its_parameters() -> None:
    runs = [run_queue(scenario("honest"), seed) for seed in range(6)]
    severe = np.concatenate([run.label[run.severity >= 2] for run in runs])
    reopened = np.concatenate([run.reopened for run in runs])
    assert np.mean(severe == 0) == pytest.approx(0.12, abs=0.02)
    assert reopened.mean() == pytest.approx(0.04, abs=0.005)
    closures = np.mean([run.weeks(2, 7).sum() / 6 for run in runs])
    value = np.mean([np.array(WEIGHTS)[run.severity[run.weeks(2, 7)]].sum() / 6 for run in runs])
    assert closures == pytest.approx(615, rel=0.06)
    assert value == pytest.approx(2720, rel=0.04)


def test_gaming_begins_in_week_eight_and_who_is_away_closes_nothing() -> None:
    run = run_queue(scenario("downgrade_g0.6_one"), 5)
    mine = (run.analyst == 0) & (run.severity >= 2)
    early, late = mine & run.weeks(0, 7), mine & run.weeks(8, 15)
    assert np.mean(run.label[early] == 0) < 0.3
    assert np.mean(run.label[late] == 0) > 0.45
    away = run_queue(scenario("honest_holiday"), 5)
    assert not (away.weeks(9, 15) & (away.analyst >= 7)).any()


def test_scenarios_have_names_of_their_own() -> None:
    names = [each.name for each in scenarios()]
    assert len(set(names)) == len(names) == 14
    assert at_intensity(scenario("cherry_pick_g0.6_one"), 0.95).intensity == 0.95
    with pytest.raises(LookupError, match="no scenario 'nothing'"):
        scenario("nothing")
