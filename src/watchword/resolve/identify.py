"""Identify: an event as its source states it → the same event with its person, asset and place, as known at its time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from watchword.ingest.credential import account_uid
from watchword.model import Asset, Event
from watchword.model.making import make_event
from watchword.model.ocsf import EventClass
from watchword.resolve.gates import Gate

if TYPE_CHECKING:
    from watchword.resolve.directory import Directory

ACCESS = int(EventClass.PHYSICAL_ACCESS)
CLIENT_CLASSES = frozenset({int(EventClass.NETWORK_ACTIVITY), int(EventClass.DNS_ACTIVITY)})
"""Traffic: the asset is the one that sent it."""
TARGET_CLASSES = frozenset({int(EventClass.AUTHENTICATION), int(EventClass.AUTHORIZE_SESSION)})
"""Log-ons: without a device, the asset is the machine logged on to."""
CONFLICT = "ww_identity_conflict"
"""Data entry with the uids of the people that two exact keys of one event name; no merge is made."""

NO_CONFLICT: tuple[str, ...] = ()


def identify(directory: "Directory", event: Event) -> Event:
    """Return the event resolved; the same object when there is nothing to add."""
    data = event.data
    person, confidence, conflict = _person(directory, event, data) if not event.person else (event.person, 1.0, NO_CONFLICT)
    asset_uid, place, merged = event.asset, event.place, None
    if event.class_uid == ACCESS:
        gate = None if place else gate_in(directory, data)
        if gate is not None:
            place, merged = gate.door, _completed(data, gate)
    else:
        asset_uid, place = _thing_and_place(directory, event, data)
    if confidence < 1.0 or conflict:
        merged = dict(data) if merged is None else merged
        if confidence < 1.0:
            merged.setdefault("ww_person_confidence", confidence)
        if conflict:
            merged.setdefault(CONFLICT, list(conflict))
    if merged is None and person == event.person and asset_uid == event.asset and place == event.place:
        return event
    return make_event(
        event.uid,
        event.record,
        event.source,
        event.time,
        event.received,
        event.class_uid,
        event.activity_id,
        event.severity_id,
        person,
        asset_uid,
        place,
        event.credential,
        event.src_ip,
        event.dst_ip,
        event.message,
        data if merged is None else merged,
    )


def _person(directory: "Directory", event: Event, data: Mapping[str, Any]) -> tuple[str, float, tuple[str, ...]]:
    """Return the person, the confidence of the link, and the people between whom two exact keys disagree."""
    link = directory.holder(event.credential, event.time) if event.credential else None
    user = data.get("user")
    if type(user) is not dict and not isinstance(user, Mapping):
        return (link.person, link.confidence, ()) if link else ("", 1.0, ())
    named: dict[str, float] = {link.person: link.confidence} if link else {}
    number = user.get("uid")
    if number is not None and f"person:{number}" in directory.people.people:
        named[f"person:{number}"] = 1.0
    for word in ("email_addr", "name") if link is None else ("email_addr",):
        text = user.get(word)
        if isinstance(text, str) and text:
            other = directory.holder(account_uid(text), event.time)
            if other is not None:
                named[other.person] = max(other.confidence, named.get(other.person, 0.0))
    if len(named) == 1:
        return (*next(iter(named.items())), ())
    exact = [uid for uid, sure in named.items() if sure >= 1.0]
    if len(exact) == 1:
        return exact[0], 1.0, ()
    return "", 1.0, tuple(sorted(named))


def gate_in(directory: "Directory", data: Mapping[str, Any]) -> Gate | None:
    """Return the gate that the data name, by reader first, then by door; None when neither is known."""
    reader = data.get("ww_reader")
    direction = ""
    if isinstance(reader, Mapping):
        stated = reader.get("direction")
        direction = stated if stated in {"in", "out"} else ""
        ways = directory.reader_ways.get(reader.get("uid", ""))
        if ways is not None:
            return ways[direction]
    portal = data.get("ww_portal")
    name = portal.get("uid") or portal.get("name") if isinstance(portal, Mapping) else None
    if isinstance(name, str):
        ways = directory.door_ways.get(name) or directory.door_ways.get(directory.door_named(name, data.get("ww_site_uid", "")))
        if ways is not None:
            return ways[direction]
    return None


def _completed(data: Mapping[str, Any], gate: Gate) -> dict[str, Any]:
    """Return the data with what the gate knows; what the event says stands, save that a door's or zone's name becomes its uid."""
    merged = {**gate.filled, **data}
    reader = data.get("ww_reader")
    if reader is not None:
        merged["ww_reader"] = {**gate.reader, **reader}
    portal = data.get("ww_portal")
    if portal is not None:
        merged["ww_portal"] = {**gate.portal, **portal, "uid": gate.door}
    return merged


def _thing_and_place(directory: "Directory", event: Event, data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the asset's uid and the place of an event that is no passage through a door."""
    asset = directory.assets.assets.get(event.asset) if event.asset else _asset(directory, event, data)
    uid = event.asset or (asset.uid if asset else "")
    place = event.place
    if not place:
        stated = data.get("ww_zone")
        if isinstance(stated, Mapping) and stated.get("uid"):
            place = directory.zone_named(str(stated["uid"]), data.get("ww_site_uid", ""))
        if not place and "ww_portal" in data:
            gate = gate_in(directory, data)
            place = gate.door if gate else ""
        if not place and asset is not None:
            place = asset.place
        if not place:
            site = data.get("ww_site_uid", "")
            place = site if site in directory.site.places else ""
    return uid, place


def _asset(directory: "Directory", event: Event, data: Mapping[str, Any]) -> Asset | None:
    if event.class_uid in CLIENT_CLASSES:  # most events of a site are traffic
        return directory.asset_at(event.src_ip, event.time) if event.src_ip else _endpoint(directory, event, data.get("src_endpoint"))
    if event.class_uid == EventClass.VIDEO_ANALYTIC:
        track = data.get("ww_camera_track")
        camera = track.get("camera_uid") if isinstance(track, Mapping) else None
        found = directory.asset_at(str(camera), event.time) if camera else None
        if found is not None:
            return found
    found = _endpoint(directory, event, data.get("device"))
    if found is None and event.class_uid in TARGET_CLASSES and "device" not in data:
        found = _endpoint(directory, event, data.get("dst_endpoint"))
    return found


def _endpoint(directory: "Directory", event: Event, endpoint: Any) -> Asset | None:
    """Return the asset that a device or endpoint object names: by its own ids first, by its address last."""
    if type(endpoint) is not dict and not isinstance(endpoint, Mapping):
        return None
    for word in ("uid", "hostname", "mac", "serial_number", "ip", "name"):
        text = endpoint.get(word)
        if isinstance(text, str) and text:
            found = directory.asset_at(text, event.time)
            if found is not None:
                return found
    return None
