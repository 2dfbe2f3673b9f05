"""The pivot: what a finding's events share with other events of the window: an external address, a credential, an asset."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from watchword.detect.address import OwnNetwork
from watchword.model import Event, EventQuery, Finding


class Kind(StrEnum):
    """What can be shared, and what can be ranked."""

    PERSON = "person"
    ASSET = "asset"
    CREDENTIAL = "credential"
    ADDRESS = "address"


WEIGHTS: Mapping[Kind, int] = {Kind.ADDRESS: 0, Kind.CREDENTIAL: 1, Kind.ASSET: 2, Kind.PERSON: 3}
"""Order in which shared things are offered: what leaves the house first."""


@dataclass(frozen=True, slots=True)
class Shared:
    """One thing that a finding shares with other events of the window."""

    kind: Kind
    value: str
    """The address, or the uid of the credential or asset."""
    events: tuple[Event, ...]
    """The other events, oldest first; the finding's own are left out."""
    findings: tuple[str, ...] = ()
    """Uids of other findings whose events or entities name it too."""
    total: int = 0
    """How many other events there are, when more exist than are listed."""

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that these events name, in order of first appearance."""
        return tuple(dict.fromkeys(event.asset for event in self.events if event.asset))


def shared_values(finding: Finding, events: Iterable[Event], own: OwnNetwork) -> list[tuple[Kind, str]]:
    """Return what of a finding other events may share: external addresses, then credentials, then assets.

    `events` are the finding's own events; addresses, credentials and assets that the finding itself names count too.
    """
    found: dict[tuple[Kind, str], None] = {}
    for event in events:
        for address in (event.dst_ip, event.src_ip):
            if own.external(address):
                found[Kind.ADDRESS, address] = None
        if event.credential:
            found[Kind.CREDENTIAL, event.credential] = None
        if event.asset:
            found[Kind.ASSET, event.asset] = None
    for address in finding.addresses:
        if own.external(address):
            found[Kind.ADDRESS, address] = None
    for credential in finding.credentials:
        found[Kind.CREDENTIAL, credential] = None
    for asset in finding.assets:
        found[Kind.ASSET, asset] = None
    return sorted(found, key=lambda item: (WEIGHTS[item[0]], item[1]))


def query_of(kind: Kind, value: str, since: datetime, until: datetime, limit: int) -> EventQuery:
    """Return the query for the events of a window that name one thing."""
    return EventQuery(
        since=since,
        until=until,
        addresses=(value,) if kind is Kind.ADDRESS else (),
        credentials=(value,) if kind is Kind.CREDENTIAL else (),
        assets=(value,) if kind is Kind.ASSET else (),
        persons=(value,) if kind is Kind.PERSON else (),
        limit=limit,
    )


def window_of(finding: Finding, around: timedelta) -> tuple[datetime, datetime]:
    """Return the window in which related events are sought: the finding's own span, wider by `around` on both sides."""
    return finding.first_time - around, finding.last_time + around


def names(event: Event, kind: Kind, value: str) -> bool:
    """Tell whether an event names the thing."""
    if kind is Kind.ADDRESS:
        return value in (event.src_ip, event.dst_ip)
    if kind is Kind.CREDENTIAL:
        return event.credential == value
    if kind is Kind.ASSET:
        return event.asset == value
    return event.person == value


def concerns(finding: Finding, kind: Kind, value: str) -> bool:
    """Tell whether a finding names the thing."""
    if kind is Kind.ADDRESS:
        return value in finding.addresses
    if kind is Kind.CREDENTIAL:
        return value in finding.credentials
    if kind is Kind.ASSET:
        return value in finding.assets
    return value in finding.persons


def related(finding: Finding, events: Iterable[Event], own: OwnNetwork, others: Sequence[Finding] = (), limit: int = 50) -> list[Shared]:
    """Return what the finding shares with other events of a window, external addresses first, then by rarity.

    `events` are the window's events, the finding's own among them. A thing that nothing else names is left out, unless another
    finding names it. At most `limit` events are listed per thing (the nearest to the finding in time), the rest are counted.
    """
    window = list(events)
    mine = frozenset(finding.events)
    values = shared_values(finding, (event for event in window if event.uid in mine), own)
    found: list[Shared] = []
    for kind, value in values:
        others_of = tuple(other.uid for other in others if other.uid != finding.uid and concerns(other, kind, value))
        matching = [event for event in window if event.uid not in mine and names(event, kind, value)]
        if matching or others_of:
            found.append(Shared(kind, value, nearest(matching, finding.time, limit), others_of, len(matching)))
    return in_order(found)


def in_order(found: Iterable[Shared]) -> list[Shared]:
    """Return shared things as they are offered: by kind, then those that other findings name, then the rarer first."""
    return sorted(found, key=lambda item: (WEIGHTS[item.kind], -len(item.findings), item.total, item.value))


def nearest(events: Sequence[Event], at: datetime, limit: int) -> tuple[Event, ...]:
    """Return the events nearest to a moment, at most so many, oldest first."""
    near = sorted(events, key=lambda event: (abs(event.time - at), event.uid))[:limit]
    return tuple(sorted(near, key=lambda event: event.order))
