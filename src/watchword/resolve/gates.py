"""Gates: what a reader's or door's name in an event stands for, which way it leads, and what an event is told about it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from watchword.model import Door, Reader

IN, OUT = "in", "out"


class Gate(NamedTuple):
    """One direction through one door. Its dicts are shared by all events that pass: read only."""

    door: str
    zone: str
    """The zone being entered; empty when the direction is not known."""
    portal: dict[str, Any]
    reader: dict[str, Any]
    filled: dict[str, Any]
    """The four entries that an event through this gate gets when it says nothing of them itself."""


Ways = Mapping[str, Gate]
"""Gates by the direction that the event states: ``in``, ``out``, or ``""`` when it states none."""


def gate_of(door: Door, direction: str, reader: str = "") -> Gate:
    """Return the gate through a door in a direction (``""``: unknown), told of its reader when that is known."""
    portal = {"uid": door.uid, "name": door.name, "from_zone": door.from_zone, "to_zone": door.to_zone}
    told = {key: value for key, value in (("uid", reader), ("direction", direction)) if value}
    zone = {IN: door.to_zone, OUT: door.from_zone}.get(direction, "")
    filled: dict[str, Any] = {"ww_portal": portal, "ww_site_uid": door.uid.partition("/")[0]}
    if told:
        filled["ww_reader"] = told
    if zone:
        filled["ww_zone"] = {"uid": zone}
    return Gate(door.uid, zone, portal, told, filled)


def ways_through(doors: Iterable[Door]) -> tuple[dict[str, Ways], dict[str, Ways], dict[str, Reader]]:
    """Return the ways by reader uid, the ways by door uid, and the readers by uid.

    A reader that stands for both directions of one door (the event says which) is one reader with two ways.
    """
    by_reader: dict[str, Ways] = {}
    by_door: dict[str, Ways] = {}
    readers: dict[str, Reader] = {}
    for door in doors:
        in_and_out: dict[str, list[str]] = {IN: [], OUT: []}
        for reader in door.readers:
            in_and_out.setdefault(reader.direction, []).append(reader.uid)
            readers.setdefault(reader.uid, reader)
        for uid in {reader.uid for reader in door.readers}:
            own = [direction for direction in (IN, OUT) if uid in in_and_out[direction]]
            ways = {direction: gate_of(door, direction, uid) for direction in (IN, OUT)}
            ways[""] = ways[own[0]] if len(own) == 1 else gate_of(door, "", uid)
            by_reader.setdefault(uid, ways)
        only = {direction: names[0] if len(names) == 1 else "" for direction, names in in_and_out.items()}
        ways = {direction: gate_of(door, direction, only[direction]) for direction in (IN, OUT)}
        read = [direction for direction in (IN, OUT) if in_and_out[direction]]
        ways[""] = ways[read[0]] if len(read) == 1 else gate_of(door, "")
        by_door[door.uid] = ways
    return by_reader, by_door, readers
