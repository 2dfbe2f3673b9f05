"""Event rows: an event as one line of a list, with words and addresses for who, where and what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchword.model import Domain, Event, value_at
from watchword.resolve.directory import Directory
from watchword.web.words import activity_word, domain_of


@dataclass(frozen=True, slots=True)
class Named:
    """A thing with its words and, where it has one, its page."""

    words: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """What a list shows of one event."""

    uid: str
    at: datetime
    received: datetime
    place_uid: str
    domain: str
    severity: int
    kind: str
    who: Named
    where: Named
    on: Named
    words: str
    source: str
    late: bool
    """It arrived much later than it happened."""


def event_row(event: Event, directory: Directory, domains: Mapping[str, Domain]) -> EventRow:
    """Return an event as a row; its side is its source's, or its class' where the source is gone."""
    kind = activity_word(event.class_uid, event.activity_id)
    return EventRow(
        uid=event.uid,
        at=event.time,
        received=event.received,
        place_uid=event.place,
        domain=domains[event.source].value if event.source in domains else domain_of(event.class_uid),
        severity=event.severity_id,
        kind=kind,
        who=_who(event, directory),
        where=Named(directory.label(event.place), page_of(event.place)) if event.place else Named(""),
        on=_on(event, directory),
        words=event.message or kind,
        source=event.source,
        late=(event.received - event.time).total_seconds() > 600,
    )


def page_of(uid: str) -> str:
    """Return the address of the page of a person, asset or place; credentials and addresses have none."""
    kind, colon, _ = uid.partition(":")
    if not colon:
        return f"/places/{uid}" if uid else ""
    return {"person": f"/people/{uid}", "asset": f"/assets/{uid}"}.get(kind, "")


def _who(event: Event, directory: Directory) -> Named:
    if event.person:
        return Named(directory.label(event.person), page_of(event.person))
    if event.credential:
        return Named(directory.label(event.credential))
    name: Any = value_at(event.data, "user.name") or value_at(event.data, "actor.user.name")
    return Named(str(name)) if name else Named("")


def _on(event: Event, directory: Directory) -> Named:
    if event.asset:
        return Named(directory.label(event.asset), page_of(event.asset))
    if event.dst_ip or event.src_ip:
        return Named(event.dst_ip or event.src_ip)
    host: Any = value_at(event.data, "device.hostname")
    return Named(str(host)) if host else Named("")
