"""Charts: their numbers and options as JSON, formatted here, for the chart island; beside each stands a table with the same numbers."""

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from watchword.model import CountQuery, Domain, EventQuery, Grouping
from watchword.web.pages import Ask, Asked
from watchword.web.words import zone_word

router = APIRouter()
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


def hourly(ask: Ask, span: timedelta, bucket: timedelta = HOUR) -> list[tuple[datetime, int, int]]:
    """Return (start of the hour, IT events, physical events) for the span up to now, by event time, without gaps."""
    end = ask.now.replace(minute=0, second=0, microsecond=0) + HOUR
    start = end - span
    found = ask.watchword.events.counts(
        CountQuery(EventQuery(since=start, until=ask.now + timedelta(minutes=5)), by=Grouping.SOURCE, bucket=bucket, limit=20_000)
    )
    counts: dict[tuple[datetime, str], int] = {}
    for count in found:
        if count.at is not None:
            key = (count.at, ask.domains.get(count.key, Domain.IT).value)
            counts[key] = counts.get(key, 0) + count.events
    hours = [start + bucket * step for step in range(int(span / bucket))]
    return [(at, counts.get((at, "it"), 0), counts.get((at, "physical"), 0)) for at in hours]


def by_day(ask: Ask) -> list[tuple[str, int, int]]:
    """Return (day, IT events, physical events) of the last seven days: the numbers that stand beside the chart."""
    zone = ask.zone_at()
    days: dict[str, tuple[int, int]] = {}
    for at, it, physical in hourly(ask, WEEK):
        day = f"{at.astimezone(zone):%a %d %b}"
        before = days.get(day, (0, 0))
        days[day] = before[0] + it, before[1] + physical
    return [(day, it, physical) for day, (it, physical) in days.items()]


@router.get("/charts/events")
def events_chart(ask: Asked) -> Response:
    """Return events per hour of the last seven days, by side."""
    zone = ask.zone_at()
    hours = hourly(ask, WEEK)
    option: dict[str, Any] = {
        "aria": {
            "enabled": True,
            "label": {"description": f"Events per hour, last seven days, IT and physical, times in {zone_word(zone)}"},
        },
        "grid": {"left": 48, "right": 12, "top": 30, "bottom": 24},
        "legend": {"data": ["IT", "physical"], "top": 0},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [f"{at.astimezone(zone):%a %H:%M}" for at, _, _ in hours]},
        "yAxis": {"type": "value"},
        "series": [
            {"id": "it", "name": "IT", "type": "line", "step": "end", "showSymbol": False, "data": [it for _, it, _ in hours]},
            {"id": "physical", "name": "physical", "type": "line", "step": "end", "showSymbol": False, "data": [ph for _, _, ph in hours]},
        ],
    }
    return JSONResponse(option, headers={"Cache-Control": "no-store"})
