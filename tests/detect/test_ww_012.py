"""Detection 12: a person in a restricted zone without a badge event."""

from tests.detect.story import OFFICE, SERVER, Story, at, coverage, detector, judged, verdict

from watchword.model import FindingState
from watchword.model.ocsf import Access


def test_seen_where_nobody_is():
    story = Story()
    story.enter(at("8:00"), "office", 1)
    story.person_seen(at("10:00"), "cam-in", SERVER)
    [finding] = verdict("ww_012", story)
    assert finding.assets == ("asset:cam-in",)
    assert finding.places == (SERVER,)
    assert "Server room" in finding.because


def test_let_in_just_before_is_nothing():
    story = Story()
    story.door(at("9:59:10"), "server", Access.GRANTED, 1)
    story.person_seen(at("10:00"), "cam-in", SERVER)
    assert verdict("ww_012", story) == []


def test_somebody_known_to_be_inside_is_nothing():
    story = Story()
    story.enter(at("7:00"), "server", 1)
    story.person_seen(at("10:00"), "cam-in", SERVER)
    assert verdict("ww_012", story) == []


def test_an_ordinary_zone_or_a_weak_sighting_is_nothing():
    story = Story()
    story.person_seen(at("10:00"), "cam-server", OFFICE)
    story.person_seen(at("10:01"), "cam-in", SERVER, confidence=0.4)
    assert verdict("ww_012", story) == []


def test_who_went_elsewhere_is_not_inside():
    story = Story()
    story.enter(at("7:00"), "server", 1)
    story.enter(at("8:00"), "closet", 1)
    story.person_seen(at("10:00"), "cam-in", SERVER)
    assert len(verdict("ww_012", story)) == 1


def test_entry_the_evening_before_still_counts_over_midnight():
    story = Story()
    story.enter(at("23:50", day=-1), "server", 1)
    story.person_seen(at("1:00"), "cam-in", SERVER)
    assert verdict("ww_012", story) == []


def test_no_verdict_before_the_doors_have_reported_and_provisional_until_settled():
    story = Story()
    seen = story.person_seen(at("10:00"), "cam-in", SERVER)
    found = detector("ww_012", story.directory)
    assert judged(found, story.events, at("10:01"), marks={"doors": at("9:00")}) == []
    assert judged(found, story.events, at("10:05"), silent=("doors",)) == []
    [finding] = judged(found, story.events, at("10:01"))
    assert finding.state is FindingState.PROVISIONAL
    [finding] = judged(found, story.events, at("10:05"))
    assert finding.state is FindingState.FINAL
    assert finding.events == (seen.uid,)
    assert coverage(at("10:05")).reported(found.rule.needs, "hq") == at("10:05")


def test_many_frames_are_one_finding():
    story = Story()
    for second in range(0, 60, 5):
        story.person_seen(at(f"10:00:{second}"), "cam-in", SERVER)
    assert len(verdict("ww_012", story)) == 1
