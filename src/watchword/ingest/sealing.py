"""Sealing: batches become segments that are archived, entered in the ledger, inserted, marked and released, so that a crash loses nothing.

The order of steps is the promise: archive file (fsync) → one transaction of the ledger → insert under the segment's token → mark
inserted → release the spool's batches → mark judged. After a crash `Sealer.recover` takes up each segment at the step it had reached;
it inserts archived rows and never parses again.
"""

import random
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import PurePath

from sqlalchemy import Connection

from watchword.ingest.ledger import Ledger
from watchword.ingest.ports import Archive, EventLog, SealedFile, Segment, Spool, SpoolBatch
from watchword.ingest.segments import SegmentLedger, SegmentRow, SegmentState, chain_of
from watchword.kit.chain import GENESIS
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Corrupt, InputError
from watchword.kit.instant import to_ms
from watchword.model import Event, EventQuery, RawRecord, SourceStatus, Unparsed

UID_BITS = 16
"""A segment's uid is its sealing time in ms with so many random bits behind: it never comes again, not even after a backup is restored."""
SAMPLE = 20
"""Events per segment that verification compares with the event log."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What recovery found to do."""

    inserted: int = 0
    """Sealed segments that the event log lacked, wholly or in part."""
    marked: int = 0
    """Sealed segments that are marked inserted now."""
    released: int = 0
    """Spool batches that a crash had kept from being released."""
    set_aside: tuple[str, ...] = ()
    """Archive files of sealings that were never finished; their records are still in the spool."""


@dataclass(slots=True)
class SegmentVerdict:
    """What verification of the segments found."""

    segments: int = 0
    events: int = 0
    sampled: int = 0
    heads: dict[str, str] = field(default_factory=dict)
    """Per writer: the head of its chain."""
    faults: list[str] = field(default_factory=list)


