"""Detection 13: a door forced."""

from tests.detect.story import Story, at, verdict

from watchword.detect.coverage import Gap
from watchword.model.ocsf import Access, EventClass


def test_forced_with_nothing_before():
    story = Story()
    story.door(at("2:00"), "server", Access.FORCED)
    [finding] = verdict("ww_013", story)
    assert finding.places == ("hq/doors/server",)
    assert "Server room door" in finding.because


def test_contact_id_423_of_the_panel_counts():
    story = Story()
    story.add(at("2:00"), "panel", EventClass.ALARM_SIGNAL, 1, place="hq/doors/server", data={"ww_signal_code": {"native": "423"}})
    story.add(at("2:30"), "panel", EventClass.ALARM_SIGNAL, 1, place="hq/doors/server", data={"ww_signal_code": {"native": "130"}})
    assert len(verdict("ww_013", story)) == 1


def test_exit_button_or_grant_just_before_is_bad_wiring():
    story = Story()
    story.door(at("2:00:00"), "server", Access.REQUEST_TO_EXIT)
    story.door(at("2:00:04"), "server", Access.FORCED)
    story.door(at("3:00:00"), "closet", Access.GRANTED, 1)
    story.door(at("3:00:09"), "closet", Access.FORCED)
    assert verdict("ww_013", story) == []


def test_grant_at_another_door_explains_nothing():
    story = Story()
    story.door(at("2:00:00"), "closet", Access.GRANTED, 1)
    story.door(at("2:00:04"), "server", Access.FORCED)
    assert len(verdict("ww_013", story)) == 1


def test_no_verdict_in_a_gap():
    story = Story()
    story.door(at("2:00"), "server", Access.FORCED)
    assert verdict("ww_013", story, gaps=[Gap("doors", at("1:00"), at("2:30"))]) == []
