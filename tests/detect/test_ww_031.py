"""Detection 31: an unlock that nobody and nothing authorised."""

from tests.detect.story import Story, at, detector, judged, verdict

from watchword.model import FindingState, Mode
from watchword.model.ocsf import Access, BuildingControl


def test_a_passage_with_no_reason():
    story = Story()
    story.door(at("2:00"), "server", Access.TAKEN)
    [finding] = verdict("ww_031", story)
    assert finding.mode is Mode.PAGE
    assert "was opened" in finding.because


def test_unlocked_by_nobody():
    story = Story()
    story.door(at("2:00"), "server", Access.MODE_CHANGED, value="unlocked")
    [finding] = verdict("ww_031", story)
    assert "was unlocked" in finding.because


def test_grant_exit_request_and_operator_explain_it():
    story = Story()
    story.door(at("2:00:00"), "server", Access.GRANTED, 1)
    story.door(at("2:00:08"), "server", Access.TAKEN, 1)
    story.door(at("3:00:05"), "server", Access.TAKEN)
    story.door(at("3:00:09"), "server", Access.REQUEST_TO_EXIT)
    story.building(at("4:00:00"), BuildingControl.COMMAND, "hq/doors/server")
    story.door(at("4:00:05"), "server", Access.MODE_CHANGED, value="unlocked")
    story.door(at("4:30:00"), "server", Access.TAKEN)
    story.door(at("4:40:00"), "server", Access.MODE_CHANGED, value="locked")
    assert verdict("ww_031", story) == []
    story.door(at("4:45:00"), "server", Access.TAKEN)
    assert len(verdict("ww_031", story)) == 1


def test_a_grant_a_minute_before_or_at_another_door_explains_nothing():
    story = Story()
    story.door(at("2:00:00"), "server", Access.GRANTED, 1)
    story.door(at("2:01:00"), "server", Access.TAKEN)
    story.door(at("3:00:00"), "closet", Access.GRANTED, 1)
    story.door(at("3:00:05"), "server", Access.TAKEN)
    assert len(verdict("ww_031", story)) == 2


def test_timetable_and_fire_explain_it():
    story = Story()
    story.door(at("9:00"), "stores", Access.TAKEN)
    story.fire(at("10:00"))
    story.door(at("10:20"), "server", Access.TAKEN)
    assert verdict("ww_031", story) == []
    story.building(at("10:30"), BuildingControl.RESTORED)
    story.door(at("10:50"), "server", Access.TAKEN)
    assert len(verdict("ww_031", story)) == 1


def test_a_reason_that_comes_late_is_waited_for():
    story = Story()
    story.door(at("2:00"), "server", Access.TAKEN)
    found = detector("ww_031", story.directory)
    assert judged(found, story.events, at("2:00:05")) == []
    assert judged(found, story.events, at("2:00:30"))[0].state is FindingState.PROVISIONAL
    assert judged(found, story.events, at("2:05"))[0].state is FindingState.FINAL
