"""Detection 20: door probing."""

from dataclasses import replace

from tests.detect.story import Story, at, detector, judged, verdict

from watchword.model.ocsf import Access

DOORS = ("front", "office", "server", "closet")


def test_four_doors():
    story = Story()
    for minute, door in enumerate(DOORS):
        story.door(at(f"9:0{minute}"), door, Access.DENIED, 3)
    [finding] = verdict("ww_020", story)
    assert finding.time == at("9:03")
    assert len(finding.events) == 4
    assert "4 doors" in finding.because


def test_five_at_one_door_by_an_unknown_badge():
    story = Story()
    for minute in range(5):
        story.door(at(f"9:0{minute}"), "server", Access.DENIED, 99)
    [finding] = verdict("ww_020", story)
    assert finding.credentials == ("badge:99",)


def test_three_denials_are_nothing():
    story = Story()
    for minute in range(3):
        story.door(at(f"9:0{minute}"), "server", Access.DENIED, 3)
    assert verdict("ww_020", story) == []


def test_spread_over_more_than_ten_minutes_is_nothing():
    story = Story()
    for minute in (0, 3, 6, 9, 12, 15):
        story.door(at(f"9:{minute}"), "server", Access.DENIED, 3)
    assert verdict("ww_020", story) == []


def test_the_window_rolls_and_has_no_bucket():
    story = Story()
    for clock in ("9:08", "9:09", "9:10", "9:17", "9:18"):
        story.door(at(clock), "server", Access.DENIED, 3)
    assert len(verdict("ww_020", story)) == 1


def test_spent_denials_do_not_count_again():
    story = Story()
    for second in range(0, 54, 6):
        story.door(at(f"9:00:{second}"), "server", Access.DENIED, 3)
    assert len(verdict("ww_020", story)) == 1


def test_a_new_starter_and_different_people_are_nothing():
    story = Story()
    for minute in range(6):
        story.door(at(f"9:0{minute}"), "server", Access.DENIED, 6)
    for number in (1, 2, 3):
        story.door(at("10:00"), "server", Access.DENIED, number)
        story.door(at("10:01"), "closet", Access.DENIED, number)
    assert verdict("ww_020", story) == []


def refused(story, number, minute, second=0, asset=""):
    """Let one badge be refused five times within fifty seconds."""
    for step in range(5):
        story.door(at(f"9:{minute:02}:{second + step * 10:02}"), ("office", "server")[step % 2], Access.DENIED, number)
        story.events[-1] = replace(story.events[-1], asset=asset)


def test_a_door_groups_outage_is_one_finding_on_what_they_share():
    story = Story()
    for number, minute in ((1, 0), (2, 1), (3, 2), (4, 4)):
        refused(story, number, minute)
    [finding] = verdict("ww_020", story)
    assert len(finding.events) == 20
    assert set(finding.persons) == {f"person:{number}" for number in (1, 2, 3, 4)}
    assert "4 badges were refused again and again at 2 doors of doors" in finding.because
    assert "outage" in finding.title
    assert finding.severity == 3


def test_two_people_or_three_with_time_between_are_findings_of_their_own():
    two = Story()
    refused(two, 1, 0)
    refused(two, 2, 1)
    spread = Story()
    for number, minute in ((1, 0), (2, 4), (3, 8)):
        refused(spread, number, minute)
    again = Story()
    for minute in (0, 1, 2):
        refused(again, 1, minute)
    assert [len(verdict("ww_020", story)) for story in (two, spread, again)] == [2, 3, 3]


def test_the_controller_is_named_where_the_record_names_it_and_others_stay_apart():
    story = Story()
    for number, minute in ((1, 0), (2, 0), (3, 1)):
        refused(story, number, minute, second=number, asset="asset:sw-closet")
    refused(story, 4, 1, asset="asset:sw-server")
    found = verdict("ww_020", story)
    assert sorted(len(finding.events) for finding in found) == [5, 15]
    outage = max(found, key=lambda finding: len(finding.events))
    assert outage.assets[0] == "asset:sw-closet"
    assert "of sw-closet" in outage.because


def test_without_a_group_size_everyone_stands_alone():
    story = Story()
    for number, minute in ((1, 0), (2, 1), (3, 2)):
        refused(story, number, minute)
    assert len(judged(detector("ww_020", story.directory, group_size=0), story.events)) == 3
