"""Rule 6: one credential at two readers of a site too fast."""

from dataclasses import replace

from tests.detect.story import ASSETS, Story, at, directory, verdict

from watchword.model import AssetBook, Door, Reader, SiteBook
from watchword.model.ocsf import Access
from watchword.resolve.directory import Directory


def test_front_and_server_room_within_seconds() -> None:
    # front door, stores door (10 m), server room door (60 m): 5 + 10 + 30 m at 3 m/s are 15 s; the tolerance is 2 s
    story = Story()
    a = story.enter(at("8:00"), "front", 1)
    b = story.enter(at("8:00:12"), "server", 1)
    found = verdict("ww_006", story)
    assert [finding.events for finding in found] == [(a.uid, b.uid)]
    assert "12 s apart" in found[0].because


def test_near_misses() -> None:
    run = Story()
    run.enter(at("8:00"), "front", 1)
    run.enter(at("8:00:13"), "server", 1)
    same_door = Story()
    same_door.enter(at("8:00"), "front", 1)
    same_door.leave(at("8:00:01"), "front", 1)
    others = Story()
    others.enter(at("8:00"), "front", 1)
    others.enter(at("8:00:01"), "server", 2)
    for story in (run, same_door, others):
        assert verdict("ww_006", story) == []


def test_a_passage_reported_when_the_door_closes_is_no_second_place() -> None:
    story = Story()
    story.door(at("8:00:00"), "front", Access.GRANTED, 1)
    story.door(at("8:00:25"), "front", Access.TAKEN, 1)
    story.door(at("8:00:30"), "server", Access.GRANTED, 1)
    assert verdict("ww_006", story) == []


def test_parallel_turnstiles_are_one_place() -> None:
    book = directory()
    front = book.door("hq/doors/front")
    assert front is not None
    beside = Door(
        "hq/doors/beside", "Beside", front.from_zone, front.to_zone, length_m=90, readers=(Reader("beside-in", "hq/doors/beside", "in"),)
    )
    site = SiteBook(book.site.places, {**book.site.doors, beside.uid: beside, front.uid: replace(front, length_m=90)}, book.site.calendars)
    story = Story(Directory(site, book.people, AssetBook({asset.uid: asset for asset in ASSETS})))
    story.enter(at("8:00"), "front", 1)
    story.enter(at("8:00:01"), "beside", 1)
    assert verdict("ww_006", story) == []
