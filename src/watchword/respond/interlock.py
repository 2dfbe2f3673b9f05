"""The life-safety interlock: what must hold before a verb may touch a door or cut a device off; no approval and no role passes it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from watchword.model import Asset, AssetKind, Door
from watchword.resolve.directory import Directory
from watchword.respond.catalogue import LifeSafety, Refusal
from watchword.respond.fire_fact import FireFact, FireState

FIRE_CODES: Final[Mapping[FireState, str]] = {
    FireState.ALARM: "fire-alarm",
    FireState.FAULT: "fire-fault",
    FireState.UNKNOWN: "fire-unknown",
    FireState.STALE: "fire-stale",
}
_FIRE_WORDS: Final[Mapping[FireState, str]] = {
    FireState.ALARM: "a fire alarm is present in {building}",
    FireState.FAULT: "the fire system of {building} has a fault, or no power",
    FireState.UNKNOWN: "nothing is known of fire in {building}: no panel speaks for it",
    FireState.STALE: "the fire panel of {building} has been silent for longer than its rhythm",
}
INTERLOCK_CODES: Final = frozenset({*FIRE_CODES.values(), "egress-unverified", "life-safety-device", "unknown-target", "no-door"})
"""The words of refusals that no person can overrule."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What an action would touch, as the interlock needs to know it."""

    safety: LifeSafety
    known: bool
    """Whether the directory knows the target."""
    doors: tuple[Door, ...] = ()
    """Doors that would be secured or released."""
    buildings: tuple[str, ...] = ()
    """Buildings on either side of these doors."""
    devices: tuple[Asset, ...] = ()
    """What would be cut off the network, with all that hangs on it."""
    unnamed_device: bool = False
    """A port of a switch that carries life-safety devices, and nobody says what hangs on it."""


def judge(scene: Scene, facts: Iterable[FireFact], on: date) -> tuple[Refusal, ...]:
    """Return every reason why people's safety forbids the action; nothing when it may go on.

    Args:
        scene: What would be touched.
        facts: The fire facts, read for this very call; a building without one counts as unknown.
        on: Today, for the age of egress checks.
    """
    if scene.safety is LifeSafety.SECURING:
        return (*_egress(scene, on), *_fire(scene, facts))
    if scene.safety is LifeSafety.DEVICE:
        return tuple(_devices(scene))
    return ()  # a release is never held back


def _egress(scene: Scene, on: date) -> Iterator[Refusal]:
    if not scene.known:
        yield Refusal("unknown-target", "the site file does not describe it, so nobody can say that people get out")
    elif not scene.doors:
        yield Refusal("no-door", "it has no door with a reader that lets people in")
    for door in scene.doors:
        if not door.leaves_freely(on):
            yield Refusal(
                "egress-unverified",
                f"{door.name} ({door.uid}) is not verified to open by hand from inside: egress_hardware free_mechanical, checked within "
                "400 days, in the site file",
            )


def _fire(scene: Scene, facts: Iterable[FireFact]) -> Iterator[Refusal]:
    known = {fact.building: fact.state for fact in facts}
    if not scene.buildings:
        yield Refusal("fire-unknown", "its doors lead into no building whose fire state could be known")
    for building in scene.buildings:
        state = known.get(building, FireState.UNKNOWN)
        if state is not FireState.NORMAL:
            yield Refusal(FIRE_CODES[state], _FIRE_WORDS[state].format(building=building))


def _devices(scene: Scene) -> Iterator[Refusal]:
    for asset in scene.devices:
        if is_life_safety(asset):
            yield Refusal("life-safety-device", f"{asset.name} is a {asset.kind.value}, which people's safety depends on: never cut it off")
    if scene.unnamed_device:
        yield Refusal(
            "life-safety-device",
            "a panel or door controller hangs on this switch: name what hangs on the port (parameter device)",
        )


def is_life_safety(asset: Asset) -> bool:
    """Tell whether people's safety depends on a device: a fire panel, a door controller."""
    return bool(asset.protects) or asset.kind in {AssetKind.PANEL, AssetKind.CONTROLLER}


def hanging_on(asset: str, directory: Directory) -> tuple[Asset, ...]:
    """Return an asset and everything that depends on it, directly or through others."""
    below: dict[str, list[str]] = {}
    for each in directory.assets.assets.values():
        for upstream in each.upstream:
            below.setdefault(upstream, []).append(each.uid)
    found: dict[str, Asset] = {}
    waiting = [asset]
    while waiting:
        uid = waiting.pop()
        known = directory.asset(uid)
        if known is not None and uid not in found:
            found[uid] = known
            waiting += below.get(uid, ())
    return tuple(found.values())
