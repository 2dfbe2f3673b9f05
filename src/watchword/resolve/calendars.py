"""Calendars: whether a moment lies within a site's named working hours, opening hours or drill, in that site's own time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from watchword.model import Calendar, Period

MIDNIGHT = datetime.min.time()


def local_midnight(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the start of the local day (aware, UTC) in which the moment lies; right on days with 23 or 25 hours too."""
    local = at.astimezone(zone)
    return datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(UTC)


def is_on(calendar: Calendar, at: datetime) -> bool:
    """Tell whether one of the calendar's periods holds at the moment.

    A period whose end is not after its start runs past midnight and belongs to the day on which it starts; so does its holiday.
    """
    local = at.astimezone(ZoneInfo(calendar.zone))
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    clock = local.time()
    for period in calendar.periods:
        overnight = period.until <= period.since
        if _runs(calendar, period, today) and period.since <= clock and (overnight or clock < period.until):
            return True
        if overnight and _runs(calendar, period, yesterday) and clock < period.until:
            return True
    return False


def _runs(calendar: Calendar, period: Period, day: date) -> bool:
    return day.weekday() in period.days and day not in calendar.holidays
