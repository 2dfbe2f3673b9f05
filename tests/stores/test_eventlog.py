# ruff: noqa: S608 - only names of the tests' own tables are put into the text
"""The event log over the real store process: exactly once, verbatim, refusing what one block cannot hold; and what the engine does when told otherwise."""

import asyncio
import dataclasses
import json
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import clickhouse_connect
import pyarrow as pa
import pytest

from watchword.ingest.ports import Segment
from watchword.kit.errors import InputError, Unavailable, WatchwordError
from watchword.model import CountQuery, EventQuery, Grouping, Order, RawRecord
from watchword.stores.columns import EVENT_SCHEMA, event_batch, events_from, record_batch, records_from
from watchword.stores.eventlog import ClickHouseEventLog, check_block
from watchword.stores.query import Sql


def test_an_empty_log_answers(log: ClickHouseEventLog) -> None:
    assert log.newest() is None
    assert log.events(EventQuery()) == []
    assert log.counts(CountQuery(EventQuery())) == []
    assert log.counts(CountQuery(EventQuery(), by=Grouping.PERSON, bucket=timedelta(hours=1))) == []
    assert log.records(["0" * 32]) == []
    assert log.holds(1) == (0, 0)
    assert log.days() == []
    log.prepare()  # again changes nothing


def test_events_and_records_come_back_exactly_as_they_went_in(log: ClickHouseEventLog, make) -> None:
    segment = make.segment(7, 300)
    log.insert(segment)
    assert log.holds(7) == (300, 300)
    assert log.events(EventQuery(order=Order.OLDEST, limit=1000)) == list(segment.events)
    uids = [record.uid for record in segment.records]
    assert sorted(log.records(uids), key=lambda r: r.uid) == sorted(segment.records, key=lambda r: r.uid)
    assert log.newest() == segment.events[-1].time
    assert [(day, events) for day, events, _ in log.days()] == [("2026-03-02", 300)]


def test_every_byte_of_a_body_is_kept(log: ClickHouseEventLog, make) -> None:
    records = [make.record(body=body) for body in (bytes(range(256)), b"", b"\x00" * 1000, "Zoë 🚪".encode(), b"x" * 1_000_000)]
    log.insert(Segment(1, (1,), tuple(records), ()))
    assert {record.uid: record.body for record in log.records([r.uid for r in records])} == {record.uid: record.body for record in records}
    assert log.holds(1) == (5, 0)


def test_the_same_segment_inserted_again_changes_nothing(log: ClickHouseEventLog, make) -> None:
    one, two = make.segment(1), make.segment(2)
    for segment in (one, two, one, two, one):
        log.insert(segment)
    assert (log.holds(1), log.holds(2)) == ((20, 20), (20, 20))


def test_a_segment_that_stopped_between_its_two_tables_is_completed_by_a_resend(log: ClickHouseEventLog, make) -> None:
    segment = make.segment(1)
    log.insert(dataclasses.replace(segment, events=()))
    assert log.holds(1) == (20, 0)
    log.insert(segment)
    assert log.holds(1) == (20, 20)


def test_a_segment_of_late_events_is_one_block(log: ClickHouseEventLog, make) -> None:
    record = make.record()
    events = [make.event(make.record(), time=make.noon - timedelta(days=n)) for n in range(200)]  # by event time: 200 partitions, refused
    segment = Segment(9, (9,), (record,), tuple(sorted(events, key=lambda e: e.order)))
    log.insert(segment)
    log.insert(segment)
    assert log.holds(9) == (1, 200)
    client = log._client(writing=True)
    parts = client.query(
        f"SELECT count(), uniqExact(partition) FROM system.parts WHERE active AND database = '{log.database}' AND table = 'event'"
    )
    assert parts.result_rows == [(1, 1)]


