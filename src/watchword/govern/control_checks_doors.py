"""Checks of doors and zones: openings that nobody explains, entries against the role matrix, vestibules, closets, racks."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from watchword.govern.control_facts import CheckFact, Facts, refs, value
from watchword.govern.control_test import Outcome, Params
from watchword.measure.compliance import Result
from watchword.model import Event, ZoneKind
from watchword.model.entity import AssetKind
from watchword.model.ocsf import Access, EventClass, Health, Logon, Occupancy

ACCESS: Final = EventClass.PHYSICAL_ACCESS
STRICT: Final = frozenset({ZoneKind.RESTRICTED, ZoneKind.CRITICAL})
SYSTEMS: Final = frozenset({AssetKind.SERVER, AssetKind.CONSOLE, AssetKind.SWITCH})
ORDER_LASTS: Final = timedelta(hours=8)


def explained_openings(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Every opening has a grant, an exit request, an unlocking or a work order shortly before; a forced door never has."""
    within, lasts = params.duration("within", "30s"), params.duration("order_lasts", "8h")
    by_door: dict[str, list[Event]] = {}
    for event in facts.of_class(ACCESS):
        by_door.setdefault(event.place, []).append(event)
    for door in facts.directory.site.doors.values():
        events = by_door.get(door.uid, [])
        if not door.readers and not events:
            continue
        odd = _unexplained(events, within)
        odd = [event for event in odd if facts.ordered(door.uid, event.time, lasts) is None]
        if odd:
            yield Outcome(
                door.uid, Result.FAIL, f"{len(odd)} of its openings has no grant, exit request or override", refs(odd), read=len(events)
            )
        else:
            yield Outcome(door.uid, Result.PASS, "each opening is explained", refs(events[-20:]), read=len(events))


def _unexplained(events: Sequence[Event], within: timedelta) -> list[Event]:
    reason: datetime | None = None
    unlocked, odd = False, []
    for event in events:
        if event.activity_id in {Access.GRANTED, Access.REQUEST_TO_EXIT}:
            reason = event.time
        elif event.activity_id == Access.MODE_CHANGED:
            unlocked = value(event, "ww_value").lower() not in {"locked", "secure"}
            reason = event.time
        elif event.activity_id == Access.FORCED or (
            event.activity_id == Access.TAKEN and not unlocked and not event.credential and (reason is None or event.time - reason > within)
        ):
            odd.append(event)
    return odd


