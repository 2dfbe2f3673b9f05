"""The picture of a league of simulated analysts: their order by count on one side, by value on the other, and the lines that cross."""

from typing import Final

from markupsafe import Markup

from watchword.measure.closures_versus_value import Analyst, League

WIDTH: Final = 500
ROW: Final = 30
TOP: Final = 34
LEFT: Final = 180
RIGHT: Final = 320
BAR: Final = 96
"""Longest bar beside a letter."""


def turn_over(league: League) -> Markup:
    """Return the picture; who games is told apart by a thick dashed line, a square and a word, not by colour alone."""
    analysts = league.analysts
    height = TOP + ROW * len(analysts) + 6
    most = max(each.closures for each in analysts), max(each.value for each in analysts)
    parts = [
        Markup('<svg class="turnover" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, height, says(league)),
        Markup('<text class="head" x="{}" y="16" text-anchor="end">Closed a week</text>').format(LEFT - 34),
        Markup('<text class="head" x="{}" y="16">Value a week</text>').format(RIGHT + 34),
    ]
    parts += [_line(each) for each in sorted(analysts, key=lambda one: one.games)]
    parts += [_side(each, most) for each in analysts]
    return Markup("").join([*parts, Markup("</svg>")])


def _y(place: int) -> float:
    return TOP + ROW * (place - 0.5)


def _line(each: Analyst) -> Markup:
    words = f"{each.letter}: place {each.by_count} by count, {each.by_value} by value"
    one, other = _y(each.by_count), _y(each.by_value)
    path = f"M{LEFT} {one}C{LEFT + 62} {one} {RIGHT - 62} {other} {RIGHT} {other}"
    return Markup('<g><title>{}</title><path class="{}" d="{}"/></g>').format(words, "gamer" if each.games else "peer", path)


def _side(each: Analyst, most: tuple[float, float]) -> Markup:
    kind = "gamer" if each.games else "peer"
    left, right = _y(each.by_count), _y(each.by_value)
    count, value = BAR * each.closures / most[0], BAR * each.value / most[1]
    return Markup("").join(
        [
            Markup('<rect class="length {}" x="{}" y="{}" width="{}" height="14"/>').format(
                kind, round(LEFT - 34 - count, 1), left - 7, round(count, 1)
            ),
            Markup('<text class="number" x="{}" y="{}" text-anchor="end">{:.0f}</text>').format(
                round(LEFT - 40 - count, 1), left + 4.5, each.closures
            ),
            _mark(each, LEFT - 14, left),
            _mark(each, RIGHT + 14, right),
            Markup('<rect class="length {}" x="{}" y="{}" width="{}" height="14"/>').format(kind, RIGHT + 34, right - 7, round(value, 1)),
            Markup('<text class="number" x="{}" y="{}">{:.0f}</text>').format(round(RIGHT + 40 + value, 1), right + 4.5, each.value),
        ]
    )


def _mark(each: Analyst, x: float, y: float) -> Markup:
    shape = (
        Markup('<rect class="mark gamer" x="{}" y="{}" width="22" height="22"/>').format(x - 11, y - 11)
        if each.games
        else Markup('<circle class="mark peer" cx="{}" cy="{}" r="11"/>').format(x, y)
    )
    return shape + Markup('<text class="letter{}" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        " on" if each.games else "", x, y + 4.5, each.letter
    )


def says(league: League) -> str:
    """Return what the picture shows, in a sentence."""
    gamer = league.gamer
    return (
        f"Ten simulated analysts: {gamer.letter}, who takes the easy items, is number {gamer.by_count} by closures a week"
        f" and number {gamer.by_value} by value a week"
    )
