"""K5: the shares sum to one, ageing never raises compliance, and what nobody saw counts as not working."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.measure.compliance import (
    Held,
    Result,
    Span,
    automation,
    drift,
    evidence_age,
    freshness,
    of_all,
    of_control,
    reliability,
    standing,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
held = st.builds(
    Held,
    control=st.just("pe-3"),
    asset=st.text("abc", min_size=1, max_size=2),
    result=st.sampled_from(Result),
    collected=st.integers(0, 400).map(lambda hours: NOW - timedelta(hours=hours)),
    ttl=st.integers(1, 200).map(lambda hours: timedelta(hours=hours)),
    quality=st.sampled_from([1.0, 0.9, 0.6]),
    weight=st.floats(0.1, 9),
    telemetry=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(held, max_size=12), st.integers(0, 5_000))
def test_ageing_never_raises_compliance_and_the_shares_sum_to_one(evidence, hours):
    now, later = of_control(evidence, NOW), of_control(evidence, NOW + timedelta(hours=hours))
    if now.n == 0:
        assert (now.passed, now.failed, now.unknown) == (None, None, None)
        return
    assert now.passed + now.failed + now.unknown == pytest.approx(1)
    assert later.passed + later.failed + later.unknown == pytest.approx(1)
    assert later.passed <= now.passed + 1e-12
    assert later.failed == pytest.approx(now.failed)


@settings(deadline=None)
@given(st.lists(st.lists(held, max_size=5), max_size=5), st.integers(0, 2_000))
def test_of_all_controls_too(groups, hours):
    now, later = of_all(groups, NOW), of_all(groups, NOW + timedelta(hours=hours))
    if now.n:
        assert now.passed + now.failed + now.unknown == pytest.approx(1)
        assert later.passed <= now.passed + 1e-12


def one(result, *, age=timedelta(), quality=1.0, **more):
    return Held("pe-3", "door", result, NOW - age, DAY, quality, **more)


def test_freshness_halves_with_each_further_ttl():
    assert freshness(DAY, DAY) == 1
    assert freshness(2 * DAY, DAY) == 0.5
    assert freshness(3 * DAY, DAY) == 0.25


def test_a_pass_older_than_three_ttl_is_insufficient_and_a_fail_stays():
    assert standing(one(Result.PASS, age=3 * DAY), NOW) is Result.PASS
    assert standing(one(Result.PASS, age=3.01 * DAY), NOW) is Result.INSUFFICIENT
    assert standing(one(Result.FAIL, age=400 * DAY), NOW) is Result.FAIL


def test_quality_and_what_does_not_apply():
    assert of_control([one(Result.PASS, quality=0.6)], NOW).passed == pytest.approx(0.6)
    both = of_control([one(Result.PASS), one(Result.NOT_APPLICABLE)], NOW)
    assert (both.n, both.passed) == (1, 1)


def test_many_doors_do_not_outweigh_one_plan():
    doors, plan = [one(Result.PASS)] * 99, [one(Result.FAIL)]
    assert of_all([doors, plan], NOW).failed == pytest.approx(0.5)


def test_automation_and_age_look_only_at_what_says_something():
    found = [one(Result.PASS, age=2 * DAY), one(Result.FAIL, telemetry=False), one(Result.INSUFFICIENT)]
    assert automation(found) == 0.5
    assert evidence_age(found, NOW) == 1
    assert automation([one(Result.INSUFFICIENT)]) is None
    assert evidence_age([], NOW) is None


def span(asset, result, since, until):
    return Span(asset, result, NOW + since * DAY, NOW + until * DAY)


def test_drift_counts_only_what_had_passed_before():
    spans = [span("a", Result.PASS, 0, 1), span("a", Result.FAIL, 1, 3), span("b", Result.FAIL, 0, 9)]
    assert drift(spans, NOW, NOW + 2 * DAY) == 24


def test_reliability_is_the_share_of_time_evidenced_working():
    spans = [span("a", Result.PASS, 0, 1), span("a", Result.INSUFFICIENT, 1, 2), span("b", Result.PASS, 0, 2)]
    assert reliability(spans, NOW, NOW + 2 * DAY) == pytest.approx(0.75)
    assert reliability([], NOW, NOW + DAY) is None
    assert reliability([span("a", Result.NOT_APPLICABLE, 0, 2)], NOW, NOW + DAY) is None
