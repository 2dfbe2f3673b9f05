"""The site file: sites, their zones and doors, assets, calendars and travel times, read from YAML with every fault named at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from watchword.kit.duration import read_duration
from watchword.kit.errors import ContentError, Fault, InputError
from watchword.kit.marked import read_all_marked
from watchword.model import FREE_MECHANICAL, OUTSIDE, AssetBook, Calendar, Door, Place, PlaceKind, Reader, SiteBook, Travel, ZoneKind
from watchword.resolve.cursor import Cursor, did_you_mean
from watchword.resolve.geometry import Geometry, read_geometry
from watchword.resolve.site_asset import AssetReader
from watchword.resolve.site_calendar import read_calendar, resolve_calendar
from watchword.resolve.site_uptime import UptimeReader

DOOR_KINDS: Final = ("door", "gate", "turnstile", "barrier", "lift", "shutter", "hatch", "stairs", "opening")
SITE_KEYS: Final = (
    "site",
    "name",
    "zone",
    "location",
    "buildings",
    "zones",
    "doors",
    "assets",
    "calendars",
    "travel",
    "geometry",
    "uptime",
)
DOOR_KEYS: Final = (
    *("name", "from", "to", "readers", "kind", "egress", "egress_hardware", "egress_checked", "fail_safe", "contact"),
    *("passage_sensor", "length_m", "schedule"),
)
EGRESS_HARDWARE: Final = (FREE_MECHANICAL, "electric")
LONGEST_DOOR_M: Final = 10_000.0


@dataclass(frozen=True, slots=True)
class SiteFile:
    """What the site files say, and what is worth knowing about them though it is no fault."""

    site: SiteBook
    assets: AssetBook
    notes: tuple[Fault, ...] = ()


def read_site(text: str, name: str) -> tuple[SiteBook, AssetBook]:
    """Read one site file.

    Raises:
        ContentError: with all faults, each as path:line with its remedy.
    """
    found = read_sites({name: text})
    return found.site, found.assets


def read_sites(files: Mapping[str, str], geometry: Mapping[str, str] | None = None) -> SiteFile:
    """Read site files together, so that one may name what another describes.

    Args:
        files: Text by file name; each holds one or more YAML documents, one per site, or a list under ``sites``.
        geometry: GeoJSON text by the file name under which a site's ``geometry`` names it.

    Raises:
        ContentError: with all faults of all files.
    """
    faults: list[Fault] = []
    parts: list[Cursor] = []
    for name, text in files.items():
        try:
            for marked in read_all_marked(text, name):
                whole = Cursor(marked, (), marked.value, faults)
                if isinstance(marked.value, dict) and "sites" in marked.value:
                    whole.allow("sites", "travel")
                    parts += [*whole.items("sites"), Cursor(marked, (), {"travel": marked.value.get("travel")}, faults)]
                elif marked.value is not None:
                    parts.append(whole)
        except ContentError as error:
            faults += error.faults
    reading = _Reading(faults, geometry or {})
    reading.read([part for part in parts if part.allow(*SITE_KEYS)])
    if not parts and not faults:
        faults += [Fault(name, 1, "describes no site", "start with 'site: <name>'") for name in files]
    if faults:
        raise ContentError(faults)
    site = SiteBook(reading.places, reading.doors, reading.calendars, tuple(reading.travels), reading.uptime.book())
    return SiteFile(site, reading.assets.book(), tuple(sorted(reading.notes)))


@dataclass(slots=True)
class _Reading:
    """What has been read so far. Places come first, then calendars, doors, assets and travel, over all files."""

    faults: list[Fault]
    geometry: Mapping[str, str]
    notes: list[Fault] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    travels: list[Travel] = field(default_factory=list)
    readers: dict[str, str] = field(default_factory=dict)
    where: dict[str, Cursor] = field(default_factory=dict)
    """Where each place and door stands in its file."""
    dangling: bool = False
    """Whether some door leads nowhere: then it is no wonder that zones cannot be reached."""
    assets: AssetReader = field(init=False)
    uptime: UptimeReader = field(init=False)

    def __post_init__(self) -> None:
        self.assets = AssetReader(self.places, self.doors, self.notes)
        self.uptime = UptimeReader(self.places, self.doors, self.assets.assets, self.calendars)

    def read(self, parts: list[Cursor]) -> None:
        sited = [(name, part) for part in parts if (name := self._site(part))]
        for site, part in sited:
            self._places(site, part)
        for key, read in (("calendars", self._calendar), ("doors", self._door)):
            for site, part in sited:
                for name, cursor in part.entries(key):
                    read(site, name, cursor)
        for site, part in sited:
            self._geometry(site, part)
            for name, cursor in part.entries("assets"):
                self.assets.read(site, name, cursor, ZoneInfo(self.places[site].zone))
        self.assets.finish()
        for site, part in sited:
            self.uptime.read(site, part)
        for part in parts:
            for item in part.items("travel"):
                self._travel(item)
        self._whole()

    def _calendar(self, site: str, name: str, cursor: Cursor) -> None:
        uid = f"{site}/calendars/{name}"
        if self._once(uid, cursor):
            self.calendars[uid] = read_calendar(cursor, name, self.places[site].zone)

    def _once(self, uid: str, cursor: Cursor) -> bool:
        first = self.where.setdefault(uid, cursor)
        if first is not cursor:
            cursor.fault(f"{uid!r} is described a second time", remedy=f"see {first.marked.name}:{first.marked.line(*first.path)}")
        return first is cursor

    # Sites, buildings, floors, zones

    def _site(self, part: Cursor) -> str:
        name = part.text("site")
        if not name:
            if set(part.value) - {"travel"}:
                part.fault("'site' is missing", remedy="start with 'site: <name>'")
            return ""
        if "/" in name or name != name.lower() or ":" in name:
            part.fault(f"site name {name!r} must be one lower-case word", "site", remedy="it begins the uid of all its places")
            return ""
        whole = {"name", "zone", "location"} & set(part.value)
        if name in self.places:
            if whole:
                self._once(name, part)
            return name
        zone = part.text("zone", "UTC")
        if zone not in available_timezones():
            part.fault(
                f"time zone {zone!r} is not known", "zone", remedy=did_you_mean(zone, available_timezones()) or "write Europe/Berlin"
            )
            zone = "UTC"
        latitude, longitude, city = self._location(part)
        place = Place(name, part.text("name", name), PlaceKind.SITE, zone=zone, latitude=latitude, longitude=longitude, city=city)
        self.places[name] = place
        self.where[name] = part
        uid = f"{name}/{OUTSIDE}"
        self.places[uid] = Place(uid, "outside", PlaceKind.ZONE, name, ZoneKind.EXTERNAL, zone, network=False)
        return name

    def _location(self, part: Cursor) -> tuple[float | None, float | None, str]:
        at = part.at("location")
        if at.value is None:
            return None, None, ""
        if isinstance(at.value, list):
            pair = at.value if len(at.value) == 2 else [None, None]
            at = Cursor(at.marked, at.path, {"latitude": pair[0], "longitude": pair[1]}, at.faults)
        if not at.allow("latitude", "longitude", "city"):
            return None, None, ""
        if (at.value.get("latitude") is None) != (at.value.get("longitude") is None):
            at.fault("latitude and longitude belong together")
            return None, None, ""
        if at.value.get("latitude") is None:
            return None, None, at.text("city")
        return at.number("latitude", 0.0, -90, 90), at.number("longitude", 0.0, -180, 180), at.text("city")

    def _places(self, site: str, part: Cursor) -> None:
        if part.at("zones").value is not None:
            building = self._level(f"{site}/main", self.places[site].name, PlaceKind.BUILDING, part)
            self._zones(self._level(f"{building}/0", "floor 0", PlaceKind.FLOOR, part), part)
        for name, cursor in part.entries("buildings"):
            if not cursor.allow("name", "floors", "zones"):
                continue
            building = self._level(f"{site}/{name}", cursor.text("name", name), PlaceKind.BUILDING, cursor)
            if name in {OUTSIDE, "doors", "calendars"}:
                cursor.fault(f"a building cannot be called {name!r}")
            if cursor.at("zones").value is not None:
                self._zones(self._level(f"{building}/0", "floor 0", PlaceKind.FLOOR, cursor), cursor)
            for level, floor in cursor.entries("floors"):
                if floor.allow("name", "zones"):
                    self._zones(self._level(f"{building}/{level}", floor.text("name", f"floor {level}"), PlaceKind.FLOOR, floor), floor)

    def _level(self, uid: str, name: str, kind: PlaceKind, cursor: Cursor) -> str:
        if uid not in self.places:
            parent = uid.rpartition("/")[0]
            self.places[uid] = Place(uid, name, kind, parent, zone=self.places[parent].zone)
            self.where[uid] = cursor
        return uid

    def _zones(self, floor: str, cursor: Cursor) -> None:
        for name, zone in cursor.entries("zones"):
            uid = f"{floor}/{name}"
            if zone.value is None:
                zone.value = {}
            if not zone.allow("name", "kind", "network") or not self._once(uid, zone):
                continue
            kind = ZoneKind(zone.choice("kind", ZoneKind.OFFICE, tuple(ZoneKind)))
            self.places[uid] = Place(
                uid, zone.text("name", name), PlaceKind.ZONE, floor, kind, self.places[floor].zone, network=zone.flag("network", True)
            )

    # Doors

    def _door(self, site: str, name: str, cursor: Cursor) -> None:
        uid = f"{site}/doors/{name}"
        if not cursor.allow(*DOOR_KEYS) or not self._once(uid, cursor):
            return
        outer, inner = self._end(site, cursor, "from"), self._end(site, cursor, "to")
        if outer and outer == inner:
            cursor.fault(f"leads from {outer!r} to itself", "to", remedy="a door joins two zones")
        door = Door(
            uid,
            cursor.text("name", f"door {name}"),
            outer,
            inner,
            cursor.choice("kind", "door", DOOR_KINDS),
            cursor.flag("egress", False),
            cursor.flag("fail_safe", False),
            cursor.flag("contact", True),
            cursor.flag("passage_sensor", False),
            cursor.number("length_m", 10.0, 0.0, LONGEST_DOOR_M),
            resolve_calendar(cursor, "schedule", site, self.calendars),
            self._readers(uid, cursor),
            egress_hardware=cursor.choice("egress_hardware", "", ("", *EGRESS_HARDWARE)),
            egress_checked=cursor.day("egress_checked"),
        )
        if door.egress_checked and not door.egress_hardware:
            cursor.fault("'egress_checked' needs 'egress_hardware'", "egress_checked", remedy="write what was found: free_mechanical")
        self.doors[uid] = door
        if not door.has_exit_reader and inner:
            self.notes.append(cursor.marked.fault(f"door {name!r} has no exit reader: presence behind it fades within 12 h", *cursor.path))

    def _end(self, site: str, cursor: Cursor, key: str) -> str:
        named = cursor.text(key, required=True)
        if not named:
            return ""
        zone = zone_named(self.places, site, named)
        if not zone:
            self.dangling = True
            own = [
                uid.partition("/")[2] for uid, place in self.places.items() if uid.startswith(f"{site}/") and place.kind is PlaceKind.ZONE
            ]
            cursor.fault(
                f"zone {named!r} is not described at {site!r}", key, remedy=did_you_mean(named, own) or "write building/floor/zone"
            )
        return zone

    def _readers(self, door: str, cursor: Cursor) -> tuple[Reader, ...]:
        at = cursor.at("readers")
        if at.value is None:
            return ()
        if not isinstance(at.value, dict):
            at = Cursor(at.marked, at.path, {"both": at.value}, at.faults)
        if not at.allow("in", "out", "both"):
            return ()
        found: list[Reader] = []
        for key, directions in (("in", ("in",)), ("out", ("out",)), ("both", ("in", "out"))):
            for uid, item in at.words(key):
                other = self.readers.setdefault(uid, door)
                again = any(reader.uid == uid and reader.direction in directions for reader in found)
                if other != door or again:
                    item.fault(
                        f"reader {uid!r} already stands at {other!r}", remedy="every reader's name stands at one door, once each way"
                    )
                else:
                    found += [Reader(uid, door, direction) for direction in directions]
        return tuple(found)

    # Geometry, travel, and what only the whole can show

    def _geometry(self, site: str, part: Cursor) -> None:
        for name, item in part.words("geometry"):
            text = self.geometry.get(name)
            if text is None:
                self.notes.append(item.marked.fault(f"geometry {name!r} was not given: the plan is laid out from the doors", *item.path))
                continue
            try:
                drawn = read_geometry(text, name, site, self.places, self.doors)
            except ContentError as error:
                self.faults += error.faults
                continue
            self._draw(drawn)

    def _draw(self, drawn: Geometry) -> None:
        for uid, shape in drawn.shapes.items():
            self.places[uid] = replace(self.places[uid], shape=shape)
        for uid, position in drawn.doors.items():
            self.doors[uid] = replace(self.doors[uid], position=position)
        self.notes += drawn.notes

    def _travel(self, item: Cursor) -> None:
        if not item.allow("sites", "least"):
            return
        names = [(name, cursor) for name, cursor in item.words("sites")]
        sites = [uid for uid, place in self.places.items() if place.kind is PlaceKind.SITE]
        if len({name for name, _ in names}) != 2:
            item.fault("travel is between two different sites", "sites", remedy="sites: [harbour, mill]")
        for name, cursor in names:
            if name in sites:
                continue
            remedy = did_you_mean(name, sites)
            if remedy.startswith("did"):
                cursor.fault(f"site {name!r} is not described", remedy=remedy)
            else:
                self.notes.append(cursor.marked.fault(f"site {name!r} is described in no file yet", *cursor.path))
        try:
            least = read_duration(item.text("least", required=True) or "0s")
        except InputError as error:
            item.fault(str(error), "least")
            return
        self.travels.append(Travel(frozenset(name for name, _ in names), least))

    def _whole(self) -> None:
        """Check what shows only when all is read: zones that nobody can reach, critical zones that no reader guards."""
        near: dict[str, set[str]] = {}
        for door in self.doors.values():
            near.setdefault(door.from_zone, set()).add(door.to_zone)
            near.setdefault(door.to_zone, set()).add(door.from_zone)
        reached: set[str] = set()
        waiting = [uid for uid in self.places if uid.endswith(f"/{OUTSIDE}")]
        while waiting:
            here = waiting.pop()
            if here not in reached:
                reached.add(here)
                waiting += near.get(here, ())
        guarded = {zone for door in self.doors.values() if door.readers for zone in (door.from_zone, door.to_zone)}
        for uid, place in self.places.items():
            if place.kind is not PlaceKind.ZONE or uid.endswith(f"/{OUTSIDE}"):
                continue
            if uid not in reached and not self.dangling:
                self.where[uid].fault(f"zone {uid!r} cannot be reached from outside", remedy="add the door that leads to it")
            if place.zone_kind is ZoneKind.CRITICAL and uid not in guarded:
                self.where[uid].fault(f"critical zone {uid!r} has no reader at any of its doors", remedy="add readers, or lower its kind")


def zone_named(places: Mapping[str, Place], site: str, name: str) -> str:
    """Return the uid of the zone that a site file calls so: path below the site, whole uid, or its last word when only one has it."""
    for uid in (f"{site}/{name}", name):
        if uid in places and places[uid].kind is PlaceKind.ZONE:
            return uid
    if "/" in name:
        return ""
    alike = [
        uid for uid, place in places.items() if place.kind is PlaceKind.ZONE and uid.startswith(f"{site}/") and uid.endswith(f"/{name}")
    ]
    return alike[0] if len(alike) == 1 else ""
