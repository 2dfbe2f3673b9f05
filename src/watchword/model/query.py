"""Questions to the event log: a small typed tree that one compiler in ``stores`` turns into SQL; faces and rules never speak SQL."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Order(StrEnum):
    """Which end of the time line comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events. Fields are joined by *and*; the values within one field by *or*; an empty field does not restrict."""

    since: datetime | None = None
    """Event time at or after."""
    until: datetime | None = None
    """Event time before."""
    received_since: datetime | None = None
    received_until: datetime | None = None
    uids: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    """Uids; each also stands for everything inside it."""
    credentials: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """IP addresses, matched against source and destination."""
    sources: tuple[str, ...] = ()
    classes: tuple[int, ...] = ()
    activities: tuple[int, ...] = ()
    severity: int = 0
    """Least ``severity_id``."""
    text: str = ""
    """Words that must all stand in the message."""
    segment: int | None = None
    order: Order = Order.NEWEST
    after: tuple[datetime, str] | None = None
    """Keyset cursor: (time, uid) of the last event already seen, in the query's order."""
    limit: int = 200


class Grouping(StrEnum):
    """By what events may be counted."""

    SOURCE = "source"
    CLASS = "class_uid"
    PERSON = "person"
    ASSET = "asset"
    PLACE = "place"
    CREDENTIAL = "credential"
    SRC_IP = "src_ip"
    DST_IP = "dst_ip"
    SEVERITY = "severity_id"


@dataclass(frozen=True, slots=True)
class CountQuery:
    """How many events of a query, by group, by time bucket, or both; groups in falling order of count."""

    events: EventQuery
    by: Grouping | None = None
    bucket: timedelta | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Count:
    """One line of the answer to a `CountQuery`."""

    key: str
    at: datetime | None
    """Start of the bucket, or None when none was asked for."""
    events: int
    first_time: datetime
    last_time: datetime
