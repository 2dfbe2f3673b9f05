"""Rooms of a plan: scaled from surveyed outlines, or packed so that rooms which a door joins share a wall.

Packing takes the room with the most neighbours as a band across the plan and grows the rest away from it, above and below: a room lies
against the one through which it is reached, and the last one of a row reaches to the outer wall. So every room has a wall in common with
the one it is reached through, and none overlaps another.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from watchword.model import Place

MARGIN: Final = 48.0
"""Outside, all around."""
WIDEST: Final = 1184.0
"""With its margins, a plan fits 1,280 pixels."""
ROW: Final = 128.0
BAND: Final = 120.0
GAP: Final = 40.0
STRETCH: Final = 1.8
"""How much wider than their names need rooms become where there is space."""
Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Return x of the right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Return y of the lower side."""
        return self.y + self.height

    @property
    def middle(self) -> Point:
        """Return the middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(slots=True)
class _Branch:
    """A room and what is reached through it."""

    uid: str
    own: float
    inner: list["_Branch"] = field(default_factory=list)

    @property
    def need(self) -> float:
        return max(self.own, sum(branch.need for branch in self.inner))

    @property
    def depth(self) -> int:
        return 1 + max((branch.depth for branch in self.inner), default=0)


def packed(needs: Mapping[str, float], joins: Iterable[tuple[str, str]]) -> dict[str, Box]:
    """Return a box for every room: connected groups one beside or below another.

    Args:
        needs: Width that each room's name needs.
        joins: Pairs of rooms that a door joins; '' stands for elsewhere.
    """
    near: dict[str, set[str]] = {uid: set() for uid in needs}
    doors: dict[str, int] = dict.fromkeys(needs, 0)
    for a, b in joins:
        for one, other in ((a, b), (b, a)):
            if one:
                doors[one] += 1
                if other and other != one:
                    near[one].add(other)
    boxes: dict[str, Box] = {}
    x = y = MARGIN
    lowest = y
    for group in _groups(near):
        spine = max(group, key=lambda uid: (len(near[uid]), doors[uid], -group.index(uid)))
        placed, width, height = _pack_group(_tree(spine, near, needs))
        if x > MARGIN and x + width > MARGIN + WIDEST:
            x, y = MARGIN, lowest + GAP
        boxes |= {uid: Box(box.x + x, box.y + y, box.width, box.height) for uid, box in placed.items()}
        x += width + GAP
        lowest = max(lowest, y + height)
    return boxes


def _groups(near: Mapping[str, set[str]]) -> list[list[str]]:
    groups, seen = [], set()
    for start in near:
        if start in seen:
            continue
        waiting, group = [start], set()
        while waiting:
            here = waiting.pop()
            if here not in group:
                group.add(here)
                waiting += near[here]
        seen |= group
        groups.append([uid for uid in near if uid in group])
    return groups


def _tree(spine: str, near: Mapping[str, set[str]], needs: Mapping[str, float]) -> _Branch:
    """Return the rooms as a tree by the fewest doors from the band; neighbours of one another are kept side by side."""
    root = _Branch(spine, needs[spine])
    seen, waiting = {spine}, deque([root])
    while waiting:
        branch = waiting.popleft()
        rest = [uid for uid in needs if uid in near[branch.uid] and uid not in seen]
        while rest:
            last = branch.inner[-1].uid if branch.inner else ""
            uid = next((each for each in rest if each in near.get(last, ())), rest[0])
            rest.remove(uid)
            seen.add(uid)
            branch.inner.append(_Branch(uid, needs[uid]))
        waiting += branch.inner
    return root


def _pack_group(root: _Branch) -> tuple[dict[str, Box], float, float]:
    """Return boxes from (0, 0), and the group's width and height."""
    above, below = _halves(root.inner)
    least = max(root.own, 140.0, sum(branch.need for branch in above), sum(branch.need for branch in below))
    width = max(least, min(STRETCH * least, WIDEST))
    rows_above = max((branch.depth for branch in above), default=0)
    rows_below = max((branch.depth for branch in below), default=0)
    band = BAND if root.inner else ROW + BAND / 2
    boxes = {root.uid: Box(0.0, rows_above * ROW, width, band)}
    _place(above, (0.0, width), rows_above * ROW, -1, rows_above, boxes)
    _place(below, (0.0, width), rows_above * ROW + band, 1, rows_below, boxes)
    return boxes, width, (rows_above + rows_below) * ROW + band


def _halves(branches: Sequence[_Branch]) -> tuple[list[_Branch], list[_Branch]]:
    half = sum(branch.need for branch in branches) / 2
    above: list[_Branch] = []
    for branch in branches:
        if above and sum(each.need for each in above) + branch.need / 2 > half:
            break
        above.append(branch)
    return above, list(branches[len(above) :])


def _place(branches: Sequence[_Branch], span: tuple[float, float], y: float, way: int, rows: int, boxes: dict[str, Box]) -> None:
    """Place a row away from `y` (up: way is -1) across the span; a room with nothing behind it reaches to the last row's end."""
    whole = sum(branch.need for branch in branches)
    x = span[0]
    for branch in branches:
        width = (span[1] - span[0]) * branch.need / whole
        height = ROW if branch.inner else ROW * rows
        boxes[branch.uid] = Box(x, y - height if way < 0 else y, width, height)
        if branch.inner:
            _place(branch.inner, (x, x + width), y + way * ROW, way, rows - 1, boxes)
        x += width


def drawn(zones: Sequence[Place]) -> tuple[dict[str, Box], dict[str, tuple[Point, ...]], Callable[[Point], Point]]:
    """Return boxes and outlines of surveyed zones, scaled to the plan's width with north up, and the scaling itself.

    Zones without an outline stand in a row below.
    """
    points = [point for zone in zones for point in zone.shape]
    left, top = min(x for x, _ in points), max(y for _, y in points)
    across, up = max(x for x, _ in points) - left, top - min(y for _, y in points)
    scale = min(WIDEST / max(across, 0.001), 4 * WIDEST / max(up, 0.001))

    def place_at(point: Point) -> Point:
        return round(MARGIN + (point[0] - left) * scale, 1), round(MARGIN + (top - point[1]) * scale, 1)

    outlines = {zone.uid: tuple(place_at(point) for point in zone.shape) for zone in zones if zone.shape}
    boxes = {}
    for uid, outline in outlines.items():
        x, y = min(x for x, _ in outline), min(y for _, y in outline)
        boxes[uid] = Box(x, y, max(x for x, _ in outline) - x, max(y for _, y in outline) - y)
    bare = {zone.uid: 120.0 for zone in zones if not zone.shape}
    below = max(box.bottom for box in boxes.values()) + GAP - MARGIN
    boxes |= {uid: Box(box.x, box.y + below, box.width, box.height) for uid, box in packed(bare, ()).items()}
    return boxes, outlines, place_at
