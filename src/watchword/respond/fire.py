"""Fire: what panels and buildings say of alarm, fault and power, folded into points that are present or gone, one fact per building."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from watchword.model import AssetKind, Event, PlaceKind, value_at
from watchword.model.ocsf import BuildingControl, EventClass, Health
from watchword.resolve.directory import Directory
from watchword.respond.fire_fact import FireFact, FireState

RHYTHM: Final = timedelta(hours=1)
"""How long a panel may be silent whose source says nothing of its rhythm."""
SLACK: Final = timedelta(minutes=2)
"""How far a panel's record may seem to come from the future before it counts as not heard."""

ALARM, BUILDING, HEALTH = int(EventClass.ALARM_SIGNAL), int(EventClass.BUILDING_CONTROL), int(EventClass.DEVICE_HEALTH)
CLASSES: Final = frozenset({ALARM, BUILDING, HEALTH})
TAMPER, ENVIRONMENTAL, SUPERVISORY, COMMUNICATION = 5, 6, 7, 8
"""Activities of ``ww_alarm_signal``."""
RESTORE, CANCEL, TROUBLE, TROUBLE_OVER, BYPASS, UNBYPASS, TEST = 2, 4, 5, 6, 7, 8, 9
"""Values of ``ww_lifecycle_id``. A cancelled fire alarm is none that was restored: somebody pressed a button."""
FIRE_CODES: Final = range(110, 119)
"""Contact ID (SIA DC-05): fire, smoke, combustion, water flow, heat, pull station, duct, flame, near alarm."""
FAULT_CODES: Final = (range(200, 207), range(300, 400), range(570, 580))
"""Contact ID: fire supervision, system and loop troubles (301 mains lost, 302 battery low), points bypassed."""
TEST_TROUBLE: Final = 608
"""Contact ID: periodic test report, and the system has a trouble."""
TEST_CODES: Final = range(600, 610)
_CODE: Final = re.compile(r"([1-9][0-9]{2})$")
_HEALTH_RAISES: Final = {Health.OFFLINE: "offline", Health.POWER_LOST: "power", Health.BATTERY_LOW: "battery", Health.TAMPERED: "tamper"}
_HEALTH_CLEARS: Final = {Health.ONLINE: ("offline", "tamper"), Health.POWER_RESTORED: ("power", "battery")}


class PointKind(StrEnum):
    """What is wrong at a point."""

    ALARM = "alarm"
    FAULT = "fault"


PointKey = tuple[str, str, str, PointKind]
"""Building, origin (panel's or controller's uid, else the source), point, kind."""


@dataclass(frozen=True, slots=True)
class Point:
    """The newest word of one point."""

    present: bool
    since: datetime
    event: str
    raised_at: datetime | None = None
    raised_by: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """When a panel's last record arrived, and through which source."""

    panel: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Word:
    """One event's word: that a point is present, or gone."""

    origin: str
    point: str
    kind: PointKind
    present: bool
    buildings: tuple[str, ...]


def concerns(event: Event, directory: Directory) -> bool:
    """Tell whether an event has anything to say of fire, or is a panel's sign of life."""
    if event.class_uid not in CLASSES:
        return False
    return event.class_uid != HEALTH or _is_device(event.asset, directory)


def words_of(event: Event, directory: Directory) -> Iterator[Word]:
    """Yield what an event says of fire alarms and faults."""
    buildings = buildings_of(event, directory)
    origin = event.asset if _is_device(event.asset, directory) else f"source:{event.source}"
    if event.class_uid == HEALTH:
        yield from _health(event, origin, buildings)
    elif event.class_uid == BUILDING:
        point = str(value_at(event.data, "ww_building_point.uid") or "")
        if event.activity_id in {BuildingControl.ALARM, BuildingControl.RELEASED}:
            yield Word(origin, point, PointKind.ALARM, True, buildings)
        elif event.activity_id == BuildingControl.RESTORED:
            yield Word(origin, point, PointKind.ALARM, False, buildings)
    elif event.class_uid == ALARM:
        yield from _signal(event, origin, buildings, _is_panel(event.asset, directory))


def _health(event: Event, origin: str, buildings: tuple[str, ...]) -> Iterator[Word]:
    try:
        activity = Health(event.activity_id)
    except ValueError:
        return
    if activity in _HEALTH_RAISES:
        yield Word(origin, _HEALTH_RAISES[activity], PointKind.FAULT, True, buildings)
    for point in _HEALTH_CLEARS.get(activity, ()):
        yield Word(origin, point, PointKind.FAULT, False, buildings)


def _signal(event: Event, origin: str, buildings: tuple[str, ...], panel: bool) -> Iterator[Word]:
    code, lifecycle = code_of(event.data), value_at(event.data, "ww_lifecycle_id")
    point = str(value_at(event.data, "ww_alarm_point.uid") or "")
    gone = lifecycle in {RESTORE, TROUBLE_OVER, UNBYPASS}
    if lifecycle == TEST:
        return
    if code == TEST_TROUBLE and panel:
        yield Word(origin, "system", PointKind.FAULT, True, buildings)
    elif code in TEST_CODES:
        if panel:
            yield Word(origin, "system", PointKind.FAULT, False, buildings)
    elif lifecycle in {TROUBLE, TROUBLE_OVER, BYPASS, UNBYPASS}:
        if panel:
            yield Word(origin, f"{point} trouble", PointKind.FAULT, not gone, buildings)
    elif code in FIRE_CODES or (code is None and event.activity_id == ENVIRONMENTAL):
        yield Word(origin, point, PointKind.ALARM, not gone, buildings)
    elif panel and (
        any(code in codes for codes in FAULT_CODES) if code is not None else event.activity_id in {TAMPER, SUPERVISORY, COMMUNICATION}
    ):
        yield Word(origin, f"{point} {code or event.activity_id}", PointKind.FAULT, not gone, buildings)


