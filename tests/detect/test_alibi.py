"""Alibis: whom the badge log excludes at each of several related moments."""

from datetime import timedelta

from tests.detect.story import OFFICE, SERVER, Story, at

from watchword.detect.alibi import Moment, Word, alibis, distinct, moments_of
from watchword.detect.insight import covered_within, spans_of, whereabouts_of
from watchword.model import Finding
from watchword.model.ocsf import EventClass, Occupancy


def words(story: Story, *moments: Moment) -> dict[str, list[Word]]:
    doors = [event for event in story.events if event.place]
    people = whereabouts_of(doors, story.directory, covered_within(spans_of(doors)))
    return {person: [proof.word for proof in alibi.proofs] for person, alibi in alibis(people, moments).items()}


def test_present_elsewhere_and_unknown() -> None:
    story = Story()
    story.enter(at("8:00", day=-1), "front", 3)
    story.enter(at("8:00"), "office", 1)
    story.enter(at("8:00"), "far", 2, site="far")
    story.enter(at("8:00"), "server", 6)
    story.enter(at("20:00"), "front", 3)
    found = words(story, Moment(at("9:00"), OFFICE))
    assert found["person:1"] == [Word.PRESENT]
    assert found["person:2"] == [Word.EXCLUDED]
    assert found["person:6"] == [Word.POSSIBLE], "the server room has no exit reader: one may be back unread"


def test_who_was_not_read_in_that_day_is_excluded_only_where_the_log_covers_it() -> None:
    story = Story()
    story.enter(at("8:00"), "office", 1)
    story.enter(at("18:00"), "office", 1)
    assert words(story, Moment(at("9:00"), SERVER))["person:2"] == [Word.POSSIBLE], "the log begins in the middle of the day"
    story.enter(at("8:00", day=-1), "office", 1)
    assert words(story, Moment(at("9:00"), SERVER))["person:2"] == [Word.EXCLUDED]


def test_a_person_without_a_badge_is_never_excluded() -> None:
    found = alibis({"person:9": None}, [Moment(at("9:00"), OFFICE)])
    assert found["person:9"].possible == 1
    assert found["person:9"].share == 1.0


def test_shares_add_up_and_no_moment_leaves_nothing() -> None:
    story = Story()
    story.enter(at("8:00", day=-1), "front", 3)
    story.enter(at("8:00"), "office", 1)
    story.enter(at("18:00"), "office", 1)
    doors = list(story.events)
    people = whereabouts_of(doors, story.directory, covered_within(spans_of(doors)))
    found = alibis(people, [Moment(at("9:00"), OFFICE), Moment(at("11:00"), OFFICE)])
    assert abs(sum(alibi.share for alibi in found.values()) - 1) < 1e-9
    assert max(found.values(), key=lambda alibi: alibi.share).person == "person:1"
    assert "at none of 2 related moments (and places them there at 2)" in found["person:1"].sentence()
    assert "at 2 of 2 related moments; could have been there: 0" in found["person:2"].sentence()
    assert alibis(people, [])["person:1"].share == 0.0


def test_moments_close_together_are_one() -> None:
    found = distinct(
        [
            Moment(at("9:20"), OFFICE, ("c",)),
            Moment(at("9:00"), OFFICE, ("a",)),
            Moment(at("9:10"), OFFICE, ("b",)),
            Moment(at("9:10"), SERVER, ("d",)),
        ]
    )
    assert [(moment.at, moment.findings) for moment in found] == [(at("9:00"), ("a", "b")), (at("9:10"), ("d",)), (at("9:20"), ("c",))]


def test_moments_of_a_finding_are_its_deeds_at_machines() -> None:
    story = Story()
    door = story.enter(at("9:00"), "closet", 1)
    flow = story.flow(at("9:10"), "ws-1")
    remote = story.logon(at("9:12"), 1, "ws-1", kind=10, remote=True)
    kiosk = story.logon(at("9:13"), 1, "kiosk")
    events = {event.uid: event for event in (door, flow, remote, kiosk)}
    found = Finding("f", "r", 1, "t", 3, 0.8, at("9:13"), at("9:00"), at("9:13"), "", assets=("asset:ws-1",), events=tuple(events))
    assert moments_of(found, events, story.directory) == [Moment(at("9:10"), OFFICE, ("f",), flow.uid)]
    assert moments_of(found, {}, story.directory) == [Moment(at("9:13"), OFFICE, ("f",))]
    assert at("9:13") - at("9:10") == timedelta(minutes=3)


def test_a_roll_call_at_the_muster_point_is_an_alibi_and_widens_no_coverage() -> None:
    story = Story()
    story.enter(at("8:00"), "office", 1)
    story.enter(at("18:00"), "office", 1)
    moment = Moment(at("12:00"), OFFICE)
    assert words(story, moment)["person:1"] == [Word.PRESENT]
    story.add(at("11:00"), "doors", EventClass.OCCUPANCY, Occupancy.MUSTERED, credential="badge:1", place="hq/outside")
    assert words(story, moment)["person:1"] == [Word.EXCLUDED]
    story.add(at("0:00", day=-2), "doors", EventClass.OCCUPANCY, Occupancy.COUNTED, place="hq/outside")
    assert words(story, moment)["person:2"] == [Word.POSSIBLE], "a count is no word of the doors"
