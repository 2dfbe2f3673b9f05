"""Walls of a plan: where two rooms touch, where a room has a wall to itself, and where doors go on either."""

from collections.abc import Iterable, Sequence
from math import hypot, inf
from typing import NamedTuple

from watchword.resolve.plan_rooms import Box

NEAR = 0.5
"""Units within which two walls are one."""
LEAST = 16.0
"""Shortest stretch of wall that takes a door."""
Point = tuple[float, float]


class Spot(NamedTuple):
    """A stretch of wall from one point to another."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def angle(self) -> float:
        """Return 0 for a wall from left to right, 90 for one up and down."""
        return 0.0 if self.y1 == self.y2 else 90.0

    @property
    def length(self) -> float:
        """Return its length."""
        return hypot(self.x2 - self.x1, self.y2 - self.y1)


def shared_wall(a: Box, b: Box) -> Spot | None:
    """Return the stretch of wall that two rooms share, or None when they do not touch along enough of it."""
    for left, right in ((a, b), (b, a)):
        if abs(left.right - right.x) <= NEAR:
            top, bottom = max(a.y, b.y), min(a.bottom, b.bottom)
            if bottom - top >= LEAST:
                return Spot(right.x, top, right.x, bottom)
        if abs(left.bottom - right.y) <= NEAR:
            start, end = max(a.x, b.x), min(a.right, b.right)
            if end - start >= LEAST:
                return Spot(start, right.y, end, right.y)
    return None


def free_walls(room: Box, others: Iterable[Box]) -> list[Spot]:
    """Return the stretches of the room's walls that no other room touches, lower wall first; a line inside it when there is none."""
    around = list(others)
    found = []
    for side in (
        Spot(room.x, room.bottom, room.right, room.bottom),
        Spot(room.x, room.y, room.x, room.bottom),
        Spot(room.right, room.y, room.right, room.bottom),
        Spot(room.x, room.y, room.right, room.y),
    ):
        found += [stretch for stretch in _free(side, around) if stretch.length >= LEAST]
    return found or [Spot(room.x, room.bottom - 10, room.right, room.bottom - 10)]


def _free(side: Spot, others: Sequence[Box]) -> list[Spot]:
    flat = side.y1 == side.y2
    stretches = [(side.x1, side.x2) if flat else (side.y1, side.y2)]
    for other in others:
        touches = (
            min(abs(side.y1 - other.y), abs(side.y1 - other.bottom)) <= NEAR
            if flat
            else min(abs(side.x1 - other.x), abs(side.x1 - other.right)) <= NEAR
        )
        if touches:
            low, high = (other.x, other.right) if flat else (other.y, other.bottom)
            stretches = [piece for a, b in stretches for piece in ((a, min(b, low)), (max(a, high), b)) if piece[1] - piece[0] > NEAR]
    return [Spot(a, side.y1, b, side.y1) if flat else Spot(side.x1, a, side.x1, b) for a, b in stretches]


def spread(wall: Spot, count: int) -> list[Point]:
    """Return so many points, evenly along the wall."""
    steps = [(index + 1) / (count + 1) for index in range(count)]
    return [(wall.x1 + (wall.x2 - wall.x1) * step, wall.y1 + (wall.y2 - wall.y1) * step) for step in steps]


def clipped(a: Box, b: Box) -> tuple[Point, Point]:
    """Return where the line between the middles of two rooms leaves the one and enters the other."""
    return _leaves(a, b.middle), _leaves(b, a.middle)


def _leaves(box: Box, target: Point) -> Point:
    x, y = box.middle
    dx, dy = target[0] - x, target[1] - y
    share = min(box.width / 2 / abs(dx) if dx else inf, box.height / 2 / abs(dy) if dy else inf, 1.0)
    return x + dx * share, y + dy * share


def nearest_wall(point: Point, outlines: Iterable[Sequence[Point]]) -> tuple[Point, Point]:
    """Return the wall that is nearest to a point; a level one when there is none."""
    best, found = inf, (point, (point[0] + 1, point[1]))
    for outline in outlines:
        for start, end in zip(outline, [*outline[1:], *outline[:1]], strict=True):
            away = _distance(point, start, end)
            if away < best:
                best, found = away, (start, end)
    return found


def _distance(point: Point, start: Point, end: Point) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    square = dx * dx + dy * dy
    share = 0.0 if square == 0 else max(0.0, min(1.0, ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / square))
    return hypot(point[0] - start[0] - share * dx, point[1] - start[1] - share * dy)
