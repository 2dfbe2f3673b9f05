"""The raw record: exactly what arrived, before anyone understood it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record as its source sent it (secrets such as PINs already replaced)."""

    uid: str
    """32 hex digits: hash of source and the source's own id, or of content and occurrence."""
    source: str
    """Name of the `Source` that sent it."""
    received: datetime
    """When it arrived (aware UTC, whole milliseconds)."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A record that is kept though nothing could be made of it yet."""

    record: str
    source: str
    received: datetime
    fault: str
    """What was wrong, with column or path and remedy."""
    sample: str
    """The first 200 characters of the body, undecodable bytes escaped."""
