"""Effects, recurrences and reviews: what may be said from how many points, and what opens the next review."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from watchword.learn.after_action import action_faults, faults_of, is_open, opening, overdue, to_verify, worked
from watchword.learn.effect import LEAST, Point, compare, judge, split
from watchword.learn.recurrence import Pattern, match
from watchword.model.after_action import AfterAction, CorrectiveAction
from watchword.model.decision import Direction, Effect, Expectation

AT = datetime(2026, 6, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
DOWN = Expectation("m", Direction.DOWN, 1.0, date(2026, 12, 1))


def series(before, after, credible=True):
    points = [
        Point(AT - (len(before) - n) * WEEK, AT - (len(before) - n - 1) * WEEK, value, f"b{n}", credible) for n, value in enumerate(before)
    ]
    return points + [Point(AT + n * WEEK, AT + (n + 1) * WEEK, value, f"a{n}", credible) for n, value in enumerate(after)]


def noise(seed, mean, count=12):
    chance = Random(seed)
    return [mean + chance.uniform(-1, 1) for _ in range(count)]


def test_a_shift_as_expected_a_contrary_one_and_none():
    assert judge(DOWN, series(noise(1, 10), noise(2, 6)), AT).effect is Effect.AS_EXPECTED
    assert judge(DOWN, series(noise(1, 10), noise(2, 14)), AT).effect is Effect.CONTRARY
    assert judge(DOWN, series(noise(1, 10), noise(3, 10)), AT).effect is Effect.NONE_DETECTED
    assert judge(replace(DOWN, direction=Direction.UP), series(noise(1, 10), noise(2, 14)), AT).effect is Effect.AS_EXPECTED


def test_too_few_points_on_either_side_say_nothing():
    for before, after in ((LEAST - 1, 20), (20, LEAST - 1)):
        verdict = judge(DOWN, series(noise(1, 10, before), noise(2, 1, after)), AT)
        assert verdict.effect is Effect.TOO_EARLY
        assert f"each side needs {LEAST}" in verdict.because


def test_what_is_not_credible_counts_for_nothing_and_the_period_of_the_change_is_on_neither_side():
    assert judge(DOWN, series(noise(1, 10), noise(2, 1), credible=False), AT).effect is Effect.TOO_EARLY
    between = Point(AT - WEEK / 2, AT + WEEK / 2, 99.0)
    before, after = split([between, *series([1.0], [2.0])], AT)
    assert [point.value for point in (*before, *after)] == [1.0, 2.0]


def test_a_smaller_effect_than_hoped_for_is_said_to_be_smaller():
    verdict = judge(replace(DOWN, size=8.0), series(noise(1, 10), noise(2, 6)), AT)
    assert verdict.effect is Effect.AS_EXPECTED
    assert "smaller" in verdict.because


def test_no_effect_was_expected_is_an_answer_of_its_own():
    assert judge(Expectation("", Direction.NONE), (), AT).effect is Effect.NOT_EXPECTED


def test_chance_alone_seldom_looks_like_an_effect():
    found = [judge(DOWN, series(noise(seed, 10), noise(1000 + seed, 10)), AT).effect for seed in range(300)]
    assert sum(effect is not Effect.NONE_DETECTED for effect in found) <= 15, "at most one in twenty"


def test_what_moved_everywhere_was_not_the_decision():
    trend = series(noise(1, 10), noise(2, 6))
    others = [series(noise(seed, 10), noise(seed + 50, 6)) for seed in (3, 4, 5)]
    assert judge(DOWN, trend, AT).effect is Effect.AS_EXPECTED, "before and after alone would believe it"
    verdict = compare(DOWN, trend, others, AT)
    assert verdict.effect is Effect.NONE_DETECTED
    assert verdict.method == "did"
    still = [series(noise(seed, 10), noise(seed + 50, 10)) for seed in (3, 4, 5)]
    assert compare(DOWN, trend, still, AT).effect is Effect.AS_EXPECTED
    assert compare(DOWN, trend, [], AT).method == "xmr"


def test_the_verdict_does_not_depend_on_the_order_of_points():
    points = series(noise(1, 10), noise(2, 6))
    Random(7).shuffle(points)
    assert judge(DOWN, points, AT) == judge(DOWN, series(noise(1, 10), noise(2, 6)), AT)


OLD = Pattern(frozenset({"ww_007"}), frozenset({"T1078"}), frozenset({"hq/doors/D-1"}), frozenset({"person:1"}))


def test_the_same_way_at_the_same_place_recurs_and_the_same_door_alone_does_not():
    assert match(OLD, OLD).score == pytest.approx(1.0)
    same_door = Pattern(frozenset({"ww_013"}), frozenset({"T1200"}), OLD.places, OLD.entities)
    assert not match(OLD, same_door).alike
    other_person = replace(OLD, entities=frozenset({"person:2"}))
    assert match(OLD, other_person).alike
    assert "ww_007" in match(OLD, other_person).because
    assert not match(Pattern(), OLD).alike


def test_more_in_common_never_lowers_the_score():
    step = Pattern(OLD.rules)
    scores = [match(OLD, step).score]
    for name in ("techniques", "places", "entities"):
        step = replace(step, **{name: getattr(OLD, name)})
        scores.append(match(OLD, step).score)
    assert scores == sorted(scores)


ACTION = CorrectiveAction("a", "One list", "otto", "physical", date(2026, 6, 20), DOWN, date(2026, 9, 1))
REVIEW = AfterAction("r", "i", AT, "mia", (("ada", "it"),), ("A call",), (), (), (), (ACTION,))


def test_a_review_has_at_most_three_actions_and_each_names_owner_dates_and_measure():
    assert faults_of(REVIEW) == []
    assert any("at most 3" in fault for fault in faults_of(replace(REVIEW, actions=(ACTION,) * 4)))
    assert any("helped or what hindered" in fault for fault in faults_of(replace(REVIEW, helped=())))
    assert any("owner" in fault for fault in action_faults(replace(ACTION, owner=" "), AT.date()))
    assert any("after it is due" in fault for fault in action_faults(replace(ACTION, verify_on=ACTION.due), AT.date()))
    assert any("name the measure" in fault for fault in action_faults(replace(ACTION, expects=replace(DOWN, metric="")), AT.date()))


def test_done_and_worked_are_two_questions():
    done = replace(ACTION, done=AT)
    assert is_open(ACTION)
    assert not is_open(done)
    assert worked(done) is None
    failed = replace(done, effect=Effect.NONE_DETECTED)
    assert worked(failed) is False
    assert is_open(failed), "done, and it did not work: it opens the next review"
    assert worked(replace(done, effect=Effect.AS_EXPECTED)) is True
    assert [each.done for each in opening([done, failed, ACTION])] == [AT, None]
    assert overdue([ACTION, done], date(2026, 7, 1)) == [ACTION]
    assert to_verify([ACTION, done], date(2026, 9, 1)) == [done]
