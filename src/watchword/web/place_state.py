"""Place state: what the events of the last day say of doors, cameras and the number of people in zones; unknown stays unknown."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from watchword.model import AssetKind, Event, value_at
from watchword.model.ocsf import Access, BuildingControl, EventClass, Health
from watchword.resolve.directory import Directory
from watchword.resolve.presence import Evidence, Presence, evidence_of

LOOK_BACK: Final = timedelta(hours=24)
ALARM_LASTS: Final = timedelta(hours=2)
"""A door alarm is shown until a normal event follows, and at most so long: after that nobody knows."""
ZONE_ALARM_LASTS: Final = timedelta(minutes=30)
FLASH: Final = timedelta(seconds=45)
"""A passage or refusal is marked for so long."""
CLASSES: Final = (
    int(EventClass.PHYSICAL_ACCESS),
    int(EventClass.ALARM_SIGNAL),
    int(EventClass.VISITOR),
    int(EventClass.VIDEO_ANALYTIC),
    int(EventClass.DEVICE_HEALTH),
    int(EventClass.BUILDING_CONTROL),
)
DOOR_ALARMS: Final[dict[int, str]] = {
    Access.FORCED: "forced",
    Access.HELD_OPEN: "held open",
    Access.DURESS: "duress",
    Access.TAMPER: "tampered with",
}
FLASHES: Final[dict[int, str]] = {Access.GRANTED: "granted", Access.TAKEN: "granted", Access.DENIED: "denied"}
NORMAL: Final = frozenset({Access.GRANTED, Access.TAKEN, Access.NOT_TAKEN, Access.REQUEST_TO_EXIT})
CAMERA_GONE: Final = frozenset({Health.OFFLINE, Health.VIDEO_LOST, Health.TAMPERED, Health.RECORDING_STOPPED, Health.POWER_LOST})
CAMERA_BACK: Final = frozenset({Health.ONLINE, Health.RECORDING_RESUMED, Health.POWER_RESTORED})


class DoorWord(StrEnum):
    """The states that a door is shown in."""

    CLOSED = "closed"
    OPEN = "unlocked"
    ALARM = "alarm"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DoorState:
    """One door."""

    uid: str
    word: DoorWord
    detail: str = ""
    """What the alarm is, or why nobody knows."""
    since: datetime | None = None
    last: datetime | None = None
    """Its newest event."""
    flash: str = ""
    """``granted`` or ``denied`` within the last seconds."""

    def words(self, age: str) -> str:
        """Return the state in words: 'held open 2 min'."""
        if self.word is DoorWord.ALARM:
            return f"{self.detail} {age}".strip()
        return f"unknown: {self.detail}" if self.word is DoorWord.UNKNOWN and self.detail else self.word.value


@dataclass(frozen=True, slots=True)
class ZoneState:
    """One zone: how many people are known to be in it, or that nobody can know."""

    uid: str
    people: int | None
    alarm: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CameraState:
    """One camera: watching, gone, or unknown."""

    uid: str
    word: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SiteState:
    """One site at one moment."""

    site: str
    at: datetime
    doors: Mapping[str, DoorState] = field(default_factory=dict)
    zones: Mapping[str, ZoneState] = field(default_factory=dict)
    cameras: Mapping[str, CameraState] = field(default_factory=dict)
    known: bool = True
    why: str = ""
    """Why the state of its doors is not known."""

    @property
    def alarms(self) -> list[DoorState]:
        """Doors in alarm, newest first."""
        found = [door for door in self.doors.values() if door.word is DoorWord.ALARM]
        return sorted(found, key=lambda door: door.since or self.at, reverse=True)

    @property
    def people(self) -> int | None:
        """How many people are known to be on site; None when nobody can know."""
        counts = [zone.people for zone in self.zones.values()]
        return None if all(count is None for count in counts) else sum(count or 0 for count in counts)


def site_state(site: str, events: Iterable[Event], directory: Directory, at: datetime, *, known: bool, why: str = "") -> SiteState:
    """Return the site's state from its events of the last day: a pure function of their set."""
    ordered = sorted((event for event in events if event.site == site and event.time <= at), key=lambda event: event.order)
    by_place: dict[str, list[Event]] = defaultdict(list)
    by_asset: dict[str, list[Event]] = defaultdict(list)
    for event in ordered:
        by_place[event.place].append(event)
        if event.asset and event.class_uid in {EventClass.DEVICE_HEALTH, EventClass.VIDEO_ANALYTIC}:
            by_asset[event.asset].append(event)
    doors = {
        door.uid: door_state(door.uid, by_place.get(door.uid, []), at, known=known, why=why, scheduled=_scheduled(directory, door.uid, at))
        for door in directory.doors(site)
    }
    counts = people_by_zone(ordered, directory, at)
    zones = {
        zone.uid: _zone_state(zone.uid, by_place.get(zone.uid, []), counts, at, known=known and bool(directory.boundary(zone.uid)))
        for zone in directory.zones(site)
        if not zone.uid.endswith("/outside")
    }
    cameras = {
        asset.uid: _camera_state(asset.uid, by_asset.get(asset.uid, []))
        for asset in directory.assets.assets.values()
        if asset.kind is AssetKind.CAMERA and asset.place.partition("/")[0] == site
    }
    return SiteState(site, at, doors, zones, cameras, known, why)


