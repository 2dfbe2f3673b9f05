"""Detection 20: door probing."""

from tests.detect.story import Story, at, verdict

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
