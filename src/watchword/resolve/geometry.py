"""Geometry: outlines of zones and positions of doors from GeoJSON or IMDF features, in metres."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, isfinite, radians
from typing import Any, Final

from watchword.kit.errors import ContentError, Fault
from watchword.model import Door, Place, PlaceKind

METRES_PER_DEGREE: Final = 6371008.8 * 3.141592653589793 / 180
MAX_FEATURES: Final = 20_000
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Outlines and positions by uid; y grows to the north."""

    shapes: Mapping[str, tuple[Point, ...]]
    doors: Mapping[str, Point]
    notes: tuple[Fault, ...] = ()


@dataclass(slots=True)
class _Drawing:
    name: str
    origin: Point | None
    """Longitude and latitude of the point (0, 0); None: the coordinates are metres already."""
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)

    def metres(self, position: Any) -> Point:
        x, y = float(position[0]), float(position[1])
        if not (isfinite(x) and isfinite(y)):
            raise ValueError("no finite coordinates")
        if self.origin is None:
            return round(x, 3), round(y, 3)
        lon, lat = self.origin
        return round((x - lon) * METRES_PER_DEGREE * cos(radians(lat)), 3), round((y - lat) * METRES_PER_DEGREE, 3)


def read_geometry(text: str, name: str, site: str, places: Mapping[str, Place], doors: Mapping[str, Door]) -> Geometry:
    """Read a feature collection of one site.

    A feature belongs to the zone or door that its property ``zone`` or ``door`` names (path below the site, or last word); without one,
    to the one that its ``id``, or its ``name`` (IMDF: by language) equals. Other features are noted and left out. Coordinates are
    longitude and latitude, or metres when the collection says ``"units": "metres"``.

    Raises:
        ContentError: the text is no such collection, or a feature of ours has no usable coordinates.
    """
    try:
        collection = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise ContentError([Fault(name, line, f"is no JSON: {error}")]) from error
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or len(features) > MAX_FEATURES:
        raise ContentError([Fault(name, 1, "is no GeoJSON FeatureCollection", f"'features' must be a list of at most {MAX_FEATURES}")])
    flat = collection.get("units") == "metres"
    drawing = _Drawing(name, None if flat else _origin(site, places, features))
    words, lines = _words(site, places, doors), _lines(text)
    shapes: dict[str, tuple[Point, ...]] = {}
    positions: dict[str, Point] = {}
    for index, feature in enumerate(features):
        uid = _uid(feature, words)
        line = lines[index] if index < len(lines) else 1
        if not uid:
            drawing.notes.append(Fault(name, line, f"feature {index} ({_called(feature)!r}) is no zone or door of {site!r}: left out"))
            continue
        try:
            points = [drawing.metres(position) for position in _outline(feature.get("geometry"))]
        except (TypeError, ValueError, IndexError, KeyError):
            points = []
        if not points or (uid not in doors and len(points) < 3):
            drawing.faults.append(
                Fault(name, line, f"feature {index} ({uid!r}) has no usable coordinates", "a zone is a Polygon, a door a Point")
            )
        elif uid in doors:
            positions[uid] = _middle(points)
        else:
            shapes[uid] = tuple(points)
    if drawing.faults:
        raise ContentError(drawing.faults)
    return Geometry(shapes, positions, tuple(drawing.notes))


def _origin(site: str, places: Mapping[str, Place], features: Sequence[Any]) -> Point:
    place = places[site]
    if place.latitude is not None and place.longitude is not None:
        return place.longitude, place.latitude
    for feature in features:
        try:
            first = _outline(feature.get("geometry"))[0]
            return float(first[0]), float(first[1])
        except (AttributeError, TypeError, ValueError, IndexError, KeyError):
            continue
    return 0.0, 0.0


def _words(site: str, places: Mapping[str, Place], doors: Mapping[str, Door]) -> dict[str, str]:
    """Return uids by all words that may name them; words that two share name neither."""
    words: dict[str, str] = {}
    named = [(uid, place.name) for uid, place in places.items() if place.kind is PlaceKind.ZONE]
    for uid, name in [*named, *((uid, door.name) for uid, door in doors.items())]:
        if uid.startswith(f"{site}/"):
            for word in {uid, uid.partition("/")[2], uid.rpartition("/")[2], name}:
                words[word.casefold()] = uid if words.get(word.casefold(), uid) == uid else ""
    return words


def _names(feature: Any) -> Iterator[str]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if isinstance(properties, dict):
        yield from (str(properties[key]) for key in ("zone", "door") if properties.get(key))
        yield str(feature.get("id") or "")
        name = properties.get("name")
        yield from (str(text) for text in (name.values() if isinstance(name, dict) else [name or ""]))
    elif isinstance(feature, dict):
        yield str(feature.get("id") or "")


def _uid(feature: Any, words: Mapping[str, str]) -> str:
    return next((words[word.casefold()] for word in _names(feature) if words.get(word.casefold())), "")


def _called(feature: Any) -> str:
    return next((word for word in _names(feature) if word), "nameless")[:40]


def _outline(geometry: Any) -> Sequence[Any]:
    """Return the outer ring of the (largest) polygon, the points of a line, or the one point."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        return [coordinates]
    if kind == "LineString":
        return list(coordinates)
    rings = [coordinates[0]] if kind == "Polygon" else [polygon[0] for polygon in coordinates] if kind == "MultiPolygon" else []
    ring: list[Any] = max(rings, key=lambda points: abs(_area(points)))
    return ring[:-1] if ring[0] == ring[-1] else ring


def _area(points: Sequence[Any]) -> float:
    return sum(float(a[0]) * float(b[1]) - float(b[0]) * float(a[1]) for a, b in zip(points, [*points[1:], points[0]], strict=True)) / 2


def _middle(points: Sequence[Point]) -> Point:
    return round(sum(x for x, _ in points) / len(points), 3), round(sum(y for _, y in points) / len(points), 3)


def _lines(text: str) -> list[int]:
    """Return the lines on which features begin, as far as their own ``"Feature"`` marks tell."""
    lines, line, at = [], 1, 0
    for mark in re.finditer(r'"Feature"', text):
        line += text.count("\n", at, mark.start())
        at = mark.start()
        lines.append(line)
    return lines
