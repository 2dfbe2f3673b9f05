"""What ingest asks the world to fill: the spool, the archive and the event log."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from watchword.model import Count, CountQuery, Event, EventQuery, RawRecord


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the records of one acknowledgement."""

    accepted: int
    duplicate: int


@dataclass(frozen=True, slots=True)
class SpoolBatch:
    """The records that one acknowledgement covers; all have one arrival date."""

    uid: int
    records: tuple[RawRecord, ...]


@dataclass(frozen=True, slots=True)
class SpoolDepth:
    """How much waits in the spool."""

    batches: int
    records: int
    bytes: int


class Spool(Protocol):
    """The durable queue between acknowledgement and the event log."""

    def append(self, records: Sequence[RawRecord], *, once: bool) -> Receipt:
        """Keep the records; on return they survive ``kill -9`` and power loss.

        With `once`, a record whose uid was ever kept before is dropped as a duplicate (in the same transaction).

        Raises:
            Full: the spool's bound or the disk is reached; nothing of these records was kept.
        """
        ...

    def pending(self, records: int, without: Collection[int] = ()) -> list[SpoolBatch]:
        """Return the oldest unreleased batches, whole, of about so many records, fewer when they are large (at least one batch if any).

        Batches `without` are under way already, and are passed over.
        """
        ...

    def release(self, batches: Sequence[int]) -> None:
        """Forget batches that are safe in the event log."""
        ...

    def depth(self) -> SpoolDepth:
        """Return how much waits."""
        ...


@dataclass(frozen=True, slots=True)
class Segment:
    """What one insert covers: the unit of deduplication, digest and archive. All records have one arrival date."""

    uid: int
    batches: tuple[int, ...]
    records: tuple[RawRecord, ...] = field(repr=False)
    events: tuple[Event, ...] = field(repr=False)


class EventLog(Protocol):
    """The store of events and raw records."""

    def insert(self, segment: Segment) -> None:
        """Insert a segment's records and events; inserting the same segment again changes nothing."""
        ...

    def holds(self, segment: int) -> tuple[int, int]:
        """Return how many records and events of a segment are stored."""
        ...

    def events(self, query: EventQuery) -> list[Event]:
        """Return the events of a query, in its order, at most its limit."""
        ...

    def counts(self, query: CountQuery) -> list[Count]:
        """Return counts by group and bucket."""
        ...

    def records(self, uids: Sequence[str]) -> list[RawRecord]:
        """Return the raw records with these uids, verbatim."""
        ...

    def drop_day(self, day: date) -> None:
        """Drop everything that arrived on a day; a day that is not there changes nothing."""
        ...

    def newest(self) -> datetime | None:
        """Return the newest event time stored, or None when there is nothing."""
        ...


@dataclass(frozen=True, slots=True)
class SealedFile:
    """An archive file that is safe on disk."""

    file: str
    """Path below the archive folder."""
    bytes: int
    digest: str
    """SHA-256 over the file's exact bytes, hex."""


class Archive(Protocol):
    """The files that are the evidence: each holds one segment, verbatim; the event log is made from them and compared with them."""

    def write(self, segment: Segment, arrival: date) -> SealedFile:
        """Keep a segment; on return the file survives power loss.

        Raises:
            Full: the disk is full; nothing is left of the file.
        """
        ...

    def read(self, file: str, digest: str) -> Segment:
        """Return the segment of a file.

        Raises:
            Corrupt: the file is gone, or its bytes do not match the digest.
        """
        ...

    def files(self) -> list[str]:
        """Return every file kept, oldest first."""
        ...

    def remove(self, file: str) -> None:
        """Delete a file whose day retention drops; one that is gone already changes nothing."""
        ...

    def set_aside(self, file: str) -> None:
        """Move a file that no ledger knows out of the way; it is not deleted."""
        ...
