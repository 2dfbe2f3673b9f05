"""Travel: the least time between two places or two claims of where someone was (design: operator ``trv``)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from math import asin, cos, hypot, inf, radians, sin, sqrt
from typing import Final, Protocol

from watchword.model import Door, Event, Place, value_at
from watchword.model.ocsf import Access, Authentication, EventClass, Status

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth (IUGG)."""
RUN_M_PER_S: Final = 3.0
FLIGHT_KM_PER_H: Final = 900.0
CITY_CHANGE: Final = timedelta(hours=2)
"""Where nothing but two different cities is known."""
WIDEST_KM: Final = 500.0
"""A claim that is less exact than this is none."""
LEAST_CONFIDENCE: Final = 0.9
NO_CLAIM_NETWORKS: Final = frozenset({"vpn", "mobile", "anycast"})


@dataclass(frozen=True, slots=True)
class Claim:
    """That someone was somewhere: at a place of ours, at coordinates, or in a city."""

    time: datetime
    place: str = ""
    """Uid of a zone or door."""
    latitude: float | None = None
    longitude: float | None = None
    city: str = ""
    country: str = ""
    accuracy_km: float = 0.0
    network_kind: str = ""
    confidence: float = 1.0
    """Of the link between the credential and its person."""
    event: str = ""

    @property
    def counts(self) -> bool:
        """Tell whether this may be held against anyone: no VPN, mobile or anycast egress, exact enough, surely linked."""
        return self.network_kind.lower() not in NO_CLAIM_NETWORKS and self.accuracy_km <= WIDEST_KM and self.confidence >= LEAST_CONFIDENCE


class Map(Protocol):
    """What travel asks of the directory."""

    def least_travel(self, a: str, b: str) -> timedelta | None:
        """Return the least time between two places."""
        ...

    def place(self, uid: str) -> Place | None:
        """Return the place with this uid."""
        ...


def haversine_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the great-circle distance in km between two (latitude, longitude) points in degrees."""
    lat_a, lat_b = radians(a[0]), radians(b[0])
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin(radians(b[1] - a[1]) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half)))


def flight_time(km: float) -> timedelta:
    """Return how long the fastest journey over so many km takes; never negative."""
    return timedelta(hours=max(0.0, km) / FLIGHT_KM_PER_H)


def claim_of(event: Event) -> Claim | None:
    """Return where the event says that its person was, or None when it claims nothing.

    A passage claims its door, a successful sign-in claims the coordinates or the city of its address.
    """
    confidence = event.data.get("ww_person_confidence", 1.0)
    claim = None
    if event.class_uid == EventClass.PHYSICAL_ACCESS:
        if event.activity_id in {Access.GRANTED, Access.TAKEN} and event.place:
            claim = Claim(event.time, place=event.place, confidence=confidence, event=event.uid)
    elif event.class_uid == EventClass.AUTHENTICATION and event.activity_id == Authentication.LOGON:
        location = value_at(event.data, "src_endpoint.location")
        if isinstance(location, Mapping) and event.data.get("status_id", Status.SUCCESS) == Status.SUCCESS:
            claim = _sign_in(event, location, confidence)
    return claim if claim is not None and claim.counts else None


def _sign_in(event: Event, location: Mapping[str, object], confidence: float) -> Claim | None:
    latitude, longitude = _number(location.get("lat")), _number(location.get("long"))
    city = str(location.get("city") or "")
    if not city and (latitude is None or longitude is None):
        return None
    return Claim(
        event.time,
        latitude=latitude,
        longitude=longitude,
        city=city,
        country=str(location.get("country") or ""),
        accuracy_km=_number(event.data.get("ww_accuracy_km")) or 0.0,
        network_kind=str(event.data.get("ww_network_kind") or ""),
        confidence=confidence,
        event=event.uid,
    )


def _number(value: object) -> float | None:
    try:
        return None if value is None else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def least_travel_of(a: Claim, b: Claim, where: Map) -> timedelta | None:
    """Return the least time between two claims, or None when they cannot be compared (which never counts as impossible)."""
    if not a.counts or not b.counts:
        return None
    if a.place and b.place:
        return where.least_travel(a.place, b.place)
    at_a, at_b = _point(a, where), _point(b, where)
    if at_a is not None and at_b is not None:
        return flight_time(haversine_km(at_a, at_b) - a.accuracy_km - b.accuracy_km)
    city_a, city_b = _city(a, where), _city(b, where)
    if city_a and city_b:
        return CITY_CHANGE if city_a != city_b else timedelta()
    return None


def impossible(a: Claim, b: Claim, tolerance: timedelta, where: Map) -> tuple[bool, timedelta | None, timedelta]:
    """Tell whether nobody can have been at both claims: least time > time between them + tolerance, strictly.

    Returns:
        The verdict, the least time (None: not comparable) and the time that there was; the order of `a` and `b` does not matter.
    """
    available = abs(b.time - a.time)
    least = least_travel_of(a, b, where)
    return least is not None and least > available + tolerance, least, available


def _site(claim: Claim, where: Map) -> Place | None:
    return where.place(claim.place.partition("/")[0]) if claim.place else None


def _point(claim: Claim, where: Map) -> tuple[float, float] | None:
    site = _site(claim, where)
    latitude, longitude = (site.latitude, site.longitude) if site else (claim.latitude, claim.longitude)
    return None if latitude is None or longitude is None else (latitude, longitude)


def _city(claim: Claim, where: Map) -> str:
    site = _site(claim, where)
    return (site.city if site else claim.city).strip().casefold()


@dataclass(slots=True)
class DoorGraph:
    """One site's zones and doors as a graph; a door stands half its length from the middle of each of its two zones.

    Doors of one zone whose positions are known are as far apart as the straight line between them, when that is shorter.
    """

    edges: dict[str, dict[str, float]] = field(default_factory=dict)
    known: dict[str, dict[str, float]] = field(default_factory=dict)
    """Distances found so far, by where they start."""

    @classmethod
    def of(cls, doors: Iterable[Door]) -> "DoorGraph":
        """Build the graph from the doors of a site (or of several: they do not touch)."""
        graph = cls()
        by_zone: dict[str, list[Door]] = {}
        for door in doors:
            for zone in (door.from_zone, door.to_zone):
                graph._join(door.uid, zone, door.length_m / 2)
                by_zone.setdefault(zone, []).append(door)
        for zone, around in by_zone.items():
            if zone.endswith("/outside"):
                continue
            placed = [(door, door.position) for door in around if door.position is not None]
            for index, (one, here) in enumerate(placed):
                for other, there in placed[index + 1 :]:
                    graph._join(one.uid, other.uid, hypot(here[0] - there[0], here[1] - there[1]))
        return graph

    def _join(self, a: str, b: str, metres: float) -> None:
        for one, other in ((a, b), (b, a)):
            near = self.edges.setdefault(one, {})
            near[other] = min(metres, near.get(other, inf))

    def metres(self, a: str, b: str) -> float | None:
        """Return the length of the shortest path between two zones or doors, or None when none is known."""
        if a == b:
            return 0.0
        if a not in self.edges or b not in self.edges:
            return None
        found = self.known.get(a)
        if found is None:
            found = self.known[a] = self._distances(a)
        return found.get(b)

    def _distances(self, start: str) -> dict[str, float]:
        """Return the distance of everything that can be reached (Dijkstra)."""
        done: dict[str, float] = {}
        waiting = [(0.0, start)]
        while waiting:
            metres, here = heappop(waiting)
            if here in done:
                continue
            done[here] = metres
            for there, step in self.edges[here].items():
                if there not in done:
                    heappush(waiting, (metres + step, there))
        return done
