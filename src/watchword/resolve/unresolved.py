"""Unresolved: which names in an event the directory could not match, so that lost coverage is counted and shown."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address

from watchword.model import Event
from watchword.model.ocsf import EventClass


def unresolved_of(event: Event) -> tuple[str, ...]:
    """Return the names in an (identified) event that led to no person, asset or place; none for what it does not name.

    Addresses beyond the private ranges are nobody's asset, and do not count.
    """
    found = []
    data = event.data
    if event.credential and not event.person:
        found.append(event.credential)
    if not event.place:
        for part, word in (("ww_reader", "reader"), ("ww_portal", "door"), ("ww_zone", "zone")):
            entry = data.get(part)
            name = entry.get("uid") if isinstance(entry, Mapping) else None
            if name:
                found.append(f"{word}:{name}")
                break
    if not event.asset:
        found += _machine(event, data)
    return tuple(found)


def _machine(event: Event, data: Mapping[str, object]) -> list[str]:
    if event.class_uid == EventClass.NETWORK_ACTIVITY:
        return [f"address:{event.src_ip}"] if event.src_ip and _is_private(event.src_ip) else []
    entry = data.get("device")
    if isinstance(entry, Mapping):
        for word in ("hostname", "uid", "ip", "mac", "name"):
            if entry.get(word):
                return [f"asset:{entry[word]}"]
    entry = data.get("ww_camera_track")
    camera = entry.get("camera_uid") if isinstance(entry, Mapping) else None
    return [f"asset:{camera}"] if camera else []


@lru_cache(maxsize=65_536)
def _is_private(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:
        return False
