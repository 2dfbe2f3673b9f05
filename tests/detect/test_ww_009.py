"""Detection 9: a leaver logs on from inside."""

from tests.detect.story import FAR, Story, at, verdict

from watchword.model import Mode
from watchword.model.ocsf import Access


def test_leaver_comes_in_and_logs_on():
    story = Story()
    story.enter(at("6:00"), "office", 4)
    story.logon(at("13:59"), 4, "ws-1")
    [finding] = verdict("ww_009", story)
    assert (finding.severity, finding.mode) == (5, Mode.PAGE)
    assert len(finding.events) == 2
    assert finding.time == at("13:59")
    assert "p4" in finding.because
    assert "ws-1" in finding.because


def test_more_than_eight_hours_later_is_nothing():
    story = Story()
    story.enter(at("6:00"), "office", 4)
    story.logon(at("14:00:01"), 4, "ws-1")
    assert verdict("ww_009", story) == []


def test_another_site_a_failed_logon_and_a_refused_badge_are_nothing():
    story = Story()
    story.enter(at("6:00"), "far", 4, site=FAR)
    story.logon(at("7:00"), 4, "ws-1")
    story.logon(at("7:01"), 4, "ws-1", ok=False)
    story.door(at("6:30"), "office", Access.DENIED, 4)
    assert verdict("ww_009", story) == []


def test_someone_who_still_works_here_is_nothing():
    story = Story()
    story.enter(at("6:00"), "office", 1)
    story.logon(at("6:10"), 1, "ws-1")
    assert verdict("ww_009", story) == []


def test_logon_before_the_entry_is_nothing_unless_the_clocks_cannot_tell():
    story = Story()
    story.logon(at("6:00"), 4, "ws-1")
    story.enter(at("6:05"), "office", 4)
    assert verdict("ww_009", story) == []
    close = Story()
    close.logon(at("6:00:00"), 4, "ws-1")
    close.enter(at("6:00:01"), "office", 4)
    [finding] = verdict("ww_009", close)
    assert finding.confidence == 0.76
    assert "cannot tell" in finding.because
