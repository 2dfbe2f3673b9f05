"""Components: every camera, door, controller, panel, switch and service that is watched, and the conditions that make it work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from watchword.model import Asset, AssetKind, Domain, Door, PlaceKind, ZoneKind
from watchword.model.uptime import Cover
from watchword.resolve.directory import Directory


class Way(StrEnum):
    """How a condition is known."""

    HEARD = "heard"
    """Signs of life: unknown until the first, and again when they stop."""
    FAULT = "fault"
    """The device reports trouble and its end: without a report it works, as long as the device is heard."""
    TEST = "test"
    """Somebody tries it by hand; a test counts for a time."""
    PROBE = "probe"
    """A probe of our own tries it."""
    FOLLOWS = "follows"
    """It works while another component does."""
    ARMED = "armed"
    """It must be armed while its calendar says so."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One function that is expected of a component."""

    name: str
    way: Way
    words: str
    """What it means, in the trade's words."""
    of: str = ""
    """`FOLLOWS`: uid of the other component. `ARMED`: uid of the calendar. `PROBE`: name of the probe."""
    holds: timedelta | None = None
    """`TEST`: for how long one counts."""


class ComponentKind(StrEnum):
    """What a component is; it decides what working means."""

    CAMERA = "camera"
    DOOR = "door"
    CONTROLLER = "controller"
    PANEL = "panel"
    SWITCH = "switch"
    SENSOR = "sensor"
    SERVICE = "service"
    """A host, with what runs on it: up is what its probes say."""


@dataclass(frozen=True, slots=True)
class Component:
    """Something whose uptime is measured."""

    uid: str
    name: str
    kind: ComponentKind
    domain: Domain
    place: str
    """Uid of the zone in which it stands; of a door the door itself."""
    conditions: tuple[Condition, ...]
    upstream: tuple[str, ...] = ()
    """Uids of what it depends on directly."""


@dataclass(frozen=True, slots=True)
class ProbeOf:
    """A probe as far as components are concerned."""

    name: str
    asset: str
    """Uid of the asset that it tries."""
    kind: str


TEST_HOLDS: Final[Mapping[str, timedelta]] = {"lock": timedelta(days=400), "walk": timedelta(days=100), "footage": timedelta(days=35)}
"""For how long a test counts where the site file says nothing: a year, a quarter and a month, with some days of grace."""
DEVICES: Final[Mapping[AssetKind, ComponentKind]] = {
    AssetKind.CAMERA: ComponentKind.CAMERA,
    AssetKind.CONTROLLER: ComponentKind.CONTROLLER,
    AssetKind.PANEL: ComponentKind.PANEL,
    AssetKind.SWITCH: ComponentKind.SWITCH,
    AssetKind.SENSOR: ComponentKind.SENSOR,
}
"""Assets that are watched in any case; all others are services, and watched where a probe or an objective names them."""
IT: Final = frozenset({ComponentKind.SWITCH, ComponentKind.SERVICE})

REACHABLE: Final = Condition("reachable", Way.HEARD, "it answers, or speaks in its rhythm")
POWER: Final = Condition("power", Way.FAULT, "no loss of power or low battery is reported")
TAMPER: Final = Condition("contact", Way.FAULT, "nobody has tampered with it, and its contact is plausible")
WORKS: Final[Mapping[ComponentKind, tuple[Condition, ...]]] = {
    ComponentKind.CAMERA: (
        REACHABLE,
        Condition("recording", Way.FAULT, "it records"),
        Condition("picture", Way.FAULT, "its picture is there, not frozen, not covered, at the frame rate it should have"),
        Condition("clock", Way.FAULT, "its clock is off by less than 2 s"),
        Condition("storage", Way.FAULT, "its footage is kept"),
        POWER,
        TAMPER,
    ),
    ComponentKind.CONTROLLER: (REACHABLE, POWER, TAMPER),
    ComponentKind.PANEL: (REACHABLE, Condition("trouble", Way.FAULT, "no trouble is reported, no point is bypassed"), POWER),
    ComponentKind.SWITCH: (REACHABLE, POWER),
    ComponentKind.SENSOR: (REACHABLE, POWER, TAMPER),
    ComponentKind.SERVICE: (),
    ComponentKind.DOOR: (
        Condition("forced", Way.FAULT, "it has not been forced"),
        Condition("held", Way.FAULT, "it is not held open beyond its limit"),
        TAMPER,
    ),
}
"""What working means, by kind (K1)."""


