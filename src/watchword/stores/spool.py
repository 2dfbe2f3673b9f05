"""The spool: acknowledged records wait here, fsynced in a SQLite file, until they are safe in the event log."""

import contextlib
import itertools
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from watchword.ingest.ports import Receipt, SpoolBatch, SpoolDepth
from watchword.kit.errors import Full, Unavailable
from watchword.kit.instant import to_ms
from watchword.model import RawRecord
from watchword.stores.packing import Keyed, cut_batches, keyed, pack, unpack
from watchword.stores.seen import FOLD_AT, FOLD_MUST, SCHEMA, Fold, Seen

LINGER = 0.005
"""How long a commit waits for more callers once several are about, seconds."""
PENDING_BYTES = 32_000_000
"""About so much is handed to the worker at once, however few records that is: it holds them, their events and their columns in memory."""
COMMIT_BYTES = 32_000_000
"""No more than this goes into one transaction, so that nobody's acknowledgement waits for long."""
BUSY_MS = 30_000
RESERVE_BYTES = 134_217_728
"""Disk space that appends leave free: releasing needs room too, and so do archive, ledger and event log to empty the spool."""
_FULL_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_FSYNC)
_PURGE_ROWS = 5_000
_BREATH = 0.01
_CHECKPOINT_PAGES = 2_000
_CHECKPOINT_PAGES_APPENDING = 16_000
"""Moving the write-ahead log into the file takes longer than an acknowledgement may: a sender only does it where the worker does not."""
_GIVEN_BACK = 64_000_000
"""Bytes that a full disk is given back at a time, at least: a second's work."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (uid INTEGER PRIMARY KEY, records INTEGER NOT NULL, bytes INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS depth (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, batches INTEGER NOT NULL,
                                  records INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO depth VALUES (1, 0, 0, 0, 0);
"""


@dataclass(slots=True)
class _Append:
    """One caller's records and the promise that they are kept."""

    records: Sequence[RawRecord]
    once: bool
    bytes: int
    keyed: list[Keyed]
    done: "Future[Receipt]" = field(default_factory=Future)


