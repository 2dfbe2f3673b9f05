"""Escalation: the shipped policies, every kind of step, what a machine may not do, and properties over any order of inputs."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.kit.errors import ContentError
from watchword.respond.escalation import (
    CALLS,
    Acknowledge,
    Engage,
    Kind,
    Mute,
    OpenHours,
    Policy,
    Status,
    Step,
    Stop,
    Tick,
    Unreached,
    advance,
    begin,
    fault_of,
    pick,
)  # fmt: skip
from watchword.respond.policy_file import read_policies, shipped_policies

T0 = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHIPPED = shipped_policies()


def run(policy: Policy, minutes: int, start: datetime = T0, like=()):
    """The calls of each minute while nobody answers."""
    track, said = begin(start), []
    for minute in range(minutes + 1):
        now = start + minute * MINUTE
        track, calls = advance(policy, track, Tick(like or (start,)), now)
        said += [(minute, call.kind.value, call.name) for call in calls]
    return track, said


def test_the_gravest_goes_on_after_five_minutes_and_gives_up_to_deputy_and_manager():
    policy = SHIPPED[1]
    assert policy.both_teams
    assert policy.kinds == 2
    track, said = run(policy, 60)
    assert said[:4] == [(0, "rota", "each"), (0, "desk", "each"), (5, "rota", "each"), (5, "next", "each")]
    assert {minute for minute, *_ in said} == {0, 5, 10, 15, 20, 25, 30, 35, 40, 45}
    assert said[-2:] == [(45, "give_up", "deputy"), (45, "give_up", "manager")]
    assert (track.status, track.due) == (Status.GIVEN_UP, None)
    assert [minute for minute, kind, _ in run(SHIPPED[2], 20)[1] if kind == "rota"] == [0, 15]


def test_an_acknowledgement_stops_calling_until_it_expires_without_a_deed():
    policy = SHIPPED[1]
    track, _ = advance(policy, begin(T0), Tick(), T0)
    same, calls = advance(policy, track, Acknowledge("bot", "api", human=False), T0)
    assert (same, calls) == (track, ())
    track, _ = advance(policy, track, Acknowledge("ann", "link"), T0 + MINUTE)
    assert (track.status, track.by, track.how) == (Status.ACKNOWLEDGED, "ann", "link")
    assert advance(policy, track, Acknowledge("ben", "link"), T0 + 2 * MINUTE)[0] == track
    assert advance(policy, track, Tick(), T0 + 15 * MINUTE) == (track, ())
    resumed, calls = advance(policy, track, Tick(), T0 + 16 * MINUTE)
    assert (resumed.status, resumed.by, resumed.expired) == (Status.CALLING, "", 1)
    assert [call.kind for call in calls] == [Kind.ROTA, Kind.NEXT]
    engaged, _ = advance(policy, track, Engage("ann"), T0 + 3 * MINUTE)
    assert advance(policy, engaged, Tick(), T0 + timedelta(days=2)) == (engaged, ())


def test_a_deed_without_acknowledgement_is_one():
    track, _ = advance(SHIPPED[2], begin(T0), Engage("ben"), T0)
    assert (track.status, track.by, track.engaged, track.due) == (Status.ACKNOWLEDGED, "ben", True, None)


def test_nobody_to_be_reached_is_not_waited_for():
    track, _ = advance(SHIPPED[1], begin(T0), Tick(), T0)
    track, _ = advance(SHIPPED[1], track, Unreached(), T0)
    _, calls = advance(SHIPPED[1], track, Tick(), T0)
    assert [call.kind for call in calls] == [Kind.ROTA, Kind.NEXT]


def test_business_hours_hold_and_open_in_local_time():
    hours = OpenHours("Europe/Berlin", time(8), time(18))
    policy = Policy("p", frozenset({3}), (Step(Kind.BUSINESS_HOURS, hours=hours), Step(Kind.ROTA, names=("each",))))
    friday = datetime(2026, 3, 27, 20, tzinfo=UTC)
    track, calls = advance(policy, begin(friday), Tick(), friday)
    assert (track.status, calls) == (Status.HELD, ())
    assert track.due == datetime(2026, 3, 30, 6, tzinfo=UTC)  # summer time has begun meanwhile
    assert len(advance(policy, track, Tick(), track.due)[1]) == 1
    assert hours.opens(T0) == T0


def test_a_threshold_counts_its_kind_within_its_time():
    policy = Policy("p", frozenset({4}), (Step(Kind.THRESHOLD, more_than=2, within=10 * MINUTE), Step(Kind.TEAM, names=("it",))))
    few = (T0, T0 - MINUTE, T0 - 11 * MINUTE)
    track, calls = advance(policy, begin(T0), Tick(few), T0)
    assert (track.status, calls, track.due) == (Status.HELD, (), T0 + MINUTE)
    assert advance(policy, track, Tick((*few, T0 + MINUTE)), T0 + MINUTE)[1][0].name == "it"
    below, calls = run(policy, 15)
    assert (below.status, below.due, calls) == (Status.BELOW, None, [])


def test_maintenance_mutes_until_its_end_and_then_calls():
    track, _ = advance(SHIPPED[3], begin(T0), Mute(T0 + timedelta(hours=1)), T0)
    assert advance(SHIPPED[3], track, Tick(), T0 + 59 * MINUTE)[1] == ()
    assert advance(SHIPPED[3], track, Tick(), T0 + 60 * MINUTE)[1] != ()


def test_a_process_that_was_down_calls_once_and_waits_anew():
    track, _ = advance(SHIPPED[1], begin(T0), Tick(), T0)
    late = T0 + timedelta(hours=5)
    track, calls = advance(SHIPPED[1], track, Tick(), late)
    assert len(calls) == 2
    assert track.due == late + 5 * MINUTE


def test_contacts_of_two_kinds_are_picked_in_the_persons_order():
    mine = [("a", "mail"), ("b", "mail"), ("c", "sms"), ("d", "push")]
    assert [pick(mine, kinds) for kinds in (1, 2, 3)] == [["a"], ["a", "c"], ["a", "c", "d"]]
    assert pick(mine[:2], 2) == ["a"]


INPUTS = st.one_of(
    st.just(Tick()),
    st.builds(Acknowledge, st.sampled_from(("ann", "ben")), st.just("link"), st.booleans()),
    st.builds(Engage, st.just("ann")),
    st.just(Unreached()),
    st.builds(Mute, st.integers(0, 3000).map(lambda minutes: T0 + minutes * MINUTE)),
)
STEPS = st.lists(
    st.sampled_from(
        (
            Step(Kind.ROTA, names=("each",)),
            Step(Kind.WAIT, wait=5 * MINUTE),
            Step(Kind.TEAM, names=("it",)),
            Step(Kind.BUSINESS_HOURS, hours=OpenHours("Europe/Berlin", time(8), time(18))),
            Step(Kind.THRESHOLD, more_than=1, within=10 * MINUTE),
            Step(Kind.REPEAT, times=5),
            Step(Kind.GIVE_UP, names=("deputy", "manager")),
        )
    ),
    min_size=1,
    max_size=8,
).map(tuple)


@settings(deadline=None, max_examples=200)
@given(STEPS, st.lists(st.tuples(st.integers(0, 40), INPUTS), max_size=60))
def test_whatever_comes_it_ends_bounded_and_only_a_person_stops_it(steps, inputs):
    policy = Policy("p", frozenset({3}), steps)
    track, now = begin(T0), T0
    for minutes, each in inputs:
        now += minutes * MINUTE
        before = track
        track, calls = advance(policy, track, each, now)
        assert len(calls) <= 6 * 2 * len(steps)
        if track.status is Status.ACKNOWLEDGED and before.status is not Status.ACKNOWLEDGED:
            assert isinstance(each, Engage) or (isinstance(each, Acknowledge) and each.human)
        if isinstance(each, Tick):
            again, more = advance(policy, track, each, now)
            assert more == ()
            assert again == track
        assert track.due is not None or track.status in {Status.GIVEN_UP, Status.BELOW} or track.engaged
    stopped, _ = advance(policy, track, Stop("ann"), now)
    for each in (Tick(), Acknowledge("ben", "link"), Engage("ben"), Unreached(), Mute(now)):
        assert advance(policy, stopped, each, now + timedelta(days=1)) == (stopped, ())


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 600))
def test_the_gravest_never_waits_longer_than_five_minutes_between_calls(skip):
    track, calls = advance(SHIPPED[1], begin(T0), Tick(), T0)
    now = T0
    while track.status is Status.CALLING:
        assert track.due - now <= 5 * MINUTE
        now = track.due + timedelta(seconds=skip)
        track, calls = advance(SHIPPED[1], track, Tick(), now)
        assert calls


# the file


def test_shipped_policies_hold_the_rules():
    assert {*SHIPPED} == {1, 2, 3, 4}
    for policy in SHIPPED.values():
        assert fault_of(policy) == []
        assert any(step.kind in CALLS for step in policy.steps)


def test_rules_of_the_gravest_cannot_be_written_away():
    slow = replace(
        SHIPPED[1],
        kinds=1,
        both_teams=False,
        steps=(Step(Kind.ROTA, names=("each",)), Step(Kind.WAIT, wait=6 * MINUTE), Step(Kind.TEAM, names=("it",))),
    )
    assert len(fault_of(slow)) == 4
    first_waits = replace(SHIPPED[2], steps=(Step(Kind.WAIT, wait=MINUTE), *SHIPPED[2].steps))
    assert any("before it waits" in words for words in fault_of(first_waits))
    gated = replace(SHIPPED[2], steps=(Step(Kind.THRESHOLD, more_than=1, within=MINUTE), *SHIPPED[2].steps))
    assert any("no threshold" in words for words in fault_of(gated))
    assert any(
        "1 to 5" in words
        for words in fault_of(replace(SHIPPED[1], steps=(*SHIPPED[1].steps[:-2], Step(Kind.REPEAT, times=6), SHIPPED[1].steps[-1])))
    )
    assert any(
        "without a wait" in words
        for words in fault_of(Policy("p", frozenset({4}), (Step(Kind.ROTA, names=("each",)), Step(Kind.REPEAT, times=1))))
    )


def test_every_fault_of_a_file_has_its_line():
    text = """policies:
  - name: all
    severities: [1, 2, 3, 4]
    colour: red
    kinds: many
    steps:
      - rota: each
      - wait: soon
      - shout: loudly
      - business_hours: {zone: Mars, since: '08:00', until: '18:00'}
      - threshold: {more_than: 0, within: 5m}
      - team: []
"""
    with pytest.raises(ContentError) as caught:
        read_policies(text, "e.yaml")
    assert [fault.line for fault in caught.value.faults] == [4, 5, 8, 9, 10, 11, 12]
    for wrong in ("[]", "policies: 3", "policies: [1]", "policies: []", "policies: [{name: a, severities: [9], steps: []}]"):
        with pytest.raises(ContentError):
            read_policies(wrong, "e.yaml")
