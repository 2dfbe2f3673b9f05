"""Each of the thirty control tests passes on a good day, fails on a story that breaks it, and says insufficient where telemetry is missing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.detect.story import OFFICE, SERVER, at
from tests.govern.control_day import (
    HC,
    NOW,
    PANEL,
    SENSOR,
    TAG,
    UPS,
    also,
    check,
    cid,
    facts_after,
    good_day,
    instead,
    never,
    silent,
    small_house,
    told,
    visit,
    without_checks,
)

from watchword.govern.control_checks import CHECKS_BY_NAME, shipped_tests
from watchword.govern.control_facts import CHECKS
from watchword.govern.control_test import evaluate, read_tests
from watchword.kit.errors import ContentError
from watchword.measure.compliance import Result, Way
from watchword.model import SourceKind
from watchword.model.ocsf import Access, BuildingControl, EventClass, Health, Visit
from watchword.resolve.directory import Directory

TESTS = {test.name: test for test in shipped_tests()}
DOORS = (SourceKind.ACCESS_CONTROL,)


def _replaced(story, rest, **parts):
    book = story.directory
    rest["directory"] = Directory(
        replace(book.site, **parts.get("site", {})),
        replace(book.people, **parts.get("people", {})),
        replace(book.assets, **parts.get("assets", {})),
    )


def _systems_in_the_lobby(story, rest):
    assets = dict(story.directory.assets.assets)
    assets["asset:srv-1"] = replace(assets["asset:srv-1"], place="hq/main/g/lobby")
    _replaced(story, rest, assets={"assets": assets})


def _no_systems(story, rest):
    assets = {uid: asset for uid, asset in story.directory.assets.assets.items() if asset.kind.value not in {"server", "console", "switch"}}
    _replaced(story, rest, assets={"assets": assets})


def _no_readers(story, rest):
    _replaced(story, rest, site={"doors": {uid: replace(door, readers=()) for uid, door in story.directory.site.doors.items()}})


def _unarmed_calendar(story, rest):
    _replaced(story, rest, site={"uptime": replace(story.directory.site.uptime, armed={})})


def _no_covers(story, rest):
    _replaced(story, rest, site={"uptime": replace(story.directory.site.uptime, covers=())})


def _egress_by_power(story, rest):
    doors = {uid: replace(d, egress_hardware="electric") if d.egress else d for uid, d in story.directory.site.doors.items()}
    _replaced(story, rest, site={"doors": doors})


def _nobody(story, rest):
    _replaced(story, rest, people={"people": {}, "credentials": {}, "links": ()})


def _incident(**parts):
    def change(story, rest):
        del story
        rest["incidents"] = tuple(each if each.exercise else replace(each, **parts) for each in rest["incidents"])

    return change


def _drill(**parts):
    def change(story, rest):
        del story
        rest["incidents"] = tuple(replace(each, **parts) if each.exercise else each for each in rest["incidents"])

    return change


def _skewed(by):
    def change(story, rest):
        del story
        rest["sources"] = (replace(rest["sources"][0], envelope=by), *rest["sources"][1:])

    return change


def _uncleared(story):
    story.door(at("14:00"), "server", Access.GRANTED, 1)
    story.enter(at("14:00:05"), "server", 1)


def _open_together(story):
    for door in ("front", "office"):
        story.door(at("15:00"), door, Access.REQUEST_TO_EXIT)
        story.add(at("15:00:02"), "doors", EventClass.PHYSICAL_ACCESS, Access.TAKEN, place=f"hq/doors/{door}")


BREAKS = {
    "pe-2": also(lambda s: s.door(at("13:00"), "front", Access.GRANTED, 4)),
    "pe-2.1": also(lambda s: s.door(at("13:00"), "server", Access.GRANTED, 1)),
    "pe-2.3": also(_uncleared),
    "pe-3": also(lambda s: s.door(at("13:00"), "office", Access.FORCED)),
    "pe-3.1": _systems_in_the_lobby,
    "pe-3.3": also(lambda s: s.add(at("12:00"), "posts", EventClass.POST_STAFFING, 5, place="hq/main/g/lobby")),
    "pe-3.5": also(lambda s: s.add(at("12:00"), "panel", EventClass.ALARM_SIGNAL, 5, asset=PANEL, data=cid("145", 1))),
    "pe-3.8": also(_open_together),
    "pe-4": also(lambda s: s.door(at("8:00"), "closet", Access.FORCED)),
    "pe-6": also(lambda s: s.add(at("12:00"), "panel", EventClass.ALARM_SIGNAL, 1, asset=PANEL, data=cid("130", 1))),
    "pe-6.1": also(lambda s: s.health(at("17:55"), "cam-front", Health.VIDEO_LOST)),
    "pe-6.2": _drill(run_started=None),
    "pe-6.3": also(*(lambda s, name=name: s.health(at("17:55"), name, Health.OFFLINE) for name in ("cam-server", "cam-closet"))),
    "pe-6.4": also(lambda s: s.door(at("7:00"), "server", Access.GRANTED, 2)),
    "pe-8": also(lambda s: visit(s, at("9:00", -1), Visit.CHECKED_IN, "v2")),
    "pe-8.1": also(lambda s: visit(s, at("12:00"), Visit.CHECKED_IN, "v2", "notebook")),
    "pe-8.3": also(lambda s: visit(s, at("12:00"), Visit.CHECKED_IN, "v2", user={"full_name": "Kim Doe"})),
    "pe-11": also(lambda s: s.health(at("17:30"), "ups", Health.POWER_LOST)),
    "pe-13.1": _egress_by_power,
    "pe-14.2": also(
        lambda s: s.add(
            at("12:00"),
            "building",
            EventClass.BUILDING_CONTROL,
            BuildingControl.ALARM,
            asset=SENSOR,
            data={"ww_building_point": {"uid": "t"}},
        )
    ),
    "pe-20": also(lambda s: s.add(at("17:00"), "cameras", EventClass.VIDEO_ANALYTIC, 1, asset=TAG, place="hq/main/g/lobby")),
    "ps-4": also(lambda s: s.logon(at("9:00"), 4, "ws-1")),
    "ps-5": also(_uncleared),
    "ac-2": told(last_used={"account:p1": at("9:00")}),
    "au-8": _skewed(timedelta(seconds=-40)),
    "cp-9": instead("backup", check("backup", PANEL, 30), check("backup", HC, 2)),
    "ir-4": _incident(teams=frozenset({"it"})),
    "ir-8": instead("plan-review", check("plan-review", "", 500)),
    "si-4": silent(SourceKind.VIDEO),
    "at-3": instead("skill", check("skill", "person:2", 500, note="badge systems")),
}
"""Control → what happens so that it fails."""
MISSING = {
    "pe-2": _nobody,
    "pe-2.1": silent(*DOORS),
    "pe-2.3": silent(*DOORS),
    "pe-3": silent(*DOORS),
    "pe-3.1": silent(*DOORS),
    "pe-3.3": never(lambda e: e.class_uid == EventClass.POST_STAFFING),
    "pe-3.5": without_checks("tamper-test"),
    "pe-3.8": silent(*DOORS),
    "pe-4": silent(*DOORS, never=True),
    "pe-6": silent(SourceKind.ALARM, never=True),
    "pe-6.1": silent(SourceKind.VIDEO),
    "pe-6.2": told(incidents=()),
    "pe-6.3": _no_covers,
    "pe-6.4": silent(*DOORS),
    "pe-8": silent(SourceKind.VISITOR),
    "pe-8.1": silent(SourceKind.VISITOR, never=True),
    "pe-8.3": silent(SourceKind.VISITOR),
    "pe-11": never(lambda e: e.asset == UPS),
    "pe-13.1": silent(SourceKind.ALARM),
    "pe-14.2": silent(SourceKind.BUILDING),
    "pe-20": never(lambda e: e.asset == TAG),
    "ps-4": told(lifecycle=()),
    "ps-5": without_checks("transfer"),
    "ac-2": silent(SourceKind.IDENTITY, never=True),
    "au-8": silent(SourceKind.VIDEO),
    "cp-9": without_checks("restore-test"),
    "ir-4": told(incidents=()),
    "ir-8": without_checks("plan-review"),
    "si-4": without_checks("canary"),
    "at-3": without_checks("skill"),
}
"""Control → what of the telemetry is missing so that nobody can say it passes."""


def results(name, change=None):
    return evaluate(TESTS[name], facts_after(change), CHECKS_BY_NAME)


def test_the_thirty_are_there_each_with_its_three_stories():
    assert len(TESTS) == 30
    assert set(TESTS) == set(BREAKS) == set(MISSING)
    assert sum(name.startswith("pe-") for name in TESTS) == 21


@pytest.mark.parametrize("name", TESTS)
def test_it_passes_on_the_good_day(name):
    said = results(name)
    assert {each.result for each in said} == {Result.PASS}, [each for each in said if each.result is not Result.PASS]


@pytest.mark.parametrize("name", TESTS)
def test_its_story_breaks_it_and_the_evidence_names_what_was_read(name):
    said = [each for each in results(name, BREAKS[name]) if each.result is Result.FAIL]
    assert said
    assert all(each.refs and each.because for each in said)


@pytest.mark.parametrize("name", TESTS)
def test_missing_telemetry_is_insufficient_and_never_a_pass_of_all(name):
    said = results(name, MISSING[name])
    assert any(each.result is Result.INSUFFICIENT for each in said)
    assert not any(each.result is Result.FAIL for each in said)


@pytest.mark.parametrize("name", TESTS)
def test_with_nothing_at_all_it_passes_nowhere(name):
    story, _ = good_day()
    empty = replace(
        facts_after(),
        directory=story.directory,
        events=(),
        checks=(),
        sources=(),
        findings=(),
        incidents=(),
        lifecycle=(),
        last_used={},
        used_since=None,
    )
    assert Result.PASS not in {each.result for each in evaluate(TESTS[name], empty, CHECKS_BY_NAME) if each.way is Way.TELEMETRY}


@pytest.mark.parametrize("name", TESTS)
def test_every_check_of_a_test_is_needed(name):
    """Taking a check away must lose a story: a check that changes no result of any story looks at nothing."""
    test = TESTS[name]
    for use in test.checks:
        alone = replace(test, checks=(use,))
        stories = [None, *BREAKS.values(), *MISSING.values(), without_checks(*CHECKS), silent(*SourceKind, never=True)]
        seen = {tuple((each.asset, each.result) for each in evaluate(alone, facts_after(change), CHECKS_BY_NAME)) for change in stories}
        assert len(seen) > 1, f"{use.name} says the same of every story"


def test_reasons_for_more_events_than_one_look_reads_are_doubted():
    said = evaluate(TESTS["pe-3"], replace(facts_after(), truncated=True), CHECKS_BY_NAME)
    assert {each.result for each in said} == {Result.INSUFFICIENT}


def test_a_place_holds_its_doors_and_the_worst_word_counts():
    change = instead("lock-test", *(check("lock-test", f"hq/doors/{name}", 30) for name in ("front", "office", "server")))
    said = {each.asset: each.result for each in results("pe-3", change)}
    assert said == {
        "hq/doors/front": Result.PASS,
        "hq/doors/office": Result.PASS,
        "hq/doors/server": Result.PASS,
        "hq/doors/closet": Result.INSUFFICIENT,
    }


def test_an_exception_lets_a_grant_pass():
    facts = replace(facts_after(BREAKS["pe-2.1"]), excepted=frozenset({("pe-2.1", SERVER)}))
    assert {each.result for each in evaluate(TESTS["pe-2.1"], facts, CHECKS_BY_NAME)} == {Result.PASS}


def test_an_order_for_work_explains_a_forced_door():
    change = instead("work-order", check("work-order", "hq/doors/office", 5.2 / 24), check("work-order", "hq/main/g/closet", 8.1 / 24))
    broken = facts_after(lambda story, rest: (BREAKS["pe-3"](story, rest), change(story, rest)))
    assert {each.result for each in evaluate(TESTS["pe-3"], broken, CHECKS_BY_NAME)} == {Result.PASS}
    assert OFFICE in small_house().site.places
    assert broken.now == NOW


def test_a_batch_of_files_says_nothing_of_a_clock_that_is_behind():
    facts = facts_after(_skewed(timedelta(minutes=5)))
    late = replace(facts, sources=(replace(facts.sources[0], connector="csv"), *facts.sources[1:]))
    assert evaluate(TESTS["au-8"], late, CHECKS_BY_NAME)[0].result is not None
    by_name = {each.asset: each.result for each in evaluate(TESTS["au-8"], late, CHECKS_BY_NAME)}
    assert by_name["source:doors"] is Result.INSUFFICIENT
    assert {each.asset: each.result for each in evaluate(TESTS["au-8"], facts, CHECKS_BY_NAME)}["source:doors"] is Result.FAIL


def test_faults_of_a_tests_file_are_named_with_their_lines():
    text = "tests:\n  - control: pe-3\n    title: Doors\n    passes: Always.\n    domain: moon\n    ttl: 0s\n    checks:\n      - {check: nonsense}\n"
    with pytest.raises(ContentError) as found:
        read_tests(text, "mine.yaml", CHECKS_BY_NAME)
    assert {fault.line for fault in found.value.faults} >= {5, 8}
    assert "nonsense" in str(found.value)
