"""Rule 18: workstation sends bulk data while its owner is elsewhere."""

from tests.detect.story import CLOSET, OFFICE, Story, at, detector, judged, verdict

BULK = 8_000_000


def test_owner_in_a_zone_without_network() -> None:
    story = Story()
    story.enter(at("8:00"), "office", 1)
    door = story.enter(at("9:00"), "closet", 1)
    flow = story.flow(at("9:10"), "ws-1", bytes_out=BULK)
    story.flow(at("9:20"), "ws-1", bytes_out=BULK)
    found = verdict("ww_018", story)
    assert [finding.events for finding in found] == [(door.uid, flow.uid)]
    assert found[0].severity == 4
    assert found[0].persons == ("person:1",)
    assert found[0].assets == ("asset:ws-1",)
    assert found[0].places == (CLOSET, OFFICE)
    assert "203.0.113.9" in found[0].addresses
    assert "8.0 MB" in found[0].because


def test_owner_elsewhere_in_the_building_is_one_level_lower() -> None:
    story = Story()
    story.enter(at("9:00"), "server", 1)
    story.flow(at("9:10"), "ws-1", bytes_out=BULK)
    found = verdict("ww_018", story)
    assert [finding.severity for finding in found] == [3]


def test_near_misses() -> None:
    at_desk = Story()
    at_desk.enter(at("9:00"), "office", 1)
    at_desk.flow(at("9:10"), "ws-1", bytes_out=BULK)
    small = Story()
    small.enter(at("9:00"), "closet", 1)
    small.flow(at("9:10"), "ws-1", bytes_out=100_000)
    inner = Story()
    inner.enter(at("9:00"), "closet", 1)
    inner.flow(at("9:10"), "ws-1", "10.0.1.1", bytes_out=BULK)
    long_ago = Story()
    long_ago.enter(at("9:00"), "closet", 1)
    long_ago.flow(at("10:10"), "ws-1", bytes_out=BULK)
    anothers = Story()
    anothers.enter(at("9:00"), "closet", 2)
    anothers.flow(at("9:10"), "ws-1", bytes_out=BULK)
    server = Story()
    server.enter(at("9:00"), "closet", 1)
    server.flow(at("9:10"), "srv-1", bytes_out=BULK)
    just_entering = Story()
    just_entering.enter(at("8:00"), "office", 1)
    just_entering.enter(at("9:00"), "closet", 1)
    just_entering.flow(at("9:00:01"), "ws-1", bytes_out=BULK)
    gone = Story()
    gone.enter(at("8:00"), "office", 1)
    gone.leave(at("9:00"), "front", 1)
    gone.flow(at("9:10"), "ws-1", bytes_out=BULK)
    for story in (at_desk, small, inner, long_ago, anothers, server, just_entering, gone):
        assert verdict("ww_018", story) == []


def test_a_machine_that_always_sends_much_must_exceed_its_own_99th_percentile() -> None:
    story = Story()
    for minute in range(40):
        story.flow(at(f"7:{minute:02}"), "ws-1", bytes_out=20_000_000)
    story.enter(at("9:00"), "closet", 1)
    story.flow(at("9:10"), "ws-1", bytes_out=19_000_000)
    assert verdict("ww_018", story) == []
    flow = story.flow(at("9:12"), "ws-1", bytes_out=90_000_000)
    assert [finding.events[-1] for finding in verdict("ww_018", story)] == [flow.uid]


def test_settings_and_coverage() -> None:
    story = Story()
    story.enter(at("9:00"), "closet", 1)
    story.flow(at("9:10"), "ws-1", bytes_out=BULK)
    assert judged(detector("ww_018", story.directory, exempt_addresses=["203.0.113.9"]), story.events) == []
    assert judged(detector("ww_018", story.directory, own_networks=["203.0.113.0/24"]), story.events) == []
    assert judged(detector("ww_018", story.directory, least_bytes=9_000_000), story.events) == []
    assert verdict("ww_018", story, silent=["doors"]) == []


def at_desk_then_closet(*earlier: tuple[str, str, int]) -> Story:
    """The owner works at the machine from seven on, is in the closet at nine, and then the machine sends 8 MB abroad."""
    story = Story()
    story.enter(at("7:00"), "office", 1)
    for clock, address, sent in earlier:
        story.flow(at(clock), "ws-1", address, bytes_out=sent)
    story.enter(at("9:00"), "closet", 1)
    story.flow(at("9:10"), "ws-1", "203.0.113.9", bytes_out=BULK)
    return story


def test_a_machine_that_sends_as_much_while_its_owner_is_there_is_one_level_lower() -> None:
    synchronises = at_desk_then_closet(("8:00", "203.0.113.9", 6_000_000))
    busy = at_desk_then_closet(*((f"8:{minute}", f"203.0.113.{minute}", BULK) for minute in (10, 20, 30)))
    for story, words in ((synchronises, "to the same address"), (busy, "3 times within the day")):
        [finding] = verdict("ww_018", story)
        assert finding.severity == 3
        assert words in finding.because
    elsewhere = Story()
    elsewhere.enter(at("7:00"), "office", 1)
    elsewhere.flow(at("8:00"), "ws-1", bytes_out=BULK)
    elsewhere.enter(at("9:00"), "server", 1)
    elsewhere.flow(at("9:10"), "ws-1", bytes_out=BULK)
    assert [finding.severity for finding in verdict("ww_018", elsewhere)] == [2]


def test_what_explains_nothing() -> None:
    another_address = at_desk_then_closet(("8:00", "203.0.113.8", BULK))
    much_less = at_desk_then_closet(("8:00", "203.0.113.9", 5_000_000), ("8:05", "203.0.113.9", 1_000_000))
    much_less.flow(at("9:12"), "ws-1", "203.0.113.10", bytes_out=40_000_000)
    nobody_there = at_desk_then_closet(("6:00", "203.0.113.9", BULK))
    day_before = at_desk_then_closet()
    day_before.enter(at("6:00", day=-1), "office", 1)
    day_before.flow(at("6:10", day=-1), "ws-1", bytes_out=BULK)
    before = Story()
    before.enter(at("7:00"), "closet", 1)
    before.flow(at("7:10"), "ws-1", bytes_out=BULK)
    before.enter(at("8:00"), "office", 1)
    before.enter(at("9:00"), "closet", 1)
    before.flow(at("9:10"), "ws-1", bytes_out=BULK)
    for story in (another_address, nobody_there, day_before):
        assert [finding.severity for finding in verdict("ww_018", story)] == [4]
    assert [finding.severity for finding in verdict("ww_018", before)] == [4, 4], "the first theft does not excuse the second"
    assert max(finding.severity for finding in verdict("ww_018", much_less)) == 4


def test_a_reading_that_may_be_forgotten_already_excuses_nothing() -> None:
    story = Story()
    story.enter(at("4:00", day=-1), "office", 1)
    story.flow(at("9:30", day=-1), "ws-1", bytes_out=BULK)
    story.enter(at("9:00"), "closet", 1)
    story.flow(at("9:10"), "ws-1", bytes_out=BULK)
    assert [finding.severity for finding in verdict("ww_018", story)] == [4]
