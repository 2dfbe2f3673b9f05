"""Sealing: whatever step a crash hits, after recovery every record and event is in the event log exactly once and the chain holds."""

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from watchword.ingest import tables
from watchword.ingest.ledger import Ledger
from watchword.ingest.ports import Segment
from watchword.ingest.sealing import Sealer, arrival_of
from watchword.ingest.segments import SegmentState
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, Corrupt, InputError, Unavailable
from watchword.kit.ids import uid_of
from watchword.model import Event, EventQuery, RawRecord, SourceStatus, Unparsed
from watchword.stores.archive import FileArchive
from watchword.stores.records import SqlRecords, open_records
from watchword.stores.spool import SqliteSpool

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Crash(BaseException):
    """The process dies here."""


class Fuse:
    """Burns at the n-th place where a process can die; places stand before and after every effect."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.reached = 0

    def place(self) -> None:
        self.reached += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Crash


class MemoryLog:
    """An event log that keeps rows in lists and remembers no token: a second insert doubles them, as after a long outage."""

    def __init__(self, fuse: Fuse) -> None:
        self.fuse = fuse
        self.records: list[tuple[int, RawRecord]] = []
        self.events_: list[tuple[int, Event]] = []
        self.down = False

    def insert(self, segment: Segment) -> None:
        self.fuse.place()
        if self.down:
            raise Unavailable("down")
        self.records += [(segment.uid, record) for record in segment.records]
        self.fuse.place()
        self.events_ += [(segment.uid, event) for event in segment.events]
        self.fuse.place()

    def holds(self, segment: int) -> tuple[int, int]:
        if self.down:
            raise Unavailable("down")
        return sum(uid == segment for uid, _ in self.records), sum(uid == segment for uid, _ in self.events_)

    def events(self, query: EventQuery) -> list[Event]:
        return [event for _, event in self.events_ if event.uid in query.uids]


class CrashingSpool(SqliteSpool):
    fuse: Fuse

    def release(self, batches: Sequence[int]) -> None:
        self.fuse.place()
        super().release(batches)
        self.fuse.place()


class CrashingArchive(FileArchive):
    fuse: Fuse

    def write(self, segment: Segment, arrival: date):
        self.fuse.place()
        kept = super().write(segment, arrival)
        self.fuse.place()
        return kept


class CrashingRecords:
    def __init__(self, inner: SqlRecords, fuse: Fuse) -> None:
        self.inner = inner
        self.fuse = fuse

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        self.fuse.place()
        with self.inner.begin() as connection:
            yield connection
            self.fuse.place()  # everything was said, nothing is committed
        self.fuse.place()

    def read(self):
        return self.inner.read()


class World:
    """Everything durable, and a process that can die and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fuse = Fuse()
        self.clock = ManualClock(NOON)
        self.log = MemoryLog(self.fuse)
        self.sql = open_records(f"sqlite:///{folder}/records.sqlite3")
        self.sql.migrate()
        self.spool = CrashingSpool(folder / "spool.sqlite3")
        self.spool.fuse = self.fuse
        self.archive = CrashingArchive(folder / "archive")
        self.archive.fuse = self.fuse
        self.judged: list[str] = []
        self.start()

    def start(self) -> None:
        self.ledger = Ledger(CrashingRecords(self.sql, self.fuse))
        self.sealer = Sealer(self.spool, self.archive, self.ledger, self.log, self.clock)

    def work(self) -> None:
        """What the worker does: recover, then take batches until there are none."""
        self.sealer.recover()
        for segment in self.sealer.unjudged():
            self.judge(segment)
        while batches := self.sealer.pending(4):
            records = [record for batch in batches for record in batch.records]
            events = [event for record in records if b"bad" not in record.body for event in events_of(record)]
            bad = [Unparsed(record.uid, record.source, record.received, "bad", "bad") for record in records if b"bad" in record.body]
            tally = [SourceStatus("s", accepted=len(records), events=len(events), unparsed=len(bad))]
            segment = self.sealer.seal([batch.uid for batch in batches], records, events, bad, tally)
            self.sealer.store(segment)
            self.judge(segment)

    def judge(self, segment: Segment) -> None:
        self.judged += [event.uid for event in segment.events]
        self.sealer.mark_judged([segment.uid])

    def close(self) -> None:
        self.spool.close()
        self.sql.close()


def events_of(record: RawRecord) -> list[Event]:
    return [
        Event(
            uid_of("event", record.uid, str(n)), record.uid, record.source, record.received - timedelta(seconds=n), record.received, 3002, 1
        )
        for n in range(2)
    ]


