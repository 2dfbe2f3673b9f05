"""The segment ledger on both engines: the chain cannot fork, states move on, batches are known until the spool has let go of them."""

from datetime import UTC, datetime, timedelta

import pytest

from watchword.ingest.segments import SegmentLedger, SegmentRow, SegmentState, chain_of
from watchword.kit.chain import GENESIS
from watchword.kit.errors import Conflict
from watchword.stores.records import SqlRecords

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def segments(records: SqlRecords) -> SegmentLedger:
    return SegmentLedger(records)


def _row(uid: int, number: int, previous: str = GENESIS, writer: str = "worker") -> SegmentRow:
    chain = chain_of(previous, uid, 3, 4, "d" * 64)
    return SegmentRow(
        uid, writer, number, "2026-03-02", 3, 4, 500, f"2026-03-02/{uid}.segment", "d" * 64, previous, chain, SegmentState.SEALED, AT
    )


def _add(records: SqlRecords, segments: SegmentLedger, row: SegmentRow, batches: list[int]) -> None:
    with records.begin() as connection:
        segments.add(connection, row, batches)


def test_rows_come_back_and_move_on(records: SqlRecords, segments: SegmentLedger) -> None:
    big = (1 << 57) + 5
    with records.read() as connection:
        assert segments.head(connection, "worker") == (0, GENESIS)
    one = _row(big, 1)
    two = _row(big + 1, 2, one.chain)
    _add(records, segments, one, [1 << 53, 7])
    _add(records, segments, two, [8])
    assert segments.rows(SegmentState.SEALED) == [one, two]
    assert segments.row(big) == one
    assert segments.row(1) is None
    assert list(segments.walk("worker", page=1)) == [one, two]
    assert (segments.newest(), segments.writers()) == (big + 1, ["worker"])
    with records.begin() as connection:
        assert segments.head(connection, "worker") == (2, two.chain)
        segments.move(connection, [big], SegmentState.INSERTED, AT + timedelta(seconds=1))
    assert [row.uid for row in segments.rows(SegmentState.SEALED)] == [big + 1]
    assert segments.row(big).inserted_at == AT + timedelta(seconds=1)
    assert segments.counts() == {SegmentState.SEALED: 1, SegmentState.INSERTED: 1, SegmentState.JUDGED: 0, SegmentState.DROPPED: 0}
    assert segments.sealed_batches([7, 8, 9, 1 << 53]) == {7, 8, 1 << 53}
    assert {uid: sorted(held) for uid, held in segments.held().items()} == {big: [7, 1 << 53]}
    with records.begin() as connection:
        segments.forget_batches(connection, [7, 8, *range(2000)])
    assert segments.sealed_batches([7, 8, 1 << 53]) == {1 << 53}


@pytest.mark.parametrize(
    ("row", "batches"),
    [(_row(2, 2), [5]), (_row(2, 1), [6]), (_row(1, 2), [6])],
    ids=["batch", "place in the chain", "number of the segment"],
)
def test_nothing_is_sealed_twice(records: SqlRecords, segments: SegmentLedger, row: SegmentRow, batches: list[int]) -> None:
    _add(records, segments, _row(1, 1), [5])
    with pytest.raises(Conflict, match="sealed already, or a second worker"):
        _add(records, segments, row, batches)
    assert [kept.uid for kept in segments.rows(SegmentState.SEALED)] == [1]
    assert segments.sealed_batches([5, 6]) == {5}
