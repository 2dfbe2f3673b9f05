"""Entities: people, credentials, accounts and assets, joined by links that hold for a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class PersonKind(StrEnum):
    """Why someone is about."""

    EMPLOYEE = "employee"
    CONTRACTOR = "contractor"
    CLEANER = "cleaner"
    GUARD = "guard"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone that the organisation knows. The uid is the employee number with a prefix, ``person:<number>``."""

    uid: str
    name: str
    kind: PersonKind = PersonKind.EMPLOYEE
    role: str = ""
    site: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """From this instant on the person has left; links stay, so that a leaver's badge still resolves."""
    remote: bool = False
    """Works from home as a rule."""
    works_alone: bool = True
    shift: str = ""
    """Name of the calendar of this person's working hours."""
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    """Times between leaving and being taken on again under the same number (half-open)."""

    def active(self, at: datetime) -> bool:
        """Tell whether the person belongs to the organisation at this moment."""
        if self.gaps and any(since <= at < until for since, until in self.gaps):
            return False
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


class CredentialKind(StrEnum):
    """What someone shows at a door or a log-in."""

    BADGE = "badge"
    ACCOUNT = "account"
    MOBILE = "mobile"
    PLATE = "plate"


@dataclass(frozen=True, slots=True)
class Credential:
    """A badge, account, phone or plate. The uid is ``badge:<keyed hash>``, ``account:<lower-cased name>`` and so on."""

    uid: str
    kind: CredentialKind
    label: str
    """What may be shown: last four digits of a card, the account's name."""


@dataclass(frozen=True, slots=True)
class Link:
    """That a credential or an asset belongs to a person, for a time and with a confidence."""

    entity: str
    """Uid of the credential or asset."""
    person: str
    since: datetime | None = None
    until: datetime | None = None
    confidence: float = 1.0

    def holds(self, at: datetime) -> bool:
        """Tell whether the link holds at this moment (half-open interval)."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


class AssetKind(StrEnum):
    """What kind of thing an asset is."""

    WORKSTATION = "workstation"
    SERVER = "server"
    CONSOLE = "console"
    """A fixed console in a room: logging on there says where one is."""
    SWITCH = "switch"
    CAMERA = "camera"
    SENSOR = "sensor"
    PANEL = "panel"
    CONTROLLER = "controller"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Asset:
    """A host, camera, sensor, switch or panel. The uid is ``asset:<name>``."""

    uid: str
    name: str
    kind: AssetKind
    place: str = ""
    """Uid of the zone in which it stands."""
    owner: str = ""
    """Uid of the person whose own it is."""
    addresses: tuple[str, ...] = ()
    """IP and MAC addresses, host names and the ids that products use for it, lower case."""
    sees: tuple[str, ...] = ()
    """Uids of the doors in a camera's view."""
    upstream: tuple[str, ...] = ()
    """Uids of what it depends on: switch, recorder, power feed."""
    shared: bool = False
    """Kiosk, jump host, VDI: a log-on says nothing of its owner."""
    protects: tuple[str, ...] = ()
    """Of a fire panel: uids of the buildings whose fire state it speaks for."""


@dataclass(frozen=True, slots=True)
class Lease:
    """That an address belonged to an asset for a time: a lease, or a number that was given to another machine later."""

    address: str
    """Lower case."""
    asset: str
    """Uid of the asset."""
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether the address was the asset's at this moment (half-open interval)."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class PeopleBook:
    """Everything that the people, credential and account files say."""

    people: Mapping[str, Person] = field(default_factory=dict)
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetBook:
    """Everything that the site files say of assets, by uid."""

    assets: Mapping[str, Asset] = field(default_factory=dict)
    leases: tuple[Lease, ...] = ()
    """Addresses that held for a time only; those that always hold stand at the asset."""