def deliveries(count: int = 6, seed: int = 3) -> list[list[RawRecord]]:
    chance = random.Random(seed)
    made = []
    for number in range(count):
        at = NOON + timedelta(days=number // 4, seconds=number)
        made.append([RawRecord(chance.randbytes(16).hex(), "s", at, b"bad" if n == 1 else b"good") for n in range(3)])
    return made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def check(world: World, sent: list[list[RawRecord]]) -> None:
    records = {record.uid for delivery in sent for record in delivery}
    events = {event.uid for delivery in sent for record in delivery if b"bad" not in record.body for event in events_of(record)}
    assert Counter(record.uid for _, record in world.log.records) == Counter(records)
    assert Counter(event.uid for _, event in world.log.events_) == Counter(events)
    assert world.spool.depth().records == 0
    assert world.ledger.status("s") == SourceStatus("s", accepted=len(records), events=len(events), unparsed=len(sent))
    assert {item.record for item in world.ledger.unparsed()} == {
        record.uid for delivery in sent for record in delivery if record.body == b"bad"
    }
    verdict = world.sealer.verify_segments()
    assert verdict.faults == []
    assert verdict.events == len(events)
    assert set(world.judged) == events
    assert set(world.sealer.segments.counts().items()) >= {(SegmentState.SEALED, 0), (SegmentState.INSERTED, 0)}


def test_a_quiet_run(world: World) -> None:
    sent = deliveries()
    for delivery in sent:
        world.spool.append(delivery, once=True)
    world.work()
    check(world, sent)
    assert Counter(world.judged) == Counter(set(world.judged))
    news = world.ledger.changes(0)
    assert {change.kind for change in news} == {"segment"}
    assert sum(change.summary["records"] for change in news) == 18
    assert news[0].summary["sources"] == ["s"]


def test_a_crash_at_every_single_place_loses_and_doubles_nothing(tmp_path: Path) -> None:
    sent = deliveries(3)
    for place in itertools.count():
        folder = tmp_path / str(place)
        folder.mkdir()
        world = World(folder)
        for delivery in sent:
            world.spool.append(delivery, once=True)
        world.fuse.left = place
        try:
            world.work()
        except Crash:
            world.fuse.left = None
            world.start()
            world.work()
            check(world, sent)
            world.close()
        else:
            world.close()
            break
    assert place > 30


def test_many_crashes_in_a_row_also_during_recovery(tmp_path: Path) -> None:
    for seed in range(12):
        chance = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = World(folder)
        sent = deliveries(5, seed)
        for delivery in sent:
            world.spool.append(delivery, once=True)
        for _ in range(25):
            world.fuse.left = chance.randrange(25)
            try:
                world.work()
            except Crash:
                world.start()
        world.fuse.left = None
        world.start()
        world.work()
        check(world, sent)
        world.close()


def test_replay_inserts_what_was_archived_though_the_mapping_has_changed_meanwhile(world: World) -> None:
    (delivery,) = deliveries(1)
    world.spool.append(delivery, once=True)
    (batch,) = world.sealer.pending(10)
    segment = world.sealer.seal([batch.uid], batch.records, events_of(delivery[0]))
    world.start()  # the process died here; the next one would parse otherwise
    recovery = world.sealer.recover()
    assert (recovery.inserted, recovery.marked, recovery.released) == (1, 1, 1)
    assert [event for _, event in world.log.events_] == list(segment.events)
    assert world.sealer.pending(10) == []


def test_an_event_log_that_is_away_stops_nothing_for_good(world: World) -> None:
    (delivery,) = deliveries(1)
    world.spool.append(delivery, once=True)
    (batch,) = world.sealer.pending(10)
    segment = world.sealer.seal([batch.uid], batch.records, events_of(delivery[0]))
    world.log.down = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            world.sealer.store(segment)
    assert world.sealer.pending(10) == []  # sealed: not to be parsed again
    assert world.spool.depth().batches == 1
    world.log.down = False
    world.sealer.store(segment)
    assert world.log.holds(segment.uid) == (3, 2)
    assert world.spool.depth().batches == 0


def test_an_insert_whose_answer_was_lost_is_not_made_twice(world: World) -> None:
    (delivery,) = deliveries(1)
    segment = world.sealer.seal([], delivery, events_of(delivery[0]))
    inner = world.log.insert

    def lossy(given: Segment) -> None:
        inner(given)
        raise Unavailable("the answer was lost")

    world.log.insert = lossy  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        world.sealer.insert(segment)
    world.log.insert = inner  # type: ignore[method-assign]
    world.sealer.insert(segment)
    assert world.log.holds(segment.uid) == (3, 2)


def test_half_a_segment_in_the_event_log_is_said_not_mended_in_silence(world: World) -> None:
    (delivery,) = deliveries(1)
    segment = world.sealer.seal([], delivery, events_of(delivery[0]))
    world.log.insert(replace(segment, records=segment.records[:1]))
    world.start()
    with pytest.raises(Corrupt, match="1 of 3 records"):
        world.sealer.recover()


def test_a_batch_is_sealed_once(world: World) -> None:
    (delivery,) = deliveries(1)
    world.spool.append(delivery, once=True)
    (batch,) = world.sealer.pending(10)
    world.sealer.seal([batch.uid], batch.records, [])
    with pytest.raises(Conflict, match="sealed already"):
        world.sealer.seal([batch.uid], batch.records, [])
    assert world.sealer.segments.counts()[SegmentState.SEALED] == 1
    assert len(world.archive.files()) == 1


def test_two_workers_cannot_fork_a_chain(world: World) -> None:
    one, two = deliveries(2)
    other = Sealer(world.spool, world.archive, world.ledger, world.log, world.clock, writer="other")
    world.sealer.seal([], one, [])
    other.seal([], two, [])
    verdict = world.sealer.verify_segments()
    assert verdict.faults == []
    assert set(verdict.heads) == {"worker", "other"}


def test_pending_gives_batches_of_one_arrival_date(world: World) -> None:
    sent = deliveries(6)
    for delivery in sent:
        world.spool.append(delivery, once=True)
    batches = world.sealer.pending(1000)
    assert [record for batch in batches for record in batch.records] == [record for delivery in sent[:4] for record in delivery]
    world.spool.append([replace(sent[0][0], uid="ab" * 16)], once=True)  # the older day again, behind the newer one
    assert [len(batch.records) for batch in world.sealer.pending(1000)] == [3, 3, 3, 3, 1]
    assert arrival_of([record for batch in batches for record in batch.records], []) == date(2026, 3, 2)


def test_a_segment_has_one_arrival_date_and_something_in_it(world: World) -> None:
    sent = deliveries(6)
    with pytest.raises(InputError, match="2026-03-02 to 2026-03-03"):
        world.sealer.seal([1], [record for delivery in sent for record in delivery], [])
    with pytest.raises(InputError, match="neither"):
        world.sealer.seal([1], [], [])
    assert world.archive.files() == []


def test_records_parsed_again_leave_the_list_in_the_same_step(world: World) -> None:
    sent = deliveries(1)
    world.spool.append(sent[0], once=True)
    world.work()
    (bad,) = world.ledger.unparsed()
    record = next(record for record in sent[0] if record.uid == bad.record)
    tally = [SourceStatus("s", parsed=1, events=2)]
    segment = world.sealer.seal([], [], events_of(record), tally=tally, mended=[bad.record])
    assert world.ledger.unparsed() == []
    assert world.ledger.status("s").unparsed == 0
    world.sealer.store(segment)
    assert world.log.holds(segment.uid) == (0, 2)


def test_segment_numbers_grow_and_never_come_again_even_when_the_ledger_is_an_older_copy(world: World) -> None:
    sent = deliveries(4)
    numbers = [world.sealer.seal([], delivery, []).uid for delivery in sent[:3]]
    assert numbers == sorted(set(numbers))
    world.clock.advance(timedelta(seconds=-5))  # the machine's clock was set back
    assert world.sealer.seal([], sent[3], []).uid > numbers[-1]
    fresh = Sealer(world.spool, world.archive, world.ledger, world.log, ManualClock(NOON + timedelta(hours=1)), writer="restored")
    assert fresh._next_uid() > numbers[-1]


def test_verification_names_every_kind_of_tampering(world: World) -> None:
    sent = deliveries(5)
    segments = [world.sealer.seal([], delivery, events_of(delivery[0])) for delivery in sent]
    for segment in segments:
        world.sealer.store(segment)
    assert world.sealer.verify_segments().faults == []
    rows = world.sealer.segments.rows(SegmentState.INSERTED)
    path = world.folder / "archive" / rows[0].file
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    (world.folder / "archive" / rows[1].file).unlink()
    with world.sql.begin() as connection:
        connection.execute(update(tables.segment).where(tables.segment.c.uid == rows[2].uid).values(events=99))
        connection.execute(tables.segment_batch.delete())
        connection.execute(tables.segment.delete().where(tables.segment.c.uid == rows[3].uid))
    world.log.events_ = [
        (uid, replace(event, person="someone")) if uid == rows[4].uid else (uid, event) for uid, event in world.log.events_
    ]
    faults = "\n".join(world.sealer.verify_segments().faults)
    for wanted in (
        "does not match its digest",
        "cannot be read",
        "its row in the ledger was changed",
        "does not follow",
        "differs between",
    ):
        assert wanted in faults
    world.log.records.pop()
    assert "the event log holds" in "\n".join(world.sealer.verify_segments().faults)


def test_files_of_unfinished_sealings_are_set_aside_not_deleted(world: World) -> None:
    (delivery,) = deliveries(1)
    world.spool.append(delivery, once=True)
    world.fuse.left = 1  # after the archive file, before the ledger
    with pytest.raises(Crash):
        world.work()
    assert len(world.archive.files()) == 1
    world.fuse.left = None
    world.start()
    recovery = world.sealer.recover()
    assert len(recovery.set_aside) == 1
    assert world.archive.files() == []
    assert len(list((world.folder / "archive" / "unlisted").iterdir())) == 1
