"""Detection 24: a camera lost, then a door in its view opens."""

from tests.detect.story import Story, at, verdict

from watchword.model import Mode
from watchword.model.ocsf import Access, Health


def test_camera_lost_then_the_door_is_forced():
    story = Story()
    story.health(at("2:00"), "cam-server", Health.VIDEO_LOST)
    story.door(at("2:10"), "server", Access.FORCED)
    [finding] = verdict("ww_024", story)
    assert (finding.mode, finding.severity) == (Mode.PAGE, 4)
    assert "was forced" in finding.because
    assert "cam-server" in finding.because


def test_camera_lost_then_opened_without_reason_pages():
    story = Story()
    story.health(at("2:00"), "cam-server", Health.OFFLINE)
    story.door(at("2:10"), "server", Access.TAKEN)
    [finding] = verdict("ww_024", story)
    assert finding.mode is Mode.PAGE


def test_opened_with_a_badge_adds_risk_only():
    story = Story()
    story.health(at("9:00"), "cam-server", Health.OFFLINE)
    story.door(at("9:10"), "server", Access.GRANTED, 1)
    story.door(at("9:10:03"), "server", Access.TAKEN, 1)
    [finding] = verdict("ww_024", story)
    assert (finding.mode, finding.severity) == (Mode.RISK, 2)
    assert "A. Reyes" in finding.because


def test_too_late_back_again_or_another_door_is_nothing():
    story = Story()
    story.health(at("2:00"), "cam-server", Health.OFFLINE)
    story.health(at("2:05"), "cam-server", Health.ONLINE)
    story.door(at("2:10"), "server", Access.FORCED)
    story.health(at("4:00"), "cam-server", Health.OFFLINE)
    story.door(at("4:05"), "closet", Access.FORCED)
    story.door(at("4:15:01"), "server", Access.FORCED)
    assert verdict("ww_024", story) == []


def test_a_recorder_that_restarts_is_one_finding_on_the_recorder():
    story = Story()
    for second, camera in enumerate(("cam-server", "cam-front", "cam-closet")):
        story.health(at(f"2:00:{second * 20}"), camera, Health.OFFLINE)
    story.door(at("2:10"), "server", Access.FORCED)
    [finding] = verdict("ww_024", story)
    assert finding.mode is Mode.RISK
    assert finding.assets[0] == "asset:recorder"
    assert len(finding.events) == 3


def test_two_cameras_are_no_group():
    story = Story()
    story.health(at("2:00"), "cam-server", Health.OFFLINE)
    story.health(at("2:01"), "cam-front", Health.OFFLINE)
    story.door(at("2:10"), "server", Access.FORCED)
    [finding] = verdict("ww_024", story)
    assert finding.mode is Mode.PAGE


def test_of_several_openings_the_one_without_reason_counts():
    story = Story()
    story.health(at("9:00"), "cam-server", Health.OFFLINE)
    story.door(at("9:05"), "server", Access.GRANTED, 1)
    forced = story.door(at("9:10"), "server", Access.FORCED)
    [finding] = verdict("ww_024", story)
    assert finding.mode is Mode.PAGE
    assert forced.uid in finding.events


def test_the_group_counts_for_each_camera_in_it_and_rises_once():
    story = Story()
    for second, camera in enumerate(("cam-server", "cam-front", "cam-closet", "cam-server")):
        story.health(at(f"2:00:{second * 15}"), camera, Health.OFFLINE)
    story.door(at("2:02"), "front", Access.FORCED)
    [finding] = verdict("ww_024", story)
    assert len(finding.events) == 4
