"""The floor plan: rooms, doors and cameras of one floor with their coordinates, from geometry when there is any, else from the doors.

Units are those of an SVG drawn at its natural size; y grows downwards. The same books give the same plan.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import atan2, degrees
from typing import Final

from watchword.model import OUTSIDE, AssetBook, AssetKind, Door, Place, PlaceKind, SiteBook, ZoneKind
from watchword.resolve.plan_rooms import MARGIN, Box, drawn, packed
from watchword.resolve.plan_walls import Spot, clipped, free_walls, nearest_wall, shared_wall, spread

CHARACTER: Final = 7.2
"""Width of a letter in the plan's type, 12 px."""
CAMERA_STEP: Final = 22.0


@dataclass(frozen=True, slots=True)
class Room:
    """A zone on the plan."""

    uid: str
    name: str
    kind: ZoneKind | None
    x: float
    y: float
    width: float
    height: float
    points: tuple[tuple[float, float], ...]
    """Its outline; the four corners of the rectangle when it was laid out."""
    lines: tuple[str, ...]
    """The name, broken to fit the room's width."""

    @property
    def middle(self) -> tuple[float, float]:
        """Where the label's middle belongs."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class DoorMark:
    """A door on the plan."""

    uid: str
    name: str
    x: float
    y: float
    angle: float
    """Direction of the wall in degrees: 0 runs from left to right, 90 up and down."""
    rooms: tuple[str, ...]
    """The one or two rooms of this floor that it belongs to."""
    leads_to: str = ""
    """Uid of the zone beyond when that is outside or on another floor."""
    link: tuple[tuple[float, float], tuple[float, float]] | None = None
    """Ends of the line to draw when its two rooms do not touch on the plan."""


@dataclass(frozen=True, slots=True)
class CameraMark:
    """A camera on the plan."""

    uid: str
    name: str
    x: float
    y: float
    room: str
    looks: tuple[tuple[float, float], ...] = ()
    """Where the doors that it sees are on this floor."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One floor, ready to be drawn; all around the rooms a margin stands for outside."""

    floor: str
    name: str
    width: float
    height: float
    rooms: tuple[Room, ...]
    doors: tuple[DoorMark, ...]
    cameras: tuple[CameraMark, ...]
    surveyed: bool
    """True when outlines come from geometry; else sizes and positions mean nothing."""


def floors_of(book: SiteBook, site: str) -> tuple[Place, ...]:
    """Return the floors of a site that have zones, in file order."""
    used = {place.parent for place in book.places.values() if place.kind is PlaceKind.ZONE}
    return tuple(
        place for uid, place in book.places.items() if place.kind is PlaceKind.FLOOR and uid in used and uid.startswith(f"{site}/")
    )


def lay_out(book: SiteBook, floor: str, assets: AssetBook | None = None) -> Plan:
    """Return the plan of a floor; without zones it is empty."""
    place = book.places.get(floor)
    zones = [zone for zone in book.places.values() if zone.kind is PlaceKind.ZONE and zone.parent == floor]
    here = {zone.uid for zone in zones}
    doors = [door for door in book.doors.values() if door.from_zone in here or door.to_zone in here]
    surveyed = any(zone.shape for zone in zones)
    if surveyed:
        boxes, outlines, place_at = drawn(zones)
    else:
        boxes, outlines = packed({zone.uid: _need(zone.name) for zone in zones}, _joins(doors, here)), {}
        place_at = None
    rooms = tuple(_room(zone, boxes[zone.uid], outlines.get(zone.uid)) for zone in zones)
    marks = _door_marks(doors, {room.uid: room for room in rooms})
    if place_at is not None:
        points = {door.uid: place_at(door.position) for door in doors if door.position is not None}
        marks = [_placed(mark, points.get(mark.uid), rooms) for mark in marks]
    cameras = _camera_marks(assets or AssetBook(), rooms, {mark.uid: (mark.x, mark.y) for mark in marks})
    width = round(max((box.right for box in boxes.values()), default=0.0) + MARGIN, 1)
    height = round(max((box.bottom for box in boxes.values()), default=0.0) + MARGIN, 1)
    return Plan(floor, place.name if place else floor, width, height, rooms, tuple(marks), cameras, surveyed)


def _need(name: str) -> float:
    """Return the width that a room needs for its name in at most three lines."""
    longest = max((len(word) for word in name.split()), default=1)
    return max(96.0, (max(longest, len(name) / 3) + 2) * CHARACTER + 12)


