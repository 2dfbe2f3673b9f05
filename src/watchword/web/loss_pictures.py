"""Pictures of losses, drawn on the server: the exceedance curve with its band and the appetite, and bars of an interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from watchword.govern.appetite import Appetite, percent

WIDE: Final = (760, 330)
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 16, 44
LEAST: Final = 0.001
"""The lowest probability that is drawn: one year in a thousand."""
SHARES: Final = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
THIN: Final = "\N{NARROW NO-BREAK SPACE}"

Point = tuple[float, float, float, float]
"""(loss, P(L > loss), lower, upper)."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of the picture."""

    name: str
    points: Sequence[Point]
    kind: str
    """``now`` (with its band), ``bare`` or ``planned``."""


def euros(value: float | None) -> str:
    """Return an amount as people say it: € 1.2 M, € 54 k, € 800; unknown is a question mark."""
    if value is None:
        return "?"
    size = abs(value)
    for least, word in ((999_500_000, "G"), (999_500, "M"), (9_950, "k")):
        if size >= least:
            scale = {"G": 1e9, "M": 1e6, "k": 1e3}[word]
            part = value / scale
            return f"€{THIN}{part:.2f}{THIN}{word}" if word != "k" and abs(part) < 10 else f"€{THIN}{part:,.0f}{THIN}{word}"
    return f"€{THIN}{value:,.0f}"


def signed(value: float) -> str:
    """Return a difference of amounts with its sign."""
    return f"{'+' if value > 0 else '-' if value < 0 else ''}{euros(abs(value))}"


class _Axes:
    def __init__(self, curves: Sequence[Curve], appetite: Appetite) -> None:
        shown = [x for curve in curves for x, p, _, upper in curve.points if max(p, upper) >= LEAST]
        shown += [appetite.euros] if appetite.said else []
        top = max(shown, default=1e6)
        first = min((x for curve in curves for x, p, _, _ in curve.points if p < curve.points[0][1] * 0.97), default=1e3)
        self.low = math.floor(math.log10(max(1e3, first)))
        self.high = max(self.low + 2, math.ceil(math.log10(top)))

    def x(self, loss: float) -> float:
        part = (math.log10(max(loss, 10**self.low)) - self.low) / (self.high - self.low)
        return round(LEFT + min(part, 1.0) * (WIDE[0] - LEFT - RIGHT), 1)

    @staticmethod
    def y(share: float) -> float:
        part = (math.log10(max(share, LEAST)) - math.log10(LEAST)) / -math.log10(LEAST)
        return round(WIDE[1] - BOTTOM - part * (WIDE[1] - TOP - BOTTOM), 1)


