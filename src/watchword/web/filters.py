"""Filters of events as they stand in an address: names that people type become uids, faults are kept beside their field."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from starlette.datastructures import QueryParams

from watchword.app.questions import SEVERITIES, read_cursor, read_moment
from watchword.app.trails import owners_of
from watchword.kit.errors import InputError
from watchword.model import Domain, EventQuery, Order
from watchword.model.ocsf import EventClass
from watchword.resolve.directory import Directory

NAMES: Final = ("q", "person", "asset", "place", "address", "credential", "class", "severity", "source", "domain", "since", "until")
PAGE_ROWS: Final = 100
LONGEST: Final = 300


@dataclass(slots=True)
class EventFilters:
    """The filters of one request: as typed, as a query, and what was wrong with them."""

    typed: dict[str, str]
    query: EventQuery
    faults: dict[str, str] = field(default_factory=dict)
    persons: tuple[str, ...] = ()
    """Uids of people whose events are asked for, also through their credentials and their own machines: their trail."""
    older: bool = False
    """The request asks for a further page: not the newest rows."""

    @property
    def empty(self) -> bool:
        """Whether nothing restricts the list."""
        return not any(self.typed.values())


def read_event_filters(
    parameters: QueryParams, directory: Directory, now: datetime, domains: Mapping[str, Domain], limit: int = PAGE_ROWS
) -> EventFilters:
    """Return the filters of an address; wrong values restrict nothing and are told beside their field."""
    typed = {name: parameters.get(name, "").strip()[:LONGEST] for name in NAMES}
    faults: dict[str, str] = {}

    def uid_for(name: str, found: str, what: str) -> tuple[str, ...]:
        if typed[name] and not found:
            faults[name] = f"No {what} is called so, or several are"
        return (found,) if found else ()

    persons = uid_for("person", find_person(directory, typed["person"]), "person")
    assets = uid_for("asset", find_asset(directory, typed["asset"]), "asset")
    places = uid_for("place", find_place(directory, typed["place"]), "place")
    address = _address(typed["address"], faults)
    since, until = (_moment(typed[name], name, now, faults) for name in ("since", "until"))
    classes = _classes(typed["class"], faults)
    after = None
    if parameters.get("after"):
        try:
            after = read_cursor(parameters["after"])
        except InputError as error:
            faults["after"] = str(error)
    credentials = (typed["credential"],) if typed["credential"] else ()
    holders = tuple(link.person for uid in credentials if (link := directory.holder(uid, now)))
    query = EventQuery(
        since=since,
        until=until,
        persons=persons,
        assets=assets,
        places=places,
        credentials=credentials,
        addresses=(address,) if address else (),
        sources=_sources(typed["source"], typed["domain"], domains),
        classes=classes,
        severity=SEVERITIES.get(typed["severity"], 0),
        text=typed["q"],
        order=Order.NEWEST,
        after=after,
        limit=limit + 1,
    )
    owners = owners_of(directory, query.assets, query.addresses, since, until, now)
    return EventFilters(typed, query, faults, tuple(dict.fromkeys(persons + holders + owners)), after is not None)


def _moment(text: str, name: str, now: datetime, faults: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        return read_moment(text, now)
    except InputError as error:
        faults[name] = str(error)
        return None


def _address(text: str, faults: dict[str, str]) -> str:
    if not text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        faults["address"] = "This is no IP address"
        return ""


def _sources(name: str, side: str, domains: Mapping[str, Domain]) -> tuple[str, ...]:
    """Return the sources meant: the named one, or those of a side; a side without sources matches nothing."""
    if name or side not in set(Domain):
        return (name,) if name else ()
    return tuple(source for source, domain in domains.items() if domain == side) or ("",)


def _classes(name: str, faults: dict[str, str]) -> tuple[int, ...]:
    if name:
        try:
            return (int(EventClass[name.upper()]),)
        except KeyError:
            faults["class"] = "There is no such class of events"
            return ()
    return ()


def find_person(directory: Directory, text: str) -> str:
    """Return the uid of the one person with this uid, name or short name; '' for none or several."""
    if not text or text in directory.people.people:
        return text
    low = text.casefold()
    return _only(uid for uid, person in directory.people.people.items() if low in {person.name.casefold(), directory.label(uid).casefold()})


def find_asset(directory: Directory, text: str) -> str:
    """Return the uid of the asset with this uid, name or address; '' for none."""
    if not text or text in directory.assets.assets:
        return text
    low = text.casefold()
    return _only(uid for uid, asset in directory.assets.assets.items() if low == asset.name.casefold() or low in asset.addresses)


def find_place(directory: Directory, text: str) -> str:
    """Return the uid of the one place or door with this uid or name; '' for none or several."""
    if not text or text in directory.site.places or text in directory.site.doors:
        return text
    low = text.casefold()
    named = [(uid, place.name) for uid, place in directory.site.places.items()] + [
        (uid, door.name) for uid, door in directory.site.doors.items()
    ]
    return _only(uid for uid, name in named if name.casefold() == low)


def _only(found: Iterable[str]) -> str:
    uids = list(found)
    return uids[0] if len(uids) == 1 else ""


def alike(directory: Directory, text: str, most: int = 6) -> list[tuple[str, str]]:
    """Return things whose name contains the text, as (filter, uid): what a person who searches may have meant."""
    low = text.strip().casefold()
    if len(low) < 2:
        return []
    found: list[tuple[str, str]] = []
    found += [("person", uid) for uid, person in directory.people.people.items() if low in person.name.casefold()]
    found += [("place", uid) for uid, place in directory.site.places.items() if low in place.name.casefold()]
    found += [("place", uid) for uid, door in directory.site.doors.items() if low in door.name.casefold()]
    found += [("asset", uid) for uid, asset in directory.assets.assets.items() if low in asset.name.casefold() or low in asset.addresses]
    return found[:most]
