"""Rule 19: workstation in use before its owner's first badge of the day."""

from tests.detect.story import Story, at, verdict

from watchword.model import FindingState


def test_log_on_before_the_first_badge() -> None:
    story = Story()
    logon = story.logon(at("6:30"), 2, "ws-1")
    story.logon(at("6:40"), 2, "ws-1")
    story.enter(at("8:00"), "front", 1)
    found = verdict("ww_019", story)
    assert [finding.events for finding in found] == [(logon.uid,)]
    assert found[0].persons == ("person:1", "person:2")
    assert "ws-1 (Office), A. Reyes's own, was logged on to by B. Okafor at 07:30:00" in found[0].because


def test_traffic_before_the_first_badge_rests_on_both() -> None:
    story = Story()
    flow = story.flow(at("6:30"), "ws-1", bytes_out=2_000_000)
    story.flow(at("6:35"), "ws-1", bytes_out=2_000_000)
    assert verdict("ww_019", story) == []
    badge = story.enter(at("8:00"), "front", 1)
    found = verdict("ww_019", story)
    assert [finding.events for finding in found] == [(flow.uid, badge.uid)]
    assert "first badge of the day was read only at 09:00:00 at Front door" in found[0].because


def test_near_misses() -> None:
    after = Story()
    after.enter(at("8:00"), "front", 1)
    after.logon(at("8:05"), 1, "ws-1")
    just_before = Story()
    just_before.logon(at("7:59:30"), 1, "ws-1")
    just_before.enter(at("8:00"), "front", 1)
    night_shift = Story()
    night_shift.enter(at("22:00"), "front", 1)
    night_shift.logon(at("2:00", day=1), 1, "ws-1")
    night_shift.enter(at("9:00", day=1), "front", 1)
    from_home = Story()
    from_home.logon(at("6:00"), 1, "jump", kind=10, remote=True)
    from_home.logon(at("6:30"), 1, "ws-1", kind=7)
    from_home.enter(at("9:00"), "front", 1)
    desktop = Story()
    desktop.logon(at("6:30"), 1, "ws-1", kind=10, remote=True)
    small = Story()
    small.flow(at("6:30"), "ws-1", bytes_out=20_000)
    small.enter(at("8:00"), "front", 1)
    server = Story()
    server.logon(at("6:30"), 1, "srv-1")
    kiosk = Story()
    kiosk.logon(at("6:30"), 1, "kiosk")
    for story in (after, just_before, night_shift, from_home, desktop, small, server, kiosk):
        assert verdict("ww_019", story) == []


def test_the_day_is_the_sites_own() -> None:
    story = Story()
    story.enter(at("22:30", day=-1), "front", 1)  # 23:30 in Berlin
    story.leave(at("22:45", day=-1), "front", 1)
    logon = story.logon(at("23:30", day=-1), 1, "ws-1")  # 00:30 in Berlin: a new day
    assert [finding.events for finding in verdict("ww_019", story)] == [(logon.uid,)]


def test_one_finding_per_day_and_needs_the_doors() -> None:
    story = Story()
    for day in range(3):
        story.logon(at("6:00", day=day), 1, "ws-1")
        story.enter(at("8:00", day=day), "front", 1)
        story.leave(at("16:00", day=day), "front", 1)
    assert len(verdict("ww_019", story)) == 3
    assert verdict("ww_019", story, silent=["doors"]) == []
    early = Story()
    early.logon(at("6:00"), 1, "ws-1")
    assert verdict("ww_019", early, marks={"doors": at("5:00")}) == []
    assert [finding.state for finding in verdict("ww_019", early, now=at("6:03"))] == [FindingState.PROVISIONAL]