class SqliteSpool:
    """A spool file. Any number of threads and processes may use it at once; each has a `SqliteSpool` of its own or shares one by threads.

    Args:
        path: the file; its folder is made.
        max_bytes: bound on the bodies that wait.
        max_records: bound on the records that wait.
        reserve_bytes: disk space that appends leave free.
        durable: False for a run that is begun anew after a crash: what was acknowledged then survives the process, but no power loss.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int = 4_000_000_000,
        max_records: int = 10_000_000,
        reserve_bytes: int = RESERVE_BYTES,
        *,
        durable: bool = True,
    ) -> None:
        self._path = path
        self._durable = durable
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._reserve = reserve_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._reader = self._connect()
        self._reader.executescript(_SCHEMA + SCHEMA)
        self._appends: queue.SimpleQueue[_Append | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._folder: threading.Thread | None = None
        self._closed = False

    # the gateway's side

    def append(self, records: Sequence[RawRecord], *, once: bool) -> Receipt:
        """Keep the records; on return they survive ``kill -9`` and power loss. See `ingest.ports.Spool.append`."""
        return self.submit(records, once=once).result()

    def submit(self, records: Sequence[RawRecord], *, once: bool) -> "Future[Receipt]":
        """Hand records to the writer; the future is fulfilled once they are kept, or carries `Full`."""
        job = _Append(records, once, sum([len(record.body) for record in records]), keyed(records))
        job.done.set_running_or_notify_cancel()  # a caller that goes away does not take its records back
        if not records:
            job.done.set_result(Receipt(0, 0))
            return job.done
        with self._lock:
            if self._closed:
                raise Unavailable(f"the spool {self._path} is closed")
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="spool-writer", daemon=True)
                self._writer.start()
            self._appends.put(job)
        return job.done

    def purge_seen(self, before: datetime) -> int:
        """Forget the uids of records that arrived before a moment: the same record sent again later counts as new. Returns how many."""
        purged = 0
        self.fold_seen(1)
        while True:
            with self._transaction() as connection:
                rows = connection.execute(
                    "DELETE FROM seen WHERE uid IN (SELECT uid FROM seen WHERE at < ? LIMIT ?)",
                    (to_ms(before), _PURGE_ROWS),
                ).rowcount
            purged += rows
            if rows < _PURGE_ROWS:
                return purged
            time.sleep(_BREATH)  # appends go in between

    def fold_seen(self, least: int = FOLD_AT) -> int:
        """Put the uids that were appended in order, when there are so many; returns how many. The worker calls it now and then."""
        with self._transaction() as connection:
            fold = Fold(connection, least)
        folded = 0
        while not self._closed:
            with self._transaction() as connection:
                count = fold.step(connection)
            if not count:
                break
            folded += count
            time.sleep(_BREATH)  # appends go in between
        return folded

    # the worker's side

    def pending(self, records: int, without: Collection[int] = ()) -> list[SpoolBatch]:
        """Return the oldest unreleased batches but some, whole, of about so many records or `PENDING_BYTES`, at least one."""
        chosen: list[SpoolBatch] = []
        room = PENDING_BYTES
        with self._lock:
            rows = self._reader.execute("SELECT uid, body FROM batch ORDER BY uid")
            try:
                for uid, body in rows:
                    if uid in without:
                        continue
                    unpacked = unpack(body)
                    size = len(body)
                    if chosen and (records < len(unpacked) or room < size):
                        break
                    chosen.append(SpoolBatch(uid, unpacked))
                    records -= len(unpacked)
                    room -= size
                    if records <= 0:
                        break
            finally:
                rows.close()
        return chosen

    def release(self, batches: Sequence[int]) -> None:
        """Forget batches that are safe in the event log; those already forgotten are passed over."""
        if not batches:
            return
        with self._transaction() as connection:
            gone = records = size = 0
            for uid in batches:
                for row in connection.execute("DELETE FROM batch WHERE uid = ? RETURNING records, bytes", (uid,)).fetchall():
                    gone, records, size = gone + 1, records + row[0], size + row[1]
            connection.execute(
                "UPDATE depth SET batches = batches - ?, records = records - ?, bytes = bytes - ?",
                (gone, records, size),
            )

    def waiting(self) -> list[int]:
        """Return the uids of all unreleased batches, oldest first."""
        with self._lock:
            return [uid for (uid,) in self._reader.execute("SELECT uid FROM batch ORDER BY uid").fetchall()]

    def depth(self) -> SpoolDepth:
        """Return how much waits."""
        with self._lock:
            return SpoolDepth(*self._reader.execute("SELECT batches, records, bytes FROM depth").fetchone())

    def close(self) -> None:
        """Keep what was handed over, then close the file."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            writer = self._writer
            self._appends.put(None)
        if writer is not None:
            writer.join()
        if self._folder is not None:
            self._folder.join()
        self._reader.close()

    # inside

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
        # What waited and is gone can be given back to the disk; that must be said before a new file's first page is written.
        kept = (
            "auto_vacuum=INCREMENTAL",
            "journal_mode=WAL",
            f"synchronous={'FULL' if self._durable else 'OFF'}",
            "cache_size=-8000",
            "journal_size_limit=67108864",
        )
        for pragma in (*kept, f"wal_autocheckpoint={_CHECKPOINT_PAGES}"):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, _begun(self._reader) as connection:
                yield connection
        except sqlite3.Error as error:
            raise _failure(error, self._path) from error

    def _write(self) -> None:
        connection = self._connect()
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES_APPENDING}").close()
        seen = Seen()
        busy, last = False, False
        while not last:
            first = self._appends.get()
            if first is None:
                break
            jobs, last = self._collect(first, busy=busy)
            busy = len(jobs) > 1
            self._commit(connection, jobs, seen)
            if seen.appended >= FOLD_MUST and (self._folder is None or not self._folder.is_alive()):  # no worker has folded them
                self._folder = threading.Thread(target=self._fold, name="spool-folder", daemon=True)
                self._folder.start()
        connection.close()

    def _fold(self) -> None:
        with contextlib.suppress(Full, Unavailable):  # the next commit tries again
            self.fold_seen(1)

    def _collect(self, first: _Append, *, busy: bool) -> tuple[list[_Append], bool]:
        # A lone sender is not kept waiting; once several are about, a few milliseconds bring many into one fsync.
        jobs, size, until = [first], first.bytes, time.monotonic() + (LINGER if busy else 0)
        while size < COMMIT_BYTES:
            try:
                job = self._appends.get(timeout=max(0.0, until - time.monotonic())) if busy else self._appends.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
            size += job.bytes
        return jobs, False

    def _commit(self, connection: sqlite3.Connection, jobs: list[_Append], seen: Seen) -> None:
        outcome: list[tuple[_Append, Receipt | Full]] = []
        try:
            self._require_room(connection, jobs)
            with _begun(connection):
                seen.catch_up(connection)
                outcome = self._insert(connection, jobs, seen)
        except sqlite3.Error as error:
            failure = _failure(error, self._path)
            for job in jobs:
                job.done.set_exception(failure)
            return
        except BaseException as error:  # noqa: BLE001 - whatever it is, the callers must hear of it
            for job in jobs:
                job.done.set_exception(error)
            return
        for job, result in outcome:
            if isinstance(result, Full):
                job.done.set_exception(result)
            else:
                job.done.set_result(result)

    def _require_room(self, connection: sqlite3.Connection, jobs: Sequence[_Append]) -> None:
        needed = self._reserve + 2 * sum(job.bytes for job in jobs)  # the write-ahead log holds the same bytes for a while
        if (free := self._free()) < needed:
            # The file stays as large as it once was, and would keep the disk short for ever though nothing waits in it.
            _give_back(connection, needed - free)
            free = self._free()
        if free < needed:
            raise Full(
                f"the disk of the spool {self._path} has {free:,} bytes left, and {self._reserve:,} stay free so that it can be "
                "emptied: nothing was kept of this delivery; make room, then send it again",
            )

    def _free(self) -> int:
        return shutil.disk_usage(self._path.parent).free

    def _insert(self, connection: sqlite3.Connection, jobs: list[_Append], seen: Seen) -> list[tuple[_Append, Receipt | Full]]:
        last, batches, records, size = connection.execute("SELECT last, batches, records, bytes FROM depth").fetchone()
        outcome: list[tuple[_Append, Receipt | Full]] = []
        fresh: list[Keyed] = []
        for job in jobs:
            if records + len(job.records) > self._max_records or size + job.bytes > self._max_bytes:
                outcome.append((job, self._refusal(records, size)))
                continue
            new = job.keyed
            if job.once:
                told = seen.add(connection, [(uid, at) for uid, at, _ in new])
                new = new if all(told) else list(itertools.compress(new, told))
            fresh.extend(new)
            records += len(new)
            size += job.bytes if len(new) == len(job.records) else sum(len(record.body) for _, _, record in new)
            outcome.append((job, Receipt(len(new), len(job.records) - len(new))))
        for group in cut_batches(fresh):
            # Grows for ever, and past whatever an earlier spool file gave out: the ledger must never meet a batch's number twice.
            last = max(last + 1, time.time_ns() // 1_000)
            weight = sum(len(record.body) for _, _, record in group)
            connection.execute("INSERT INTO batch VALUES (?, ?, ?, ?)", (last, len(group), weight, pack(group)))
            batches += 1
        connection.execute("UPDATE depth SET last = ?, batches = ?, records = ?, bytes = ?", (last, batches, records, size))
        return outcome

    def _refusal(self, records: int, size: int) -> Full:
        return Full(
            f"the spool {self._path} is full: {records:,} of {self._max_records:,} records and {size:,} of {self._max_bytes:,} bytes wait. "
            "Nothing was kept of this delivery; send it again once the worker has caught up, or raise the bound",
        )


@contextlib.contextmanager
def _begun(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # SQLite rolls back by itself when the disk is full
            connection.execute("ROLLBACK")
        raise


def _give_back(connection: sqlite3.Connection, wanted: int) -> None:
    """Make the file smaller by at least so many bytes, as far as it has room in it; a disk too full even for that stays as it is."""
    with contextlib.suppress(sqlite3.Error):
        pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
        if pages:
            number = min(pages, max(wanted, _GIVEN_BACK) // size)
            connection.executescript(f"PRAGMA incremental_vacuum({number})")  # each page is a step, and `execute` would take the first only
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _failure(error: sqlite3.Error, path: Path) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _FULL_CODES:
        return Full(
            f"the disk of the spool {path} refused the write ({error}): nothing was kept of this delivery; make room, then send it again"
        )
    return Unavailable(f"the spool {path} cannot be written: {error}")