def test_what_is_not_one_block_is_refused_before_anything_is_written(log: ClickHouseEventLog, make) -> None:
    two_days = Segment(1, (1,), (make.record(), make.record(at=make.noon + timedelta(days=1))), ())
    with pytest.raises(InputError, match="2026-03-02 to 2026-03-03"):
        log.insert(two_days)
    record = make.record()
    with pytest.raises(InputError, match="more than"):
        check_block(Segment(1, (1,), (record,) * 500_001, ()))
    assert log.holds(1) == (0, 0)


def test_an_unreachable_store_is_unavailable_and_hides_its_token(make) -> None:
    lost = ClickHouseEventLog("http://me:secret@127.0.0.1:9/watchword")
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9/watchword does not answer") as caught:
        lost.holds(1)
    assert "secret" not in str(caught.value)
    assert not lost.ping()
    with pytest.raises(InputError, match="no name of a database"):
        ClickHouseEventLog("http://127.0.0.1/a;b")


def test_the_engine_s_refusal_is_told_in_its_words(log: ClickHouseEventLog) -> None:
    assert log.ping()
    with pytest.raises(WatchwordError, match="UNKNOWN_"):
        log._table(Sql("SELECT * FROM nowhere.nothing"))
    assert log.ping()


@pytest.mark.parametrize("limit", [0, -1, 100_001])
def test_limits_are_bounded(log: ClickHouseEventLog, limit: int) -> None:
    with pytest.raises(InputError, match="limit"):
        log.events(EventQuery(limit=limit))


@pytest.mark.parametrize("uid", ["", "'; DROP TABLE event; --", "0" * 31, "G" * 32, "A" * 32])
def test_what_is_no_uid_is_refused(log: ClickHouseEventLog, uid: str) -> None:
    with pytest.raises(InputError, match="no uid"):
        log.events(EventQuery(uids=(uid,)))


def test_many_uids_go_in_a_form(log: ClickHouseEventLog, make) -> None:
    segment = make.segment(1, 1200)
    log.insert(segment)
    wanted = tuple(event.uid for event in segment.events[:900])
    assert {event.uid for event in log.events(EventQuery(uids=wanted, limit=1000))} == set(wanted)


# what the engine does with tokens and blocks: the rules that insert() rests on


