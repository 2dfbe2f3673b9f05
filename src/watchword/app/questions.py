"""Questions as people put them: times, filters and cursors in words, turned into the typed queries that services take."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError
from watchword.kit.instant import from_ms, to_ms
from watchword.model import EventQuery, Order
from watchword.model.ocsf import EventClass

MOST: Final = 200
"""Most items on one page of the API."""
SEVERITIES: Final = {"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5, "fatal": 6}
EVENT_FILTERS: Final = {
    "uid": "uids",
    "record": "records",
    "person": "persons",
    "asset": "assets",
    "place": "places",
    "credential": "credentials",
    "address": "addresses",
    "source": "sources",
}
"""Filters of events that take texts, and the query's field that each fills; beside them: class, activity, severity, text."""


def read_moment(text: str, now: datetime) -> datetime:
    """Return the moment that the text means: an ISO date or time (UTC unless it says otherwise), ``now``, or a duration ago (``24h``).

    Raises:
        InputError: it is none of these.
    """
    text = text.strip()
    if text.lower() == "now":
        return now
    try:
        return _utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    try:
        return now - read_duration(text.removeprefix("-").removesuffix(" ago"))
    except (InputError, OverflowError) as error:
        remedy = "write 2026-03-01, 2026-03-01T08:00:00Z, now, or a duration such as 24h or 7d"
        raise InputError(f"{text[:60]!r} is no time; {remedy}") from error


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_severity(text: str) -> int:
    """Return the OCSF ``severity_id`` of a word or number (0 to 6).

    Raises:
        InputError: it is neither.
    """
    word = text.strip().lower()
    if word in SEVERITIES:
        return SEVERITIES[word]
    if word in {"0", "1", "2", "3", "4", "5", "6"}:
        return int(word)
    raise InputError(f"{text[:40]!r} is no severity; write {', '.join(SEVERITIES)} or 1 to 6", "severity")


def read_class(text: str) -> int:
    """Return the OCSF ``class_uid`` of a class's name (``physical_access``) or number.

    Raises:
        InputError: there is no class of this name.
    """
    word = text.strip()
    if word.isascii() and word.isdigit() and len(word) < 10:
        return int(word)
    try:
        return int(EventClass[word.upper()])
    except KeyError as error:
        names = ", ".join(each.name.lower() for each in EventClass)
        raise InputError(f"{text[:40]!r} is no class of events; known are {names}", "class") from error


def read_filters(filters: Iterable[str], known: Iterable[str]) -> dict[str, list[str]]:
    """Return ``key=value`` texts as lists of values by key.

    Raises:
        InputError: a text has no ``=``, or its key is not known; names those that are.
    """
    found: dict[str, list[str]] = {}
    names = sorted(known)
    for each in filters:
        key, equals, value = each.partition("=")
        if not equals or key.strip() not in names:
            raise InputError(f"{each[:80]!r} is no filter here; write KEY=VALUE with KEY one of {', '.join(names)}", "filter")
        found.setdefault(key.strip(), []).append(value)
    return found


def event_query(
    filters: Mapping[str, Sequence[str]],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    order: Order = Order.NEWEST,
    after: tuple[datetime, str] | None = None,
    limit: int = MOST,
) -> EventQuery:
    """Return the query for filters by key (`EVENT_FILTERS`, class, activity, severity, text).

    Raises:
        InputError: a value is not acceptable.
    """
    fields: dict[str, tuple[str, ...]] = {name: tuple(filters.get(key, ())) for key, name in EVENT_FILTERS.items()}
    activities = []
    for each in filters.get("activity", ()):
        if not (each.isascii() and each.isdigit() and len(each) < 6):
            raise InputError(f"{each[:40]!r} is no activity number", "activity")
        activities.append(int(each))
    return EventQuery(
        since=since,
        until=until,
        classes=tuple(read_class(each) for each in filters.get("class", ())),
        activities=tuple(activities),
        severity=max((read_severity(each) for each in filters.get("severity", ())), default=0),
        text=" ".join(filters.get("text", ())),
        order=order,
        after=after,
        limit=limit,
        **fields,  # type: ignore[arg-type]
    )


def write_cursor(time: datetime, uid: str) -> str:
    """Return the opaque cursor behind an item: its time and uid."""
    return base64.urlsafe_b64encode(json.dumps([to_ms(time), uid]).encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, str]:
    """Return the time and uid in a cursor.

    Raises:
        InputError: it is no cursor of ours.
    """
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if isinstance(found, list) and [type(each) for each in found] == [int, str] and len(found[1]) <= 400:
            return from_ms(found[0]), found[1]
    except (ValueError, binascii.Error, OverflowError, RecursionError):
        pass
    raise InputError("is no cursor of ours; start again without it", "after")
