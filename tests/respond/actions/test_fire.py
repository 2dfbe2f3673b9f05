"""What panels say becomes one fact per building: alarms, faults, silence, order, and the demo's own panel through its mapping."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import watchword
from watchword.ingest.ledger import Ledger
from watchword.ingest.mapping import load_mapping
from watchword.model import PeopleBook, RawRecord
from watchword.model.ocsf import BuildingControl, EventClass, Health
from watchword.resolve.directory import Directory
from watchword.resolve.site_file import read_site
from watchword.respond.fire import buildings_of, code_of, fact_of, fold, heard_of
from watchword.respond.fire_fact import FireState
from watchword.simulate import organisation

MAIN, ANNEX = "harbour/main", "harbour/annex"


def state(world, building=MAIN):
    return world.safety.fire(building).state


def test_a_building_is_unknown_until_its_panel_speaks_and_stale_when_it_stops(records, tmp_path, world_type):
    world = world_type(records, tmp_path)
    assert state(world) is FireState.UNKNOWN
    world.quiet()
    assert state(world) is FireState.NORMAL
    assert state(world, "harbour/nowhere") is FireState.UNKNOWN
    world.clock.advance(timedelta(minutes=40))
    assert state(world) is FireState.NORMAL
    world.clock.advance(timedelta(milliseconds=1))
    assert state(world) is FireState.STALE
    world.hear(world.signal("panel-2"))
    assert (state(world), state(world, ANNEX)) == (FireState.STALE, FireState.NORMAL)
    Ledger(records).remove_source("panel")
    assert state(world, ANNEX) is FireState.UNKNOWN


def test_an_alarm_holds_until_the_same_point_is_restored(world):
    assert world.burn(point="p1") == (MAIN,)
    assert world.burn(point="p2") == ()
    fact = world.safety.fire(MAIN)
    assert (fact.state, fact.since) == (FireState.ALARM, world.clock.now())
    world.burn(point="p1", lifecycle=2)
    assert state(world) is FireState.ALARM
    world.burn(point="p2", lifecycle=4)
    assert state(world) is FireState.ALARM, "a cancelled alarm is none that was restored"
    world.burn(point="p2", lifecycle=2)
    assert state(world) is FireState.NORMAL
    assert state(world, ANNEX) is FireState.NORMAL
    assert world.safety.alarms() == ()


def test_within_a_batch_events_count_by_their_time_and_a_batch_twice_changes_nothing(world):
    burn = world.signal(code="110", activity=6)
    over = world.signal(code="110", activity=6, lifecycle=2, at=timedelta(seconds=5))
    world.hear(over, burn)
    assert state(world) is FireState.NORMAL
    world.hear(burn)
    assert state(world) is FireState.NORMAL, "handed over a second time"
    world.hear(world.signal(code="110", activity=6, at=timedelta(days=-9000)))
    assert state(world) is FireState.ALARM, "a panel whose clock is wrong still burns"
    world.hear(world.signal(code="110", activity=6, lifecycle=2, at=timedelta(days=-9001)))
    assert state(world) is FireState.ALARM, "a restore from before the alarm ends nothing"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"code": "E301"}, FireState.FAULT),
        ({"code": "1302"}, FireState.FAULT),
        ({"code": "571", "activity": 7}, FireState.FAULT),
        ({"code": "608"}, FireState.FAULT),
        ({"code": "", "activity": 8}, FireState.FAULT),
        ({"code": "", "activity": 6}, FireState.ALARM),
        ({"code": "115", "activity": 4}, FireState.ALARM),
        ({"code": "130", "activity": 1}, FireState.NORMAL),
        ({"code": "154", "activity": 6}, FireState.NORMAL),
        ({"code": "110", "activity": 6, "lifecycle": 9}, FireState.NORMAL),
        ({"code": "110", "activity": 6, "lifecycle": 7}, FireState.FAULT),
        ({"class_uid": EventClass.DEVICE_HEALTH, "activity": Health.POWER_LOST}, FireState.FAULT),
        ({"class_uid": EventClass.DEVICE_HEALTH, "activity": Health.OFFLINE}, FireState.FAULT),
        ({"class_uid": EventClass.BUILDING_CONTROL, "activity": BuildingControl.RELEASED}, FireState.ALARM),
        ({"class_uid": EventClass.BUILDING_CONTROL, "activity": BuildingControl.COMMAND}, FireState.NORMAL),
    ],
)
def test_what_each_signal_means(world, said, expected):
    world.hear(world.signal(**said))
    assert state(world) is expected


def test_power_of_a_door_controller_counts_for_its_building(world):
    lost = world.signal("ctl-1", class_uid=EventClass.DEVICE_HEALTH, activity=Health.POWER_LOST)
    world.hear(lost)
    assert (state(world), state(world, ANNEX)) == (FireState.FAULT, FireState.NORMAL)
    world.hear(world.signal("ctl-1", class_uid=EventClass.DEVICE_HEALTH, activity=Health.POWER_RESTORED))
    assert state(world) is FireState.NORMAL


def test_a_fire_that_nobody_can_place_is_everywhere(world):
    world.hear(world.signal("", code="110", activity=6))
    assert {state(world), state(world, ANNEX)} == {FireState.ALARM}
    lost = world.signal("", code="110", activity=6, place="harbour/doors/D-5")
    assert buildings_of(lost, world.directory) == (ANNEX, MAIN)


def test_a_record_from_the_future_is_no_sign_of_life(world):
    early = world.signal("panel-1")
    assert heard_of([early], world.directory, early.received - timedelta(hours=1)) == {}
    assert code_of({"ww_signal_code": {"native": "alarm"}}) is None
    assert fact_of(MAIN, [], {}, {}, early.received).state is FireState.UNKNOWN
    assert fold({}, [], world.directory) == {}


def test_the_demo_panel_makes_fire_known_through_its_own_mapping():
    """Its half-hourly test report is the heartbeat; a pull station and a lost mains are understood too."""
    org = organisation(7)
    site, assets = read_site(org.site_yaml(), "demo.yaml")
    directory = Directory(site, PeopleBook(), assets)
    text = (Path(watchword.__file__).parent / "content/demo/mappings/panel.yaml").read_text()
    mapping = load_mapping(text, "panel.yaml", key=b"k" * 32)
    rhythm = mapping.source("panel").rhythm
    assert rhythm == timedelta(minutes=40)
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def events(qualifier, code):
        body = (
            f'<132>1 {now.isoformat()} panel-h alarmd 77 CID [cid@32473 acct="4707" q="{qualifier}" code="{code}" part="01" zone="011"] said'
        ).encode()
        parsed = mapping.parse(RawRecord(f"{code}{qualifier}".ljust(32, "0"), "panel", now, body))
        return [directory.identify(event) for event in parsed.events]

    heard = heard_of(events("E", 602), directory, now)
    assert set(heard) == {"asset:panel-h"}
    known = {"asset:panel-h": heard["asset:panel-h"]}
    assert fact_of("harbour/main", [], known, {"panel": rhythm}, now).state is FireState.NORMAL
    for code, expected in ((115, FireState.ALARM), (301, FireState.FAULT)):
        points = fold({}, events("E", code), directory)
        assert {key[0] for key in points} == {"harbour/grounds", "harbour/main", "harbour/lab"}
        said = [(key[3], point) for key, point in points.items() if key[0] == "harbour/main"]
        assert fact_of("harbour/main", said, known, {"panel": timedelta(hours=1)}, now).state is expected


def test_nearly_every_door_of_the_demo_may_be_secured_in_a_quiet_building():
    site, _ = read_site(organisation(7).site_yaml(), "demo.yaml")
    free = [door for door in site.doors.values() if door.leaves_freely(datetime(2026, 11, 25, tzinfo=UTC).date())]
    assert len(free) > 50
    assert all(door.readers for door in free)