def _raw(log: ClickHouseEventLog, table: pa.Table, token: str | None, *, batches: int = 1) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        for piece in table.to_batches(max_chunksize=table.num_rows // batches):
            out.write_batch(piece)
    settings = {"async_insert": "0"} | ({"insert_deduplication_token": token} if token else {})
    log._client(writing=True).raw_insert(
        log.events_table, table.schema.names, sink.getvalue().to_pybytes(), settings=settings, fmt="ArrowStream"
    )


def test_a_token_is_trusted_blindly_so_a_segment_number_may_never_come_again(log: ClickHouseEventLog, make) -> None:
    _raw(log, pa.table(event_batch(1, make.segment(1, 10).events)), "t")
    _raw(log, pa.table(event_batch(1, make.segment(1, 10).events)), "t")  # other rows: dropped in silence
    assert log.holds(1)[1] == 10


def test_rows_cut_into_other_blocks_are_stored_again_under_the_same_token(log: ClickHouseEventLog, make) -> None:
    table = pa.table(event_batch(1, make.segment(1, 50).events))
    _raw(log, table, "t", batches=1)
    _raw(log, table, "t", batches=5)
    assert log.holds(1)[1] > 50, "the engine has learnt to tell: the rule 'one record batch per insert' may be dropped"


def test_the_token_survives_the_store_s_http_interface_whatever_it_holds(log: ClickHouseEventLog, make) -> None:
    table = pa.table(event_batch(1, make.segment(1, 10).events))
    for token in ("it's", "back\\slash", "a&b=c d%20", "Zoë"):
        _raw(log, table, token)
        _raw(log, table, token)
    assert log.holds(1)[1] == 40


def test_identical_rows_without_a_token_vanish_which_is_why_each_insert_has_one(log: ClickHouseEventLog, make) -> None:
    table = pa.table(event_batch(1, make.segment(1, 10).events))
    _raw(log, table, None)
    _raw(log, table, None)
    assert log.holds(1)[1] == 10


def test_the_table_has_every_setting_that_durability_rests_on(log: ClickHouseEventLog) -> None:
    rows = log._client(writing=True).query(f"SELECT create_table_query FROM system.tables WHERE database = '{log.database}'").result_rows
    assert len(rows) == 2
    for (text,) in rows:
        for setting in (
            "fsync_after_insert = 1", "fsync_part_directory = 1", "old_parts_lifetime = 480", "min_rows_to_fsync_after_merge = 1",
            "min_compressed_bytes_to_fsync_after_merge = 1", "non_replicated_deduplication_window = 10000", "PARTITION BY toDate(received)",
        ):  # fmt: skip
            assert setting in text
        assert "TTL" not in text, "retention drops days by the ledger, never in silence"


def test_the_cluster_s_ddl_and_every_statement_parse(log: ClickHouseEventLog) -> None:
    client = log._client(writing=True)
    for statement in log.ddl():
        text = statement.replace("ENGINE = MergeTree", "ON_CLUSTER").replace("ON_CLUSTER", "ENGINE = ReplicatedMergeTree")
        assert client.command(f"EXPLAIN AST {text}")


# the same store for the asynchronous client


def test_the_async_client_gets_each_answer_for_its_own_question(store, log: ClickHouseEventLog, make) -> None:
    log.insert(make.segment(1, 100))
    port = int(store.url.rpartition(":")[2])

    async def go() -> list[tuple[int, str, int]]:
        client = await clickhouse_connect.get_async_client(
            host="127.0.0.1", port=port, username="default", password=store.token, autogenerate_session_id=False
        )
        sql = f"SELECT {{n:Int64}}, {{s:String}}, count() FROM {log.events_table}"
        rows = await asyncio.gather(*(client.query(sql, parameters={"n": n, "s": f"it's {n}\t\\"}) for n in range(300)))
        await client.close()
        return [row.result_rows[0] for row in rows]

    assert asyncio.run(go()) == [(n, f"it's {n}\t\\", 100) for n in range(300)]


# columns, without an engine


def test_columns_give_back_the_same_events_and_records(make) -> None:
    segment = make.segment(3, 100)
    assert events_from(event_batch(3, segment.events)) == list(segment.events)
    assert records_from(record_batch(3, segment.records)) == list(segment.records)
    assert event_batch(3, ()).schema == EVENT_SCHEMA
    assert events_from(event_batch(3, ())) == []


def test_moments_are_cut_to_the_millisecond_on_either_side_of_1970(make) -> None:
    chance = make.chance
    moments = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(-(2 * 10**15), 4 * 10**15)) for _ in range(3000)]
    back = events_from(event_batch(1, [make.event(make.record(), time=moment) for moment in moments]))
    assert [event.time for event in back] == [moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in moments]


def test_odd_data_is_kept_readable(make) -> None:
    data = {
        "huge": 2**70, "lone": "\ud800x", "when": datetime(2026, 1, 1, tzinfo=UTC), "day": date(2026, 1, 1), "set": {"b", "a"}, "bytes": b"\xff",
        "nested": MappingProxyType({"deep": [{"x": 1}]}),
    }  # fmt: skip
    (event,) = events_from(event_batch(1, [make.event(data=data, message="lone \ud800 surrogate")]))
    assert event.data["huge"] == 2**70
    assert event.data["nested"] == {"deep": [{"x": 1}]}
    assert sorted(event.data["set"]) == ["a", "b"]
    assert event.message == "lone ? surrogate"
    json.dumps(event.data)


def test_a_body_of_any_bytes_is_no_text(make) -> None:
    record = RawRecord(make.uid(), "s", make.noon, b"\xff\xfe\x00")
    assert records_from(record_batch(1, [record])) == [record]
