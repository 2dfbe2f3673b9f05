"""What a simulation gives out: deliveries in order of arrival, and the truth about what happened."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One transport unit as a source hands it over: a syslog datagram, a webhook body (one or more JSON lines), or a dropped file."""

    at: datetime
    """When it arrives (aware UTC)."""
    source: str
    """Name of the source, which is also the name of its mapping."""
    body: bytes
    file: str = ""
    """File name of a drop; empty for sources that push."""


@dataclass(frozen=True, slots=True)
class Story:
    """The truth about one attack: what must be found, when, and about whom."""

    name: str
    rules: tuple[str, ...]
    """Rules that must all fire, by id (``ww_007``)."""
    since: datetime
    until: datetime
    persons: tuple[str, ...] = ()
    """Uids of the people whose badge, account or workstation was used."""
    places: tuple[str, ...] = ()
    """Uids of zones and doors."""
    says: str = ""
    """One sentence that tells what happened."""
    any_of: tuple[str, ...] = ()
    """Rules of which at least one must fire besides `rules`."""
    assets: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Something harmless that looks like an attack: it must give no finding of severity high or above."""

    name: str
    since: datetime
    until: datetime
    says: str
