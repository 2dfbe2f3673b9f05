"""Facts that control tests judge: events, checks that people and tools recorded, sources, findings and incidents of a stretch of time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, TypeVar

from watchword.govern.control_book import Book
from watchword.measure.compliance import Way
from watchword.model import Domain, Event, Link, PlaceKind, SourceKind, value_at
from watchword.resolve.directory import Directory

K = TypeVar("K")
V = TypeVar("V")
CHECKS: Final[Mapping[str, str]] = {
    "access-review": "who may enter was reviewed",
    "after-action": "an incident was looked back at",
    "alarm-drill": "an alarm was raised for practice",
    "backup": "its configuration was backed up",
    "canary": "a canary was sent through the pipeline",
    "escort": "somebody was escorted",
    "fire-test": "the fire link was tried and reached named people",
    "footage-review": "footage was reviewed",
    "footage": "the oldest footage was looked up",
    "items-returned": "keys, badge and devices came back",
    "lock-test": "its lock was tried",
    "log-review": "its log was reviewed",
    "pass": "it was allowed out",
    "plan-exercise": "the response plan was exercised with both sides",
    "plan-review": "the response plan was reviewed",
    "restore-test": "a backup was restored for practice",
    "runtime-test": "it carried its load for as long as needed",
    "sensor-test": "its alarm was raised and reached somebody",
    "skill": "a skill was assessed",
    "tamper-test": "its tamper input was tried",
    "transfer": "somebody changed posts",
    "ups-test": "its self-test ran",
    "visitor-purge": "old visitor records were deleted",
    "visitor-review": "the visitor list was reviewed",
    "walk-test": "its detectors were walked",
    "work-order": "work was ordered there",
}
"""Kinds of checks, in words. They come in at the front door like everything else, from people or from the tools that run them."""


@dataclass(frozen=True, slots=True)
class CheckFact:
    """One thing that was checked, reviewed, backed up, practised or ordered."""

    kind: str
    target: str
    """Uid of a place, door, asset, person or incident; empty: the whole house."""
    at: datetime
    passed: bool = True
    by: str = ""
    note: str = ""
    way: Way = Way.SAMPLED
    ref: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class SourceFact:
    """One source and how it speaks."""

    name: str
    kind: SourceKind
    domain: Domain
    site: str = ""
    connector: str = "webhook"
    rhythm: timedelta | None = None
    last_received: datetime | None = None
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    """Stretches of the window in which it was silent though it should have spoken."""
    lateness: timedelta = timedelta(minutes=2)
    """How late a record may come; within it, a clock that is behind looks like a slow line."""
    envelope: timedelta | None = None
    """Least of arrival minus event time over the newest events."""
    sampled: tuple[str, ...] = ()
    """Uids of events behind `envelope` and `last_received`."""


@dataclass(frozen=True, slots=True)
class FindingFact:
    """A finding, as far as tests need it."""

    uid: str
    rule: str
    time: datetime
    places: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentFact:
    """An incident, as far as tests need it."""

    uid: str
    number: int
    opened: datetime
    closed: datetime | None = None
    exercise: bool = False
    severity: int = 3
    places: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    moments: frozenset[str] = frozenset()
    """Which of the incident's moments stand: occurred, detected, acknowledged, contained, resolved …"""
    teams: frozenset[str] = frozenset()
    """Teams that took part: it, physical."""
    domains: frozenset[str] = frozenset()
    """Sides that its findings' sources speak for."""
    looked_back: datetime | None = None
    """When its AfterAction was held."""
    run_started: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that the tests of one look read. Events stand in order of time."""

    now: datetime
    since: datetime
    """Events are complete from here on; rarer ones (life of credentials, checks) reach further back."""
    directory: Directory
    book: Book = field(default_factory=Book)
    events: tuple[Event, ...] = ()
    checks: tuple[CheckFact, ...] = ()
    sources: tuple[SourceFact, ...] = ()
    findings: tuple[FindingFact, ...] = ()
    incidents: tuple[IncidentFact, ...] = ()
    lifecycle: tuple[Event, ...] = ()
    """Of credentials and accounts: issued, revoked, disabled."""
    last_used: Mapping[str, datetime] = field(default_factory=dict)
    """Credential → when it was last used, over `used_since` … now."""
    used_since: datetime | None = None
    """How far back `last_used` reaches, and the log holds; None: no log."""
    documents: tuple[str, ...] = ()
    """Uids of the site and people files that the directory was made of."""
    excepted: frozenset[tuple[str, str]] = frozenset()
    """(control, asset) of the exceptions in force."""
    truncated: bool = False
    """More events came than are read at once: what was not seen is not known."""

    @cached_property
    def _by_class(self) -> Mapping[int, list[Event]]:
        return _grouped((event.class_uid, event) for event in self.events)

    @cached_property
    def _by_credential(self) -> Mapping[str, list[Event]]:
        return _grouped((event.credential, event) for event in self.events if event.credential)

    @cached_property
    def _by_asset(self) -> Mapping[tuple[int, str], list[Event]]:
        return _grouped(((event.class_uid, event.asset), event) for event in self.events if event.asset)

    @cached_property
    def links_by_credential(self) -> Mapping[str, list[Link]]:
        """Return every link of each credential and machine."""
        return _grouped((link.entity, link) for link in self.directory.people.links)

    @cached_property
    def lifecycle_by_credential(self) -> Mapping[str, list[Event]]:
        """Return what was done to each badge and account: issued, revoked, disabled."""
        named = ((event.credential or f"account:{value(event, 'user.name').lower()}", event) for event in self.lifecycle)
        return _grouped(named)

    @cached_property
    def sites_of_credentials(self) -> Mapping[str, str]:
        """Return the site at which each credential's holder works."""
        people = self.directory.people
        held = {link.entity: people.people[link.person].site for link in people.links if link.person in people.people}
        return {uid: site for uid, site in held.items() if uid in people.credentials}

    @cached_property
    def _checks(self) -> Mapping[str, list[CheckFact]]:
        return _grouped((each.kind, each) for each in self.checks)

    @cached_property
    def _incident_of(self) -> Mapping[str, list[IncidentFact]]:
        """Incidents by the uids of the events of their findings."""
        held = _grouped((uid, each) for each in self.incidents for uid in each.findings)
        return _grouped((uid, incident) for finding in self.findings for uid in finding.events for incident in held.get(finding.uid, ()))

    def of_class(self, class_uid: int) -> list[Event]:
        """Return the window's events of a class, oldest first."""
        return self._by_class.get(int(class_uid), [])

    def of_asset(self, class_uid: int, asset: str) -> list[Event]:
        """Return the window's events of a class about an asset, oldest first."""
        return self._by_asset.get((int(class_uid), asset), [])

    def of_credential(self, credential: str) -> list[Event]:
        """Return the window's events in which a credential was shown, oldest first."""
        return self._by_credential.get(credential, [])

    def sites(self) -> list[str]:
        """Return the uids of the sites, in file order."""
        return [uid for uid, place in self.directory.site.places.items() if place.kind is PlaceKind.SITE]

    def newest(self, kind: str, target: str) -> CheckFact | None:
        """Return the newest check of a kind that was made of a thing, or of anything that holds it."""
        found = [each for each in self._checks.get(kind, ()) if holds(self.directory, each.target, target)]
        return max(found, key=lambda each: each.at, default=None)

    def newest_exact(self, kind: str, target: str) -> CheckFact | None:
        """Return the newest check of a kind made of the very thing."""
        return max((each for each in self._checks.get(kind, ()) if each.target == target), key=lambda each: each.at, default=None)

    def ordered(self, target: str, at: datetime, lasts: timedelta) -> CheckFact | None:
        """Return the work order in force on a thing at a moment; an order holds from when it was given for so long."""
        for each in self._checks.get("work-order", ()):
            if each.at <= at <= each.at + lasts and holds(self.directory, each.target, target):
                return each
        return None

    def reached(self, event: Event, within: timedelta) -> tuple[str, str] | None:
        """Return what an event led to in time: a finding that an incident holds, as (kind, uid)."""
        for incident in self._incident_of.get(event.uid, ()):
            if incident.opened - event.time <= within:
                return "incident", incident.uid
        return None


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    found: dict[K, list[V]] = {}
    for key, each in pairs:
        found.setdefault(key, []).append(each)
    return found


def holds(directory: Directory, wide: str, narrow: str) -> bool:
    """Tell whether what is said of one thing is said of another: the house of all, a place of what is in it."""
    if wide in {"", narrow}:
        return True
    place = place_of(directory, narrow)
    return bool(place) and directory.within(place, wide)


def place_of(directory: Directory, uid: str) -> str:
    """Return where a thing is: a door leads to its inner zone, an asset stands in its zone, a person belongs to a site."""
    door = directory.door(uid)
    if door is not None:
        return door.to_zone
    asset = directory.asset(uid)
    if asset is not None:
        return asset.place
    person = directory.person(uid)
    return person.site if person is not None else uid if directory.place(uid) is not None else ""


def value(event: Event, path: str) -> str:
    """Return a value of an event's document as text, empty where there is none."""
    found = value_at(event.data, path)
    return "" if found is None else str(found)


def refs(events: Iterable[Event]) -> tuple[tuple[str, str], ...]:
    """Return events as inputs."""
    return tuple(("event", event.uid) for event in events)
