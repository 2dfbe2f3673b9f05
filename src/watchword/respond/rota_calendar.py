"""The rota as a calendar: shifts out as an iCalendar feed, absences and duties in as overrides (RFC 5545)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from icalendar import Calendar, Event

from watchword.kit.errors import ContentError, Fault
from watchword.kit.ids import uid_of
from watchword.respond.rota import Override, Rota, Shift

MOST_BYTES: Final = 2 * 1024**2
MOST_EVENTS: Final = 2_000
"""Most duties taken from one calendar, repetitions included."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a calendar says: overrides to be made, and how many entries lay outside the stretch asked for."""

    overrides: tuple[Override, ...]
    outside: int


def feed(rota: Rota, found: Iterable[Shift], stamp: datetime) -> bytes:
    """Return the shifts as a calendar that other programs subscribe to; an event keeps its uid as long as its shift stands."""
    calendar = Calendar()
    calendar.add("prodid", "-//Watchword//On call//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{rota.name} on call")
    for shift in found:
        event = Event()
        event.add("uid", uid_of("shift", rota.name, shift.layer, str(shift.turn), shift.since.isoformat()) + "@watchword")
        event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
        event.add("dtstart", shift.since.astimezone(UTC))
        event.add("dtend", shift.until.astimezone(UTC))
        event.add("summary", shift.person)
        event.add("description", f"{rota.team}: {shift.reason}" + (f", instead of {shift.instead_of}" if shift.instead_of else ""))
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def read(data: bytes, path: str, zone: str, since: datetime, until: datetime, known: Callable[[str], str]) -> Imported:
    """Return the duties of a calendar within [since, until) as overrides, repetitions unfolded.

    Args:
        data: the file.
        path: its name, for faults.
        zone: what times without a zone and whole days mean.
        since: duties that end before it are left out (aware UTC).
        until: duties that begin after it are left out.
        known: gives the account name for a summary or mail address; empty when nobody is called so.

    Raises:
        ContentError: it is no calendar, too long, or names people that nobody knows; all faults with the line of their event.
    """
    if len(data) > MOST_BYTES:
        raise ContentError([Fault(path, 0, f"is larger than {MOST_BYTES} bytes", "export a shorter stretch of time")])
    try:
        events = Calendar.from_ical(data).walk("VEVENT")
    except (ValueError, IndexError, KeyError) as error:
        raise ContentError([Fault(path, 1, f"is no calendar: {str(error)[:200]}", "export it as .ics")]) from error
    lines = [
        number for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"
    ]
    faults: list[Fault] = []
    found: list[Override] = []
    outside = 0
    for index, event in enumerate(events):
        line = lines[index] if index < len(lines) else 0
        try:
            person = _person(event, known)
            times = _times(event, ZoneInfo(zone), since, until)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            faults.append(Fault(path, line, f"is no duty: {str(error)[:200]}"))
            continue
        if not person:
            faults.append(Fault(path, line, f"nobody is called {str(event.get('summary', ''))[:80]!r}", "write an account name as summary"))
            continue
        outside += not times
        uid = str(event.get("uid", index))
        found += [
            Override(uid_of("ical", path, uid, one.isoformat()), one, other, person, f"calendar {path}"[:200]) for one, other in times
        ]
        if len(found) > MOST_EVENTS:
            raise ContentError([Fault(path, line, f"holds more than {MOST_EVENTS} duties", "export a shorter stretch of time")])
    if faults:
        raise ContentError(faults)
    return Imported(tuple(sorted(found, key=lambda each: (each.since, each.uid))), outside)


def _person(event: Any, known: Callable[[str], str]) -> str:
    attendees = event.get("attendee", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    said = [str(event.get("summary", "")).strip(), *(str(each).removeprefix("mailto:").removeprefix("MAILTO:") for each in attendees)]
    return next((name for each in said if each and (name := known(each))), "")


def _times(event: Any, zone: ZoneInfo, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    start = event.decoded("dtstart")
    end = event.decoded("dtend", None)
    if end is None:
        end = start + event.decoded("duration", timedelta(days=1) if not isinstance(start, datetime) else timedelta())
    first, last = _local(start, zone), _local(end, zone)
    if last <= first:
        raise ValueError("it ends before it begins")
    rule = event.get("rrule")
    if rule is None:
        return [(first.astimezone(UTC), last.astimezone(UTC))] if first < until and last > since else []
    return _repeated(rule, first, last, _left_out(event, zone), since, until)


def _repeated(
    rule: Any, first: datetime, last: datetime, left_out: set[datetime], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """Unfold a repetition on the wall's clock, so that a duty from 9 to 17 stays one across a change of the clocks."""
    text = rule.to_ical().decode()
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    if parts.get("FREQ") not in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"} or {"BYHOUR", "BYMINUTE", "BYSECOND"} & set(parts):
        raise ValueError("it repeats more often than daily")
    zone = first.tzinfo
    if "UNTIL" in parts and parts["UNTIL"].endswith("Z"):
        ends = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone)
        text = text.replace(parts["UNTIL"], ends.strftime("%Y%m%dT%H%M%S"))
    bare, length = first.replace(tzinfo=None), last.replace(tzinfo=None) - first.replace(tzinfo=None)
    found: list[tuple[datetime, datetime]] = []
    for count, each in enumerate(rrulestr(text, dtstart=bare)):
        begins = each.replace(tzinfo=zone)
        if begins >= until or count > 50 * MOST_EVENTS or len(found) > MOST_EVENTS:
            break
        ends = (each + length).replace(tzinfo=zone)
        if ends > since and begins.astimezone(UTC) not in left_out:
            found.append((begins.astimezone(UTC), ends.astimezone(UTC)))
    return found


def _left_out(event: Any, zone: ZoneInfo) -> set[datetime]:
    listed = event.get("exdate", [])
    listed = listed if isinstance(listed, list) else [listed]
    return {_local(each.dt, zone).astimezone(UTC) for group in listed for each in group.dts}


def _local(moment: date, zone: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), zone)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
