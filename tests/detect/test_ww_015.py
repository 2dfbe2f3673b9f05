"""Detection 15: entry to a critical room, then a privileged log-on by another person."""

from tests.detect.story import Story, at, verdict


def test_another_persons_privileges_on_the_console():
    story = Story()
    story.enter(at("9:00"), "server", 1)
    story.privileged(at("9:10"), 2, "console")
    [finding] = verdict("ww_015", story)
    assert finding.persons == ("person:1", "person:2")
    assert finding.severity == 4
    assert "A. Reyes" in finding.because
    assert "B. Okafor" in finding.because


def test_the_same_person_is_nothing():
    story = Story()
    story.enter(at("9:00"), "server", 2)
    story.privileged(at("9:10"), 2, "console")
    assert verdict("ww_015", story) == []


def test_the_other_came_in_too_is_nothing():
    story = Story()
    story.enter(at("8:00"), "server", 2)
    story.enter(at("9:00"), "server", 1)
    story.privileged(at("9:10"), 2, "console")
    assert verdict("ww_015", story) == []


def test_over_the_network_or_on_a_jump_host_is_nothing():
    story = Story()
    story.enter(at("9:00"), "server", 1)
    story.logon(at("9:09:58"), 2, "srv-1", kind=10, remote=True)
    story.privileged(at("9:10"), 2, "srv-1")
    story.privileged(at("9:11"), 2, "jump")
    assert verdict("ww_015", story) == []


def test_later_than_a_quarter_of_an_hour_or_in_another_room_is_nothing():
    story = Story()
    story.enter(at("9:00"), "server", 1)
    story.privileged(at("9:15:01"), 2, "console")
    story.privileged(at("9:10"), 2, "ws-2")
    assert verdict("ww_015", story) == []


def test_who_was_in_and_has_gone_elsewhere_is_not_inside():
    story = Story()
    story.enter(at("7:00"), "server", 2)
    story.leave(at("8:00"), "front", 2)
    story.enter(at("9:00"), "server", 1)
    story.privileged(at("9:10"), 2, "console")
    [finding] = verdict("ww_015", story)
    assert finding.confidence == 0.7


def test_faded_presence_fires_with_less_confidence_and_says_so():
    story = Story()
    story.enter(at("7:00"), "server", 2)
    story.enter(at("18:00"), "server", 1)
    story.privileged(at("18:10"), 2, "console")
    [finding] = verdict("ww_015", story)
    assert finding.confidence == 0.42
    assert "is not known" in finding.because


def test_over_midnight_is_one_finding():
    story = Story()
    story.enter(at("23:55"), "server", 1)
    story.privileged(at("0:05", day=1), 2, "console")
    assert len(verdict("ww_015", story)) == 1