def _scheduled(directory: Directory, uid: str, at: datetime) -> bool:
    door = directory.door(uid)
    return bool(door and door.schedule and directory.on_calendar(door.schedule, at, uid.partition("/")[0]))


def door_state(uid: str, events: list[Event], at: datetime, *, known: bool, why: str = "", scheduled: bool = False) -> DoorState:
    """Return a door's state from its events, oldest first."""
    said = [event for event in events if event.class_uid == EventClass.PHYSICAL_ACCESS]
    telling = [event for event in said if event.activity_id in DOOR_ALARMS or event.activity_id in NORMAL]
    modes = [str(value_at(event.data, "ww_value") or "") for event in said if event.activity_id == Access.MODE_CHANGED]
    flashes = [FLASHES[event.activity_id] for event in said if event.activity_id in FLASHES and at - event.time <= FLASH]
    last, flash = (events[-1].time if events else None), (flashes[-1] if flashes else "")
    if telling and telling[-1].activity_id in DOOR_ALARMS:
        detail, since = DOOR_ALARMS[telling[-1].activity_id], telling[-1].time
        if at - since <= ALARM_LASTS:
            return DoorState(uid, DoorWord.ALARM, detail, since, last, flash)
        return DoorState(uid, DoorWord.UNKNOWN, f"{detail} long ago, nothing since", since, last, flash)
    if not known:
        return DoorState(uid, DoorWord.UNKNOWN, why, None, last, flash)
    mode = modes[-1] if modes else ""
    open_ = mode == "unlocked" or (mode != "locked" and scheduled)
    return DoorState(uid, DoorWord.OPEN if open_ else DoorWord.CLOSED, "", None, last, flash)


def people_by_zone(events: Iterable[Event], directory: Directory, at: datetime) -> dict[str, int]:
    """Return how many people are known to be in which zone: each where their evidence places them most narrowly."""
    evidence: dict[str, list[Evidence]] = defaultdict(list)
    for event in events:
        found = evidence_of(event, directory)
        if found is not None:
            evidence[found.person].append(found)
    counts: dict[str, int] = defaultdict(int)
    for mine in evidence.values():
        where = Presence(mine, directory).where(at)
        if where is not None:
            counts[where[0]] += 1
    return counts


def _zone_state(uid: str, events: list[Event], counts: Mapping[str, int], at: datetime, *, known: bool) -> ZoneState:
    alarm: Event | None = None
    for event in events:
        raised = event.class_uid == EventClass.ALARM_SIGNAL and event.severity_id >= 3
        raised = raised or (event.class_uid == EventClass.BUILDING_CONTROL and event.activity_id == BuildingControl.ALARM)
        if raised:
            alarm = event
        elif event.class_uid in {EventClass.ALARM_SIGNAL, EventClass.BUILDING_CONTROL}:
            alarm = None
    people = counts.get(uid, 0) if known or uid in counts else None
    if alarm is not None and at - alarm.time <= ZONE_ALARM_LASTS:
        return ZoneState(uid, people, alarm.message or "alarm", alarm.time)
    return ZoneState(uid, people)


def _camera_state(uid: str, events: list[Event]) -> CameraState:
    state = CameraState(uid, "unknown")
    for event in events:
        if event.class_uid == EventClass.DEVICE_HEALTH:
            if event.activity_id in CAMERA_GONE:
                state = CameraState(uid, "offline", event.time)
            elif event.activity_id in CAMERA_BACK:
                state = CameraState(uid, "watching", event.time)
        elif state.word == "unknown":
            state = CameraState(uid, "watching", event.time)
    return state
