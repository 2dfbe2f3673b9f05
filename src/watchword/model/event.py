"""The event: one OCSF event, resolved to a person, an asset and a place as known at its time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One OCSF event. Empty strings mean: none named, or not resolved."""

    uid: str
    """32 hex digits: hash of the record's uid and the event's index in it."""
    record: str
    """The `RawRecord` it came from."""
    source: str
    time: datetime
    """Event time as the device states it (aware UTC, whole milliseconds); never replaced by arrival time."""
    received: datetime
    class_uid: int
    activity_id: int
    severity_id: int = 1
    person: str = ""
    """Uid of the `Person` that acted: the badge's holder, the account's owner."""
    asset: str = ""
    """Uid of the `Asset` that acted or was acted on: host, camera, sensor, switch."""
    place: str = ""
    """Uid of the `Place`: the door for access events, else the zone."""
    credential: str = ""
    """Credential key as seen, ``badge:<keyed hash>`` or ``account:<name>``; kept even when its holder is unknown."""
    src_ip: str = ""
    dst_ip: str = ""
    message: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The OCSF document."""

    @property
    def site(self) -> str:
        """Uid of the site, from the place; empty when the place is unknown."""
        return self.place.partition("/")[0]

    @property
    def order(self) -> tuple[datetime, str]:
        """The order in which events count: time, then uid."""
        return self.time, self.uid


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path of an OCSF document, or None where any step is missing."""
    found: Any = data
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found
