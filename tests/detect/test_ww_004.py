"""Rule 4: impossible travel between badge and sign-in."""

from typing import Any

import pytest
from tests.detect.story import Story, at, detector, judged, verdict

from watchword.model import Event

LISBON = {"city": "Lisbon", "country": "PT", "lat": 38.72, "long": -9.14}
POTSDAM = {"city": "Potsdam", "country": "DE", "lat": 52.4, "long": 13.06}


def sign_in(story: Story, clock: str, number: int, location: dict[str, Any], **data: Any) -> Event:
    return story.logon(
        at(clock), number, "mail", kind=3, src_endpoint={"ip": "198.51.100.7", "location": location}, **{"ww_accuracy_km": 20, **data}
    )


def test_badge_then_sign_in_abroad() -> None:
    story = Story()
    door = story.enter(at("8:00"), "front", 1)
    first = sign_in(story, "9:00", 1, LISBON)
    sign_in(story, "9:10", 1, LISBON)
    found = verdict("ww_004", story)
    assert [finding.events for finding in found] == [(door.uid, first.uid)]
    assert "Lisbon, PT" in found[0].because
    assert "2312 km away" in found[0].because


def test_sign_in_abroad_then_badge() -> None:
    story = Story()
    sign_in(story, "7:00", 1, LISBON)
    last = sign_in(story, "7:30", 1, LISBON)
    door = story.enter(at("8:00"), "front", 1)
    assert [finding.events for finding in verdict("ww_004", story)] == [(last.uid, door.uid)]


def test_boundary_is_strict_and_tolerance_works_against_firing() -> None:
    # 2312 km less the radius of 20 km at 900 km/h: 2 h 32 min 53 s; the tolerance of the two sources is 2 s
    for clock, fires in (("10:32:40", True), ("10:32:58", False)):
        story = Story()
        story.enter(at("8:00"), "front", 1)
        sign_in(story, clock, 1, LISBON)
        assert bool(verdict("ww_004", story)) is fires, clock


@pytest.mark.parametrize(
    "data",
    [{"ww_network_kind": "vpn"}, {"ww_network_kind": "mobile"}, {"ww_network_kind": "anycast"}, {"ww_accuracy_km": 501}],
)
def test_no_claim(data: dict[str, Any]) -> None:
    story = Story()
    story.enter(at("8:00"), "front", 1)
    sign_in(story, "9:00", 1, LISBON, **data)
    assert verdict("ww_004", story) == []


def test_near_misses() -> None:
    near = Story()
    near.enter(at("8:00"), "front", 1)
    sign_in(near, "8:01", 1, POTSDAM, ww_accuracy_km=50)
    flown = Story()
    flown.enter(at("8:00"), "front", 1)
    sign_in(flown, "13:00", 1, LISBON)
    another = Story()
    another.enter(at("8:00"), "front", 2)
    sign_in(another, "9:00", 1, LISBON)
    failed = Story()
    failed.enter(at("8:00"), "front", 1)
    sign_in(failed, "9:00", 1, LISBON, status_id=2)
    for story in (near, flown, another, failed):
        assert verdict("ww_004", story) == []


def test_least_distance_is_a_setting() -> None:
    story = Story()
    story.enter(at("8:00"), "front", 1)
    sign_in(story, "9:00", 1, LISBON)
    assert judged(detector("ww_004", story.directory, least_km=3000), story.events) == []
