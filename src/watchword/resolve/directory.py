"""The directory: who holds a badge or account, what an address or reader stands for, how far apart two places are, as of a moment."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from watchword.model import (
    OUTSIDE,
    Asset,
    AssetBook,
    Calendar,
    Door,
    Event,
    Lease,
    Link,
    PeopleBook,
    Person,
    Place,
    PlaceKind,
    Reader,
    SiteBook,
    ZoneKind,
)
from watchword.resolve.addresses import canonical_address, first_label
from watchword.resolve.calendars import is_on
from watchword.resolve.gates import Ways, ways_through
from watchword.resolve.identify import identify
from watchword.resolve.labels import label_of
from watchword.resolve.travel import RUN_M_PER_S, DoorGraph, flight_time, haversine_km

UTC_ZONE = ZoneInfo("UTC")
NOBODY: tuple[Link, ...] = ()


class Directory:
    """Everything that the site and people files say, ready to be asked; built once per version of the files and never changed.

    All answers about credentials, owners and addresses are as of a moment: half-open intervals, read at event time.
    """

    __slots__ = (
        "_addresses",
        "_assets_of",
        "_door_names",
        "_doors_by_site",
        "_exits_unread",
        "_graph",
        "_leases",
        "_links",
        "_readers",
        "_travels",
        "_zone_names",
        "_zones",
        "assets",
        "door_ways",
        "people",
        "reader_ways",
        "site",
    )

    def __init__(self, site: SiteBook, people: PeopleBook, assets: AssetBook) -> None:
        self.site, self.people, self.assets = site, people, assets
        self.reader_ways: Mapping[str, Ways]
        self.door_ways: Mapping[str, Ways]
        self.reader_ways, self.door_ways, self._readers = ways_through(site.doors.values())
        self._links = _grouped(people.links)
        self._addresses = {address: asset for asset in assets.assets.values() for address in (*asset.addresses, asset.name.lower())}
        self._leases: dict[str, list[Lease]] = {}
        for lease in assets.leases:
            self._leases.setdefault(lease.address, []).append(lease)
        self._assets_of: dict[str, list[Asset]] = {}
        for asset in assets.assets.values():
            for owner in {asset.owner, *(link.person for link in self._links.get(asset.uid, NOBODY))} - {""}:
                self._assets_of.setdefault(owner, []).append(asset)
        self._graph = DoorGraph.of(site.doors.values())
        self._travels = {travel.sites: travel.least for travel in site.travels}
        self._doors_by_site: dict[str, list[Door]] = {"": list(site.doors.values())}
        for door in site.doors.values():
            self._doors_by_site.setdefault(door.uid.partition("/")[0], []).append(door)
        self._zones: dict[str, list[Place]] = {}
        for place in site.places.values():
            if place.kind is PlaceKind.ZONE:
                self._zones.setdefault(place.uid.partition("/")[0], []).append(place)
        self._door_names = _names((door.uid, door.name) for door in site.doors.values())
        self._zone_names = _names((place.uid, place.name) for place in site.places.values() if place.kind is PlaceKind.ZONE)
        self._exits_unread: dict[str, bool] = {}

    # Events

    def identify(self, event: Event) -> Event:
        """Return the event with its person, asset and place filled in as of its time, and what its data say of door and zone completed.

        What the event states itself is never overwritten. The same event comes back when nothing could be added.
        """
        return identify(self, event)

    # Things by uid

    def person(self, uid: str) -> Person | None:
        """Return the person with this uid."""
        return self.people.people.get(uid)

    def asset(self, uid: str) -> Asset | None:
        """Return the asset with this uid."""
        return self.assets.assets.get(uid)

    def place(self, uid: str) -> Place | None:
        """Return the site, building, floor or zone with this uid."""
        return self.site.places.get(uid)

    def door(self, uid: str) -> Door | None:
        """Return the door with this uid."""
        return self.site.doors.get(uid)

    def reader(self, uid: str) -> Reader | None:
        """Return the reader with this uid (its name as the door controller says it)."""
        return self._readers.get(uid)

    # Names as sources say them

    def door_named(self, name: str, site: str = "") -> str:
        """Return the uid of the door that a source calls so (uid, short or full name), or '' when unknown or ambiguous."""
        return _named(self._door_names, name, site)

    def zone_named(self, name: str, site: str = "") -> str:
        """Return the uid of the zone that a source calls so (uid, its end, or full name), or '' when unknown or ambiguous."""
        return _named(self._zone_names, name, site)

    # Links as of a moment

    def holder(self, credential: str, at: datetime) -> Link | None:
        """Return the link that holds, or None: unknown, nobody's at that time, or two exact links that name different people."""
        links = self._links.get(credential)
        if links is None:
            return None
        if len(links) == 1:
            return links[0] if links[0].holds(at) else None
        return _strongest(links, at)

    def owner(self, asset: str, at: datetime) -> str:
        """Return the uid of the person whose own the asset is at the moment, or ''."""
        link = self.holder(asset, at)
        if link is not None:
            return link.person
        found = self.assets.assets.get(asset)
        return found.owner if found else ""

    def assets_of(self, person: str) -> tuple[Asset, ...]:
        """Return the assets that are, or at some time were, the person's own."""
        return tuple(self._assets_of.get(person, ()))

    def owners(self, asset: str, since: datetime | None = None, until: datetime | None = None) -> tuple[str, ...]:
        """Return everybody whose own the asset was at some time within [since, until); nobody for an asset that people share."""
        found = self.assets.assets.get(asset)
        if found is None or found.shared:
            return ()
        links = (
            link.person
            for link in self._links.get(asset, NOBODY)
            if (until is None or link.since is None or link.since < until) and (since is None or link.until is None or since < link.until)
        )
        return tuple(dict.fromkeys(each for each in (found.owner, *links) if each))

    def asset_at(self, address: str, at: datetime) -> Asset | None:
        """Return the asset behind an IP, MAC or host name (any case) at the moment."""
        key = address.lower()
        if self._leases:
            for lease in self._leases.get(key, ()):
                if lease.holds(at):
                    return self.assets.assets.get(lease.asset)
        found = self._addresses.get(key)
        if found is None:
            other = canonical_address(key)
            if other == key:
                other = first_label(key)
            if other:
                return self.asset_at(other, at)
        return found

    # Places

    def within(self, place: str, ancestor: str) -> bool:
        """Tell whether a place is the ancestor or lies inside it; a door lies where it leads to; outside lies within nothing but itself."""
        door = self.site.doors.get(place)
        if door is not None:
            place = door.to_zone
        if place == ancestor:
            return True
        return place.startswith(f"{ancestor}/") and not place.endswith(f"/{OUTSIDE}")

    def zones(self, site: str) -> tuple[Place, ...]:
        """Return the zones of a site in file order, outside among them."""
        return tuple(self._zones.get(site, ()))

    def doors(self, site: str = "") -> tuple[Door, ...]:
        """Return the doors of a site, or of all sites."""
        return tuple(self._doors_by_site.get(site, ()))

    def perimeter_doors(self, site: str) -> tuple[Door, ...]:
        """Return the doors between a site's outside and its inside."""
        outside = f"{site}/{OUTSIDE}"
        return tuple(door for door in self._doors_by_site.get(site, ()) if outside in {door.from_zone, door.to_zone})

    def boundary(self, place: str) -> tuple[tuple[Door, str], ...]:
        """Return the doors that lead out of a zone, floor, building or site, each with the direction that leads *in*."""
        found = []
        for door in self._doors_by_site.get(place.partition("/")[0], ()):
            from_inside, to_inside = self.within(door.from_zone, place), self.within(door.to_zone, place)
            if from_inside != to_inside:
                found.append((door, "in" if to_inside else "out"))
        return tuple(found)

    def exits_unread(self, zone: str) -> bool:
        """Tell whether some way out of the place has no reader for leaving, so that people may go unseen."""
        known = self._exits_unread.get(zone)
        if known is None:
            ways = self.boundary(zone)
            known = not ways or any(all(reader.direction == inward for reader in door.readers) for door, inward in ways)
            self._exits_unread[zone] = known
        return known

    def is_critical(self, zone: str) -> bool:
        """Tell whether the zone is one of the critical ones."""
        place = self.site.places.get(zone)
        return place is not None and place.zone_kind is ZoneKind.CRITICAL

    def least_travel(self, a: str, b: str) -> timedelta | None:
        """Return the least time between two places, or None when nothing is known.

        Same site: shortest path over the doors at a run (3 m/s), 0 without path data. Two sites: the site file's best case, else the
        great circle at 900 km/h.
        """
        if a == b:
            return timedelta()
        site_a, site_b = a.partition("/")[0], b.partition("/")[0]
        if site_a == site_b:
            metres = self._graph.metres(a, b)
            return timedelta(seconds=(metres or 0.0) / RUN_M_PER_S)
        known = self._travels.get(frozenset({site_a, site_b}))
        if known is not None:
            return known
        one, other = self.site.places.get(site_a), self.site.places.get(site_b)
        if (
            one is None
            or other is None
            or one.latitude is None
            or one.longitude is None
            or other.latitude is None
            or other.longitude is None
        ):
            return None
        return flight_time(haversine_km((one.latitude, one.longitude), (other.latitude, other.longitude)))

    # Time and words

    def time_zone(self, place: str) -> ZoneInfo:
        """Return the time zone of a place's or door's site; UTC when unknown."""
        site = self.site.places.get(place.partition("/")[0])
        return ZoneInfo(site.zone) if site else UTC_ZONE

    def calendars(self, name: str, site: str = "") -> tuple[Calendar, ...]:
        """Return the calendar with this uid, or those with this name: the site's, or every site's when none is given."""
        found = self.site.calendars.get(name)
        if found is not None:
            return (found,)
        uids = [f"{site}/calendars/{name}"] if site else [uid for uid in self.site.calendars if uid.endswith(f"/calendars/{name}")]
        return tuple(self.site.calendars[uid] for uid in uids if uid in self.site.calendars)

    def on_calendar(self, name: str, at: datetime, site: str = "") -> bool:
        """Tell whether a calendar of this name is on at the moment, in its site's own time; an unknown one never is."""
        return any(is_on(calendar, at) for calendar in self.calendars(name, site))

    def label(self, uid: str) -> str:
        """Return the words for a person, asset, place, door or credential: 'A. Reyes', 'Server room 2', 'badge …1234'."""
        return label_of(self, uid)


