"""The sparkline: events per hour, IT above the line, physical below it, hours that nobody can know hatched; drawn on the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from watchword.web.words import number_words, zone_word

WIDTH: Final = 320
HEIGHT: Final = 70
HALF: Final = 24
MIDDLE: Final = 27


@dataclass(frozen=True, slots=True)
class Hour:
    """Events that bear a time within one hour; None: no source of that side was heard, so nobody knows."""

    at: datetime
    it: int | None
    physical: int | None


def sparkline(hours: Sequence[Hour], zone: ZoneInfo) -> Markup:
    """Return the picture, each hour with its numbers in a title; each side is scaled to its own largest hour."""
    if not hours:
        return Markup("")
    step = WIDTH / len(hours)
    most_it = max((hour.it or 0 for hour in hours), default=0) or 1
    most_physical = max((hour.physical or 0 for hour in hours), default=0) or 1
    parts = [
        Markup(
            '<svg class="spark" id="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
            '<defs><pattern id="hatch-spark" width="4" height="4" patternUnits="userSpaceOnUse">'
            '<path class="base" d="M0 4 4 0" fill="none"/></pattern></defs>'
        ).format(WIDTH, HEIGHT, summary(hours, zone))
    ]
    for index, hour in enumerate(hours):
        x, width = round(index * step, 2), round(step * 0.78, 2)
        local = hour.at.astimezone(zone)
        words = Markup("<title>{}</title>").format(
            f"{local:%a %H:%M} {zone_word(zone)}: IT {_words(hour.it)}, physical {_words(hour.physical)}"
        )
        parts.append(Markup("<g>") + words)
        parts.append(_bar("bar-it", x, width, hour.it, most_it, up=True))
        parts.append(_bar("bar-physical", x, width, hour.physical, most_physical, up=False))
        parts.append(Markup("</g>"))
    parts.append(Markup('<path class="base" d="M0 {0}h{1}"/>').format(MIDDLE, WIDTH))
    for index in range(0, len(hours), max(1, len(hours) // 4)):
        local = hours[index].at.astimezone(zone)
        parts.append(Markup('<text x="{}" y="{}">{}</text>').format(round(index * step, 1), HEIGHT - 1, f"{local:%H:%M}"))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def summary(hours: Sequence[Hour], zone: ZoneInfo) -> str:
    """Return the picture in one sentence."""
    it, physical = sum(hour.it or 0 for hour in hours), sum(hour.physical or 0 for hour in hours)
    unknown = sum(hour.it is None or hour.physical is None for hour in hours)
    first, last = hours[0].at.astimezone(zone), hours[-1].at.astimezone(zone)
    more = f"; {unknown} hours of one side or both are unknown" if unknown else ""
    return (
        f"Events per hour from {first:%a %H:%M} to {last:%a %H:%M} {zone_word(zone)}: "
        f"{number_words(it)} IT, {number_words(physical)} physical{more}"
    )


def _words(count: int | None) -> str:
    return "unknown" if count is None else number_words(count)


def _bar(kind: str, x: float, width: float, count: int | None, most: int, *, up: bool) -> Markup:
    if count is None:
        return Markup('<rect class="unknown" x="{}" y="{}" width="{}" height="{}"/>').format(
            x, MIDDLE - HALF if up else MIDDLE, width, HALF
        )
    if count == 0:
        return Markup("")
    height = round(max(1.5, HALF * count / most), 2)
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, x, round(MIDDLE - height, 2) if up else MIDDLE, width, height
    )
