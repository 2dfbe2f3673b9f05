"""Rule 10: pass-back."""

from dataclasses import replace
from datetime import timedelta

from tests.detect.story import ASSETS, CLOSET, Story, at, detector, directory, judged, verdict

from watchword.model import AssetBook, FindingState, Reader, SiteBook
from watchword.model.ocsf import Access
from watchword.resolve.directory import Directory


def book() -> Directory:
    """The small site with an exit reader at the closet, so that the closet's every way is read."""
    known = directory()
    closet = known.doors("hq")[3]
    assert closet.uid == "hq/doors/closet"
    read = replace(closet, readers=(*closet.readers, Reader("closet-out", closet.uid, "out")))
    site = SiteBook(known.site.places, {**known.site.doors, read.uid: read}, known.site.calendars, known.site.travels)
    return Directory(site, known.people, AssetBook({asset.uid: asset for asset in ASSETS}))


def test_in_and_in() -> None:
    story = Story(book())
    a = story.enter(at("9:00"), "closet", 1)
    b = story.enter(at("11:00"), "closet", 1)
    found = verdict("ww_010", story)
    assert [finding.events for finding in found] == [(a.uid, b.uid)]
    assert found[0].places[0] == CLOSET
    assert found[0].severity == 2
    assert "A. Reyes (0001) went into Wiring closet" in found[0].because
    assert "no exit was read since" in found[0].because


def test_out_and_out() -> None:
    story = Story(book())
    story.enter(at("9:00"), "closet", 1)
    a = story.leave(at("10:00"), "closet", 1)
    b = story.leave(at("11:00"), "closet", 1)
    assert [finding.events for finding in verdict("ww_010", story)] == [(a.uid, b.uid)]


def test_out_without_in_after_entering_elsewhere_that_day() -> None:
    story = Story(book())
    front = story.enter(at("8:00"), "front", 1)
    out = story.leave(at("9:00"), "closet", 1)
    found = verdict("ww_010", story)
    assert [finding.events for finding in found] == [(front.uid, out.uid)]
    assert "no entry to Wiring closet was read" in found[0].because


def test_in_and_in_with_another_door_between_still_counts() -> None:
    story = Story(book())
    a = story.enter(at("9:00"), "closet", 1)
    story.enter(at("10:00"), "front", 1)
    b = story.enter(at("11:00"), "closet", 1)
    assert [finding.events for finding in verdict("ww_010", story)] == [(a.uid, b.uid)]


def test_near_misses() -> None:
    proper = Story(book())
    for hour in range(8, 16, 2):
        proper.enter(at(f"{hour}:00"), "closet", 1)
        proper.leave(at(f"{hour}:30"), "closet", 1)
    unread_exit = Story(book())
    unread_exit.enter(at("9:00"), "server", 1)
    unread_exit.enter(at("10:00"), "server", 1)
    next_day = Story(book())
    next_day.enter(at("9:00"), "closet", 1)
    next_day.enter(at("9:00", day=1), "closet", 1)
    first_out = Story(book())
    first_out.leave(at("9:00"), "closet", 1)
    double_read = Story(book())
    double_read.door(at("9:00"), "closet", Access.GRANTED, 1)
    double_read.door(at("9:00:04"), "closet", Access.GRANTED, 1)
    double_read.door(at("9:00:06"), "closet", Access.TAKEN, 1)
    not_taken = Story(book())
    not_taken.door(at("9:00"), "closet", Access.GRANTED, 1)
    not_taken.door(at("9:00:10"), "closet", Access.NOT_TAKEN, 1)
    not_taken.door(at("9:05"), "closet", Access.GRANTED, 1)
    denied = Story(book())
    denied.enter(at("9:00"), "closet", 1)
    denied.door(at("9:30"), "closet", Access.DENIED, 1)
    two = Story(book())
    two.enter(at("9:00"), "closet", 1)
    two.enter(at("9:30"), "closet", 2)
    for story in (proper, unread_exit, next_day, first_out, double_read, not_taken, denied, two):
        assert verdict("ww_010", story) == []


def test_quick_pass_back_shows_only_at_a_door_that_counts_passages() -> None:
    known = book()
    closet = known.door("hq/doors/closet")
    assert closet is not None
    site = replace(known.site, doors={**known.site.doors, closet.uid: replace(closet, passage_sensor=True)})
    for place, findings in ((known, 0), (Directory(site, known.people, known.assets), 1)):
        story = Story(place)
        story.door(at("9:00:00"), "closet", Access.TAKEN, 1)
        story.door(at("9:00:08"), "closet", Access.TAKEN, 1)
        assert len(verdict("ww_010", story)) == findings


def test_a_late_exit_withdraws_it_and_gaps_say_nothing() -> None:
    story = Story(book())
    story.enter(at("9:00"), "closet", 1)
    story.enter(at("11:00"), "closet", 1)
    assert [finding.state for finding in verdict("ww_010", story, now=at("11:00:30"))] == [FindingState.PROVISIONAL]
    assert verdict("ww_010", story, silent=["doors"]) == []
    story.leave(at("10:00"), "closet", 1)
    assert verdict("ww_010", story) == []


def test_settings() -> None:
    story = Story(book())
    story.enter(at("9:00"), "closet", 1)
    story.enter(at("11:00"), "closet", 1)
    assert judged(detector("ww_010", story.directory, reset_after="1h"), story.events) == []
    assert judged(detector("ww_010", story.directory, exempt_zones=[CLOSET]), story.events) == []
    assert detector("ww_010", story.directory).reach >= timedelta(hours=16)
