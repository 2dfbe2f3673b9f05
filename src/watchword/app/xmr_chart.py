"""Pictures of a series: the sparkline of a row and the chart of a page, with limits and signals, drawn on the server."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from watchword.app.metric_words import figure, say_interval, say_value
from watchword.measure.xmr import Chart, Scale, Signal
from watchword.model.metric import Grade, Metric, MetricDefinition, Target

SPARK: Final = (188, 44)
SPARK_POINTS: Final = 30
CHART: Final = (760, 270)
SMALL: Final = (500, 220)
"""As it stands in the headline."""
CHART_POINTS: Final = 120
LEFT: Final = 64
RIGHT: Final = 104
TOP: Final = 14
BOTTOM: Final = 34
_OPEN: Final = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">')


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn: the points that have a value, their limits, and the target."""

    definition: MetricDefinition
    points: Sequence[Metric]
    chart: Chart | None = None
    target: Target | None = None

    def last(self, most: int) -> "Series":
        """Return the same with its newest points only; the limits stay those of the whole."""
        return Series(self.definition, self.points[-most:], self.chart, self.target)

    def signal(self, index: int, offset: int) -> Signal | None:
        """Return the signal of a point of the part that begins at `offset`."""
        return next((each for each in (self.chart.signals if self.chart else ()) if each.index == index + offset), None)


def brief(value: float, unit: str) -> str:
    """Return a value for the margin of a picture: units of one word that all know, no others."""
    number, word = figure(value, unit)
    return (
        f"{number} {word}" if word in {"%", "s", "min", "h", "days", "k", "M"} else number if "€" not in number else f"{number} {word[:1]}"
    )


class _Scale:
    """Turns values into heights: linear, or by logarithm or root where the limits were made so."""

    def __init__(self, values: Sequence[float], top: float, bottom: float, scale: Scale = Scale.PLAIN) -> None:
        least = min(values)
        self._log, self._root = scale is Scale.LOG and least > 0, scale is Scale.ROOT and least >= 0
        low, high = (self._of(least), self._of(max(values)))
        room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
        self._low, self._high, self._top, self._bottom = low - room, high + room, top, bottom

    def _of(self, value: float) -> float:
        if self._root:
            return math.sqrt(max(0.0, value))
        return math.log(value) if self._log else value

    def y(self, value: float) -> float:
        """Return the height of a value."""
        part = (self._of(value) - self._low) / (self._high - self._low)
        return round(self._bottom - part * (self._bottom - self._top), 1)

    def shows(self, value: float) -> bool:
        """Tell whether a value can be drawn."""
        return not self._log or value > 0


def say_series(series: Series) -> str:
    """Return a series in one sentence: what a person who sees no picture is told."""
    definition, points, chart = series.definition, series.points, series.chart
    if not points:
        return f"{definition.title}: no closed period has a value yet"
    values = [point.value for point in points if point.value is not None]
    first, last = say_value(values[0], definition.unit), say_value(values[-1], definition.unit)
    said = f"{definition.title}, {len(points)} periods: from {first} to {last}"
    if chart is None:
        return f"{said}; too few for limits"
    said += f"; ordinary between {say_value(chart.lower, definition.unit)} and {say_value(chart.upper, definition.unit)}"
    said += " (provisional)" if chart.provisional else ""
    news = [each.says for each in chart.signals[-3:]]
    return f"{said}; {'signals: ' + '; '.join(news) if news else 'no signal'}"


def spark(series: Series) -> Markup:
    """Return the sparkline of a row; without points, a dashed line that says so."""
    width, height = SPARK
    head = _OPEN.format("xmr-spark", width, height, say_series(series))
    offset = max(0, len(series.points) - SPARK_POINTS)
    shown = series.last(SPARK_POINTS)
    if not shown.points:
        return head + Markup('<path class="xmr-none" d="M2 {0}h{1}"/></svg>').format(height / 2, width - 4)
    scale = _scale(shown, 5, height - 5)
    step = (width - 12) / max(1, len(shown.points) - 1)
    xs = [round(6 + index * step, 1) for index in range(len(shown.points))]
    parts = [head, _band(series.chart, scale, 2, width - 4), _line(shown, scale, xs)]
    for index, point in enumerate(shown.points):
        signal = series.signal(index, offset)
        if signal is not None:
            parts.append(_mark(xs[index], scale.y(point.value or 0), signal, 4.5))
    if series.signal(len(shown.points) - 1, offset) is None:
        parts.append(Markup('<circle class="xmr-last" cx="{}" cy="{}" r="2.6"/>').format(xs[-1], scale.y(shown.points[-1].value or 0)))
    return Markup("").join(parts) + Markup("</svg>")