def system_rooms(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Rooms that hold systems are restricted zones of their own, and each passage into them had a grant for that zone."""
    within = params.duration("within", "30s")
    rooms: dict[str, int] = {}
    for asset in facts.directory.assets.assets.values():
        if asset.kind in SYSTEMS and asset.place:
            rooms[asset.place] = rooms.get(asset.place, 0) + 1
    for zone, count in sorted(rooms.items()):
        place = facts.directory.place(zone)
        if place is None or place.zone_kind not in STRICT:
            yield Outcome(
                zone,
                Result.FAIL,
                f"{count} systems stand in a zone that is not restricted",
                tuple(("directory", each) for each in facts.documents),
            )
            continue
        doors = {door.uid: inward for door, inward in facts.directory.boundary(zone)}
        events = [event for event in facts.of_class(ACCESS) if event.place in doors]
        inside = {
            reader.uid for uid, inward in doors.items() for reader in facts.directory.site.doors[uid].readers if reader.direction == inward
        }
        odd = _without_grant(
            [event for event in events if not value(event, "ww_reader.uid") or value(event, "ww_reader.uid") in inside], within
        )
        if odd:
            yield Outcome(zone, Result.FAIL, f"{len(odd)} entries match no grant for this zone", refs(odd), read=len(events))
        elif not inside:
            yield Outcome(zone, Result.INSUFFICIENT, "no reader says who enters", read=len(events))
        else:
            yield Outcome(
                zone, Result.PASS, "a restricted zone of its own; each entry matches a grant", refs(events[-20:]), read=len(events)
            )


def _without_grant(events: Sequence[Event], within: timedelta) -> list[Event]:
    grants: dict[str, datetime] = {}
    odd = []
    for event in events:
        if event.activity_id == Access.GRANTED and event.credential:
            grants[event.credential] = event.time
        elif event.activity_id == Access.TAKEN and event.credential:
            at = grants.get(event.credential)
            if at is None or event.time - at > within:
                odd.append(event)
        elif event.activity_id in {Access.FORCED, Access.TAILGATE}:
            odd.append(event)
    return odd


def _entries(facts: Facts, zone: str) -> list[Event]:
    """Return grants and passages into a zone."""
    doors = {door.uid: inward for door, inward in facts.directory.boundary(zone)}
    found = []
    for event in facts.of_class(ACCESS):
        if event.place in doors and event.activity_id in {Access.GRANTED, Access.TAKEN} and event.credential:
            reader = facts.directory.reader(value(event, "ww_reader.uid"))
            if reader is None or reader.direction == doors[event.place]:
                found.append(event)
    return found


def _role(facts: Facts, event: Event) -> str:
    person = facts.directory.person(event.person)
    return "" if person is None else person.role or person.kind.value


def roles_follow(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each grant into a zone of the role matrix is to a role that it names."""
    del params
    if not facts.book.roles:
        yield Outcome("", Result.INSUFFICIENT, "no role matrix is kept (controls configure)")
    for zone, roles in sorted(facts.book.roles.items()):
        entries = [event for event in _entries(facts, zone) if event.activity_id == Access.GRANTED]
        odd = [event for event in entries if _role(facts, event) not in roles]
        odd = [event for event in odd if ("pe-2.1", zone) not in facts.excepted and ("pe-2.1", event.person) not in facts.excepted]
        if odd:
            who = ", ".join(sorted({_role(facts, event) or "nobody known" for event in odd}))
            yield Outcome(
                zone, Result.FAIL, f"{len(odd)} grants to roles that the matrix does not name: {who}", refs(odd), read=len(entries)
            )
        else:
            yield Outcome(zone, Result.PASS, "each grant follows from the role matrix", refs(entries[-20:]), read=len(entries))


def escorted(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Whoever enters a zone of the matrix without being cleared for it comes with somebody who is."""
    within = params.duration("within", "2m")
    if not facts.book.roles:
        yield Outcome("", Result.INSUFFICIENT, "no role matrix says who is cleared (controls configure)")
    for zone, roles in sorted(facts.book.roles.items()):
        entries = [event for event in _entries(facts, zone) if event.activity_id == Access.TAKEN] or _entries(facts, zone)
        cleared = [event.time for event in entries if _role(facts, event) in roles]
        odd = [
            event
            for event in entries
            if _role(facts, event) not in roles
            and not any(abs(event.time - at) <= within for at in cleared)
            and not any(abs(event.time - each.at) <= within for each in _escorts(facts, zone, event.person))
        ]
        if odd:
            yield Outcome(zone, Result.FAIL, f"{len(odd)} entries by somebody uncleared without an escort", refs(odd), read=len(entries))
        else:
            yield Outcome(zone, Result.PASS, "nobody uncleared was there alone", refs(entries[-20:]), read=len(entries))


def _escorts(facts: Facts, zone: str, person: str) -> list[CheckFact]:
    return [each for each in facts.checks if each.kind == "escort" and each.target in {zone, person}]


def vestibules(facts: Facts, params: Params) -> Iterator[Outcome]:
    """The two doors of a vestibule are never open together, and nobody is counted there with another."""
    del params
    if not facts.book.vestibules:
        yield Outcome("", Result.INSUFFICIENT, "no vestibule is described (controls configure)")
    for first, second in facts.book.vestibules:
        open_now: set[str] = set()
        odd: list[Event] = []
        events = [event for event in facts.events if event.place in {first, second} and event.class_uid == ACCESS]
        for event in events:
            word = value(event, "ww_value").lower()
            if event.activity_id in {Access.FORCED, Access.HELD_OPEN} or (event.activity_id == Access.TAKEN and not event.credential):
                open_now.add(event.place)
                if len(open_now) > 1:
                    odd.append(event)
            elif word == "closed":
                open_now.discard(event.place)
        door = facts.directory.door(first)
        crowd = [
            event
            for event in facts.of_class(EventClass.OCCUPANCY)
            if door is not None
            and event.place == door.to_zone
            and event.activity_id == Occupancy.COUNTED
            and float(value(event, "ww_count") or 0) > 1
        ]
        if odd or crowd:
            yield Outcome(
                first,
                Result.FAIL,
                f"both doors stood open together {len(odd)} times, {len(crowd)} counts above one",
                refs([*odd, *crowd]),
                read=len(events),
            )
        elif not any(value(event, "ww_value").lower() == "closed" for event in events):
            yield Outcome(first, Result.INSUFFICIENT, "its contacts report no closing", refs(events[-20:]), read=len(events))
        else:
            yield Outcome(first, Result.PASS, "its doors were never open together", refs(events[-20:]), read=len(events))


def wiring(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each opening of a wiring closet, and each lost camera or controller line, has a work order or an incident."""
    within, lasts = params.duration("within", "15m"), params.duration("order_lasts", "8h")
    closets = sorted({a.place for a in facts.directory.assets.assets.values() if a.kind is AssetKind.SWITCH and a.place})
    for zone in closets:
        doors = {door.uid for door, _ in facts.directory.boundary(zone)}
        events = [event for event in facts.of_class(ACCESS) if event.place in doors]
        openings = [event for event in events if event.activity_id in {Access.TAKEN, Access.GRANTED, Access.FORCED, Access.HELD_OPEN}]
        odd = [event for event in openings if facts.ordered(zone, event.time, lasts) is None and facts.reached(event, within) is None]
        if odd:
            yield Outcome(zone, Result.FAIL, f"{len(odd)} openings without work order or incident", refs(odd), read=len(events))
        elif not doors:
            yield Outcome(zone, Result.INSUFFICIENT, "no door leads there")
        else:
            yield Outcome(zone, Result.PASS, "each opening has its work order or incident", refs(openings[-20:]), read=len(events))
    lines = frozenset({AssetKind.CAMERA, AssetKind.CONTROLLER})
    for event in facts.of_class(EventClass.DEVICE_HEALTH):
        asset = facts.directory.asset(event.asset)
        lost = event.activity_id in {Health.OFFLINE, Health.VIDEO_LOST} and asset is not None and asset.kind in lines
        if lost and facts.ordered(event.asset, event.time, lasts) is None and facts.reached(event, within) is None:
            yield Outcome(event.asset, Result.FAIL, "its line was lost without work order or incident", refs([event]))


def racks(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each opening of a rack or cage joins a change or a log-on at a machine beside it."""
    within, lasts = params.duration("within", "15m"), params.duration("order_lasts", "8h")
    if not facts.book.racks:
        yield Outcome("", Result.INSUFFICIENT, "no rack or cage is described (controls configure)")
    logons = [event for event in facts.of_class(EventClass.AUTHENTICATION) if value(event, "logon_type_id") == str(int(Logon.INTERACTIVE))]
    for uid in facts.book.racks:
        events = [event for event in facts.events if uid in {event.place, event.asset}]
        if not events:
            yield Outcome(uid, Result.INSUFFICIENT, "it has not reported")
            continue
        zone = facts.directory.door(uid)
        inner = zone.to_zone if zone is not None else getattr(facts.directory.asset(uid), "place", "")
        near = [event for event in logons if inner and _stands(facts, event.asset) == inner]
        opened = [
            event for event in events if event.class_uid == ACCESS and event.activity_id in {Access.TAKEN, Access.FORCED, Access.GRANTED}
        ]
        odd = [
            event
            for event in opened
            if facts.ordered(uid, event.time, lasts) is None and not any(abs(each.time - event.time) <= within for each in near)
        ]
        if odd:
            yield Outcome(
                uid, Result.FAIL, f"{len(odd)} openings join neither a change nor a log-on beside it", refs(odd), read=len(events)
            )
        else:
            yield Outcome(uid, Result.PASS, "each opening joins a change or a log-on", refs([*opened, *events[-5:]]), read=len(events))


def _stands(facts: Facts, asset: str) -> str:
    found = facts.directory.asset(asset)
    return "" if found is None else found.place