def _joins(doors: Iterable[Door], here: set[str]) -> list[tuple[str, str]]:
    """Return the pairs of rooms on this floor that a door joins; a door to elsewhere pairs its room with ''."""
    pairs = []
    for door in doors:
        ends = [zone if zone in here else "" for zone in (door.from_zone, door.to_zone)]
        pairs.append((ends[0], ends[1]))
    return pairs


def _room(zone: Place, box: Box, outline: tuple[tuple[float, float], ...] | None) -> Room:
    lines: list[str] = []
    fits = max(4, int((box.width - 12) / CHARACTER))
    for word in zone.name.split():
        if lines and len(lines[-1]) + 1 + len(word) <= fits:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    corners = ((box.x, box.y), (box.right, box.y), (box.right, box.bottom), (box.x, box.bottom))
    return Room(zone.uid, zone.name, zone.zone_kind, box.x, box.y, box.width, box.height, outline or corners, tuple(lines))


def _box(room: Room) -> Box:
    return Box(room.x, room.y, room.width, room.height)


def _door_marks(doors: Sequence[Door], rooms: Mapping[str, Room]) -> list[DoorMark]:
    """Return the doors on shared walls first, then those that lead elsewhere on free walls, spread so that none hides another."""
    boxes = {uid: _box(room) for uid, room in rooms.items()}
    on_wall: dict[Spot, list[Door]] = {}
    marks: list[DoorMark] = []
    for door in doors:
        ends = [uid for uid in (door.from_zone, door.to_zone) if uid in rooms]
        if len(ends) == 2:
            wall = shared_wall(boxes[ends[0]], boxes[ends[1]])
            if wall is None:
                start, end = clipped(boxes[ends[0]], boxes[ends[1]])
                middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
                marks.append(DoorMark(door.uid, door.name, *middle, 90.0, (ends[0], ends[1]), link=(start, end)))
                continue
        else:
            free = free_walls(boxes[ends[0]], [box for uid, box in boxes.items() if uid != ends[0]])
            wall = max(free, key=lambda stretch: round(stretch.length / (1 + len(on_wall.get(stretch, ())))))
        on_wall.setdefault(wall, []).append(door)
    for wall, group in on_wall.items():
        for door, (x, y) in zip(group, spread(wall, len(group)), strict=True):
            ends = [uid for uid in (door.from_zone, door.to_zone) if uid in rooms]
            beyond = [uid for uid in (door.from_zone, door.to_zone) if uid not in rooms]
            marks.append(DoorMark(door.uid, door.name, x, y, wall.angle, tuple(ends), beyond[0] if beyond else ""))
    order = {door.uid: index for index, door in enumerate(doors)}
    return sorted(marks, key=lambda mark: order[mark.uid])


def _placed(mark: DoorMark, point: tuple[float, float] | None, rooms: Sequence[Room]) -> DoorMark:
    """Return the mark at its surveyed position, turned along the nearest wall of its rooms."""
    if point is None:
        return mark
    outlines = [room.points for room in rooms if room.uid in mark.rooms]
    start, end = nearest_wall(point, outlines)
    angle = round(degrees(atan2(end[1] - start[1], end[0] - start[0])) % 180, 1)
    return replace(mark, x=point[0], y=point[1], angle=angle, link=None)


def _camera_marks(assets: AssetBook, rooms: Sequence[Room], doors: Mapping[str, tuple[float, float]]) -> tuple[CameraMark, ...]:
    marks = []
    for room in rooms:
        cameras = [asset for asset in assets.assets.values() if asset.kind is AssetKind.CAMERA and asset.place == room.uid]
        per_row = max(1, int((room.width - CAMERA_STEP) / CAMERA_STEP))
        for index, camera in enumerate(cameras):
            x = room.x + CAMERA_STEP * (index % per_row + 0.8)
            y = room.y + min(room.height - 6, CAMERA_STEP * (index // per_row + 0.8))
            marks.append(CameraMark(camera.uid, camera.name, x, y, room.uid, tuple(doors[uid] for uid in camera.sees if uid in doors)))
    return tuple(marks)


def leads_outside(mark: DoorMark) -> bool:
    """Tell whether the door leads to the open air."""
    return mark.leads_to.endswith(f"/{OUTSIDE}")
