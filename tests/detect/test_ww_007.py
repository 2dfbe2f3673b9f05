"""Detection 7: a badge used after its holder left."""

from tests.detect.story import Story, at, verdict

from watchword.model import Mode
from watchword.model.ocsf import Access


def test_a_leavers_badge_opens_a_door():
    story = Story()
    story.door(at("3:10"), "office", Access.GRANTED, 4)
    story.door(at("3:10:05"), "office", Access.TAKEN, 4)
    [finding] = verdict("ww_007", story)
    assert (finding.severity, finding.mode) == (4, Mode.PAGE)
    assert finding.persons == ("person:4",)
    assert finding.places == ("hq/doors/office",)
    assert "D. Marsh" in finding.because
    assert "CET" in finding.because
    assert "27 Oct 2026" in finding.because
    assert "{" not in finding.because


def test_refused_after_the_grace_adds_risk_only():
    story = Story()
    story.door(at("3:10"), "office", Access.DENIED, 4)
    [finding] = verdict("ww_007", story)
    assert (finding.severity, finding.mode) == (2, Mode.RISK)


def test_refused_within_the_grace_is_nothing():
    story = Story()
    story.door(at("12:10", day=-7), "office", Access.DENIED, 4)
    assert verdict("ww_007", story) == []


def test_the_last_working_minute_is_nothing():
    story = Story()
    story.door(at("11:59:59", day=-7), "office", Access.TAKEN, 4)
    story.enter(at("9:00"), "office", 1)
    assert verdict("ww_007", story) == []


def test_two_doors_are_two_findings_and_uids_are_stable():
    story = Story()
    story.enter(at("3:00"), "front", 4)
    story.enter(at("3:01"), "office", 4)
    found = verdict("ww_007", story)
    assert len(found) == 2
    assert [finding.uid for finding in found] == [finding.uid for finding in verdict("ww_007", story)]
