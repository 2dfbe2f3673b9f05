"""Uptime: states and shares against the clock's every second, cover of zones, planned work, intervals, causes and budgets."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.measure.condition import Signal, Standing, follow, tried_by_hand
from watchword.measure.error_budget import RULES, AlertKind, alerts, alerts_of_events, budget, burn
from watchword.measure.shared_cause import Dependencies, Outage, causes, matrix
from watchword.measure.uptime import (
    WORSE,
    Span,
    State,
    covered,
    fifth_percentile,
    outages,
    shares,
    weighted_mean,
    with_planned,
    worst_of,
)
from watchword.measure.uptime_interval import fewest, highest, largest, lowest
from watchword.model import Domain
from watchword.model.metric import Window
from watchword.model.uptime import ServiceObjective

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def window(seconds: int) -> Window:
    return Window(START, at(seconds))


def signal(second: float, state: State, holds: float | None = None, condition: str = "reachable", component: str = "asset:a") -> Signal:
    length = None if holds is None else timedelta(seconds=holds)
    return Signal(component, condition, at(second), state, state.value if state is not State.UP else "", f"e{second}", length)


signals = st.lists(
    st.builds(
        signal,
        st.integers(-200, 900),
        st.sampled_from([State.UP, State.UP, State.DEGRADED, State.DOWN]),
        st.one_of(st.none(), st.integers(1, 120)),
    ),
    max_size=14,
)


def state_by_hand(heard: list[Signal], second: int) -> State:
    """Say what is known at one second by reading the signals one after the other, as somebody with a stopwatch would."""
    moment = at(second) + SECOND / 2
    state, expires = None, None
    for one in sorted(heard, key=lambda each: each.order):
        if one.at > moment:
            break
        ends = None if one.holds is None else one.at + 2 * one.holds
        gone = expires is not None and one.at > expires
        if state is one.state and not gone:
            expires = None if ends is None or expires is None else max(ends, expires)
        else:
            state, expires = one.state, ends
    if state is None or (expires is not None and moment >= expires):
        return State.UNKNOWN
    return state


@settings(max_examples=120, deadline=None)
@given(st.lists(signals, min_size=1, max_size=3), st.lists(st.tuples(st.integers(0, 600), st.integers(1, 200)), max_size=2))
def test_durations_are_what_a_look_at_every_second_counts(heard, work):
    span = window(600)
    lines = [follow(each).until(span.until) for each in heard]
    planned = [Span(at(since), at(since + length), State.PLANNED, "CHG-1") for since, length in work]
    found = shares(with_planned(worst_of(lines, span), planned, span), span)
    counted = dict.fromkeys(State, 0)
    for second in range(600):
        moment = at(second) + SECOND / 2
        state = max((state_by_hand(each, second) for each in heard), key=WORSE.__getitem__)
        if any(each.since <= moment < each.until for each in planned):
            state = State.PLANNED
        counted[state] += 1
    measured = {each: getattr(found, each.value) / SECOND for each in State}
    assert measured == counted
    assert found.total == span.length
    if found.value is not None:
        assert found.value <= found.highest <= 1
        assert found.coverage == pytest.approx(1 - counted[State.UNKNOWN] / (600 - counted[State.PLANNED]))


@settings(max_examples=80, deadline=None)
@given(st.lists(signals, min_size=1, max_size=4), st.integers(1, 4))
def test_a_zone_is_covered_whenever_so_many_are_up(heard, least):
    span = window(300)
    members = [follow(each).until(span.until) for each in heard]
    found = shares(covered(members, least, span), span)
    up = maybe = 0
    for second in range(300):
        states = [state_by_hand(each, second) for each in heard]
        up += sum(state is State.UP for state in states) >= least
        maybe += sum(state in {State.UP, State.UNKNOWN} for state in states) >= least
    assert found.up / SECOND == up
    assert (found.up + found.unknown) / SECOND == maybe
    assert found.value == up / 300


@settings(max_examples=100, deadline=None)
@given(signals, st.integers(0, 14))
def test_carrying_a_line_on_is_making_it_at_once(heard, cut):
    ranked = sorted(heard, key=lambda each: each.order)
    # A cut within one instant would leave the last word to whichever came last, so cut between instants.
    while 0 < cut < len(ranked) and ranked[cut - 1].at == ranked[cut].at:
        cut += 1
    whole = follow(ranked)
    first = follow(ranked[:cut])
    rest = follow(ranked[cut:], first.standing)
    span = window(1200)
    assert shares([*first.spans, *rest.until(span.until)], span) == shares(whole.until(span.until), span)


def test_unknown_begins_after_twice_the_expected_interval():
    line = follow([signal(0, State.UP, 60), signal(50, State.UP, 60), signal(400, State.UP, 60)])
    states = [(span.since, span.until, span.state) for span in line.until(at(450))]
    assert states == [(at(0), at(170), State.UP), (at(170), at(400), State.UNKNOWN), (at(400), at(450), State.UP)]
    assert "nothing was heard since" in line.until(at(450))[1].because


def test_a_short_interval_never_shortens_what_a_long_one_promised():
    line = follow([signal(0, State.UP, 900), signal(10, State.UP, 5)])
    assert line.standing == Standing(State.UP, at(0), at(10), at(1800), "", "e0")


def test_of_two_words_at_one_instant_the_worse_counts():
    for order in (0, 1):
        pair = [signal(5, State.UP), signal(5, State.DOWN)]
        line = follow([signal(0, State.UP), *(pair if order else pair[::-1])])
        assert line.standing.state is State.DOWN


def test_a_test_by_hand_counts_for_its_time_and_a_failed_one_until_the_next():
    day = timedelta(days=1)
    line = tried_by_hand(
        [(START, True, ""), (START + 5 * day, False, "bolt"), (START + 6 * day, True, "")], 3 * day, START + 10 * day, State.DEGRADED
    )
    assert [(span.state, span.length / day) for span in line] == [
        (State.UP, 3), (State.UNKNOWN, 2), (State.DEGRADED, 1), (State.UP, 3), (State.UNKNOWN, 1),
    ]  # fmt: skip
    assert "bolt" in line[2].because


def test_planned_work_excuses_and_does_not_earn():
    span = window(100)
    down = [Span(at(0), at(100), State.DOWN, "gone")]
    found = shares(with_planned(down, [Span(at(10), at(60), State.PLANNED, "CHG-1")], span), span)
    assert (found.planned / SECOND, found.down / SECOND, found.value, found.planned_share) == (50, 50, 0, 0.5)
    everything = shares(with_planned(down, [Span(at(-5), at(200), State.PLANNED, "CHG-2")], span), span)
    assert everything.value is None
    assert everything.highest is None


def test_outages_join_what_follows_without_a_break_and_name_the_worst():
    spans = [Span(at(0), at(10), State.UP), Span(at(10), at(20), State.UNKNOWN, "silent"), Span(at(20), at(30), State.DOWN, "offline", "e1"),
             Span(at(30), at(40), State.UP), Span(at(40), at(45), State.DEGRADED, "clock")]  # fmt: skip
    found = outages(spans)
    assert [(one.since, one.until, one.state, one.because) for one in found] == [
        (at(10), at(30), State.DOWN, "offline"),
        (at(40), at(45), State.DEGRADED, "clock"),
    ]


def test_mean_and_fifth_percentile_of_zones():
    assert weighted_mean([(1.0, 1), (0.5, 3)]) == 0.625
    assert weighted_mean([]) is None
    assert fifth_percentile([i / 100 for i in range(1, 101)]) == 0.05
    assert fifth_percentile([0.7]) == 0.7
    assert fifth_percentile([]) is None


# intervals


def test_bounds_of_counts_are_those_of_the_chi_square():
    from scipy.stats import chi2

    for count in range(12):
        assert largest(count, 0.025) == pytest.approx(chi2.ppf(0.975, 2 * (count + 1)) / 2, abs=1e-9)
        assert fewest(count, 0.025) == pytest.approx(chi2.ppf(0.025, 2 * count) / 2 if count else 0, abs=1e-9)


def renewals(rng: Random, days: int, every: float, lasting: float) -> list[Span]:
    spans, moment, end = [], START, START + timedelta(days=days)
    while moment < end:
        up = min(moment + timedelta(hours=rng.expovariate(1 / every)), end)
        spans.append(Span(moment, up, State.UP))
        back = min(up + timedelta(hours=rng.expovariate(1 / lasting)), end)
        if up < back:
            spans.append(Span(up, back, State.DOWN, "gone"))
        moment = back
    return spans


@pytest.mark.parametrize(("every", "days"), [(12.0, 30), (120.0, 30)])
def test_intervals_hold_the_truth_about_as_often_as_they_claim(every, days):
    truth, held = every / (every + 1.0), 0
    for seed in range(150):
        spans = renewals(Random(seed), days, every, 1.0)
        found = shares(spans, Window(START, START + timedelta(days=days)))
        low, high = lowest(spans, found), highest(spans, found)
        assert 0 <= low <= found.value <= high <= 1
        held += low <= truth <= high
    assert held / 150 >= 0.9


def test_no_outage_is_no_certainty():
    spans = [Span(START, START + timedelta(days=30), State.UP)]
    found = shares(spans, Window(START, START + timedelta(days=30)))
    assert lowest(spans, found) == pytest.approx(1 - 3 / 720)
    assert highest(spans, found) == 1


def test_the_upper_end_counts_unknown_time_as_up():
    spans = [Span(START, at(500), State.UP), Span(at(500), at(1000), State.UNKNOWN)]
    found = shares(spans, window(1000))
    assert (found.value, found.highest, found.coverage) == (0.5, 1.0, 0.5)
    assert highest(spans, found) == 1
    assert lowest(spans, found) < 0.5


# causes


UPSTREAM = {"cam-1": ["switch"], "cam-2": ["switch"], "cam-3": ["other"], "switch": ["core"], "other": ["core"], "core": []}
SIDES = {
    "cam-1": Domain.PHYSICAL,
    "cam-2": Domain.PHYSICAL,
    "cam-3": Domain.PHYSICAL,
    "switch": Domain.IT,
    "other": Domain.IT,
    "core": Domain.IT,
}


def outage(component: str, since: int, until: int) -> Outage:
    return Outage(component, Span(at(since * 60), at(until * 60), State.DOWN, "gone"))


def test_outages_that_one_ancestor_explains_are_one():
    graph = Dependencies(UPSTREAM, SIDES)
    found = causes([outage("cam-1", 11, 30), outage("cam-2", 12, 31), outage("switch", 10, 30), outage("cam-3", 100, 110)], graph)
    assert [(cause.root, {one.component for one in cause.outages}) for cause in found] == [
        ("switch", {"switch", "cam-1", "cam-2"}),
        ("cam-3", {"cam-3"}),
    ]
    lost = matrix(found, SIDES)
    assert lost == {
        (Domain.IT, Domain.IT): 20, (Domain.PHYSICAL, Domain.IT): 38, (Domain.PHYSICAL, Domain.PHYSICAL): 10, (Domain.IT, Domain.PHYSICAL): 0,
    }  # fmt: skip


def test_the_farthest_ancestor_that_was_out_is_the_cause():
    graph = Dependencies(UPSTREAM, SIDES)
    found = causes(
        [outage("core", 0, 20), outage("switch", 1, 20), outage("cam-1", 2, 20), outage("other", 1, 20), outage("cam-3", 1, 21)], graph
    )
    assert [(cause.root, len(cause.outages)) for cause in found] == [("core", 5)]


def test_an_ancestor_that_nobody_watches_is_inferred_from_what_went_together():
    watched = [name for name in SIDES if name != "switch"]
    found = causes([outage("cam-1", 10, 30), outage("cam-2", 11, 30)], Dependencies(UPSTREAM, watched))
    assert [(cause.root, cause.inferred, len(cause.outages)) for cause in found] == [("switch", True, 2)]
    apart = causes([outage("cam-1", 10, 30), outage("cam-2", 60, 80)], Dependencies(UPSTREAM, watched))
    assert {cause.root for cause in apart} == {"cam-1", "cam-2"}


def test_an_ancestor_that_was_well_explains_nothing():
    found = causes([outage("switch", 200, 210), outage("cam-1", 10, 30)], Dependencies(UPSTREAM, SIDES))
    assert {cause.root for cause in found} == {"switch", "cam-1"}


def test_a_circle_of_dependencies_is_named_and_borne():
    graph = Dependencies({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, "abcd")
    assert graph.cycles() == [("a", "b", "c")]
    found = causes([outage(name, 0, 10) for name in "abcd"], graph)
    assert sum(len(cause.outages) for cause in found) == 4
    assert len(found) == 1


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(SIDES)), st.integers(0, 300), st.integers(1, 60)), max_size=12))
def test_every_outage_has_one_cause_and_no_minute_is_lost_or_doubled(drawn):
    by_name: dict[str, int] = {}
    chosen = []
    for name, since, length in sorted(drawn, key=lambda one: one[1]):
        if since >= by_name.get(name, 0):
            chosen.append(outage(name, since, since + length))
            by_name[name] = since + length + 1
    found = causes(chosen, Dependencies(UPSTREAM, SIDES))
    spread = [one for cause in found for one in cause.outages]
    assert sorted(spread, key=str) == sorted(chosen, key=str)
    assert sum(matrix(found, SIDES).values()) == pytest.approx(sum(one.span.length / timedelta(minutes=1) for one in chosen))


# budgets


def test_the_budget_is_what_the_objective_leaves_and_unknown_spends_it():
    objective = ServiceObjective("asset:a", 0.99, timedelta(days=30))
    now = START + timedelta(days=30)
    spans = [
        Span(START, START + timedelta(days=29), State.UP),
        Span(START + timedelta(days=29), START + timedelta(days=29, hours=2), State.DOWN, "gone"),
        Span(START + timedelta(days=29, hours=2), START + timedelta(days=29, hours=3), State.UNKNOWN),
        Span(START + timedelta(days=29, hours=3), now, State.UP),
    ]
    found = budget(objective, spans, now)
    assert found.allowed / timedelta(hours=1) == pytest.approx(7.2)
    assert (found.spent, found.unknown) == (timedelta(hours=3), timedelta(hours=1))
    assert found.left_share == pytest.approx(4.2 / 7.2)
    assert not found.exhausted
    assert budget(ServiceObjective("asset:a", 0.999), spans, now).exhausted


def test_burn_is_one_when_the_budget_lasts_exactly_its_window():
    now = START + timedelta(hours=100)
    spans = [Span(START, now - timedelta(hours=1), State.UP), Span(now - timedelta(hours=1), now, State.DOWN)]
    assert burn(spans, 0.99, timedelta(hours=100), now) == pytest.approx(1)


def bad_for(minutes: float, ago: float = 0.0, days: float = 4.0) -> tuple[list[Span], datetime]:
    now = START + timedelta(days=days)
    begin, end = now - timedelta(minutes=minutes + ago), now - timedelta(minutes=ago)
    spans = [Span(START, begin, State.UP), Span(begin, end, State.DOWN, "gone"), Span(end, now, State.UP)]
    return [span for span in spans if span.since < span.until], now


def test_a_fast_burn_pages_and_a_slow_one_makes_a_ticket():
    spans, now = bad_for(10)
    fired = alerts(spans, 0.99, now)
    assert {each.rule.kind for each in fired} == {AlertKind.PAGE}
    spans, now = bad_for(2)
    assert alerts(spans, 0.99, now) == []
    spans, now = bad_for(60, ago=120)
    assert {each.rule.kind for each in alerts(spans, 0.99, now)} == {AlertKind.TICKET}
    spans, now = bad_for(60, ago=60 * 8)  # over: the short window is clean again
    assert alerts(spans, 0.99, now) == []


def test_each_rule_stands_for_its_share_of_a_month():
    spent = [rule.over * rule.long / timedelta(days=30) for rule in RULES]
    assert spent == pytest.approx([0.02, 0.05, 0.1])


def test_few_events_alert_nobody():
    page = RULES[0]
    assert alerts_of_events((7, 2), (1, 1), page, 0.99) is None
    assert alerts_of_events((50, 1), (1, 1), page, 0.99) is None
    fired = alerts_of_events((30, 10), (3, 2), page, 0.99)
    assert fired is not None
    assert fired.burn == pytest.approx(25)
