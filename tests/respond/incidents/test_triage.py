"""Triage: what is one story, what opens an incident, and that the order of arrival does not matter."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detect.story import CLOSET, LOBBY, OFFICE, SERVER, directory
from tests.respond.incidents.conftest import NOON, finding, page

from watchword.detect.insight import own_network_of
from watchword.model import Finding, FindingState, Team
from watchword.respond.triage import Case, Plan, TriageSettings, triage

BOOK = directory()
OWN = own_network_of(BOOK)


def plan_of(loose: list[Finding], cases: list[Case] | None = None, choice: TriageSettings | None = None) -> Plan:
    return triage(loose, cases or [], BOOK, OWN, choice)


def test_a_finding_worth_a_page_opens_at_once_and_others_wait() -> None:
    plan = plan_of([page("p", places=("hq/doors/server",)), finding("f", assets=("asset:ws-1",), severity=4)])
    assert [opening.title for opening in plan.openings] == ["Door forced, Server room door"]
    assert plan.openings[0].severity == 2
    assert plan.openings[0].teams == (Team.PHYSICAL,)
    assert "worth a page: p happened." in plan.openings[0].because
    assert plan.left == ("f",)


def test_a_page_of_low_severity_and_a_grave_finding_of_risk_open_nothing() -> None:
    assert plan_of([page("p", severity=3), finding("f", severity=5, places=(OFFICE,))]).openings == ()


def test_badge_account_and_own_machine_meet_in_their_person() -> None:
    story = [
        page("p", credentials=("badge:1",), places=(LOBBY,)),
        finding("account", 60 * 5, credentials=("account:p1",)),
        finding("machine", 60 * 10, assets=("asset:ws-1",)),
        finding("address", 60 * 15, addresses=("10.0.0.1",)),
        finding("other", 60, credentials=("badge:2",)),
    ]
    plan = plan_of(story)
    assert {one.uid for one in plan.openings[0].findings} == {"p", "account", "machine", "address"}
    assert plan.openings[0].teams == (Team.IT, Team.PHYSICAL)
    assert plan.left == ("other",)


def test_sharing_ends_with_the_window_and_everybodys_things_are_no_bond() -> None:
    first = page("p", assets=("asset:jump",), addresses=("203.0.113.9",))
    same_jump, same_address = finding("jump", 5, assets=("asset:jump",)), finding("late", 60 * 25, addresses=("203.0.113.9",))
    near = finding("near", 60 * 23, addresses=("203.0.113.9",))
    assert plan_of([first, same_jump, same_address]).left == ("jump", "late")
    assert {one.uid for one in plan_of([first, near, same_address]).openings[0].findings} == {"p", "near", "late"}
    hub = TriageSettings(hubs=frozenset({"203.0.113.9"}))
    assert plan_of([first, near], choice=hub).left == ("near",)


def test_forced_door_then_new_device_in_the_closet_is_one_story_by_place_and_kill_chain() -> None:
    forced = page("forced", places=("hq/doors/closet",), attack=("T1200",))
    device = finding("device", 10, assets=("asset:sw-closet",), attack=("T1078",))
    plan = plan_of([forced, device])
    assert [one.uid for one in plan.openings[0].findings] == ["forced", "device"]
    far_in_time = replace(device, first_time=NOON + timedelta(hours=2), time=NOON + timedelta(hours=2), last_time=NOON + timedelta(hours=2))
    assert plan_of([forced, far_in_time]).left == ("device",)
    far_on_the_chain = replace(device, attack=("T1041",))
    assert plan_of([forced, far_on_the_chain]).left == ("device",)
    assert plan_of([forced, replace(device, attack=())]).left == ("device",), "unknown is nobody's neighbour"


def test_the_next_zone_is_near_for_a_quarter_of_an_hour_only() -> None:
    forced = page("forced", places=(SERVER,), attack=("T1200",))
    assert not plan_of([forced, finding("in-office", 10, places=(OFFICE,), attack=("T1078",))]).left
    assert plan_of([forced, finding("in-office", 20, places=(OFFICE,), attack=("T1078",))]).left == ("in-office",)
    assert plan_of([forced, finding("in-lobby", 1, places=(LOBBY,), attack=("T1078",))]).left == ("in-lobby",)


def test_two_machines_in_one_room_are_no_story_unless_one_finding_names_the_place() -> None:
    one = page("one", assets=("asset:srv-1",), attack=("T1078",))
    assert plan_of([one, finding("two", 5, assets=("asset:console",), attack=("T1078",))]).left == ("two",)


def test_risk_that_crosses_its_line_opens() -> None:
    badge = finding("badge", severity=4, rule="r1", credentials=("badge:1",), places=(OFFICE,))
    logon = finding("logon", 30, severity=4, rule="r2", credentials=("account:p1",))
    plan = plan_of([badge, logon])
    assert [one.uid for one in plan.openings[0].findings] == ["badge", "logon"]
    assert plan.openings[0].because.startswith("Risk crossed its line. ")
    assert "Reyes" not in plan.openings[0].title
    assert plan_of([badge, replace(logon, rule="r1")]).openings == (), "one rule alone calls nobody"
    assert plan_of([badge, replace(logon, credentials=("badge:1",), places=(OFFICE,))]).openings == (), "one domain alone calls nobody"


def test_findings_join_the_open_incident_that_shares_most_and_say_why() -> None:
    old = Case("a" * 32, (page("p", assets=("asset:ws-1",)),), NOON, touched=True)
    young = Case("b" * 32, (page("q", assets=("asset:ws-2",), addresses=("203.0.113.9",)),), NOON + timedelta(hours=1), touched=True)
    plan = plan_of([finding("f", 60, assets=("asset:ws-2",), addresses=("203.0.113.9",))], [old, young])
    assert [(one.finding.uid, one.case, one.because) for one in plan.joinings] == [
        ("f", young.uid, "Both name 203.0.113.9, ws-2 and B. Okafor.")
    ]
    assert not plan.suggestions


def test_a_bridge_merges_what_nobody_touched_and_asks_about_what_people_work_on() -> None:
    one, two = page("p", assets=("asset:ws-1",)), page("q", 5, assets=("asset:ws-2",))
    bridge = finding("f", 10, assets=("asset:ws-1", "asset:ws-2"))
    cases = [Case("a" * 32, (one,), NOON), Case("b" * 32, (two,), NOON + timedelta(minutes=5))]
    plan = plan_of([bridge], cases)
    assert [(merging.into, merging.taken) for merging in plan.mergings] == [("a" * 32, "b" * 32)]
    touched = [replace(case, touched=True) for case in cases]
    plan = plan_of([bridge], touched)
    assert not plan.mergings
    assert [(asked.into, asked.taken) for asked in plan.suggestions] == [("a" * 32, "b" * 32)]
    assert [joining.case for joining in plan.joinings] == ["b" * 32], "the nearer in time of two equal ones"
    apart = [touched[0], replace(touched[1], apart=frozenset({"a" * 32}))]
    assert not plan_of([bridge], apart).suggestions
    half = [cases[0], touched[1]]
    assert [(merging.into, merging.taken) for merging in plan_of([bridge], half).mergings] == [("b" * 32, "a" * 32)]


def test_what_a_person_took_out_stays_out_and_withdrawn_findings_are_no_story() -> None:
    case = Case("a" * 32, (page("p", assets=("asset:ws-1",)),), NOON, touched=True, barred=frozenset({"f"}))
    assert plan_of([finding("f", 5, assets=("asset:ws-1",))], [case]).left == ("f",)
    assert plan_of([page("w", state=FindingState.WITHDRAWN)]) == Plan()


def test_what_takes_the_place_of_a_withdrawn_finding_joins_its_incident(desk) -> None:
    first = page("p", places=("hq/doors/closet",), assets=("asset:sw-closet",))
    opened = desk.take(first)
    again = page("q", places=("hq/doors/closet",), assets=("asset:sw-closet",))
    assert desk.take(replace(first, state=FindingState.WITHDRAWN), again) == opened


NAMES = st.sampled_from(["asset:ws-1", "asset:ws-2", "asset:srv-1", "asset:sw-closet"])
ZONES = st.sampled_from([OFFICE, SERVER, CLOSET, LOBBY, "hq/doors/server", "hq/doors/closet"])


@st.composite
def findings_of_a_day(draw: st.DrawFn) -> list[Finding]:
    found = []
    for number in range(draw(st.integers(1, 14))):
        make = page if draw(st.integers(0, 3)) == 0 else finding
        length = draw(st.sampled_from([0, 0, 30, 600]))
        made = make(
            f"{number:02}",
            draw(st.integers(0, 3 * 24 * 60)),
            rule=draw(st.sampled_from(["r1", "r2", "r3"])),
            severity=draw(st.integers(2, 5)),
            assets=tuple(draw(st.lists(NAMES, max_size=1))),
            places=tuple(draw(st.lists(ZONES, max_size=1))),
            credentials=tuple(draw(st.lists(st.sampled_from(["badge:1", "badge:2", "account:p1"]), max_size=1))),
            attack=tuple(draw(st.lists(st.sampled_from(["T1200", "T1078", "T1041"]), max_size=1))),
        )
        found.append(replace(made, last_time=made.last_time + timedelta(minutes=length)))
    return found


def stories_of(batches: list[list[Finding]]) -> frozenset[frozenset[str]]:
    """Take findings in batches, as incidents that nobody touches, and return what each holds in the end."""
    held: dict[str, list[Finding]] = {}
    opened: dict[str, int] = {}
    loose: dict[str, Finding] = {}
    for turn, batch in enumerate(batches):
        loose |= {one.uid: one for one in batch}
        cases = [Case(uid, tuple(found), NOON + timedelta(days=opened[uid])) for uid, found in held.items()]
        plan = plan_of(list(loose.values()), cases)
        for opening in plan.openings:
            held[opening.uid], opened[opening.uid] = list(opening.findings), turn
        for merging in plan.mergings:
            held[merging.into] += held.pop(merging.taken)
        for joining in plan.joinings:
            held[joining.case].append(joining.finding)
        inside = {one.uid for found in held.values() for one in found}
        loose = {uid: one for uid, one in loose.items() if uid not in inside}
    return frozenset(frozenset(one.uid for one in found) for found in held.values())


@settings(max_examples=200, deadline=None)
@given(findings_of_a_day(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(found: list[Finding], chance) -> None:
    at_once = stories_of([found])
    shuffled = list(found)
    chance.shuffle(shuffled)
    batches, left = [], shuffled
    while left:
        size = chance.randint(1, 4)
        batches.append(left[:size])
        left = left[size:]
    assert stories_of(batches) == at_once


@settings(max_examples=100, deadline=None)
@given(findings_of_a_day(), st.randoms(use_true_random=False))
def test_a_batch_gives_the_same_plan_in_any_order(found: list[Finding], chance) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert plan_of(shuffled) == plan_of(found)


def brute(found: list[Finding]) -> set[frozenset[str]]:
    """Return the stories by comparing every pair, as the module's first words say."""
    from watchword.respond.kill_chain import are_neighbours
    from watchword.respond.story import trace_of

    traces = [trace_of(one, BOOK, OWN) for one in found]
    adjacent = {frozenset({door.from_zone, door.to_zone}) for door in BOOK.doors()}
    group = {one.uid: {one.uid} for one in found}
    for a in traces:
        for b in traces:
            gap = a.gap(b)
            near = (a.placed or b.placed) and are_neighbours(a.stages, b.stages)
            beside = any(frozenset({x, y}) in adjacent for x in a.zones for y in b.zones)
            bound = a.keys & b.keys and gap <= timedelta(hours=24)
            if bound or (near and ((a.zones & b.zones and gap <= timedelta(hours=1)) or (beside and gap <= timedelta(minutes=15)))):
                joint = group[a.uid] | group[b.uid]
                for uid in joint:
                    group[uid] = joint
    return {frozenset(each) for each in group.values()}


@settings(max_examples=200, deadline=None)
@given(findings_of_a_day())
def test_the_sweep_finds_what_comparing_every_pair_finds(found: list[Finding]) -> None:
    from watchword.respond.story import Stories, trace_of

    stories = Stories(timedelta(hours=24), timedelta(hours=1), timedelta(minutes=15))
    stories.add([trace_of(one, BOOK, OWN) for one in found], BOOK)
    by_root: dict[str, set[str]] = {}
    for one in found:
        by_root.setdefault(stories.of(one.uid), set()).add(one.uid)
    assert {frozenset(each) for each in by_root.values()} == brute(found)


def test_a_day_of_thousands_is_quick() -> None:
    import time

    many = [
        finding(f"{n:05}", n / 4, assets=(f"asset:x{n % 50}",), places=(OFFICE,), attack=("T1078",), rule=f"r{n % 9}") for n in range(5000)
    ]
    began = time.process_time()
    plan_of(many)
    assert time.process_time() - began < 20
