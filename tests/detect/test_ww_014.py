"""Detection 14: a door forced or held, then a new device in the same room."""

from tests.detect.story import Story, at, verdict

from watchword.model import Mode
from watchword.model.ocsf import Access


def test_new_device_behind_a_forced_door():
    story = Story()
    story.door(at("2:00"), "closet", Access.FORCED)
    story.device(at("2:08"), "sw-closet")
    [finding] = verdict("ww_014", story)
    assert finding.mode is Mode.PAGE
    assert finding.assets == ("asset:sw-closet",)
    assert "de:ad:be:ef:00:01" in finding.because


def test_held_open_counts_as_well():
    story = Story()
    story.door(at("2:00"), "closet", Access.HELD_OPEN)
    story.device(at("2:10"), "sw-closet")
    assert len(verdict("ww_014", story)) == 1


def test_too_late_elsewhere_or_before_is_nothing():
    story = Story()
    story.device(at("1:59"), "sw-closet")
    story.door(at("2:00"), "closet", Access.FORCED)
    story.device(at("2:05"), "sw-server")
    story.device(at("2:10:01"), "sw-closet")
    assert verdict("ww_014", story) == []


def test_a_known_device_or_an_open_door_in_the_usual_way_is_nothing():
    story = Story()
    story.door(at("2:00"), "closet", Access.FORCED)
    story.device(at("2:05"), "sw-closet", "aa:aa:aa:aa:aa:01")
    story.enter(at("3:00"), "closet", 1)
    story.device(at("3:05"), "sw-closet")
    assert verdict("ww_014", story) == []
