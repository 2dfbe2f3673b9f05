"""Response times and risk-hours: the queue counts, the mix and duplicates do not, undone closures are none."""

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watchword.measure.case import Case, Undone, folded, read_series
from watchword.measure.incident_facts_service import IncidentFacts
from watchword.measure.response_calculator_service import ResponseCalculator
from watchword.measure.response_times import (
    BOUNDS,
    MIX,
    WEIGHTS,
    backlog,
    clock_metric,
    closures_in,
    false_share,
    handling_times,
    lives_of,
    reopen_share,
    risk_hours,
    risk_hours_moved,
    standardised,
    true_share,
    weight_rule,
)
from watchword.measure.survival import COMPETING, EVENT, Life, kaplan_meier
from watchword.model.incident import Moment, MomentEntry
from watchword.model.metric import Window

T0 = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = Window(T0, T0 + timedelta(days=7))


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def case(uid: str, raised: float, closed: float | None = None, severity: int = 3, teams: str = "it", **more) -> Case:
    """Return a case raised and closed so many hours after `T0`; `ack`, `it`, `physical`, `contained` are hours of its moments."""
    marks = {(Moment.RAISED, ""): at(raised)}
    for name, key in (("ack", (Moment.ACKNOWLEDGED, "it")), ("it", (Moment.ENGAGED, "it")), ("physical", (Moment.ENGAGED, "physical"))):
        if name in more:
            marks[key] = at(more.pop(name))
    if "contained" in more:
        marks[Moment.CONTAINED, ""] = at(more.pop("contained"))
    if "onset" in more:
        marks[Moment.ONSET, ""] = at(more.pop("onset"))
    reopened = more.pop("reopened", None)
    closures = () if closed is None else (Undone(at(closed), None if reopened is None else at(reopened)),)
    return Case(uid, severity, at(raised), frozenset(teams.split()), marks=marks, closures=closures, **more)


def test_risk_hours_count_the_hours_open_inside_the_window():
    cases = [
        case("a", -10, 5, severity=1),
        case("b", 100, None, severity=4),
        case("c", 200, 210),
        case("d", -50, -20),
        case("e", 10, 20, severity=2),
    ]
    found = risk_hours(cases, WEEK)
    assert {share.case.uid: share.weighted for share in found.shares} == {"a": 64 * 5, "b": 68, "e": 16 * 10}
    assert found.total == 64 * 5 + 68 + 160
    assert found.shares[0].case.uid == "a"
    assert backlog(cases, at(168)).total == 68


def test_an_undone_closure_never_was_one():
    soon = case("a", 0, 10, reopened=40)
    assert risk_hours([soon], WEEK).total == 4 * 168
    late = replace(case("b", 0, 10), closures=(Undone(at(10), at(10 + 15 * 24)), Undone(at(10 + 16 * 24), None)))
    assert [(spell.since, spell.until) for spell in late.spells] == [(at(0), at(10)), (at(370), at(394))]
    now = at(60 * 24)
    assert reopen_share([soon, case("c", 0, 10), late], WEEK, now).value == pytest.approx(1 / 3)
    assert reopen_share([soon], WEEK, at(11)).value is None, "too young to tell is unknown, not 0"
    assert closures_in([case("r", 0, 10, recurs=True)], WEEK, now)[0][1], "a recurrence in a new incident is a closure that did not hold"


def test_moments_are_read_from_their_series():
    def entry(moment, hours, entered, **more):
        return MomentEntry(moment, None if hours is None else at(hours), "closed", manual=True, entered_at=at(entered), **more)

    series = [
        entry(Moment.RAISED, 1, 1, uncertainty=timedelta(minutes=30)),
        entry(Moment.CLOSED, 10, 10),
        entry(Moment.CLOSED, None, 30),
        entry(Moment.CLOSED, 50, 50),
    ]
    marks, closures, uncertainty = read_series(series, T0)
    assert marks[Moment.RAISED, ""] == at(1)
    assert closures == (Undone(at(10), at(30)), Undone(at(50), None))
    assert uncertainty == timedelta(minutes=30)


def test_what_moved_it_sums_to_the_change():
    cases = [case("a", -100, 5, severity=1), case("b", 20, None, severity=2, teams="physical"), case("c", -300, -20, teams="it physical")]
    before = Window(WEEK.since - WEEK.length, WEEK.since)
    change = risk_hours(cases, WEEK).total - risk_hours(cases, before).total
    moves = risk_hours_moved(cases, before, WEEK)
    for kind in ("incident", "severity", "team"):
        assert math.fsum(move.change for move in moves if move.kind == kind) == pytest.approx(change)
    assert {move.key for move in moves if move.kind == "team"} == {"it", "physical", "joint"}
    assert next(move for move in moves if move.kind == "incident").key == "a"


