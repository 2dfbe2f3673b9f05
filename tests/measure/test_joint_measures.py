"""Collaboration, alignment, steering and skills: hand cases, unknown that is not 0, exact bus factors."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pytest

from watchword.measure import alignment, collaboration, skill_cover, steering
from watchword.measure.alignment import Leaver, StatementFacts
from watchword.measure.case import Case, Undone
from watchword.measure.collaboration import Join
from watchword.measure.skill_cover import Held, Need
from watchword.measure.survival import CENSORED, EVENT, Life
from watchword.model.decision import Effect
from watchword.model.incident import Moment
from watchword.model.metric import Window

T0 = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = Window(T0, T0 + timedelta(days=7))
BOTH = "it physical"


def at(hours):
    return T0 + timedelta(hours=hours)


def case(uid, raised, it=None, physical=None, closed=None, teams=BOTH, severity=2, **more):
    marks = {(Moment.ENGAGED, team): at(hours) for team, hours in (("it", it), ("physical", physical)) if hours is not None}
    closures = () if closed is None else (Undone(at(closed)),)
    return Case(uid, severity, at(raised), frozenset(teams.split()), marks=marks, closures=closures, **more)


# collaboration


def test_both_teams_in_time():
    cases = [
        case("kept", 1, 1.2, 1.4),
        case("late", 1, 1.2, 3),
        case("absent", 1, 1.2),
        case("young", 167.8, 167.9),
        case("one-sided", 1, 1.1, teams="it"),
        case("earlier", -5, -4.9, -4.9),
    ]
    found = {each.case.uid: each.late for each in collaboration.engagements(cases, WEEK)}
    assert found == {"kept": (), "late": ("physical",), "absent": ("physical",)}
    assert collaboration.joint_engagement(cases, WEEK).value == pytest.approx(1 / 3)
    assert collaboration.joint_engagement([], WEEK).value is None


def test_swapping_the_teams_changes_no_joint_measure():
    rng = random.Random(4)
    cases, swapped = [], []
    for number in range(40):
        raised = rng.uniform(0, 160)
        one, other = raised + rng.random(), raised + rng.random()
        cases.append(case(f"c{number}", raised, one, other))
        swapped.append(case(f"c{number}", raised, other, one))
    assert collaboration.joint_engagement(cases, WEEK) == collaboration.joint_engagement(swapped, WEEK)
    lives = [[life for _, life in collaboration.handoff_latency(some, WEEK)] for some in (cases, swapped)]
    assert lives[0] == lives[1]


def test_hand_offs_wait_until_the_second_team_comes():
    lives = {each.uid: life for each, life in collaboration.handoff_latency(
        [case("came", 1, 2, 5), case("waits", 1, 2), case("closed", 1, 2, closed=10), case("nobody", 1), case("old", -50, -40, -10)], WEEK
    )}  # fmt: skip
    assert lives == {"came": Life(3.0, EVENT), "waits": Life(166.0, CENSORED), "closed": Life(8.0, CENSORED)}


def test_bounces_have_an_interval():
    found = collaboration.bounces([case("a", 1, lead_changes=2), case("b", 2), case("c", 3)], WEEK)
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)
    assert found.lo <= found.value <= found.hi
    assert collaboration.bounces([], WEEK).value is None


def test_a_join_is_missed_when_one_team_had_worked_alone():
    cases = {
        each.uid: each
        for each in (case("it", 1, 2, teams="it"), case("guard", 1, physical=2, teams="physical"), case("fresh", 1, teams="physical"))
    }
    assert collaboration.missed_joins(cases, [Join("it", "guard", at(9), by_person=True)], WEEK)
    assert not collaboration.missed_joins(cases, [Join("it", "guard", at(9), by_person=False)], WEEK), "triage joins at once"
    assert not collaboration.missed_joins(cases, [Join("it", "fresh", at(9), by_person=True)], WEEK), "nobody had begun"
    assert not collaboration.missed_joins(
        cases, [Join("it", "guard", at(900), by_person=True), Join("it", "x", at(9), by_person=True)], WEEK
    )


def test_labels_are_audited_by_entities():
    kinds = {"a": frozenset({"place", "asset"}), "b": frozenset({"place"})}
    assert collaboration.label_audit([case("a", 1), case("b", 1), case("c", -9)], kinds, WEEK).value == 0.5


def test_equity_is_jains():
    assert collaboration.equity([3, 3]) == 1
    assert collaboration.equity([4, 0]) == 0.5
    assert collaboration.equity([0, 0]) is None
    assert collaboration.highest_risk({"a": 3.0, "b": 5.0}) == ("b", 5.0)
    assert collaboration.highest_risk({}) is None


# alignment

TODAY = date(2026, 3, 9)


def test_a_statement_is_aligned_when_nothing_is_missing():
    good = StatementFacts("a", "iam", "access", 1, date(2026, 6, 1))
    assert alignment.faults_of(good, TODAY) == ()
    bad = StatementFacts("b", "iam", " ", 0, date(2026, 1, 1), expired_exceptions=1, conflicts=2)
    assert alignment.faults_of(bad, TODAY) == alignment.FAULTS
    assert alignment.policy_alignment([good, bad], TODAY).value == 0.5
    assert alignment.policy_alignment([], TODAY).value is None
    assert alignment.policy_conflict(1, 4).value == 0.25
    assert alignment.expired_exceptions([date(2026, 1, 1), None, date(2027, 1, 1)], TODAY) == 1
    assert alignment.acknowledged(0, 0).value is None


def test_the_two_clocks_of_a_leaver():
    leavers = [
        Leaver("a", at(10), at(11), at(15)),
        Leaver("b", at(10), at(30), None),
        Leaver("c", at(10), None, None),
        Leaver("d", at(10), at(11), None, has_badge=False),
        Leaver("e", at(-50), at(0), at(0)),
        Leaver("f", at(10), at(12), at(400)),
    ]
    lives = {leaver.person: life for leaver, life in alignment.two_clock_gap(leavers, WEEK)}
    assert lives == {"a": Life(4.0), "b": Life(138.0, CENSORED), "c": Life(158.0, CENSORED), "f": Life(156.0, CENSORED)}
    late = alignment.late_share(leavers, WEEK)
    assert (late.k, late.n) == (3, 5), "a and d in time; b, c and f late"
    young = Window(WEEK.since, at(20))
    assert alignment.late_share([Leaver("a", at(10), None, None)], young).value is None, "its limit has not passed"


# steering


def test_decisions_that_are_open_wait():
    questions = [
        steering.Question("a", at(0), at(48)),
        steering.Question("b", at(0)),
        steering.Question("c", at(0), dropped=at(24)),
        steering.Question("d", at(-48), at(24)),
        steering.Question("e", at(-48), at(-24)),
    ]
    lives = {question.uid: life for question, life in steering.decision_latency(questions, WEEK)}
    assert lives == {"a": Life(2.0), "b": Life(7.0, CENSORED), "c": Life(1.0, CENSORED), "d": Life(3.0, EVENT, 2.0)}


def test_reviews_quorum_chairs_objections_effects():
    reviews = [
        steering.Review("a", date(2026, 3, 4), date(2026, 3, 3)),
        steering.Review("b", date(2026, 3, 4), date(2026, 3, 6)),
        steering.Review("c", date(2026, 3, 4)),
        steering.Review("d", date(2027, 1, 1)),
    ]
    assert steering.reviews_kept(reviews, WEEK).value == pytest.approx(1 / 3)
    assert steering.quorum([True, False]).value == 0.5
    assert steering.quorum([]).value is None
    assert steering.chair_spread({"a": 3, "b": 0}) == 3
    assert steering.chair_spread({}) is None
    assert steering.objections_open([2, 0, 1]).value == pytest.approx(1 / 3)
    told = [Effect.AS_EXPECTED, Effect.CONTRARY, Effect.NONE_DETECTED, Effect.TOO_EARLY, Effect.NOT_EXPECTED]
    assert steering.without_effect(told).value == pytest.approx(2 / 3)
    actions = [steering.Due("a", at(0), at(48)), steering.Due("b", at(24)), steering.Due("c", at(900)), steering.Due("d", at(40), at(10))]
    lives = {action.uid: life for action, life in steering.actions_overdue(actions, WEEK)}
    assert lives == {"a": Life(2.0), "b": Life(6.0, CENSORED), "d": Life(0.0)}
    assert steering.reduction_per_euro((100.0, 50.0, 200.0), 50.0) == (2.0, (1.0, 4.0))
    assert steering.reduction_per_euro((100.0, 50.0, 200.0), 0.0) is None


# skills

AT = datetime(2026, 3, 2, tzinfo=UTC)
HALF = timedelta(days=180)


def held(person, skill, level=3.0, days=0, *, assessed=True):
    return Held(person, skill, level, AT - timedelta(days=days), HALF, assessed)


def test_levels_decay_and_only_assessed_ones_count():
    assert skill_cover.decayed(4.0, HALF, timedelta(days=180)) == pytest.approx(2.0)
    assert held("a", "locks", 4.0, 180).qualified(2.0, AT)
    assert not held("a", "locks", 4.0, 181).qualified(2.0, AT)
    assert not held("a", "locks", assessed=False).qualified(2.0, AT)
    found = skill_cover.participation(0, 0)
    assert found.value is None
    assert skill_cover.participation(8, 10).lo == pytest.approx(0.490, abs=1e-3)


def test_cover_is_weighted_by_demand():
    people = frozenset("abc")
    needs = [Need("locks", "north/day", people, 2, demand=3.0), Need("logs", "north/day", people, 1, demand=1.0)]
    value, each = skill_cover.cover_metric(needs, [held("a", "locks"), held("b", "logs"), held("z", "locks")], AT)
    assert each == {("locks", "north/day"): 0.5, ("logs", "north/day"): 1.0}
    assert value == pytest.approx((3 * 0.5 + 1) / 4)
    assert skill_cover.cover_metric([], [], AT)[0] is None
    assert skill_cover.bus_factor(3, 2) == 2
    assert skill_cover.bus_factor(0, 1) == 0


def test_the_bus_factor_of_a_team_is_exact():
    rng = random.Random(2)
    for _ in range(15):
        people = [f"p{number}" for number in range(7)]
        skills = [f"s{number}" for number in range(5)]
        everything = [held(person, skill) for person in people for skill in skills if rng.random() < 0.5]
        needs = [Need(skill, "x", frozenset(people), 1, demand=rng.uniform(0.5, 2)) for skill in skills]
        found, gone = skill_cover.bus_metric(needs, everything, AT)
        able = {need.skill: skill_cover.qualified(need, everything, AT) for need in needs}
        half = sum(need.demand for need in needs) / 2
        least = next(
            (
                size
                for size in range(len(people) + 1)
                if any(sum(n.demand for n in needs if not able[n.skill] - set(who)) > half for who in combinations(people, size))
            ),
            None,
        )
        assert found == least
        assert found == len(gone)


def test_larger_bus_factors_come_from_the_programme():
    people = [f"p{number}" for number in range(9)]
    needs = [Need(f"s{number}", "x", frozenset(people), 1) for number in range(3)]
    found, gone = skill_cover.bus_metric(needs, [held(person, need.skill) for person in people for need in needs], AT)
    assert (found, len(gone)) == (9, 9)
    assert skill_cover.bus_metric([], [], AT) == (None, ())


def test_gaps_follow_demand():
    demand = skill_cover.demand_of([(64.0, frozenset({"locks"})), (4.0, frozenset({"locks", "logs"})), (1.0, frozenset({"fire"}))])
    total, each = skill_cover.gap_metric(demand, {"locks": 0.5, "logs": 1.0})
    assert list(each.items()) == [("locks", 34.0), ("fire", 1.0), ("logs", 0.0)]
    assert total == 35.0
    assert skill_cover.gap_metric({}, {})[0] is None
    assert skill_cover.assessed_pass(1, 2).value == 0.5