def _grouped(links: tuple[Link, ...]) -> dict[str, tuple[Link, ...]]:
    grouped: dict[str, list[Link]] = {}
    for link in links:
        grouped.setdefault(link.entity, []).append(link)
    return {entity: tuple(group) for entity, group in grouped.items()}


def _strongest(links: tuple[Link, ...], at: datetime) -> Link | None:
    best: Link | None = None
    disputed = False
    for link in links:
        if not link.holds(at):
            continue
        if best is None or link.confidence > best.confidence:
            best, disputed = link, False
        elif link.confidence == best.confidence and link.person != best.person:
            disputed = True
    return None if disputed else best


def _names(things: Any) -> dict[str, str]:
    """Return uids by every name that may stand for them, alone and with their site before it; '' where two share a name."""
    found: dict[str, str] = {}
    for uid, name in things:
        site, _, rest = uid.partition("/")
        steps = rest.split("/")
        words = {"/".join(steps[index:]) for index in range(len(steps))} | {name}
        for word in words - {""}:
            for key in (word.casefold(), f"{site}\0{word.casefold()}"):
                found[key] = uid if found.get(key, uid) == uid else ""
        found[uid.casefold()] = uid
    return found


def _named(names: Mapping[str, str], name: str, site: str) -> str:
    key = name.strip().casefold()
    return (names.get(f"{site}\0{key}", "") if site else "") or names.get(key, "")