class Sealer:
    """Carries segments from the spool to the event log. One per process and writer; not shared between threads.

    Args:
        spool: where acknowledged records wait.
        archive: this writer's own archive.
        ledger: what ingest keeps in `Records`.
        log: the event log.
        clock: tells when a step was done.
        writer: name of the chain; every process that seals at the same time needs its own.
        bits: random bits of segment uids.
    """

    def __init__(
        self, spool: Spool, archive: Archive, ledger: Ledger, log: EventLog, clock: Clock, *,
        writer: str = "worker", bits: Callable[[int], int] = secrets.randbits,
    ) -> None:  # fmt: skip
        self._spool = spool
        self._archive = archive
        self._ledger = ledger
        self._records = ledger.records
        self.segments = SegmentLedger(ledger.records)
        self._log = log
        self._clock = clock
        self._writer = writer
        self._bits = bits
        self._tried: set[int] = set()
        self._released: list[int] = []
        self._last = 0

    def pending(self, records: int, without: Collection[int] = ()) -> list[SpoolBatch]:
        """Return unsealed batches among the spool's oldest of about so many records: those that share the oldest one's arrival date.

        Batches `without` are under way already, and are passed over.
        """
        batches = self._spool.pending(records, without)
        sealed = self.segments.sealed_batches(batch.uid for batch in batches)
        fresh = [batch for batch in batches if batch.uid not in sealed]
        return [batch for batch in fresh if _arrival_of_batch(batch) == _arrival_of_batch(fresh[0])]

    def seal(
        self, batches: Sequence[int], records: Sequence[RawRecord], events: Sequence[Event], unparsed: Sequence[Unparsed] = (),
        tally: Iterable[SourceStatus] = (), *, mended: Sequence[str] = (),
    ) -> Segment:  # fmt: skip
        """Make a segment: write its archive file, then enter it in the ledger with everything that must come true together with it.

        Args:
            batches: uids of the spool batches that it takes up whole; none when records are parsed again.
            records: their records; none when records are parsed again, since the event log has them.
            events: what the mappings made of them.
            unparsed: what they could make nothing of.
            tally: what to add to the sources' counts.
            mended: uids of records to take off the list of unparsed ones.

        Raises:
            InputError: records and events have several arrival dates, or there are none.
            Conflict: a batch is sealed already.
            Full: the disk is full; the batches stay in the spool.
        """
        arrival = arrival_of(records, events)
        segment = Segment(
            self._next_uid(),
            tuple(batches),
            tuple(sorted(records, key=lambda record: (record.received, record.uid))),
            tuple(sorted(events, key=lambda event: event.order)),
        )
        kept = self._archive.write(segment, arrival)
        try:
            with self._records.begin() as connection:
                self._enter(connection, segment, kept, arrival)
                self._ledger.remove_unparsed(connection, mended)
                self._ledger.keep_unparsed(connection, unparsed)
                self._ledger.tally(connection, tally)
                self._ledger.append_change(connection, "segment", str(segment.uid), _summary(segment, unparsed), self._now())
        except Conflict:
            self._archive.set_aside(kept.file)
            raise
        return segment

    def insert(self, segment: Segment) -> None:
        """Put a sealed segment into the event log; may be repeated after a failure, however late.

        Raises:
            Corrupt: the event log holds some of its rows but not all.
            Full, Unavailable: as `EventLog.insert`.
        """
        if segment.uid in self._tried:
            self._complete(segment)
        else:
            self._tried.add(segment.uid)
            self._log.insert(segment)
        self._tried.discard(segment.uid)

    def mark_inserted(self, segment: Segment) -> None:
        """Note that the event log holds the segment."""
        with self._records.begin() as connection:
            self.segments.move(connection, [segment.uid], SegmentState.INSERTED, self._now())
            self.segments.forget_batches(connection, self._released)
        self._released = []

    def release(self, segment: Segment) -> None:
        """Let the spool forget the segment's batches."""
        self._spool.release(segment.batches)
        self._released.extend(segment.batches)

    def store(self, segment: Segment) -> None:
        """Insert, mark and release: everything between sealing and judging."""
        self.insert(segment)
        self.mark_inserted(segment)
        self.release(segment)

    def mark_judged(self, segments: Sequence[int], connection: Connection | None = None) -> None:
        """Note that the detectors have seen these segments; with a connection, together with what they found."""
        if connection is not None:
            self.segments.move(connection, segments, SegmentState.JUDGED, self._now())
            return
        with self._records.begin() as own:
            self.segments.move(own, segments, SegmentState.JUDGED, self._now())

    def unjudged(self) -> Iterator[Segment]:
        """Yield the inserted segments that no detector has seen, from the archive, in the order of sealing.

        Raises:
            Corrupt: an archive file is gone or was changed.
        """
        for row in self.segments.rows(SegmentState.INSERTED):
            yield self._archive.read(row.file, row.digest)

    def recover(self) -> Recovery:
        """Take up what a crash left behind; call once at start, before anything is sealed.

        Raises:
            Corrupt: an archive file is gone or was changed, or the event log holds part of a segment.
            Unavailable: the event log does not answer.
        """
        aside = self._set_aside()
        inserted = marked = 0
        for row in self.segments.rows(SegmentState.SEALED):
            if row.writer != self._writer:
                continue
            segment = self._archive.read(row.file, row.digest)
            inserted += self._complete(segment)
            self.mark_inserted(segment)
            marked += 1
        held = [batch for batches in self.segments.held().values() for batch in batches]
        released = 0
        if held:
            waiting = self._spool.depth().batches
            self._spool.release(held)
            released = max(0, waiting - self._spool.depth().batches)
            with self._records.begin() as connection:
                self.segments.forget_batches(connection, held)
        return Recovery(inserted, marked, released, aside)

    def verify_segments(self, seed: int = 0) -> SegmentVerdict:
        """Compare chain, archive files and a sample of the event log's rows; every difference is a fault in words."""
        verdict = SegmentVerdict()
        chance = random.Random(seed)  # noqa: S311 - a sample that can be drawn again
        for writer in self.segments.writers():
            number, head = 0, GENESIS
            for row in self.segments.walk(writer):
                verdict.segments += 1
                if row.number != number + 1 or row.previous != head:
                    verdict.faults.append(f"segment {row.uid}: number {row.number} of chain {writer!r} does not follow number {number}")
                if chain_of(row.previous, row.uid, row.records, row.events, row.digest) != row.chain:
                    verdict.faults.append(f"segment {row.uid}: its row in the ledger was changed")
                number, head = row.number, row.chain
                self._verify_rows(row, verdict, chance)
            verdict.heads[writer] = head
        return verdict

    def drop_day(self, day: date, segments: Sequence[SegmentRow]) -> None:
        """Let go of everything that arrived on a day: rows of the event log, then archive files. May be repeated after a failure."""
        self._log.drop_day(day)
        for row in segments:
            self._archive.remove(row.file)

    def _verify_rows(self, row: SegmentRow, verdict: SegmentVerdict, chance: random.Random) -> None:
        if row.state is SegmentState.DROPPED:
            return
        try:
            segment = self._archive.read(row.file, row.digest)
        except Corrupt as error:
            verdict.faults.append(f"segment {row.uid}: {error}")
            return
        counts = len(segment.records), len(segment.events)
        if (segment.uid, *counts) != (row.uid, row.records, row.events):
            verdict.faults.append(f"segment {row.uid}: its archive file is another segment's")
            return
        verdict.events += row.events
        if row.state is SegmentState.SEALED:
            return
        if (held := self._log.holds(row.uid)) != counts:
            verdict.faults.append(f"segment {row.uid}: the event log holds {held} records and events, the archive {counts}")
            return
        sample = chance.sample(segment.events, min(SAMPLE, len(segment.events)))
        if sample:
            stored = {
                event.uid: event for event in self._log.events(EventQuery(uids=tuple(event.uid for event in sample), limit=len(sample)))
            }
            verdict.sampled += len(sample)
            for event in sample:
                if stored.get(event.uid) != event:
                    verdict.faults.append(f"segment {row.uid}: event {event.uid} differs between archive and event log")

    def _enter(self, connection: Connection, segment: Segment, kept: SealedFile, arrival: date) -> None:
        number, previous = self.segments.head(connection, self._writer)
        row = SegmentRow(
            uid=segment.uid,
            writer=self._writer,
            number=number + 1,
            arrival=arrival.isoformat(),
            records=len(segment.records),
            events=len(segment.events),
            bytes=kept.bytes,
            file=kept.file,
            digest=kept.digest,
            previous=previous,
            chain=chain_of(previous, segment.uid, len(segment.records), len(segment.events), kept.digest),
            state=SegmentState.SEALED,
            sealed_at=self._now(),
        )
        self.segments.add(connection, row, segment.batches)

    def _complete(self, segment: Segment) -> bool:
        """See that the event log holds a segment that was perhaps inserted before; tell whether something was missing."""
        records, events = self._log.holds(segment.uid)
        if records not in {0, len(segment.records)} or events not in {0, len(segment.events)}:
            raise Corrupt(
                f"the event log holds {records} of {len(segment.records)} records and {events} of {len(segment.events)} events of segment "
                f"{segment.uid}: an insert is all or nothing, so rows were lost or added; rebuild that day from the archive",
            )
        # The token would drop what is there already, yet only for as long as the engine remembers it: so send what is missing.
        missing = Segment(
            segment.uid, segment.batches, () if records else segment.records, () if events else segment.events,
        )  # fmt: skip
        if not missing.records and not missing.events:
            return False
        self._log.insert(missing)
        return True

    def _set_aside(self) -> tuple[str, ...]:
        newest = self.segments.newest()
        strays = [file for file in self._archive.files() if int(PurePath(file).stem) > newest]
        for file in strays:
            self._archive.set_aside(file)
        return tuple(strays)

    def _next_uid(self) -> int:
        if not self._last:
            self._last = self.segments.newest()
        self._last = max(self._last + 1, to_ms(self._now()) << UID_BITS | self._bits(UID_BITS))
        return self._last

    def _now(self) -> datetime:
        return to_millisecond(self._clock.now())


def arrival_of(records: Iterable[RawRecord], events: Iterable[Event]) -> date:
    """Return the arrival date (UTC) that records and events share.

    Raises:
        InputError: there are several, or nothing at all.
    """
    days = {record.received.astimezone(UTC).date() for record in records}
    days |= {event.received.astimezone(UTC).date() for event in events}
    if len(days) != 1:
        named = f"arrival dates {min(days)} to {max(days)}" if days else "neither records nor events"
        raise InputError(f"a segment has one arrival date; this one has {named}")
    return days.pop()


def _arrival_of_batch(batch: SpoolBatch) -> date:
    return batch.records[0].received.astimezone(UTC).date()


def _summary(segment: Segment, unparsed: Sequence[Unparsed]) -> Mapping[str, object]:
    sources = {record.source for record in segment.records} | {event.source for event in segment.events}
    times = [to_ms(event.time) for event in segment.events]
    return {
        "records": len(segment.records), "events": len(segment.events), "unparsed": len(unparsed), "sources": sorted(sources),
        "first_time": min(times, default=None), "last_time": max(times, default=None),
    }  # fmt: skip
