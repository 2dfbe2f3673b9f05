"""The pure parts: state and durations, severity, roles, next step, similarity, VERIS, reports."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.detect.story import SERVER, directory
from tests.respond.incidents.conftest import NOON, finding

from watchword.kit.errors import InputError
from watchword.model import Team
from watchword.model.incident import Closure, Incident, IncidentRole, IncidentState, Moment, MomentEntry, Rating, TimelineEntry
from watchword.respond.chat import mentions
from watchword.respond.hand_over import ItemKind, OpenItem
from watchword.respond.incident_state import at, current, durations, is_person, state_of
from watchword.respond.incident_view import IncidentView, TeamTimes
from watchword.respond.kill_chain import STAGES, Stage, are_neighbours, stages_of
from watchword.respond.next_step import next_step, owed, review_due
from watchword.respond.report import executive_report, incident_report, tactical_report
from watchword.respond.roles import Holding, needed, warnings
from watchword.respond.severity import STAKES, RatingStatus, check_change, severity_of
from watchword.respond.similar import Features, similar
from watchword.respond.veris import ACTIONS, veris_of

BOTH = (Team.IT, Team.PHYSICAL)


def entry(moment: str, minutes: float | None = 0, **more) -> MomentEntry:
    when = None if minutes is None else NOON + timedelta(minutes=minutes)
    return MomentEntry(Moment(moment), when, **{"source": "x", **more})


# state


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (["t0", "t1", "t2"], "triage"),
        (["t2", "t6"], "active"),
        (["t2", "t7"], "contained"),
        (["t6", "t7", "t9"], "restored"),
        (["t10"], "closed"),
        (["t10", "t11"], "closed"),
        (["t10", "t12"], "learned"),
        (["t12"], "triage"),
    ],
)
def test_the_state_follows_from_the_moments(told: list[str], state: str) -> None:
    assert state_of(current([entry(name, evidence="seen") for name in told])) == IncidentState(state)


def test_a_void_moment_no_longer_stands_and_a_later_one_does() -> None:
    series = [entry("t10"), entry("t10", None), entry("t10", 9)]
    assert state_of(current(series[:1])) == IncidentState.CLOSED
    assert state_of(current(series[:2])) == IncidentState.TRIAGE
    assert at(current(series), Moment.CLOSED) == NOON + timedelta(minutes=9)


def test_a_person_beats_a_machine_and_the_later_person_the_earlier() -> None:
    series = [entry("t0", 0), entry("t0", 5, manual=True), entry("t0", 7), entry("t0", 3, manual=True)]
    assert [at(current(series[:n]), Moment.ONSET) for n in range(1, 5)] == [NOON + timedelta(minutes=m) for m in (0, 5, 5, 3)]


def test_only_people_acknowledge_and_containment_needs_its_proof() -> None:
    assert current([entry("t4", team="it", source="auto", evidence="ana"), entry("t4", team="it"), entry("t7")]) == {}
    assert (
        len(current([entry("t4", team="it", evidence="ana"), entry("t4", team="physical", manual=True), entry("t7", evidence="ping")])) == 3
    )
    assert [is_person(name) for name in ("ana", "autumn", "system", "run:7", "", "ana (token ci)", "triage")] == [True, True, *[False] * 5]


def test_durations_run_from_the_alert_and_say_when_they_still_run() -> None:
    series = [
        entry("t0", -60, uncertainty=timedelta(minutes=5)),
        entry("t1", -30),
        entry("t2", 0, uncertainty=timedelta(minutes=1)),
        entry("t3", 1, team="it"),
        entry("t4", 3, team="it", manual=True),
        entry("t4", 10, team="physical", manual=True),
        entry("t5", 4, team="physical"),
        entry("t5", 9, team="it"),
        entry("t6", 12),
        entry("t7", 40, evidence="x"),
    ]
    found = durations(current(series))
    minutes = {name: each.value and each.value.total_seconds() / 60 for name, each in found.items()}
    assert minutes == {
        "dwell": 60,
        "detect": 30,
        "declare": 12,
        "contain": 40,
        "restore": None,
        "learn": None,
        "acknowledge:it": 2,
        "engage:it": 8,
        "acknowledge:physical": None,
        "engage:physical": None,
        "cross-team lag": 7,
        "hand-off latency": 5,
    }
    assert found["dwell"].uncertainty == timedelta(minutes=6)
    assert (found["restore"].running, found["learn"].running) == (True, False)


# severity


@given(st.lists(st.integers(1, 4), min_size=5, max_size=5), st.sets(st.sampled_from(STAKES)))
def test_severity_is_the_gravest_no_sum_and_doubt_makes_graver(values: list[int], doubts: set[str]) -> None:
    rating = Rating(*values, in_doubt=tuple(doubts))
    assert severity_of(replace(rating, in_doubt=())) == min(values)
    assert severity_of(rating) <= min(values)
    assert 1 <= severity_of(rating) <= 4


@given(st.integers(1, 4), st.integers(1, 4))
def test_only_a_downgrade_waits(old: int, new: int) -> None:
    if new > old:
        with pytest.raises(InputError):
            check_change(old, new, "  ")
    assert check_change(old, new, "because") is (RatingStatus.WAITING if new > old else RatingStatus.IN_FORCE)


# roles


def test_roles_warn_of_doubling_of_a_lead_who_executes_and_of_empty_chairs() -> None:
    held = [
        Holding(IncidentRole.LEAD, "ana", NOON),
        Holding(IncidentRole.SCRIBE, "ana", NOON),
        Holding(IncidentRole.DEPUTY, "bo", NOON, NOON),
    ]
    facts = {"severity": 2, "teams": BOTH, "executed_by": {"ana"}, "since": NOON}
    found = warnings(held, safety=True, now=NOON + timedelta(minutes=11), **facts)
    assert [(one.code, one.role.value) for one in found] == [
        ("doubled", "lead"),
        ("lead-executes", "lead"),
        ("empty", "deputy"),
        ("empty", "it_lead"),
        ("empty", "physical_lead"),
        ("no-safety-officer", "safety_officer"),
    ]
    soon = warnings(held, safety=True, now=NOON + timedelta(minutes=10), **facts)
    assert [one.code for one in soon] == ["doubled", "lead-executes", "no-safety-officer"], "a door asks for its officer at once"
    assert needed(3, BOTH, safety=False) == (IncidentRole.LEAD,)


# kill chain and chat


def test_every_technique_of_the_shipped_rules_has_its_stage() -> None:
    import yaml

    from watchword.detect.loader import shipped_rules

    tags = {tag for _, text in shipped_rules() for tag in yaml.safe_load(text).get("tags", ())}
    assert [tag for tag in sorted(tags) if not stages_of([tag])] == []
    assert not are_neighbours(frozenset({Stage.ENTRY}), frozenset({Stage.OBJECTIVE}))
    assert are_neighbours(frozenset({Stage.ENTRY}), frozenset({Stage.SPREAD}))
    assert set(ACTIONS) <= set(STAGES), "what VERIS can say of a technique, triage can place"


def test_mentions_are_names_and_no_mail_addresses() -> None:
    assert mentions("@Ana, @it: see x@y.example (@bo-2.). @ana again") == ("ana", "it", "bo-2")
    assert len(mentions(" ".join(f"@a{n}" for n in range(99)))) == 20


# next step


def view_of(state: str = "triage", severity: int = 2, entries: list[MomentEntry] | None = None, **more) -> IncidentView:
    incident = Incident("a" * 32, 7, "Door forced", IncidentState(state), severity, NOON, "why", teams=BOTH, **more)
    series = tuple(entries or [entry("t2")])
    moments = current(series)
    view = IncidentView(incident, NOON, series=series, moments=moments, durations=durations(moments))
    return replace(view, owed=owed(view, NOON))


def test_what_is_overdue_says_so_and_the_first_due_comes_first() -> None:
    view = view_of()
    assert not next_step(view, NOON).overdue
    late = next_step(view, NOON + timedelta(minutes=16))
    assert (late.code, late.overdue, late.who) == ("acknowledge", True, "IT")
    half = replace(view, teams=(TeamTimes("it", NOON, NOON, "ana"),))
    assert [(one.code, one.who) for one in owed(half, NOON)][:2] == [("acknowledge", "Physical security"), ("engage", "ana")]


def test_approvals_come_before_steps_and_steps_before_tasks() -> None:
    items = [
        OpenItem(ItemKind.TASK, "1", "task", NOON),
        OpenItem(ItemKind.WAIT, "2", "step"),
        OpenItem(ItemKind.WAIT, "3", "step due", NOON + timedelta(hours=1)),
        OpenItem(ItemKind.APPROVAL, "4", "approve", NOON + timedelta(hours=9)),
        OpenItem(ItemKind.TIMER, "5", "timer"),
    ]
    done = (TeamTimes("it", NOON, NOON, "ana", NOON), TeamTimes("physical", NOON, NOON, "bo", NOON))
    view = replace(view_of(lead="ana"), teams=done, open_items=tuple(items))
    assert [one.text for one in owed(view, NOON)][:4] == ["Decide: approve", "Do: step due", "Do: step", "Do: task"]


def test_reviews_are_due_after_three_days_or_five_business_days() -> None:
    friday = datetime(2026, 11, 6, 15, tzinfo=UTC)
    assert review_due(1, friday) == friday + timedelta(days=3)
    assert review_due(2, friday) == datetime(2026, 11, 13, 15, tzinfo=UTC)
    assert review_due(3, friday) is None


# similarity


def test_similarity_counts_what_is_rare_and_says_why() -> None:
    this = Features("this", frozenset({("address", "203.0.113.9"), ("place", SERVER), ("rule", "ww_014")}))
    same = Features("same", frozenset({("address", "203.0.113.9"), ("place", SERVER)}), "Old", 3, NOON, "true")
    common = Features("common", frozenset({("place", SERVER), ("rule", "ww_009"), ("person", "person:1")}))
    counts = {("address", "203.0.113.9"): 2, ("place", SERVER): 90, ("rule", "ww_014"): 5, ("rule", "ww_009"): 5, ("person", "person:1"): 1}
    found = similar(this, [this, same, common], counts=counts, total=100, labels={SERVER: "Server room"})
    assert [one.uid for one in found] == ["same"]
    assert found[0].because == "Same address 203.0.113.9, in no other; place Server room."
    assert 0 < found[0].score < 1


# VERIS


def test_veris_says_what_is_known_and_guesses_nothing() -> None:
    found = [
        finding("f1", attack=("T1200",), assets=("asset:sw-closet",), places=(SERVER,), persons=("person:1",), addresses=("203.0.113.9",)),
        finding("f2", 5, attack=("T1041", "T1078.002"), assets=("asset:ws-1", "asset:ws-2", "asset:cam-in")),
    ]
    series = [entry("t0", -90), entry("t2"), entry("t7", 30, evidence="x")]
    view = view_of("closed", 1, series, closure=Closure.TRUE, closing_severity=2, declared_severity=1, places=(SERVER,), opened_by="triage")
    record = veris_of(view.incident, view.moments, found, directory())
    text = json.dumps(record)
    for secret in ("Reyes", "person:1", "203.0.113.9", "ws-1"):
        assert secret not in text
    assert record["action"] == {
        "hacking": {"variety": ["Use of stolen creds"], "vector": ["Unknown"]},
        "malware": {"variety": ["Export data"], "vector": ["Unknown"]},
        "physical": {"variety": ["Connection"], "vector": ["Victim grounds"]},
    }
    assert record["timeline"]["discovery"] == {"unit": "Hours", "value": 1.5}
    assert record["timeline"]["containment"] == {"unit": "Minutes", "value": 30.0}
    assert record["timeline"]["incident"]["time"] == "10:30:00 AM"
    assert record["asset"]["assets"] == [
        {"variety": "N - Camera", "amount": 1},
        {"variety": "N - Router or switch", "amount": 1},
        {"variety": "U - Desktop or laptop", "amount": 2},
    ]
    assert (record["security_incident"], record["impact"]["overall_rating"]) == ("Confirmed", "Damaging")
    empty = veris_of(replace(view.incident, closure=None), {}, [], directory())
    assert (empty["security_incident"], empty["confidence"], empty["action"]["unknown"]["notes"]) == (
        "Suspected",
        "Low",
        "No technique is known.",
    )
    assert empty["timeline"]["containment"] == {"unit": "Unknown"}


# reports


def test_the_report_of_one_incident_has_it_all_and_says_whether_the_chain_holds() -> None:
    view = view_of(
        "contained", 1, [entry("t0", -5), entry("t2"), entry("t0", -9, manual=True), entry("t7", 30, evidence="x")], places=(SERVER,)
    )
    line = TimelineEntry(view.incident.uid, 1, "opened", "Opened.", NOON, NOON, "triage", head="ab" * 32)
    report = incident_report(view, [line], [finding("f")], directory(), [])
    assert (report.banner, report.severity, report.places) == ("REAL", "1 critical", ("Server room",))
    assert report.chain == "1 entries, head abababababababab…, verified"
    assert "NOT INTACT" in incident_report(view, [line], [], directory(), ["entry 1 was changed"]).chain
    onset = next(one for one in report.moments if one.moment == "t0")
    assert (onset.revisions, onset.by_hand, onset.at) == (1, True, NOON - timedelta(minutes=9))
    assert next(one for one in report.durations if one.name == "contain").between == "t2 to t7"
    assert incident_report(replace(view, incident=replace(view.incident, exercise=True)), [], [], directory()).banner == "EXERCISE"


def test_the_executive_report_counts_names_nobody_and_shows_what_still_runs() -> None:
    done = view_of("closed", 2, [entry("t2"), entry("t6", 5), entry("t7", 30, evidence="x"), entry("t10", 90)], closure=Closure.TRUE, lead="ana",
                   declared_severity=1, closing_severity=2)  # fmt: skip
    running = view_of("active", 1, [entry("t2"), entry("t6", 5)], lead="ana")
    drill = view_of("active", 1, [entry("t2")], exercise=True)
    merged = view_of("active", 1, [entry("t2")], merged_into="b" * 32)
    report = executive_report([done, running, drill, merged], NOON, NOON + timedelta(days=7), NOON + timedelta(days=7))
    assert report.opened == {"1 critical": 1, "2 high": 1, "3 medium": 0, "4 low": 0}
    assert (report.closed, report.exercises, report.downgraded, report.reviews_due, report.reviews_held) == ({"true": 1}, 1, 1, 1, 0)
    contain = next(one for one in report.spreads if one.name == "contain")
    assert (contain.finished, contain.running, contain.median) == (1, 1, timedelta(minutes=30))
    assert "ana" not in str(report)
    assert "too few" in report.notes[0]


def test_the_tactical_report_puts_the_gravest_first_and_lists_what_is_late() -> None:
    now = NOON + timedelta(hours=1)
    views = [
        replace(view, now=now, owed=owed(view, now)) for view in (view_of(severity=3), view_of("active", 1, [entry("t2"), entry("t6")]))
    ]
    report = tactical_report(views, directory(), NOON, NOON + timedelta(days=1), {"a" * 32: ["ww_014"]})
    assert [line[3] for line in report.open] == ["1 critical", "3 medium"]
    assert {one.code for _, one in report.overdue} == {"acknowledge", "lead"}
    assert (report.opened, report.by_rule) == (2, (("ww_014", 2),))
