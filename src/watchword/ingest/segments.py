"""The segments of the ledger: which are sealed, inserted and judged, which spool batches they hold, and the chain that binds them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from watchword.ingest import tables
from watchword.kit.chain import GENESIS, link
from watchword.kit.errors import Conflict
from watchword.kit.records import Records

_CHUNK = 500


class SegmentState(StrEnum):
    """How far a segment has come."""

    SEALED = "sealed"
    """In the archive and the ledger; perhaps in the event log."""
    INSERTED = "inserted"
    """In the event log."""
    JUDGED = "judged"
    """Seen by the detectors, their findings kept."""
    DROPPED = "dropped"
    """Its day is over: rows and file went by retention, the chain still counts it."""


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """What the ledger knows of a segment."""

    uid: int
    writer: str
    number: int
    """Place in its writer's chain, from 1."""
    arrival: str
    records: int
    events: int
    bytes: int
    file: str
    digest: str
    previous: str
    chain: str
    state: SegmentState
    sealed_at: datetime
    inserted_at: datetime | None = None
    judged_at: datetime | None = None


def chain_of(previous: str, segment: int, records: int, events: int, digest: str) -> str:
    """Return the head of the chain after a segment: binds its number, its counts and its file to everything before."""
    return link(previous, f"{segment}:{records}:{events}:{digest}".encode())


class SegmentLedger:
    """The segment rows in `Records`. Methods that take a connection join the caller's transaction."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def head(self, connection: Connection, writer: str) -> tuple[int, str]:
        """Return the number and chain value of a writer's newest segment; (0, zeros) before its first."""
        table = tables.segment
        query = select(table.c.number, table.c.chain).where(table.c.writer == writer).order_by(table.c.number.desc()).limit(1)
        row = connection.execute(query).first()
        return (0, GENESIS) if row is None else (row.number, row.chain)

    def add(self, connection: Connection, row: SegmentRow, batches: Sequence[int]) -> None:
        """Add a sealed segment and the batches it holds.

        Raises:
            Conflict: a batch is sealed already, or another process writes this chain.
        """
        values: dict[str, Any] = {name: getattr(row, name) for name in SegmentRow.__slots__}
        try:
            connection.execute(insert(tables.segment).values(values | {"state": row.state.value}))
            if batches:
                connection.execute(insert(tables.segment_batch), [{"batch": uid, "part": 0, "segment": row.uid} for uid in batches])
        except IntegrityError as error:
            raise Conflict(
                f"segment {row.uid} was not sealed: one of its batches is sealed already, or a second worker writes the chain "
                f"{row.writer!r} (let one process do the work: watchword work)",
            ) from error

    def move(self, connection: Connection, uids: Sequence[int], state: SegmentState, at: datetime) -> None:
        """Move segments on to a state."""
        table = tables.segment
        moment = {SegmentState.INSERTED: "inserted_at", SegmentState.JUDGED: "judged_at"}[state]
        for chunk in _chunks(uids):
            connection.execute(update(table).where(table.c.uid.in_(chunk)).values({"state": state.value, moment: at}))

    def days(self, before: str) -> dict[str, list[SegmentRow]]:
        """Return arrival day → its segments, of days before one (YYYY-MM-DD) that hold any which is not dropped, oldest first."""
        table = tables.segment
        query = select(table).where(table.c.arrival < before, table.c.state != SegmentState.DROPPED.value)
        found: dict[str, list[SegmentRow]] = {}
        with self._records.read() as connection:
            for row in connection.execute(query.order_by(table.c.arrival, table.c.uid)):
                found.setdefault(row.arrival, []).append(_row(row))
        return found

    def drop(self, connection: Connection, day: str) -> int:
        """Mark a day's segments dropped and return how many there are; their rows stay, so that the chain still holds."""
        table = tables.segment
        done = update(table).where(table.c.arrival == day).values(state=SegmentState.DROPPED.value)
        return int(connection.execute(done).rowcount)

    def rows(self, *states: SegmentState) -> list[SegmentRow]:
        """Return the segments in these states, in the order of sealing."""
        table = tables.segment
        query = select(table).where(table.c.state.in_([state.value for state in states])).order_by(table.c.uid)
        with self._records.read() as connection:
            return [_row(row) for row in connection.execute(query)]

    def row(self, uid: int) -> SegmentRow | None:
        """Return one segment, or None."""
        with self._records.read() as connection:
            row = connection.execute(select(tables.segment).where(tables.segment.c.uid == uid)).first()
        return None if row is None else _row(row)

    def walk(self, writer: str, page: int = 1000) -> Iterator[SegmentRow]:
        """Yield a writer's segments by their place in the chain, reading page by page."""
        table, number = tables.segment, 0
        while True:
            query = select(table).where(table.c.writer == writer, table.c.number > number).order_by(table.c.number).limit(page)
            with self._records.read() as connection:
                rows = [_row(row) for row in connection.execute(query)]
            yield from rows
            if len(rows) < page:
                return
            number = rows[-1].number

    def writers(self) -> list[str]:
        """Return every writer's name."""
        with self._records.read() as connection:
            return list(connection.execute(select(tables.segment.c.writer).distinct().order_by(tables.segment.c.writer)).scalars())

    def newest(self) -> int:
        """Return the greatest segment uid given out; 0 before the first."""
        with self._records.read() as connection:
            return int(connection.execute(select(func.coalesce(func.max(tables.segment.c.uid), 0))).scalar_one())

    def counts(self) -> dict[SegmentState, int]:
        """Return how many segments are in each state."""
        table = tables.segment
        with self._records.read() as connection:
            rows = connection.execute(select(table.c.state, func.count()).group_by(table.c.state)).all()
        found = {SegmentState(state): int(count) for state, count in rows}
        return {state: found.get(state, 0) for state in SegmentState}

    def sealed_batches(self, batches: Iterable[int]) -> set[int]:
        """Return which of these spool batches are sealed."""
        table, found = tables.segment_batch, set[int]()
        with self._records.read() as connection:
            for chunk in _chunks(list(batches)):
                found.update(connection.execute(select(table.c.batch).where(table.c.batch.in_(chunk))).scalars())
        return found

    def held(self) -> dict[int, list[int]]:
        """Return, per segment that is inserted or judged, the batches that the spool may still keep."""
        batch, segment = tables.segment_batch, tables.segment
        query = select(batch.c.segment, batch.c.batch).join(segment, segment.c.uid == batch.c.segment)
        found: dict[int, list[int]] = {}
        with self._records.read() as connection:
            for uid, number in connection.execute(query.where(segment.c.state != SegmentState.SEALED.value)):
                found.setdefault(uid, []).append(number)
        return found

    def forget_batches(self, connection: Connection, batches: Sequence[int]) -> None:
        """Drop the rows of batches that the spool has let go of: their numbers never come again."""
        for chunk in _chunks(batches):
            connection.execute(delete(tables.segment_batch).where(tables.segment_batch.c.batch.in_(chunk)))


def _row(row: Any) -> SegmentRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to a row's names
    return SegmentRow(**values | {"state": SegmentState(values["state"])})


def _chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
