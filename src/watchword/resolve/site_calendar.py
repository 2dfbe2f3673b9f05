"""Calendars as a site file writes them: days, hours, holidays."""

import re
from datetime import date, datetime, time
from typing import Final

from watchword.model import Calendar, Period
from watchword.resolve.cursor import Cursor, did_you_mean

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_DAYS: Final = frozenset(range(7))
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def days_of(text: str) -> frozenset[int]:
    """Return the weekdays (0 = Monday) of ``mon-fri``, ``mon,wed,fri``, ``sat-mon`` or ``daily``.

    Raises:
        ValueError: a word is no weekday.
    """
    found: set[int] = set()
    for part in re.split(r"[,\s]+", text.strip().lower()):
        if part in {"daily", "all", "always"}:
            return ALL_DAYS
        first, dash, last = part.partition("-")
        since = _day(first)
        until = _day(last) if dash else since
        found.update((since + step) % 7 for step in range((until - since) % 7 + 1))
    return frozenset(found)


def _day(word: str) -> int:
    if word[:3] not in DAYS:
        raise ValueError(f"{word!r} is no weekday")
    return DAYS.index(word[:3])


def hours_of(text: str) -> tuple[time, time]:
    """Return begin and end of ``07:00-19:00``; 24:00 is the midnight at the day's end; an end not after its begin is on the next day.

    Raises:
        ValueError: the text is no such span, or a time does not exist.
    """
    found = _HOURS.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no span of hours")
    hours = [int(group) for group in found.groups()]
    if hours[2:] == [24, 0]:
        hours[2] = 0
    return time(hours[0], hours[1]), time(hours[2], hours[3])


def read_calendar(cursor: Cursor, name: str, zone: str) -> Calendar:
    """Return the calendar at the cursor; faults are noted there."""
    cursor.allow("days", "hours", "holidays", "periods")
    periods = []
    if isinstance(cursor.value, dict) and "periods" in cursor.value:
        for item in cursor.items("periods"):
            if item.allow("days", "hours"):
                periods += _periods(item)
    else:
        periods = _periods(cursor)
    return Calendar(name, zone, tuple(periods), frozenset(_holidays(cursor)))


def _periods(cursor: Cursor) -> list[Period]:
    words = [word for word, _ in cursor.words("days")]
    try:
        days = days_of(",".join(words)) if words else ALL_DAYS
    except ValueError as error:
        cursor.fault(str(error), "days", remedy="write mon-fri, or a list of " + ", ".join(DAYS))
        days = ALL_DAYS
    spans = [(part.strip(), item) for text, item in cursor.words("hours") for part in text.split(",")]
    if not spans:
        return [Period(days, time(), time())]
    periods = []
    for text, item in spans:
        try:
            periods.append(Period(days, *hours_of(text)))
        except ValueError as error:
            item.fault(str(error), remedy='write hours as "07:00-19:00", in quotes')
    return periods


def _holidays(cursor: Cursor) -> list[date]:
    found = []
    for item in cursor.items("holidays"):
        value = item.value
        try:
            day = date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            day = None
        if isinstance(day, date) and not isinstance(day, datetime):
            found.append(day)
        else:
            item.fault(f"{value!r} is no date", remedy="write 2026-12-25")
    return found


def resolve_calendar(cursor: Cursor, key: str, site: str, calendars: dict[str, Calendar]) -> str:
    """Return the uid of the site's calendar that a key names; '' when the key is missing or names none (a fault)."""
    name = cursor.text(key)
    if not name:
        return ""
    uid = f"{site}/calendars/{name}"
    if uid in calendars:
        return uid
    own = [known.rpartition("/")[2] for known in calendars if known.startswith(f"{site}/")]
    cursor.fault(f"calendar {name!r} is not described", key, remedy=did_you_mean(name, own) or "add it under calendars")
    return ""