def test_low_findings_duplicates_and_labels_change_nothing():
    """Metamorphic, measures.md section 7 b."""
    rng = random.Random(1)
    cases = []
    for number in range(60):
        raised = rng.uniform(-200, 168)
        closed = raised + rng.expovariate(1 / 40) if rng.random() < 0.8 else None
        teams = rng.choice(["it", "physical", "it physical"])
        cases.append(case(f"c{number}", raised, closed, rng.choice([1, 2, 3, 4]), teams, it=raised + 1, physical=raised + 2))
    plain = risk_hours(cases, WEEK).total
    more = [*cases, *(case(f"low{number}", 10 + number, 11 + number, severity=4) for number in range(20))]
    assert risk_hours(more, WEEK).total > plain, "more low incidents never improve it"
    assert standardised(_by_severity(cases), BOUNDS["resolve"]).value == pytest.approx(
        standardised(_by_severity([*cases, *[replace(c, uid=f"{c.uid}x") for c in cases if c.severity == 4]]), BOUNDS["resolve"]).value
    ), "more of the same easy ones do not move the standardised figure"

    swapped = [_swapped(each) for each in cases]
    assert risk_hours(swapped, WEEK).total == pytest.approx(plain)
    joint = [risk_hours([c for c in some if c.domain == "joint"], WEEK).total for some in (cases, swapped)]
    assert joint[0] == pytest.approx(joint[1])

    duplicates = [replace(c, uid=f"dup-{c.uid}", raised=c.raised + timedelta(hours=1), closures=(), merged_into=c.uid) for c in cases]
    together = folded([*cases, *duplicates])
    assert risk_hours(together, WEEK).total == pytest.approx(plain)
    assert len(together) == len(cases)


def _by_severity(cases):
    groups = {}
    for each, life in lives_of(cases, "resolve", WEEK):
        groups.setdefault(each.severity, []).append(life)
    return groups


def _swapped(each):
    other = {"it": "physical", "physical": "it", "": ""}
    marks = {(moment, other.get(team, team)): when for (moment, team), when in each.marks.items()}
    return replace(each, teams=frozenset(other[team] for team in each.teams), marks=marks)


def test_a_duplicate_hands_on_what_was_earlier():
    root, early = case("a", 5, 50, severity=3, it=9), case("b", 1, None, severity=2, merged_into="a", it=2)
    (only,) = folded([root, early])
    assert (only.uid, only.severity, only.raised) == ("a", 2, at(1))
    assert only.mark(Moment.ENGAGED, "it") == at(2)
    assert folded([replace(root, merged_into="b"), replace(early, merged_into="a")]), "a circle of merges ends"


def test_clocks_see_what_waits_enters_late_and_was_false():
    cases = [
        case("done", 10, 50, ack=12, contained=30, closure="true"),
        case("waits", 100),
        case("old", -20, 20, ack=-19, closure="true"),
        case("false", 10, 15, closure="false"),
        case("gone", -50, -10),
        case("future", 500),
    ]
    lives = {each.uid: life for each, life in lives_of(cases, "resolve", WEEK)}
    assert lives == {"done": Life(40), "waits": Life(68, 0), "old": Life(40, EVENT, 20), "false": Life(5, COMPETING)}
    assert {each.uid for each, _ in lives_of(cases, "acknowledge", WEEK)} == {"done", "waits", "false"}, "old was acknowledged before"
    contained = {each.uid: life for each, life in lives_of(cases, "contain", WEEK)}
    assert contained["done"] == Life(20)
    assert contained["old"].event == 0, "closed without containment: it no longer waits, and it did not come"
    assert [life.end for _, life in lives_of([case("d", 5, onset=1)], "detect", WEEK)] == [4.0]


def test_each_team_has_its_own_clock():
    mine = case("a", 0, teams="it physical", it=1, physical=4)
    assert [life.end for _, life in lives_of([mine], "engage", WEEK, "physical")] == [4.0]
    assert [life.end for _, life in lives_of([mine], "engage", WEEK)] == [1.0]
    assert lives_of([case("b", 0, teams="it", it=1)], "engage", WEEK, "physical") == []


