"""The fire fact: what is known of one building's fire system at one moment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FireState(StrEnum):
    """What is known of a building's fire system. Only `normal` permits securing a door."""

    NORMAL = "normal"
    ALARM = "alarm"
    FAULT = "fault"
    """Its power or the panel itself is in fault."""
    UNKNOWN = "unknown"
    """Never heard of."""
    STALE = "stale"
    """The panel has been silent for longer than its rhythm."""


@dataclass(frozen=True, slots=True)
class FireFact:
    """The fire state of one building, and since when, by which event."""

    building: str
    state: FireState
    since: datetime | None = None
    event: str = ""
    heard: datetime | None = None
    """When the panel was last heard at all."""
