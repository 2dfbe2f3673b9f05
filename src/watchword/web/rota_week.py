"""The week of a rota: each local day with who is on call when, as the page draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from watchword.respond.rota import Shift

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one day in which somebody, or nobody, is on call."""

    since: datetime
    until: datetime
    shift: Shift | None
    """None: a gap."""
    words: str
    """From and to by the rota's clock: ``09:00 to 24:00``; empty for the whole day."""


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of a week."""

    day: date
    today: bool
    pieces: tuple[Piece, ...]


def week_of(text: str, now: datetime, zone: ZoneInfo) -> date:
    """Return the Monday of the week that an address names (any day of it), or of this week."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = now.astimezone(zone).date()
    day = min(max(day, date(2000, 1, 3)), date(2099, 12, 28))
    return day - timedelta(days=day.weekday())


def span_of(monday: date, zone: ZoneInfo, days: int = 7) -> tuple[datetime, datetime]:
    """Return when a week begins and ends, in UTC."""
    return tuple(datetime.combine(monday + DAY * number, time(), zone).astimezone(UTC) for number in (0, days))  # type: ignore[return-value]


def week(shifts: Sequence[Shift], monday: date, zone: ZoneInfo, now: datetime) -> list[Day]:
    """Return the seven days with their stretches; what no shift covers is a gap."""
    found = []
    for number in range(7):
        day = monday + DAY * number
        start, end = (datetime.combine(day + DAY * more, time(), zone).astimezone(UTC) for more in (0, 1))
        found.append(Day(day, start <= now < end, tuple(_pieces(shifts, start, end, zone))))
    return found


def _pieces(shifts: Sequence[Shift], start: datetime, end: datetime, zone: ZoneInfo) -> list[Piece]:
    pieces, reached = [], start
    for shift in shifts:
        since, until = max(shift.since, start), min(shift.until, end)
        if since >= until:
            continue
        if since > reached:
            pieces.append(_piece(reached, since, None, start, end, zone))
        pieces.append(_piece(since, until, shift, start, end, zone))
        reached = until
    if reached < end:
        pieces.append(_piece(reached, end, None, start, end, zone))
    return pieces


def _piece(since: datetime, until: datetime, shift: Shift | None, start: datetime, end: datetime, zone: ZoneInfo) -> Piece:
    if (since, until) == (start, end):
        return Piece(since, until, shift, "")
    last = "24:00" if until == end else f"{until.astimezone(zone):%H:%M}"
    return Piece(since, until, shift, f"{since.astimezone(zone):%H:%M} to {last}")
