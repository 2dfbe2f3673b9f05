"""Rule 1: console log-on while its owner is not on site."""

from datetime import timedelta

from tests.detect.story import Story, at, coverage, detector, judged, verdict

from watchword.detect.coverage import Gap
from watchword.model import FindingState
from watchword.model.ocsf import Access


def test_logon_while_out_by_exit_reader() -> None:
    story = Story()
    story.enter(at("7:00"), "front", 1)
    left = story.leave(at("8:00"), "front", 1)
    logon = story.logon(at("19:30"), 1, "ws-1")
    found = verdict("ww_001", story)
    assert [finding.events for finding in found] == [(left.uid, logon.uid)]
    assert found[0].persons == ("person:1",)
    assert found[0].assets == ("asset:ws-1",)
    assert "A. Reyes logged on" in found[0].because
    assert "Front door" in found[0].because
    assert "unknown" not in found[0].because.split("What is not known")[0]


def test_logon_on_a_covered_day_without_entry() -> None:
    story = Story()
    logon = story.logon(at("10:00"), 1, "ws-1")
    found = verdict("ww_001", story)
    assert [finding.events for finding in found] == [(logon.uid,)]
    assert "no door of the site has read this person in" in found[0].because


def test_only_the_first_log_on_of_a_day_counts() -> None:
    story = Story()
    first = story.logon(at("10:00"), 1, "ws-1")
    story.logon(at("11:00"), 1, "ws-1")
    assert [finding.events for finding in verdict("ww_001", story)] == [(first.uid,)]


def test_near_misses() -> None:
    entered = Story()
    entered.enter(at("7:00"), "front", 1)
    entered.logon(at("7:10"), 1, "ws-1")
    just_in = Story()
    just_in.logon(at("7:10"), 1, "ws-1")
    just_in.enter(at("7:10:01"), "front", 1)
    carried_over = Story()
    carried_over.enter(at("20:00"), "front", 1)
    carried_over.logon(at("5:00", day=1), 1, "ws-1")
    shared = Story()
    shared.logon(at("10:00"), 1, "kiosk")
    remote_worker = Story()
    remote_worker.logon(at("10:00"), 5, "ws-1")
    network = Story()
    network.logon(at("10:00"), 1, "ws-1", kind=3)
    failed = Story()
    failed.logon(at("10:00"), 1, "ws-1", ok=False)
    unresolved = Story()
    unresolved.logon(at("10:00"), 99, "ws-1")
    laptop = Story()
    laptop.logon(at("10:00"), 1, "ws-1", kind=11, device={"hostname": "ws-1", "ip": "192.168.178.20"})
    for story in (entered, just_in, carried_over, shared, remote_worker, network, failed, unresolved, laptop):
        assert verdict("ww_001", story) == []


def test_a_laptop_whose_user_came_through_the_vpn_is_at_home() -> None:
    story = Story()
    story.logon(at("8:00"), 1, "jump", kind=10, remote=True)
    story.logon(at("8:30"), 1, "ws-1")
    assert verdict("ww_001", story) == []


def test_a_log_on_at_another_site_than_the_badge() -> None:
    story = Story()
    far = story.enter(at("7:00"), "far", 1, site="far")
    logon = story.logon(at("9:00"), 1, "ws-1")
    found = verdict("ww_001", story)
    assert [finding.events for finding in found] == [(far.uid, logon.uid)]
    assert "last read at Far front door" in found[0].because


def test_no_verdict_before_the_doors_reported_and_provisional_before_lateness() -> None:
    story = Story()
    story.logon(at("10:00"), 1, "ws-1")
    assert verdict("ww_001", story, marks={"doors": at("9:59")}) == []
    assert verdict("ww_001", story, silent=["doors"]) == []
    soon = verdict("ww_001", story, now=at("10:01"))
    assert [finding.state for finding in soon] == [FindingState.PROVISIONAL]
    assert [finding.state for finding in verdict("ww_001", story)] == [FindingState.FINAL]
    assert verdict("ww_001", story, gaps=[Gap("doors", at("9:00"), at("9:30"))]) == []


def test_a_late_entry_withdraws_it() -> None:
    story = Story()
    story.logon(at("10:00"), 1, "ws-1")
    found = detector("ww_001", story.directory)
    assert judged(found, story.events)
    story.door(at("9:50"), "front", Access.GRANTED, 1)
    assert judged(found, story.events) == []
    assert coverage(at("10:00")).skew("doors") >= timedelta(seconds=1)