def xmr_chart(series: Series, zone: ZoneInfo, size: tuple[int, int] = CHART) -> Markup:
    """Return the chart of a page: points with their intervals, mean, limits, target, signals, each point with its numbers in a title."""
    shown, offset = series.last(CHART_POINTS), max(0, len(series.points) - CHART_POINTS)
    if not shown.points:
        return Markup("")
    width, height = size
    scale = _scale(shown, TOP, height - BOTTOM, intervals=True)
    step = (width - LEFT - RIGHT) / max(1, len(shown.points) - 1)
    xs = [round(LEFT + index * step, 1) for index in range(len(shown.points))]
    right = width - RIGHT
    parts = [
        _OPEN.format("xmr", width, height, say_series(series)),
        _band(series.chart, scale, LEFT - 8, right - LEFT + 16),
        _labels(series, scale, right + 14, height),
        _axis(shown, scale, xs, zone, height),
        _intervals(shown, scale, xs),
        _line(shown, scale, xs),
    ]
    for index, point in enumerate(shown.points):
        parts.append(_point(series, point, xs[index], scale, series.signal(index, offset), zone))
    return Markup("").join(parts) + Markup("</svg>")


def _scale(series: Series, top: float, bottom: float, *, intervals: bool = False) -> _Scale:
    values = [point.value for point in series.points if point.value is not None]
    chart = series.chart
    if chart is not None:
        values += [chart.lower, chart.upper]
    if intervals:
        reach = max(values) - min(values) or abs(max(values)) or 1.0
        bounds = [bound for point in series.points for bound in (point.lo, point.hi) if bound is not None]
        values += [min(max(bound, min(values) - reach), max(values) + reach) for bound in bounds]
        if series.target is not None and min(values) - reach <= series.target.value <= max(values) + reach:
            values.append(series.target.value)
    return _Scale(values, top, bottom, chart.scale if chart else Scale.PLAIN)


def _band(chart: Chart | None, scale: _Scale, x: float, width: float) -> Markup:
    if chart is None:
        return Markup("")
    low = scale.y(chart.lower) if scale.shows(chart.lower) else scale.y(chart.mean)
    high, mean = scale.y(chart.upper), scale.y(chart.mean)
    kind = "xmr-band provisional" if chart.provisional else "xmr-band"
    return Markup(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/><path class="xmr-mean" d="M{} {}h{}"/>'
        '<path class="xmr-limit" d="M{} {}h{}M{} {}h{}"/>'
    ).format(kind, x, high, width, round(max(0.5, low - high), 1), x, mean, width, x, high, width, x, low, width)


def _line(series: Series, scale: _Scale, xs: Sequence[float]) -> Markup:
    path = " ".join(
        f"{'M' if index == 0 else 'L'}{x} {scale.y(point.value or 0)}"
        for index, (x, point) in enumerate(zip(xs, series.points, strict=True))
        if point.value is not None
    )
    return Markup('<path class="xmr-line" d="{}"/>').format(path)


def _intervals(series: Series, scale: _Scale, xs: Sequence[float]) -> Markup:
    wide = [
        f"M{x} {scale.y(point.hi)}V{scale.y(point.lo)}"
        for x, point in zip(xs, series.points, strict=True)
        if point.lo is not None and point.hi is not None and point.hi > point.lo and scale.shows(point.lo)
    ]
    return Markup('<path class="xmr-interval" d="{}"/>').format("".join(wide)) if wide else Markup("")


def _mark(x: float, y: float, signal: Signal, size: float) -> Markup:
    """Return the mark of a signal: a triangle that points to where the value went, filled when it got worse."""
    up = -1 if signal.sign.value in {"above", "run high"} else 1
    kind = {True: "good", False: "bad", None: "open"}[signal.good]
    path = f"M{x} {round(y + up * size, 1)}L{round(x + size, 1)} {round(y - up * size * 0.8, 1)}H{round(x - size, 1)}z"
    return Markup('<path class="xmr-signal {}" d="{}"/>').format(kind, path)


def _point(series: Series, point: Metric, x: float, scale: _Scale, signal: Signal | None, zone: ZoneInfo) -> Markup:
    unit, value = series.definition.unit, point.value or 0
    since, until = point.window.since.astimezone(zone), point.window.until.astimezone(zone)
    said = f"{since:%d %b %Y} to {until:%d %b}: {say_value(point.value, unit)}"
    bounds = say_interval(point.lo, point.hi, unit)
    said += f", 95 % interval {bounds}" if bounds else ""
    said += f"; n {point.n}, grade {point.grade.value} at the time" + (f"; {signal.says}" if signal else "")
    y = scale.y(value)
    kind = "xmr-point doubtful" if point.grade is Grade.D else "xmr-point"
    shape = _mark(x, y, signal, 6.5) if signal else Markup('<circle class="{}" cx="{}" cy="{}" r="3.2"/>').format(kind, x, y)
    return Markup("<g><title>{}</title>{}</g>").format(said, shape)


