"""The source: who sends records, how they are read, and what rhythm and truthfulness of time to expect."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Domain(StrEnum):
    """Which side of the house a source speaks for."""

    IT = "it"
    PHYSICAL = "physical"


class SourceKind(StrEnum):
    """What a source reports; detections say which kinds they need before an absence counts."""

    ACCESS_CONTROL = "access_control"
    ALARM = "alarm"
    VIDEO = "video"
    VISITOR = "visitor"
    BUILDING = "building"
    IDENTITY = "identity"
    HOST = "host"
    NETWORK = "network"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Source:
    """One sender of records and the settings that its owner gave it."""

    name: str
    domain: Domain
    kind: SourceKind
    connector: str
    """``syslog``, ``webhook``, ``csv`` or ``jsonl``: how its bytes are cut into records."""
    mapping: str = ""
    """Name of the mapping that makes events of its records; empty: kept, searchable as text only."""
    site: str = ""
    """Uid of the site that it reports on; empty: all."""
    lateness: timedelta = timedelta(minutes=2)
    """How late a record may come and still be judged in full."""
    resolution: timedelta = timedelta(seconds=1)
    """The finest step of its clock."""
    skew: timedelta = timedelta()
    """How far its clock may be off, in either direction."""
    rhythm: timedelta | None = None
    """The longest gap to be expected between two records; None: learned from its own past."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What has come from a source so far."""

    name: str
    accepted: int = 0
    parsed: int = 0
    unparsed: int = 0
    unmapped: int = 0
    """Records that were well formed but that no mapping made more of than a line of text."""
    duplicate: int = 0
    lost: int = 0
    """Datagrams that were sent but never acknowledged nor kept: the spool was full, or they came faster than they could be taken."""
    unresolved: int = 0
    """Events that name a person, asset or place that the directory does not know."""
    events: int = 0
    last_received: datetime | None = None
    last_time: datetime | None = None
    """Newest event time seen: the source's watermark while it is connected."""
