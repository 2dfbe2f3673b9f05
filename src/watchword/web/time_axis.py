"""The time axis of a finding: its events in two lanes, physical above IT, on one scale; drawn on the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from watchword.web.words import age_words, zone_word

WIDTH: Final = 960
LEFT: Final = 84
RIGHT: Final = 24
TOP: Final = 22
SIZE: Final = 20
"""Width and height of a mark."""
STEP: Final = 24
"""Height of one row of marks within a lane."""
MOST_ROWS: Final = 4
STEPS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        1,
        2,
        5,
        10,
        15,
        30,
        60,
        120,
        300,
        600,
        900,
        1800,
        3600,
        7200,
        10800,
        21600,
        43200,
        86400,
        172800,
        604800,
        1209600,
        2592000,
    )
)


@dataclass(frozen=True, slots=True)
class AxisMark:
    """One event on the axis."""

    number: int
    at: datetime
    physical: bool
    words: str
    """What the mark's title says."""
    href: str


def time_axis(marks: Sequence[AxisMark], moment: datetime | None, zone: ZoneInfo) -> Markup:
    """Return the picture: a mark per event, numbered as in the list below it, and a line where the condition came true."""
    if not marks:
        return Markup("")
    since, until = _span(marks, moment)
    scale = (WIDTH - LEFT - RIGHT) / (until - since).total_seconds()

    def x_of(at: datetime) -> float:
        return round(LEFT + (at - since).total_seconds() * scale, 1)

    lanes = [_rows([mark for mark in marks if mark.physical is physical], x_of) for physical in (True, False)]
    heights = [max(1, max((row for _, row in lane), default=0) + 1) * STEP + 8 for lane in lanes]
    bottom = TOP + sum(heights) + 6
    height = bottom + 34
    parts = [Markup('<svg class="axis" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, height, summary(marks, zone))]
    y = TOP
    for name, lane_height in zip(("Physical", "IT"), heights, strict=True):
        parts.append(Markup('<rect class="lane" x="0" y="{}" width="{}" height="{}" rx="4"/>').format(y, WIDTH, lane_height))
        parts.append(Markup('<text class="lane-name" x="10" y="{}">{}</text>').format(y + lane_height / 2 + 4, name))
        y += lane_height + 6
    parts.extend(_ticks(since, until, zone, x_of, bottom))
    if moment is not None:
        parts.append(
            Markup('<g><title>The condition came true</title><path class="moment" d="M{0} {1}V{2}"/>').format(x_of(moment), TOP - 4, bottom)
        )
        anchor = "end" if x_of(moment) > WIDTH - 170 else "start"
        parts.append(
            Markup('<text class="moment-label" x="{}" y="{}" text-anchor="{}">{}</text></g>').format(
                x_of(moment), TOP - 9, anchor, f"Finding {moment.astimezone(zone):%H:%M:%S}"
            )
        )
    y = TOP
    for lane, lane_height, physical in zip(lanes, heights, (True, False), strict=True):
        parts.extend(_mark(mark, x_of(mark.at), y + 4 + row * STEP + STEP / 2, physical=physical) for mark, row in lane)
        y += lane_height + 6
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def summary(marks: Sequence[AxisMark], zone: ZoneInfo) -> str:
    """Return the picture in one sentence."""
    physical = sum(mark.physical for mark in marks)
    first, last = min(mark.at for mark in marks), max(mark.at for mark in marks)
    span = f" within {age_words(last - first)}" if last > first else ""
    since = f"from {first.astimezone(zone):%H:%M:%S} {zone_word(zone)}"
    return f"Time axis: {physical} physical and {len(marks) - physical} IT events{span}, {since}"


def _span(marks: Sequence[AxisMark], moment: datetime | None) -> tuple[datetime, datetime]:
    times = [mark.at for mark in marks] + ([moment] if moment else [])
    first, last = min(times), max(times)
    margin = max((last - first) * 0.06, timedelta(seconds=5))
    return first - margin, last + margin


def _rows(marks: Sequence[AxisMark], x_of: object) -> list[tuple[AxisMark, int]]:
    """Put marks that would cover each other into rows below each other; beyond the last row they overlap."""
    ends: list[float] = []
    placed = []
    for mark in sorted(marks, key=lambda item: (item.at, item.number)):
        x = x_of(mark.at)  # type: ignore[operator]
        row = next((index for index, end in enumerate(ends) if end <= x), None)
        if row is None:
            row = len(ends) if len(ends) < MOST_ROWS else ends.index(min(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = x + SIZE + 3
        placed.append((mark, row))
    return placed


def _ticks(since: datetime, until: datetime, zone: ZoneInfo, x_of: object, bottom: float) -> list[Markup]:
    step = next((each for each in STEPS if (until - since) / each <= 9), STEPS[-1])
    local = since.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * ((local - midnight) // step + 1)
    parts = []
    form = "%H:%M:%S" if step < timedelta(minutes=1) else "%H:%M" if step < timedelta(days=1) else "%-d %b"
    before = local.date()
    while at < until:
        x = x_of(at)  # type: ignore[operator]
        words = f"{at:{form}}"
        if at.date() != before and step < timedelta(days=1):
            words, before = f"{at.day} {at:%b} {words}", at.date()
        parts.append(Markup('<path class="tick" d="M{} {}V{}"/>').format(x, TOP, bottom))
        parts.append(Markup('<text class="tick-label" x="{}" y="{}" text-anchor="middle">{}</text>').format(x, bottom + 14, words))
        at += step
    parts.append(Markup('<text class="zone-label" x="10" y="{}">{}</text>').format(bottom + 14, zone_word(zone)))
    parts.append(
        Markup('<text class="zone-label" x="{}" y="{}" text-anchor="end">{}</text>').format(
            WIDTH - 6, bottom + 30, f"{local.day} {local:%b %Y}"
        )
    )
    return parts


def _mark(mark: AxisMark, x: float, y: float, *, physical: bool) -> Markup:
    half = SIZE / 2
    shape = (
        Markup('<rect class="mark" x="{}" y="{}" width="{}" height="{}" rx="3"/>').format(x - half, y - half, SIZE, SIZE)
        if physical
        else Markup('<circle class="mark" cx="{}" cy="{}" r="{}"/>').format(x, y, half)
    )
    return Markup('<a href="{}" class="{}"><title>{}</title>{}<text class="ordinal" x="{}" y="{}">{}</text></a>').format(
        mark.href, "physical" if physical else "it", mark.words, shape, x, y + 4, mark.number
    )
