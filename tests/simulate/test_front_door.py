"""A whole simulated day goes through the demo's mappings and the directory, as real bytes do."""

from collections import Counter
from datetime import date, timedelta

import pytest

from watchword.model.ocsf import Access, EventClass
from watchword.simulate import simulate

TUESDAY = date(2026, 11, 3)


@pytest.fixture(scope="module")
def day(org, request):
    door = request.getfixturevalue("make_door_once")
    return door, list(door.events(simulate(org, TUESDAY, 1, 3)))


@pytest.fixture(scope="module")
def make_door_once(org, make_door_session):
    return make_door_session(org)


def test_everything_is_understood_but_the_garbled_lines(day):
    door, _ = day
    unparsed = {name for name in door.sources if door.counts[f"{name}.unparsed"]}
    assert unparsed == {"firewall"}, door.faults
    share = door.counts["firewall.unparsed"] / door.counts["firewall.records"]
    assert 0.0003 < share < 0.003
    assert not [name for name in door.sources if door.counts[f"{name}.unmapped"]], door.unmapped


def test_only_files_that_came_twice_are_duplicates(day):
    door, _ = day
    assert {name for name in door.sources if door.counts[f"{name}.duplicate"]} <= {"mill-doors"}


def test_every_badge_and_account_has_its_person(day):
    _, events = day
    strangers = Counter(event.credential for event in events if event.credential and not event.person)
    leaver = {event.credential for event in events if event.source == "harbour-doors" and event.person}
    assert leaver
    assert set(strangers) <= {"account:svc-monitor", "account:svc-backup"}


def test_every_door_event_has_its_door_and_zone(day):
    door, events = day
    doors = [event for event in events if event.class_uid == EventClass.PHYSICAL_ACCESS]
    assert doors
    assert all(door.directory.door(event.place) for event in doors)
    read = [event for event in doors if event.activity_id in {Access.GRANTED, Access.TAKEN} and event.credential]
    assert all(event.data["ww_reader"]["direction"] in {"in", "out"} and event.data["ww_zone"]["uid"] for event in read)


def test_every_camera_switch_and_workstation_is_known(day):
    _, events = day
    kinds = (EventClass.VIDEO_ANALYTIC, EventClass.DEVICE_HEALTH, EventClass.DHCP_ACTIVITY, EventClass.AUTHORIZE_SESSION)
    assert not [event for event in events if event.class_uid in kinds and not (event.asset and event.place)]
    assert not [event for event in events if event.source == "windows" and not event.asset]


def test_times_are_within_what_the_sources_declare(day):
    door, events = day
    for event in events:
        source = door.sources[event.source]
        late = event.received - event.time
        assert late >= -(source.skew + source.resolution), event
        # What the silenced controllers had to buffer comes later than promised: that is their story.
        if event.source != "harbour-doors":
            assert late <= source.lateness + source.skew + timedelta(seconds=1), event


def test_the_classes_are_those_that_the_detections_read(day):
    _, events = day
    classes = {event.class_uid for event in events}
    assert classes == {
        EventClass.PHYSICAL_ACCESS,
        EventClass.AUTHENTICATION,
        EventClass.AUTHORIZE_SESSION,
        EventClass.NETWORK_ACTIVITY,
        EventClass.TUNNEL_ACTIVITY,
        EventClass.DHCP_ACTIVITY,
        EventClass.DEVICE_INVENTORY,
        EventClass.DEVICE_HEALTH,
        EventClass.VIDEO_ANALYTIC,
        EventClass.ALARM_SIGNAL,
        EventClass.VISITOR,
    }