def code_of(data: Mapping[str, Any]) -> int | None:
    """Return the Contact ID code that an alarm signal names, without its qualifier; None when it names none."""
    for path in ("ww_signal_code.contact_id", "ww_signal_code.native"):
        found = value_at(data, path)
        match = _CODE.search(str(found)) if found is not None else None
        if match:
            return int(match[1])
    return None


def fold(points: Mapping[PointKey, Point], events: Iterable[Event], directory: Directory) -> dict[PointKey, Point]:
    """Return the points that a batch of events changed.

    Within a batch events count in the order of their own times. Across batches an alarm counts whenever it arrives, however old it says
    it is, because a panel's clock may be wrong; only a restore that is not older than the alarm ends it.
    """
    changed: dict[PointKey, Point] = {}
    for event in sorted(events, key=lambda each: each.order):
        for word in words_of(event, directory):
            for building in word.buildings:
                key = (building, word.origin, word.point, word.kind)
                old = changed.get(key) or points.get(key)
                new = _next(old, word.present, event)
                if new != old and new is not None:
                    changed[key] = new
    return changed


def _next(old: Point | None, present: bool, event: Event) -> Point | None:
    if present:
        if old is not None and old.raised_by == event.uid:
            return old  # handed over a second time
        since = old.since if old is not None and old.present else event.time
        first = old.event if old is not None and old.present else event.uid
        raised = max(event.time, old.raised_at) if old is not None and old.present and old.raised_at else event.time
        return Point(True, since, first, raised, event.uid)
    if old is None:
        return Point(False, event.time, event.uid)
    if not old.present or (old.raised_at is not None and event.time < old.raised_at):
        return old
    return Point(False, event.time, event.uid, old.raised_at, old.raised_by)


def heard_of(events: Iterable[Event], directory: Directory, now: datetime) -> dict[str, Heard]:
    """Return by panel when its last record of a batch arrived; one that claims to arrive in the future is no sign of life."""
    found: dict[str, Heard] = {}
    for event in events:
        if event.class_uid in CLASSES and _is_panel(event.asset, directory) and event.received <= now + SLACK:
            known = found.get(event.asset)
            if known is None or event.received > known.at:
                found[event.asset] = Heard(event.asset, event.source, min(event.received, now))
    return found


def fact_of(
    building: str,
    points: Iterable[tuple[PointKind, Point]],
    panels: Mapping[str, Heard | None],
    rhythms: Mapping[str, timedelta | None],
    now: datetime,
) -> FireFact:
    """Return what is known of a building's fire system now.

    Args:
        building: Place uid.
        points: Every point of the building that was ever heard of.
        panels: The panels that protect it, each with when it was last heard; None: never.
        rhythms: By source: the longest silence that is normal; None: not said. A source that is missing here is gone.
        now: The present moment.
    """
    heard = min((each.at for each in panels.values() if each is not None), default=None)
    present = sorted(((point.since, point.event, kind) for kind, point in points if point.present), key=lambda each: each[:2])
    for kind, state in ((PointKind.ALARM, FireState.ALARM), (PointKind.FAULT, FireState.FAULT)):
        for since, event, one in present:
            if one is kind:
                return FireFact(building, state, since, event, heard)
    if not panels or any(each is None or each.source not in rhythms for each in panels.values()):
        return FireFact(building, FireState.UNKNOWN, heard=heard)
    for each in panels.values():
        if each is not None and not timedelta(0) <= now - each.at <= (rhythms[each.source] or RHYTHM):
            return FireFact(building, FireState.STALE, each.at, heard=heard)
    return FireFact(building, FireState.NORMAL, heard=heard)


def panels_of(building: str, directory: Directory) -> tuple[str, ...]:
    """Return the uids of the panels that speak for a building."""
    return tuple(sorted(asset.uid for asset in directory.assets.assets.values() if building in asset.protects))


def building_of(place: str) -> str:
    """Return the building of a zone, floor or building (place uid); '' of a site, a door or the outside."""
    parts = place.split("/")
    return "/".join(parts[:2]) if len(parts) >= 2 and parts[1] not in {"outside", "doors", "calendars"} else ""


def buildings_of(event: Event, directory: Directory) -> tuple[str, ...]:
    """Return the buildings that an event of fire is about; when in doubt, more of them."""
    asset = directory.asset(event.asset)
    if asset is not None and asset.protects:
        return asset.protects
    if asset is not None and asset.kind is AssetKind.CONTROLLER and building_of(asset.place):
        return (building_of(asset.place),)
    door = directory.door(event.place)
    if door is not None:
        return tuple(sorted({building_of(zone) for zone in (door.from_zone, door.to_zone)} - {""}))
    if found := building_of(event.place):
        return (found,)
    site = event.site or str(event.data.get("ww_site_uid") or "")
    every = [place.uid for place in directory.site.places.values() if place.kind is PlaceKind.BUILDING]
    return tuple(uid for uid in every if uid.startswith(f"{site}/")) or tuple(every)


def _is_panel(asset: str, directory: Directory) -> bool:
    found = directory.asset(asset)
    return found is not None and bool(found.protects)


def _is_device(asset: str, directory: Directory) -> bool:
    found = directory.asset(asset)
    return found is not None and (bool(found.protects) or found.kind is AssetKind.CONTROLLER)