def test_censoring_shows_the_truth_that_closed_items_hide():
    """measures.md, K6: a closed-only median of slow work is far too small; Kaplan-Meier finds it."""
    rng = random.Random(5)
    times = [rng.expovariate(math.log(2) / 9.5) for _ in range(400)]
    watched = [rng.uniform(0, 12) for _ in times]
    closed = sorted(t for t, w in zip(times, watched, strict=True) if t <= w)
    lives = [Life(min(t, w), EVENT if t <= w else 0) for t, w in zip(times, watched, strict=True)]
    assert closed[len(closed) // 2] < 0.6 * 9.5
    assert clock_metric(lives, 24.0).median == pytest.approx(9.5, rel=0.25)


def test_a_pure_mix_shift_moves_the_crude_median_and_not_the_standardised_figure():
    rng = random.Random(8)
    groups = {severity: [Life(rng.expovariate(1 / mean)) for _ in range(1000)] for severity, mean in ((1, 60), (2, 30), (3, 12), (4, 3))}
    crude = [kaplan_meier([life for s, many in mix.items() for life in groups[s][:many]]).quantile(0.5) for mix in _mixes()]
    same = [standardised({s: groups[s][:many] for s, many in mix.items()}, BOUNDS["resolve"]).value for mix in _mixes()]
    assert crude[1] < 0.75 * crude[0]
    assert same[1] == pytest.approx(same[0], rel=0.12)
    assert sum(MIX.values()) == pytest.approx(1)


def _mixes():
    return {1: 200, 2: 300, 3: 400, 4: 400}, {1: 100, 2: 150, 3: 300, 4: 1000}


def test_missing_severities_are_named():
    found = standardised({4: [Life(1), Life(2)]}, BOUNDS["resolve"])
    assert found.missing == (1, 2, 3)
    assert found.covered == pytest.approx(0.72)
    assert standardised({}, BOUNDS["resolve"]).value is None


def test_the_weight_rule():
    """measures.md section 7 g: .084, .134, .148, .223 an expected minute pass; 1, 2, 4, 8 fail."""
    handling = {4: 10 * math.exp(0.18), 3: 25 * math.exp(0.18), 2: 90 * math.exp(0.18), 1: 240 * math.exp(0.18)}
    found = weight_rule(WEIGHTS, handling)
    assert found.holds
    assert [round(found.per_hour[severity], 3) for severity in (4, 3, 2, 1)] == [0.084, 0.134, 0.148, 0.223]
    broken = weight_rule({1: 8, 2: 4, 3: 2, 4: 1}, handling)
    assert not broken.holds
    assert "raise the weight" in broken.says
    assert "none yet for severity 1, 2" in weight_rule(WEIGHTS, {4: 1.0, 3: 2.0}).says


def test_handling_times_come_from_the_first_deed():
    cases = [case(f"c{number}", 0, 12, severity=4, it=2) for number in range(5)]
    assert handling_times(cases, WEEK) == {4: pytest.approx(10)}
    assert handling_times(cases, WEEK, least=6) == {}, "too few to say"


def test_shares_say_unknown_where_there_is_nothing_to_count():
    assert false_share([], WEEK).value is None
    assert false_share([case("a", 0, 5, closure="false"), case("b", 0, 5, closure="true")], WEEK).value == 0.5
    assert true_share(["true", "false", "undecided"]).n == 2


class Told:
    """Facts of incidents, as the test says."""

    def __init__(self, cases):
        self.facts = IncidentFacts(tuple(cases), {each.uid: each for each in cases}, earliest=min(each.raised for each in cases))

    def earliest(self):
        return self.facts.earliest

    def at(self, _now):
        return self.facts

    def verdicts(self, _since, _until):
        return [("f1", "true")], 1


def test_the_headline_says_when_the_weights_would_reward_the_easy_item():
    quick = [case(f"q{number}", number, number + 1.1, severity=4, it=number + 1) for number in range(25)]
    slow = [case(f"s{number}", number, number + 61, severity=1, it=number + 1) for number in range(25)]
    found = {(m.metric.name, m.metric.subject): m.metric for m in ResponseCalculator(Told([*quick, *slow])).compute(WEEK, at(168))}
    assert "raise the weight of severity 1" in found["risk_hours", ""].because
    assert "raise the weight" not in found["risk_hours", "it"].because
    fair = [case(f"f{number}", number, number + 40, severity=4, it=number + 1) for number in range(25)]
    found = {(m.metric.name, m.metric.subject): m for m in ResponseCalculator(Told([*fair, *slow])).compute(WEEK, at(168))}
    assert "raise the weight" not in found["risk_hours", ""].metric.because
    assert len(found["risk_hours", ""].uids) == 50
    assert found["response.resolve", "sev1"].metric.details["bound"] == 72
    assert found["response.resolve", "physical"].metric.value is None, "unknown, not 0"
    assert found["findings.judged_true", ""].metric.coverage == pytest.approx(0.5, abs=0.01)
