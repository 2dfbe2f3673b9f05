"""The series of meetings: when a body meets by its rule, the calendar feed, and the invitation that goes out by mail."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from icalendar import Calendar, Event, vCalAddress, vText

from watchword.govern.body import BodyRules
from watchword.govern.decision_rules import is_working
from watchword.kit.errors import InputError

MOST: Final = 200
LONGEST_RULE: Final = 200
PRODUCT: Final = "-//Watchword//Committees//EN"


@dataclass(frozen=True, slots=True)
class Appointment:
    """A meeting as a calendar shows it."""

    uid: str
    title: str
    starts: datetime
    ends: datetime
    text: str
    address: str
    version: int = 1
    cancelled: bool = False


def check_cadence(rules: BodyRules) -> None:
    """Raise `InputError` unless the body's recurrence rule can be read."""
    if rules.cadence:
        occurrences(rules, datetime.combine(rules.first, rules.at, ZoneInfo(rules.zone)).astimezone(UTC), 1)


def occurrences(rules: BodyRules, after: datetime, count: int) -> list[datetime]:
    """Return the next meetings from a moment on by the body's rule (aware UTC), on the wall's clock across changes of it.

    A meeting that falls on a day off moves to the next working day.

    Raises:
        InputError: the rule is none, or holds for less than a day.
    """
    if not rules.cadence:
        return []
    upper = rules.cadence.upper()
    if (
        len(rules.cadence) > LONGEST_RULE
        or not upper.startswith("FREQ=")
        or any(f"FREQ={each}LY" in upper for each in ("HOUR", "MINUTE", "SECOND"))
    ):
        raise InputError("a cadence is a recurrence rule of days, weeks, months or years, such as FREQ=MONTHLY;BYDAY=1TU", "cadence")
    start = datetime.combine(rules.first, rules.at)
    zone = ZoneInfo(rules.zone)
    try:
        rule = rrulestr(rules.cadence, dtstart=start)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"the cadence cannot be read: {str(error)[:100]}", "cadence") from error
    found: list[datetime] = []
    local = after.astimezone(zone).replace(tzinfo=None) - timedelta(days=14)  # a day off may have moved it to here
    for number, each in enumerate(rule.xafter(local, inc=True)):
        moved = each
        while not is_working(moved.date(), rules.holidays) and moved - each < timedelta(days=14):
            moved += timedelta(days=1)
        moment = moved.replace(tzinfo=zone).astimezone(UTC)
        if moment >= after and moment not in found:
            found.append(moment)
        if len(found) >= min(count, MOST) or number > MOST * 2:
            break
    return found


def quarter_of(day: date) -> tuple[date, date]:
    """Return the first day of a day's quarter and of the next."""
    first = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    after = date(day.year + (first.month == 10), (first.month + 2) % 12 + 1, 1)
    return first, after


def meetings_left(starts: datetime, others: Iterable[datetime]) -> int:
    """Return how many meetings of the quarter are left, the one that `starts` included."""
    _, end = quarter_of(starts.date())
    return 1 + len({each for each in others if each > starts and each.date() < end})


def feed(name: str, appointments: Sequence[Appointment], stamp: datetime) -> bytes:
    """Return the meetings as a calendar that other programs subscribe to."""
    calendar = _calendar()
    calendar.add("x-wr-calname", name)
    for each in appointments:
        calendar.add_component(_event(each, stamp))
    return bytes(calendar.to_ical())


def invitation(each: Appointment, organiser: str, attendee: str, stamp: datetime) -> bytes:
    """Return one meeting as a request to one person (RFC 5546); a higher version replaces the one before."""
    calendar = _calendar()
    calendar.add("method", "CANCEL" if each.cancelled else "REQUEST")
    event = _event(each, stamp)
    event.add("organizer", vCalAddress(f"mailto:{organiser}"))
    guest = vCalAddress(f"mailto:{attendee}")
    guest.params["RSVP"] = vText("TRUE")
    event.add("attendee", guest)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    return calendar


def _event(each: Appointment, stamp: datetime) -> Event:
    event = Event()
    event.add("uid", f"{each.uid}@watchword")
    event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", each.starts.astimezone(UTC).replace(microsecond=0))
    event.add("dtend", each.ends.astimezone(UTC).replace(microsecond=0))
    event.add("summary", each.title)
    event.add("description", each.text)
    event.add("sequence", each.version - 1)
    event.add("status", "CANCELLED" if each.cancelled else "CONFIRMED")
    if each.address:
        event.add("url", each.address)
    return event