def curve_picture(curves: Sequence[Curve], appetite: Appetite) -> Markup:
    """Return the loss exceedance curves as SVG: how probable a year is that costs more than so much."""
    axes = _Axes(curves, appetite)
    parts = [Markup('<svg class="loss-curve" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(*WIDE, say_curves(curves, appetite))]
    parts += [*_grid(axes), _appetite(axes, appetite)]
    for curve in curves:
        if curve.kind == "now":
            parts.append(_band(axes, curve.points))
    parts += [_line(axes, curve) for curve in curves]
    parts += _names(axes, curves)
    return Markup("").join([*parts, Markup("</svg>")])


def _grid(axes: _Axes) -> list[Markup]:
    bottom, right = WIDE[1] - BOTTOM, WIDE[0] - RIGHT
    parts = [
        Markup('<path class="loss-grid" d="M{} {}H{}"/><text class="loss-share" x="{}" y="{}">{}</text>').format(
            LEFT, axes.y(share), right, LEFT - 8, axes.y(share) + 4, f"{100 * share:g}{THIN}%"
        )
        for share in SHARES
    ]
    for place in [10**power for power in range(axes.low, axes.high + 1)]:
        x, name = axes.x(place), euros(place).replace(".00", "")
        mark = Markup('<path class="loss-grid" d="M{} {}V{}"/><text class="loss-euros" x="{}" y="{}">{}</text>')
        parts += [mark.format(x, TOP, bottom, x, bottom + 18, name)]
    words = Markup('<text class="loss-word" x="{}" y="{}">probability that a year costs more than …</text>')
    return [*parts, words.format(LEFT, WIDE[1] - 6)]


def _appetite(axes: _Axes, appetite: Appetite) -> Markup:
    """Return the corner that the house does not bear: dearer than the appetite, and more probable than is borne."""
    if not appetite.said:
        return Markup("")
    x, y, right = axes.x(appetite.euros), axes.y(appetite.share), WIDE[0] - RIGHT
    return Markup(
        '<rect class="loss-over" x="{}" y="{}" width="{}" height="{}"/><path class="loss-limit" d="M{} {}V{}H{}"/>'
        '<text class="loss-limit-word" x="{}" y="{}">not borne</text>'
    ).format(x, TOP, round(right - x, 1), round(y - TOP, 1), x, TOP, y, right, right - 6, TOP + 16)


def _band(axes: _Axes, points: Sequence[Point]) -> Markup:
    upper = [f"{axes.x(x)} {axes.y(high)}" for x, _, _, high in points if x >= 10**axes.low]
    lower = [f"{axes.x(x)} {axes.y(low)}" for x, _, low, _ in reversed(points) if x >= 10**axes.low]
    return Markup('<path class="loss-band" d="M{}Z"/>').format("L".join([*upper, *lower])) if upper else Markup("")


def _line(axes: _Axes, curve: Curve) -> Markup:
    path = [f"{axes.x(x)} {axes.y(p)}" for x, p, _, _ in curve.points if x >= 10**axes.low and p >= LEAST / 2]
    return Markup('<path class="loss-line {}" d="M{}"/>').format(curve.kind, "L".join(path)) if len(path) > 1 else Markup("")


def _names(axes: _Axes, curves: Sequence[Curve]) -> list[Markup]:
    """Return the key: a stroke as it is drawn and its words, so that no curve is told by colour alone."""
    parts = []
    for index, curve in enumerate(curves):
        y = WIDE[1] - BOTTOM - 12 - 18 * (len(curves) - 1 - index)
        parts.append(
            Markup('<path class="loss-line {}" d="M{} {}h26"/><text class="loss-word" x="{}" y="{}">{}</text>').format(
                curve.kind, LEFT + 10, y - 4, LEFT + 42, y, curve.name
            )
        )
    del axes
    return parts


def say_curves(curves: Sequence[Curve], appetite: Appetite) -> str:
    """Return the picture in words, for those who do not see it."""
    said = []
    for curve in curves:
        at = [f"{percent(p)} for more than {euros(x)}" for x, p, _, _ in curve.points if round(math.log10(x), 6) in {5.0, 6.0, 7.0}]
        said.append(f"{curve.name}: " + ", ".join(at))
    limit = f" Borne: more than {euros(appetite.euros)} with at most {percent(appetite.share)}." if appetite.said else ""
    return "Loss exceedance. " + "; ".join(said) + "." + limit


def bar(value: float, low: float, high: float, most: float) -> Markup:
    """Return a value with its interval as a small bar on a scale from 0 to `most`; the words stand beside it."""
    width = 150

    def at(amount: float) -> float:
        return round(width * min(max(amount, 0.0) / most, 1.0), 1) if most > 0 else 0.0

    return Markup(
        '<svg class="loss-bar" viewBox="0 0 150 14" aria-hidden="true"><rect class="loss-bar-band" x="{}" y="3" width="{}" height="8"/>'
        '<path class="loss-bar-value" d="M{} 1v12"/></svg>'
    ).format(at(low), round(max(1.0, at(high) - at(low)), 1), max(1.0, at(value)))


def share_bar(share: float) -> Markup:
    """Return a share as a small bar; the words stand beside it."""
    whole = Markup('<svg class="share-bar" viewBox="0 0 90 10" aria-hidden="true"><rect class="all" width="90" height="10" rx="3"/>')
    part = Markup('<rect class="part" width="{}" height="10" rx="3"/></svg>')
    return whole + part.format(round(90 * min(max(share, 0.0), 1.0), 1))
