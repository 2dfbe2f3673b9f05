"""Pictures of uptime, drawn on the server: the strip of a component's states, and the bar of a budget; told apart by shape, not colour."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from watchword.measure.error_budget import Budget
from watchword.measure.uptime import Span, State
from watchword.model.metric import Window
from watchword.web.words import age_words, zone_word

WIDTH: Final = 300
HEIGHT: Final = 16
LEAST: Final = 1.5
"""No outage is too short to be seen."""
SHAPES: Final = {
    State.UP: ("up", 11.0, 4.0), State.DEGRADED: ("degraded", 7.0, 8.0), State.DOWN: ("down", 0.5, 15.0),
    State.UNKNOWN: ("unknown", 1.0, 14.0), State.PLANNED: ("planned", 8.5, 6.0),
}  # fmt: skip
"""Class, y and height of each state's mark."""
MOST: Final = 400


def strip(spans: Sequence[Span], window: Window, zone: ZoneInfo, name: str) -> Markup:
    """Return the strip of states over a window: a low line is up, half is degraded, full is down, a dashed box is unknown."""
    length = window.length.total_seconds()
    if not length or not spans:
        return Markup('<span class="quiet">?</span>')

    def across(moment: datetime) -> float:
        return WIDTH * (moment - window.since).total_seconds() / length

    ranked = sorted(spans, key=lambda span: (span.state is not State.UP, span.since))
    parts = [
        Markup('<svg class="strip" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">').format(
            WIDTH, HEIGHT, _summary(spans, name)
        )
    ]
    for span in ranked[-MOST:]:
        kind, y, height = SHAPES[span.state]
        x = across(span.since)
        width = max(across(span.until) - x, LEAST if span.state is not State.UP else 0.0)
        words = f"{span.state.value} {_when(span, zone)}, {age_words(span.length)}{f': {span.because}' if span.because else ''}"
        parts.append(
            Markup('<g><title>{}</title><rect class="{}" x="{}" y="{}" width="{}" height="{}"/></g>').format(
                words, kind, round(min(x, WIDTH - LEAST), 2), y, round(width, 2), height
            )
        )
    return Markup("").join([*parts, Markup("</svg>")])


def _when(span: Span, zone: ZoneInfo) -> str:
    since = span.since.astimezone(zone)
    return f"from {since.day} {since:%b %H:%M} {zone_word(zone)}"


def _summary(spans: Sequence[Span], name: str) -> str:
    counts = {state: sum(span.state is state for span in spans) for state in State}
    told = [f"{counts[state]} times {state.value}" for state in (State.DOWN, State.DEGRADED, State.UNKNOWN, State.PLANNED) if counts[state]]
    return f"{name}: {', '.join(told) or 'up all the time'}"


def budget_bar(budget: Budget) -> Markup:
    """Return the bar of what is left of a budget; the part that unknown time took is dashed."""
    allowed = budget.allowed.total_seconds()
    if not allowed:
        return Markup('<span class="quiet">?</span>')
    left = max(0.0, min(1.0, budget.left_share))
    unknown = max(0.0, min(1.0 - left, budget.unknown.total_seconds() / allowed))
    words = f"{100 * budget.left_share:.0f} % of the budget left" + (
        f", {100 * unknown:.0f} % went while nobody knew" if unknown >= 0.005 else ""
    )
    return Markup(
        '<svg class="budget{}" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}"><title>{}</title>'
        '<rect class="ground" x="0.5" y="0.5" width="99" height="9"/><rect class="left" x="0.5" y="0.5" width="{}" height="9"/>'
        '<rect class="unknown" x="{}" y="1" width="{}" height="8"/></svg>'
    ).format(" spent" if budget.exhausted else "", words, words, round(99 * left, 1), round(0.5 + 99 * left, 1), round(99 * unknown, 1))


def share_words(value: float | None, digits: int = 2) -> str:
    """Return a share of uptime in per cent, rounded down, so that what was not whole never reads 100 %; '?' where it cannot be known."""
    if value is None:
        return "?"
    scale = 10**digits
    shown = int(value * 100 * scale + 1e-9) / scale
    return f"{shown:.{digits}f} %" if value < 1 else "100 %"


def minutes_words(minutes: float) -> str:
    """Return minutes in the units that fit: '12 min', '3 h 5 min', '2 d 4 h'; below one minute '< 1 min'."""
    if 0 < minutes < 1:
        return "< 1 min"
    if minutes < 0:
        return f"-{minutes_words(-minutes)}"
    return age_words(timedelta(minutes=round(minutes))) if minutes else "0"
