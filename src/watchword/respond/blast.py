"""Blast radius: what an action would touch, worked out before anything is sent: doors, people inside, hosts, accounts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from watchword.model import Asset, Door
from watchword.model.action import Action
from watchword.resolve.directory import Directory
from watchword.respond.catalogue import LifeSafety, Verb
from watchword.respond.fire import building_of
from watchword.respond.interlock import Scene, hanging_on, is_life_safety


@dataclass(frozen=True, slots=True)
class Blast:
    """Uids of everything that an action reaches."""

    doors: tuple[str, ...] = ()
    uncontrolled: tuple[str, ...] = ()
    """Doors of the zone that no reader controls: they stay as they are."""
    zones: tuple[str, ...] = ()
    """Zones that nobody would get into."""
    buildings: tuple[str, ...] = ()
    people_inside: int | None = None
    """How many people are in these zones now; None when the doors do not say, or no zone is concerned."""
    hosts: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    """Whose account, credential or machine it is."""


def scene_of(action: Action, verb: Verb, directory: Directory, at: datetime) -> Scene:
    """Return what the interlock has to look at."""
    if verb.target in {"door", "zone"}:
        doors, _ = doors_of(action, verb, directory)
        known = directory.door(action.target) is not None if verb.target == "door" else directory.place(action.target) is not None
        sides = {building_of(zone) for door in doors for zone in (door.from_zone, door.to_zone)}
        return Scene(verb.life_safety, known, doors, tuple(sorted(sides - {""})))
    if verb.life_safety is not LifeSafety.DEVICE:
        return Scene(verb.life_safety, known=True)
    asset = asset_of(action.target, directory, at)
    if verb.target != "switch":
        return Scene(verb.life_safety, asset is not None, devices=hanging_on(asset.uid, directory) if asset else ())
    device = action.parameters.get("device", "")
    hung = asset_of(device, directory, at) if device else None
    carries = asset is not None and any(is_life_safety(each) for each in hanging_on(asset.uid, directory))
    return Scene(
        verb.life_safety,
        asset is not None,
        devices=hanging_on(hung.uid, directory) if hung else (),
        unnamed_device=not device and carries,
    )


def doors_of(action: Action, verb: Verb, directory: Directory) -> tuple[tuple[Door, ...], tuple[Door, ...]]:
    """Return the doors that a door or zone action sets, and those of the zone that no reader controls from outside."""
    if verb.target == "door":
        door = directory.door(action.target)
        return ((door,) if door else ()), ()
    if verb.target != "zone" or directory.place(action.target) is None:
        return (), ()
    controlled: list[Door] = []
    others: list[Door] = []
    for door, inward in directory.boundary(action.target):
        read = any(reader.direction == inward for reader in door.readers)
        (controlled if read else others).append(door)
    return tuple(sorted(controlled, key=lambda door: door.uid)), tuple(sorted(others, key=lambda door: door.uid))


def blast_of(action: Action, verb: Verb, directory: Directory, people_in: Callable[[str], int | None], at: datetime) -> Blast:
    """Return what an action reaches.

    Args:
        action: The rendered request.
        verb: Its entry in the catalogue.
        directory: Who and what there is.
        people_in: How many people are in a zone now; None when unknown.
        at: The moment as of which credentials and addresses are looked up.
    """
    if verb.target in {"door", "zone"}:
        return _of_doors(action, verb, directory, people_in)
    if verb.blast == "credential":
        link = directory.holder(action.target, at)
        return Blast(credentials=(action.target,), people=(link.person,) if link else ())
    if verb.blast == "account":
        return _of_account(action.target, directory, at)
    if verb.blast in {"host", "port", "address", "camera"}:
        return _of_network(action, verb, directory, at)
    if verb.blast == "place" and directory.place(action.target) is not None:
        return Blast(zones=(action.target,), people_inside=people_in(action.target))
    return Blast()


def _of_doors(action: Action, verb: Verb, directory: Directory, people_in: Callable[[str], int | None]) -> Blast:
    doors, others = doors_of(action, verb, directory)
    if verb.target == "zone":
        zones = tuple(
            sorted(zone.uid for zone in directory.zones(action.target.partition("/")[0]) if directory.within(zone.uid, action.target))
        )
    else:
        zones = tuple(door.to_zone for door in doors)
    counts = [people_in(zone) for zone in zones]
    inside = None if not counts or None in counts else sum(count for count in counts if count is not None)
    buildings = {building_of(zone) for door in doors for zone in (door.from_zone, door.to_zone)} - {""}
    return Blast(tuple(door.uid for door in doors), tuple(door.uid for door in others), zones, tuple(sorted(buildings)), inside)


def _of_account(target: str, directory: Directory, at: datetime) -> Blast:
    account = target if target.startswith("account:") else f"account:{target.lower()}"
    link = directory.holder(account, at)
    if link is None:
        return Blast(accounts=(account,))
    hosts = tuple(sorted(asset.uid for asset in directory.assets_of(link.person)))
    return Blast(accounts=(account,), people=(link.person,), hosts=hosts)


def _of_network(action: Action, verb: Verb, directory: Directory, at: datetime) -> Blast:
    named = action.parameters.get("device", "") if verb.blast == "port" else action.target
    asset = asset_of(named, directory, at) if named else None
    if asset is None:
        return Blast(hosts=(named,) if named else ())
    hung = hanging_on(asset.uid, directory) if verb.blast != "camera" else (asset,)
    owners = {directory.owner(each.uid, at) for each in hung} - {""}
    return Blast(hosts=tuple(each.uid for each in hung), people=tuple(sorted(owners)))


def asset_of(named: str, directory: Directory, at: datetime) -> Asset | None:
    """Return the asset that a uid, name or address stands for."""
    return directory.asset(named) or directory.asset_at(named.removeprefix("asset:"), at)


def rendered(action: Action, verb: Verb, directory: Directory) -> Action:
    """Return the action with what only the site file knows filled in: a zone's doors, so that approvers agree to those very doors."""
    if "doors" not in verb.parameters or "doors" in action.parameters:
        return action
    doors, _ = doors_of(action, verb, directory)
    if not doors:
        return action
    return replace(action, parameters={**action.parameters, "doors": " ".join(door.uid for door in doors)})