def components(directory: Directory, probes: Sequence[ProbeOf] = (), named: frozenset[str] = frozenset()) -> dict[str, Component]:
    """Return every component, by uid.

    Args:
        directory: What the site files say.
        probes: Our own probes; each makes its asset a component.
        named: Uids of assets that are watched though nothing else makes them so: they have an objective.
    """
    by_asset: dict[str, list[ProbeOf]] = {}
    for probe in probes:
        by_asset.setdefault(probe.asset, []).append(probe)
    book = directory.site.uptime
    named = named | {each.subject for each in book.objectives} | set(book.expects)
    found = {}
    for asset in directory.assets.assets.values():
        if asset.kind in DEVICES or asset.uid in by_asset or asset.uid in named:
            found[asset.uid] = _of_asset(asset, directory, by_asset.get(asset.uid, []))
    for door in directory.site.doors.values():
        if door.readers or door.uid in book.controllers or door.uid in named:
            found[door.uid] = _of_door(door, directory)
    return found


def domain_of(kind: AssetKind) -> Domain:
    """Return the side of the house that keeps assets of a kind: cameras, controllers, panels and sensors are physical security's."""
    return Domain.IT if DEVICES.get(kind, ComponentKind.SERVICE) in IT else Domain.PHYSICAL


def _of_asset(asset: Asset, directory: Directory, probes: Sequence[ProbeOf]) -> Component:
    book = directory.site.uptime
    kind = DEVICES.get(asset.kind, ComponentKind.SERVICE)
    conditions = list(WORKS[kind])
    if asset.uid in book.armed:
        conditions.append(Condition("armed", Way.ARMED, "it is armed as scheduled", of=book.armed[asset.uid]))
    if kind is ComponentKind.PANEL and ("walk" in book.tests or "walk" in book.expects.get(asset.uid, ())):
        conditions.append(_test("walk", "a walk test lies not too long ago", directory))
    if kind is ComponentKind.CAMERA and ("footage" in book.tests or "footage" in book.expects.get(asset.uid, ())):
        conditions.append(_test("footage", "its oldest footage reaches back as far as it must", directory))
    wanted = book.expects.get(asset.uid)
    if wanted is not None:
        conditions = [each for each in conditions if each.name in wanted]
    if wanted is None or "probes" in wanted:
        conditions += [
            Condition(f"probe {probe.name}", Way.PROBE, f"the {probe.kind} probe {probe.name} succeeds", of=probe.name)
            for probe in sorted(probes, key=lambda each: each.name)
        ]
    return Component(asset.uid, asset.name, kind, domain_of(asset.kind), asset.place, tuple(conditions), asset.upstream)


def _of_door(door: Door, directory: Directory) -> Component:
    book = directory.site.uptime
    conditions = list(WORKS[ComponentKind.DOOR])
    controller = book.controllers.get(door.uid, "")
    if controller:
        conditions.insert(0, Condition("controller", Way.FOLLOWS, "its controller is online", of=controller))
    if door.readers:
        conditions.append(_test("lock", "its lock was tried not too long ago, and held", directory))
    wanted = book.expects.get(door.uid)
    if wanted is not None:
        conditions = [each for each in conditions if each.name in wanted]
    upstream = (controller,) if controller else ()
    return Component(door.uid, door.name, ComponentKind.DOOR, Domain.PHYSICAL, door.uid, tuple(conditions), upstream)


def _test(name: str, words: str, directory: Directory) -> Condition:
    return Condition(name, Way.TEST, words, holds=directory.site.uptime.tests.get(name, TEST_HOLDS[name]))


@dataclass(frozen=True, slots=True)
class Zone:
    """A place that is covered while k of its components are up."""

    cover: Cover
    members: tuple[str, ...]
    assumed: bool = False
    """The site file says nothing of it: a critical zone with cameras needs at least one of them."""


def zones(directory: Directory, watched: Mapping[str, Component]) -> dict[str, Zone]:
    """Return every covered place, by uid: those of the site files, and every critical zone in which a camera stands."""
    found: dict[str, Zone] = {}
    cameras = [each for each in watched.values() if each.kind is ComponentKind.CAMERA]
    for cover in directory.site.uptime.covers:
        standing = tuple(each.uid for each in cameras if directory.within(each.place, cover.place))
        found[cover.place] = Zone(cover, tuple(uid for uid in cover.of if uid in watched) if cover.of else standing)
    for place in directory.site.places.values():
        if place.kind is PlaceKind.ZONE and place.zone_kind is ZoneKind.CRITICAL and place.uid not in found:
            standing = tuple(each.uid for each in cameras if each.place == place.uid)
            if standing:
                found[place.uid] = Zone(Cover(place.uid, 1), standing, assumed=True)
    return found
