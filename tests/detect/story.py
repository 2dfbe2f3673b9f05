"""A small site and a builder of events, so that a detection's story is a list of short lines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

from watchword.detect.coverage import Gap, SourceCoverage
from watchword.detect.detector import Detector, Rule
from watchword.detect.loader import build_detectors, load_rules, shipped_rules
from watchword.kit.ids import uid_of
from watchword.model import (
    Asset,
    AssetBook,
    AssetKind,
    Calendar,
    Credential,
    CredentialKind,
    Domain,
    Door,
    Event,
    Finding,
    Link,
    PeopleBook,
    Period,
    Person,
    PersonKind,
    Place,
    PlaceKind,
    Reader,
    SiteBook,
    Source,
    SourceKind,
    SourceStatus,
    Travel,
    ZoneKind,
)
from watchword.model.ocsf import Access, Authentication, BuildingControl, EventClass, Health, Video
from watchword.resolve.directory import Directory

DAY = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)
"""A Tuesday; `at` counts from here, in UTC. The site keeps Berlin time (UTC+1 in November)."""
SITE, FAR = "hq", "far"
LOBBY, OFFICE, SERVER, CLOSET, FAR_LOBBY = "hq/main/g/lobby", "hq/main/g/office", "hq/main/g/server", "hq/main/g/closet", "far/main/g/lobby"


def at(clock: str, day: int = 0) -> datetime:
    """Return a moment: ``9:00``, ``9:00:30``; days after `DAY`."""
    hours, minutes, *seconds = clock.split(":")
    return DAY + timedelta(days=day, hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0)


def _place(uid: str, name: str, kind: PlaceKind, zone_kind: ZoneKind | None = None, **more: Any) -> Place:
    return Place(
        uid, name, kind, uid.rpartition("/")[0], zone_kind, zone="Europe/Berlin" if uid.startswith("hq") else "Europe/Lisbon", **more
    )


def _door(name: str, label: str, from_zone: str, to_zone: str, *, exit_reader: bool = False, **more: Any) -> Door:
    site = to_zone.partition("/")[0]
    uid = f"{site}/doors/{name}"
    readers = [Reader(f"{name}-in", uid, "in")] + ([Reader(f"{name}-out", uid, "out")] if exit_reader else [])
    return Door(uid, label, from_zone, to_zone, readers=tuple(readers), **more)


PLACES = [
    _place("hq", "Headquarters", PlaceKind.SITE, latitude=52.52, longitude=13.4),
    _place("hq/outside", "Outside", PlaceKind.ZONE, ZoneKind.EXTERNAL),
    _place("hq/main", "Main building", PlaceKind.BUILDING),
    _place("hq/main/g", "Ground floor", PlaceKind.FLOOR),
    _place(LOBBY, "Lobby", PlaceKind.ZONE, ZoneKind.PUBLIC),
    _place(OFFICE, "Office", PlaceKind.ZONE, ZoneKind.OFFICE),
    _place(SERVER, "Server room", PlaceKind.ZONE, ZoneKind.CRITICAL),
    _place(CLOSET, "Wiring closet", PlaceKind.ZONE, ZoneKind.RESTRICTED, network=False),
    _place("far", "Far site", PlaceKind.SITE, latitude=38.72, longitude=-9.14),
    _place("far/outside", "Outside", PlaceKind.ZONE, ZoneKind.EXTERNAL),
    _place("far/main", "Far building", PlaceKind.BUILDING),
    _place("far/main/g", "Far ground floor", PlaceKind.FLOOR),
    _place(FAR_LOBBY, "Far lobby", PlaceKind.ZONE, ZoneKind.OFFICE),
]
DOORS = [
    _door("front", "Front door", "hq/outside", LOBBY, exit_reader=True),
    _door("office", "Office door", LOBBY, OFFICE, exit_reader=True, length_m=30.0),
    _door("server", "Server room door", OFFICE, SERVER, length_m=60.0),
    _door("closet", "Closet door", OFFICE, CLOSET),
    _door("stores", "Stores door", OFFICE, LOBBY, schedule="opening"),
    _door("far", "Far front door", "far/outside", FAR_LOBBY, exit_reader=True),
]
ASSETS = [
    Asset("asset:ws-1", "ws-1", AssetKind.WORKSTATION, OFFICE, "person:1", ("10.0.0.1", "ws-1", "aa:aa:aa:aa:aa:01")),
    Asset("asset:ws-2", "ws-2", AssetKind.WORKSTATION, OFFICE, "person:2", ("10.0.0.2", "ws-2")),
    Asset("asset:srv-1", "srv-1", AssetKind.SERVER, SERVER, addresses=("10.0.1.1", "srv-1")),
    Asset("asset:jump", "jump", AssetKind.SERVER, SERVER, addresses=("10.0.1.2", "jump"), shared=True),
    Asset("asset:console", "console", AssetKind.CONSOLE, SERVER, addresses=("10.0.1.3", "console")),
    Asset("asset:kiosk", "kiosk", AssetKind.WORKSTATION, LOBBY, addresses=("kiosk",), shared=True),
    Asset("asset:sw-closet", "sw-closet", AssetKind.SWITCH, CLOSET, addresses=("10.0.2.1", "sw-closet"), upstream=("asset:core",)),
    Asset("asset:sw-server", "sw-server", AssetKind.SWITCH, SERVER, addresses=("10.0.2.2", "sw-server")),
    Asset("asset:core", "core", AssetKind.SWITCH, SERVER, addresses=("10.0.2.3",)),
    Asset("asset:recorder", "recorder", AssetKind.SERVER, SERVER, addresses=("10.0.3.1",)),
    Asset(
        "asset:cam-server",
        "cam-server",
        AssetKind.CAMERA,
        OFFICE,
        addresses=("cam-server",),
        sees=("hq/doors/server",),
        upstream=("asset:recorder",),
    ),
    Asset(
        "asset:cam-front",
        "cam-front",
        AssetKind.CAMERA,
        LOBBY,
        addresses=("cam-front",),
        sees=("hq/doors/front",),
        upstream=("asset:recorder",),
    ),
    Asset(
        "asset:cam-closet",
        "cam-closet",
        AssetKind.CAMERA,
        OFFICE,
        addresses=("cam-closet",),
        sees=("hq/doors/closet",),
        upstream=("asset:recorder",),
    ),
    Asset("asset:cam-in", "cam-in", AssetKind.CAMERA, SERVER, addresses=("cam-in",)),
]
PEOPLE = [
    Person("person:1", "A. Reyes", role="engineer", site=SITE, shift="shift"),
    Person("person:2", "B. Okafor", role="administrator", site=SITE, shift="shift"),
    Person("person:3", "C. Lindqvist", PersonKind.CLEANER, site=SITE, works_alone=True),
    Person("person:4", "D. Marsh", site=SITE, until=at("12:00", day=-7), shift="shift"),
    Person("person:5", "E. Novak", site=SITE, remote=True, shift="shift"),
    Person("person:6", "F. Starter", site=SITE, since=at("8:00"), shift="shift"),
]
_EVERY = frozenset(range(7))
_WORKDAYS = frozenset(range(5))
CALENDARS = {
    "shift": Calendar("shift", "Europe/Berlin", (Period(_WORKDAYS, time(8), time(17)),)),
    "opening": Calendar("opening", "Europe/Berlin", (Period(_EVERY, time(9), time(18)),)),
}


def directory() -> Directory:
    """Return the small site: two sites, five doors, a server room, a closet, six people with badge ``badge:N`` and account ``account:pN``."""
    links = [Link(f"badge:{n}", f"person:{n}") for n in range(1, 7)] + [Link(f"account:p{n}", f"person:{n}") for n in range(1, 7)]
    links += [Link(asset.uid, asset.owner) for asset in ASSETS if asset.owner]
    credentials = {f"badge:{n}": Credential(f"badge:{n}", CredentialKind.BADGE, f"000{n}") for n in range(1, 7)}
    credentials |= {f"account:p{n}": Credential(f"account:p{n}", CredentialKind.ACCOUNT, f"p{n}") for n in range(1, 7)}
    site = SiteBook(
        places={place.uid: place for place in PLACES},
        doors={door.uid: door for door in DOORS},
        calendars=CALENDARS,
        travels=(Travel(frozenset({SITE, FAR}), timedelta(hours=3)),),
    )
    people = PeopleBook(people={person.uid: person for person in PEOPLE}, credentials=credentials, links=tuple(links))
    return Directory(site, people, AssetBook({asset.uid: asset for asset in ASSETS}))


SOURCES = [
    Source("doors", Domain.PHYSICAL, SourceKind.ACCESS_CONTROL, "webhook", site=SITE, rhythm=timedelta(minutes=30)),
    Source("far-doors", Domain.PHYSICAL, SourceKind.ACCESS_CONTROL, "csv", site=FAR, lateness=timedelta(hours=24)),
    Source("cameras", Domain.PHYSICAL, SourceKind.VIDEO, "webhook", site=SITE, rhythm=timedelta(minutes=10)),
    Source("panel", Domain.PHYSICAL, SourceKind.ALARM, "syslog", site=SITE),
    Source("building", Domain.PHYSICAL, SourceKind.BUILDING, "syslog", site=SITE),
    Source("windows", Domain.IT, SourceKind.HOST, "webhook"),
    Source("idp", Domain.IT, SourceKind.IDENTITY, "webhook"),
    Source("switches", Domain.IT, SourceKind.NETWORK, "syslog"),
]


def coverage(
    now: datetime, *, silent: Iterable[str] = (), marks: Mapping[str, datetime] | None = None, gaps: Sequence[Gap] = ()
) -> SourceCoverage:
    """Return the coverage at a moment: every source has reported up to it, except those silent (never) and those with a mark of their own."""
    given = marks or {}
    quiet = set(silent)
    statuses = {
        source.name: SourceStatus(source.name, last_received=now, last_time=given.get(source.name, now))
        for source in SOURCES
        if source.name not in quiet
    }
    return SourceCoverage(SOURCES, statuses, now, gaps)


class Story:
    """Makes events one after another; each method adds one and returns it."""

    def __init__(self, book: Directory | None = None) -> None:
        """Start an empty story on the small site."""
        self.directory = book or directory()
        self.events: list[Event] = []
        self._numbers = count()

    def add(
        self,
        when: datetime,
        source: str,
        class_uid: int,
        activity: int,
        *,
        received: datetime | None = None,
        data: Mapping[str, Any] | None = None,
        **roles: Any,
    ) -> Event:
        """Add an event with attributes (person, asset, place, credential, src_ip, dst_ip) and OCSF data; identified by the directory."""
        record = uid_of("story", str(next(self._numbers)))
        event = Event(
            uid=uid_of("event", record, "0"),
            record=record,
            source=source,
            time=when,
            received=received or when,
            class_uid=int(class_uid),
            activity_id=int(activity),
            data=dict(data or {}),
            **roles,
        )
        event = self.directory.identify(event)
        self.events.append(event)
        return event

    def door(
        self,
        when: datetime,
        door: str,
        activity: Access,
        badge: int | None = None,
        *,
        direction: str = "in",
        value: str = "",
        site: str = SITE,
    ) -> Event:
        """Add an access event at ``hq/doors/<door>``; `badge` is a person's number, None for none."""
        known = self.directory.door(f"{site}/doors/{door}")
        zone = "" if known is None else (known.to_zone if direction == "in" else known.from_zone)
        data: dict[str, Any] = {"ww_portal": {"uid": f"{site}/doors/{door}"}, "ww_site_uid": site}
        if badge is not None or direction == "out":
            data["ww_reader"] = {"uid": f"{door}-{direction}", "direction": direction}
        if zone:
            data["ww_zone"] = {"uid": zone}
            data["ww_portal"] |= {"from_zone": known.from_zone, "to_zone": known.to_zone} if known else {}
        if value:
            data["ww_value"] = value
        roles = {"credential": f"badge:{badge}"} if badge is not None else {}
        return self.add(
            when,
            "doors" if site == SITE else "far-doors",
            EventClass.PHYSICAL_ACCESS,
            activity,
            place=f"{site}/doors/{door}",
            data=data,
            **roles,
        )

    def enter(self, when: datetime, door: str, badge: int, *, site: str = SITE) -> Event:
        """Add a passage inwards (Taken)."""
        return self.door(when, door, Access.TAKEN, badge, site=site)

    def leave(self, when: datetime, door: str, badge: int, *, site: str = SITE) -> Event:
        """Add a passage outwards (Taken at an exit reader)."""
        return self.door(when, door, Access.TAKEN, badge, direction="out", site=site)

    def logon(self, when: datetime, number: int, asset: str, *, kind: int = 2, ok: bool = True, remote: bool = False, **data: Any) -> Event:
        """Add a log-on of person `number`'s account to ``asset:<asset>``; kind 2 console, 3 network, 10 remote desktop."""
        found = {
            "user": {"name": f"p{number}"},
            "device": {"hostname": asset},
            "logon_type_id": kind,
            "status_id": 1 if ok else 2,
            "is_remote": remote,
            **data,
        }
        return self.add(
            when,
            "windows",
            EventClass.AUTHENTICATION,
            Authentication.LOGON,
            credential=f"account:p{number}",
            asset=f"asset:{asset}",
            data=found,
        )

    def privileged(self, when: datetime, number: int, asset: str, **data: Any) -> Event:
        """Add a privileged session of person `number`'s account on ``asset:<asset>``."""
        found = {"user": {"name": f"p{number}"}, "device": {"hostname": asset}, **data}
        return self.add(
            when, "windows", EventClass.AUTHORIZE_SESSION, 1, credential=f"account:p{number}", asset=f"asset:{asset}", data=found
        )

    def flow(self, when: datetime, asset: str, dst_ip: str = "203.0.113.9", *, bytes_out: int = 1000, port: int = 443) -> Event:
        """Add a flow from ``asset:<asset>``."""
        known = self.directory.asset(f"asset:{asset}")
        src = next((address for address in known.addresses if address[0].isdigit()), "") if known else ""
        data = {
            "traffic": {"bytes_out": bytes_out, "bytes_in": 100},
            "dst_endpoint": {"ip": dst_ip, "port": port},
            "src_endpoint": {"ip": src},
        }
        return self.add(when, "switches", EventClass.NETWORK_ACTIVITY, 6, asset=f"asset:{asset}", src_ip=src, dst_ip=dst_ip, data=data)

    def device(self, when: datetime, switch: str, mac: str = "de:ad:be:ef:00:01") -> Event:
        """Add a new device's lease, reported by a switch."""
        return self.add(when, "switches", EventClass.DHCP_ACTIVITY, 1, asset=f"asset:{switch}", data={"src_endpoint": {"mac": mac}})

    def person_seen(self, when: datetime, camera: str, zone: str, *, confidence: float = 0.9) -> Event:
        """Add a camera's sighting of a person in a zone."""
        data = {"ww_camera_track": {"camera_uid": camera}, "ww_zone": {"uid": zone}, "ww_confidence": confidence}
        return self.add(when, "cameras", EventClass.VIDEO_ANALYTIC, Video.PERSON, asset=f"asset:{camera}", place=zone, data=data)

    def health(self, when: datetime, asset: str, activity: Health, source: str = "cameras") -> Event:
        """Add a device's change of health."""
        return self.add(when, source, EventClass.DEVICE_HEALTH, activity, asset=f"asset:{asset}", data={"device": {"hostname": asset}})

    def building(self, when: datetime, activity: BuildingControl, place: str = "hq/main") -> Event:
        """Add a building-control event: an alarm, a release."""
        return self.add(when, "building", EventClass.BUILDING_CONTROL, activity, place=place)

    def fire(self, when: datetime, place: str = "hq/main") -> Event:
        """Add a fire alarm."""
        return self.add(when, "panel", EventClass.ALARM_SIGNAL, 6, place=place)


def detector(rule: str, book: Directory | None = None, **settings: Any) -> Detector:
    """Return the detector of a shipped rule, with settings changed at will."""
    rules = {item.id: item for item in load_rules(shipped_rules())}
    chosen: Rule = rules[rule]
    chosen = replace(chosen, settings={**chosen.settings, **settings})
    return build_detectors([chosen], book or directory()).detectors[0]


def judged(found: Detector, events: Sequence[Event], now: datetime | None = None, **cover: Any) -> list[Finding]:
    """Return what a detector says of the events, with everything reported (`now`: two days after the last event)."""
    moment = now or (max(event.time for event in events) + timedelta(days=2) if events else DAY)
    cover_now = coverage(moment, **cover)
    keyed: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.order):
        if event.class_uid in found.classes:
            for key in found.keys(event):
                keyed.setdefault(key, []).append(event)
    return [finding for key, items in sorted(keyed.items()) for finding in found.judge(key, items, cover_now)]


def verdict(rule: str, story: Story, now: datetime | None = None, **cover: Any) -> list[Finding]:
    """Return what a shipped rule says of a story."""
    return judged(detector(rule, story.directory), story.events, now, **cover)