def _labels(series: Series, scale: _Scale, x: float, height: int) -> Markup:
    """Return the words of the lines, kept apart where they would touch."""
    definition, chart, target = series.definition, series.chart, series.target
    wanted: list[tuple[float, str, str]] = []
    if chart is not None:
        wanted += [(scale.y(chart.upper), f"upper {brief(chart.upper, definition.unit)}", "")]
        wanted += [(scale.y(chart.mean), f"mean {brief(chart.mean, definition.unit)}", "")]
        if scale.shows(chart.lower):
            wanted += [(scale.y(chart.lower), f"lower {brief(chart.lower, definition.unit)}", "")]
    line = Markup("")
    if target is not None and scale.shows(target.value):
        y = scale.y(target.value)
        if TOP - 6 <= y <= height - BOTTOM + 6:
            wanted.append((y, f"target {brief(target.value, definition.unit)}", "xmr-target-word"))
            line = Markup('<path class="xmr-target" d="M{} {}H{}"/>').format(LEFT - 8, y, x - 6)
    parts, floor = [line], -99.0
    for y, words, kind in sorted(wanted):
        floor = max(y + 4, floor + 14)
        parts.append(Markup('<text class="xmr-word {}" x="{}" y="{}">{}</text>').format(kind, x, round(floor, 1), words))
    return Markup("").join(parts)


def _axis(series: Series, scale: _Scale, xs: Sequence[float], zone: ZoneInfo, height: int) -> Markup:
    unit, parts = series.definition.unit, []
    values = [point.value for point in series.points if point.value is not None]
    marks = sorted({min(values), max(values), *([series.chart.mean] if series.chart else [])})
    seen = -99.0
    for value in reversed(marks):
        y = scale.y(value)
        if y - seen >= 14:
            parts.append(Markup('<text class="xmr-scale" x="{}" y="{}">{}</text>').format(LEFT - 16, y + 4, brief(value, unit)))
            seen = y
    every = max(1, math.ceil(len(xs) * 62 / (xs[-1] - xs[0] + 62)))
    for index in range(len(xs) - 1, -1, -every):
        day = series.points[index].window.until.astimezone(zone)
        parts.append(Markup('<text class="xmr-day" x="{}" y="{}">{}</text>').format(xs[index], height - 12, f"{day.day} {day:%b}"))
    return Markup("").join(parts)


_MOVE: Final = Markup(
    '<svg class="move {}" viewBox="0 0 120 12" aria-hidden="true"><path class="middle" d="M60 0v12"/>'
    '<rect x="{}" y="2" width="{}" height="8"/></svg>'
)


def move_bar(change: float, most: float) -> Markup:
    """Return the bar of one change from a common middle: to the right it rose, to the left it fell. The number stands beside it."""
    width = round(58 * abs(change) / (most or 1.0), 1)
    x = 60 if change >= 0 else round(60 - width, 1)
    return _MOVE.format("up" if change > 0 else "down", x, max(1.0, width) if change else 0)


def on_paper(picture: Markup) -> str:
    """Return a picture with the colours of paper in it, for files that no stylesheet reaches."""
    return str(picture).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f"><style>{_PAPER}</style>", 1)


_PAPER: Final = (
    "text{font-family:'Libertinus Serif',serif;font-size:12px;fill:#333}"
    ".xmr-word,.xmr-day{font-size:11px;fill:#555}.xmr-scale{text-anchor:end}"
    ".xmr-day{text-anchor:middle}.xmr-band{fill:#eef1f5}.xmr-mean{stroke:#8793a1;fill:none}"
    ".xmr-limit{stroke:#8793a1;stroke-dasharray:3 3;fill:none}.xmr-line{stroke:#14599c;stroke-width:1.6;fill:none}"
    ".xmr-interval{stroke:#9db8d6;stroke-width:2;fill:none}.xmr-point,.xmr-last{fill:#14599c}.xmr-point.doubtful{fill:#fff;stroke:#14599c}"
    ".xmr-signal{stroke:#18212b;stroke-width:1}.xmr-signal.bad{fill:#9a2a08}.xmr-signal.good{fill:#fff;stroke:#1c6b47;stroke-width:1.6}"
    ".xmr-signal.open{fill:#fff}.xmr-target{stroke:#18212b;stroke-width:1.2;stroke-dasharray:7 3;fill:none}"
    ".xmr-none{stroke:#8793a1;stroke-dasharray:3 3;fill:none}"
)
