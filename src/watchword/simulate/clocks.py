"""Moments as whole milliseconds since 1970, and the ways in which the sources write them."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

SECOND: Final = 1_000
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
DAY: Final = 86_400_000


@lru_cache(maxsize=256)
def midnight(zone: str, day: date) -> int:
    """Return the local start of a day such that midnight plus 12 h is local noon, also on days with 23 or 25 hours."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    return round(noon.timestamp() * 1000) - 12 * HOUR


@lru_cache(maxsize=64)
def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)


def iso(ms: int) -> str:
    """Return ``2026-11-02T07:58:12.345Z``."""
    day, rest = divmod(ms, DAY)
    seconds, milli = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_date(day).isoformat()}T{hour:02d}:{minute:02d}:{second:02d}.{milli:03d}Z"


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def rfc3164(ms: int) -> str:
    """Return ``Nov  2 07:58:12``: no year, no zone (the switches run on UTC)."""
    day, rest = divmod(ms, DAY)
    minutes, second = divmod(rest // 1000, 60)
    hour, minute = divmod(minutes, 60)
    when = _date(day)
    return f"{_MONTHS[when.month - 1]} {when.day:2d} {hour:02d}:{minute:02d}:{second:02d}"


def local_text(ms: int, zone: str) -> str:
    """Return ``02.11.2026 07:58:12`` on the wall clock of a zone, as the mill's controllers write it."""
    return datetime.fromtimestamp(ms // 1000, ZoneInfo(zone)).strftime("%d.%m.%Y %H:%M:%S")


def moment(ms: int) -> datetime:
    """Return the aware UTC datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def ms_of(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return round(at.timestamp() * 1000)
