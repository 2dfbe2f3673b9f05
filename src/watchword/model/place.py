"""Places: site > building > floor > zone, with doors as the edges between zones.

A place's uid is its path, ``site/building/floor/zone``; a door's is ``site/doors/name``; so the site of any place is its first part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum

from watchword.model.uptime import UptimeBook

OUTSIDE = "outside"
"""The zone beyond every perimeter: each site has one, ``site/outside``."""
FREE_MECHANICAL = "free_mechanical"
"""Egress hardware that opens by hand from inside, whatever software, power or network do: a lever, a panic bar."""
EGRESS_HOLDS = timedelta(days=400)
"""How long a check of a door's egress counts: a year, and some days of grace."""


class ZoneKind(StrEnum):
    """How much a zone matters and to whom it is open."""

    EXTERNAL = "external"
    PUBLIC = "public"
    OFFICE = "office"
    TRANSITIONAL = "transitional"
    RESTRICTED = "restricted"
    CRITICAL = "critical"


class PlaceKind(StrEnum):
    """The levels of the place tree, and doors beside it."""

    SITE = "site"
    BUILDING = "building"
    FLOOR = "floor"
    ZONE = "zone"
    DOOR = "door"


@dataclass(frozen=True, slots=True)
class Place:
    """A site, building, floor or zone."""

    uid: str
    name: str
    kind: PlaceKind
    parent: str = ""
    zone_kind: ZoneKind | None = None
    zone: str = "UTC"
    """IANA time zone: the site's."""
    network: bool = True
    """Whether a person in this zone can reach the organisation's network there."""
    latitude: float | None = None
    longitude: float | None = None
    shape: tuple[tuple[float, float], ...] = ()
    """Outline in metres (x, y) on its floor, when geometry was given."""
    city: str = ""
    """Of a site: the city, for sign-ins that name no more than a city."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader at a door; direction says which way its holder goes."""

    uid: str
    door: str
    direction: str
    """``in``: from the door's `from_zone` to its `to_zone`; ``out``: back."""


@dataclass(frozen=True, slots=True)
class Door:
    """A door, gate or turnstile: an edge from the outer zone to the inner one."""

    uid: str
    name: str
    from_zone: str
    to_zone: str
    kind: str = "door"
    egress: bool = False
    """An escape route: nothing may ever lock it against leaving."""
    fail_safe: bool = False
    """Unlocks when power or the fire system releases it."""
    contact: bool = True
    """Has a contact that reports open and closed."""
    passage_sensor: bool = False
    length_m: float = 10.0
    """Walking distance through it between the two zones' middles, metres."""
    schedule: str = ""
    """Name of the calendar during which it stands unlocked."""
    readers: tuple[Reader, ...] = ()
    position: tuple[float, float] | None = None
    """Metres (x, y) on its floor, when geometry was given."""
    egress_hardware: str = ""
    """How one leaves through it: `FREE_MECHANICAL`, ``electric``, or empty: not known."""
    egress_checked: date | None = None
    """When somebody last tried that; a check older than `EGRESS_HOLDS` counts as none."""

    def leaves_freely(self, on: date) -> bool:
        """Tell whether leaving is by hand alone, without key, tool, power or network, and that was checked lately enough."""
        checked = self.egress_checked
        return self.egress_hardware == FREE_MECHANICAL and checked is not None and timedelta(0) <= on - checked <= EGRESS_HOLDS

    @property
    def has_exit_reader(self) -> bool:
        """Tell whether leaving through this door is read."""
        return any(reader.direction == "out" for reader in self.readers)


@dataclass(frozen=True, slots=True)
class Period:
    """A weekly period: days 0 (Monday) to 6, from and until local time."""

    days: frozenset[int]
    since: time
    until: time


@dataclass(frozen=True, slots=True)
class Calendar:
    """Named periods at a site: shifts, opening hours, drills, change windows."""

    name: str
    zone: str
    periods: tuple[Period, ...]
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Travel:
    """The best-case time between two sites."""

    sites: frozenset[str]
    least: timedelta


@dataclass(frozen=True, slots=True)
class SiteBook:
    """Everything that the site files say, by uid."""

    places: Mapping[str, Place] = field(default_factory=dict)
    doors: Mapping[str, Door] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    travels: tuple[Travel, ...] = ()
    uptime: UptimeBook = field(default_factory=UptimeBook)
