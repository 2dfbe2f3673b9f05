# ruff: noqa: S608 - only names of our own tables are put into the text; every value is a parameter
"""The event log on ClickHouse's HTTP interface: `watchword store` on one machine, a ClickHouse server elsewhere; same client, same SQL."""

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from watchword.ingest.ports import Segment
from watchword.kit.errors import Full, InputError, Unavailable, WatchwordError
from watchword.kit.instant import from_ms
from watchword.model import Count, CountQuery, Event, EventQuery, RawRecord
from watchword.stores.columns import SegmentColumns, events_from, records_from
from watchword.stores.density import Density
from watchword.stores.query import Sql, counts_sql, events_sql

READ_SECONDS = 60
WRITE_SECONDS = 300
UIDS_PER_QUERY = 500
MAX_ROWS = 500_000
"""More rows in one insert might become two blocks, and an insert of two blocks is not atomic."""
WINDOW_LIMIT: Final = 2_000
"""Up to so many events a question is asked window by window; whoever wants more reads most of it anyway."""
FIRST_ROWS: Final = 256
"""Rows in the first window per event wanted: enough for whoever has one event of 256."""
NEXT_TIMES: Final = 16
"""How much longer the second window is, when the first one held nothing to go by."""
FEW_SHARE: Final = 50
FEW_TOTAL: Final = 8_000_000
"""An address with hardly a row in the first window is read through its index and sorted afterwards, which spares a reader for every part;
only below so many rows: should it have been busy long ago, that reads all of its rows, and not only the newest."""
NO_SETTINGS: Final[Mapping[str, str]] = MappingProxyType({})
FEW_SETTINGS: Final = MappingProxyType({"optimize_read_in_order": "0"})
DENSITY_SECONDS: Final = 30.0
"""For how long a known density serves."""
DENSITY_SQL: Final = """
SELECT ms - positiveModulo(ms, 3600000) AS hour, min(ms) AS first, max(ms) AS last, toInt64(sum(rows_in_granule)) AS rows
FROM (SELECT toUnixTimestamp64Milli(time) AS ms, rows_in_granule FROM mergeTreeIndex({database}, 'event')) GROUP BY hour
"""
"""Rows per hour of event time, from the primary index alone, which lies in memory: 3 ms on 5 million events."""
READ_SETTINGS: Final = {
    "max_execution_time": "30", "max_result_bytes": "268435456", "result_overflow_mode": "throw",
    "use_skip_indexes_on_data_read": "0",  # indexes first, then the granules that are left: half the work for rare values
}  # fmt: skip
log = logging.getLogger(__name__)
_NAME = re.compile(r"\A[A-Za-z_]\w*\Z")
_DISK_FULL = re.compile(r"NOT_ENOUGH_SPACE|No space left on device|CANNOT_WRITE_TO_FILE")

# Small granules and compact parts (all columns in one file): a timeline page takes few rows from many places, in full width.
# A part of a whole day must stay compact too: in a wide one a compressed block holds several granules, and twice as much is unpacked.
# Short columns are packed with LZ4: with ZSTD their many small blocks would cost an insert more than they spare a page.
_MERGE_TREE = """
SETTINGS index_granularity = {granule}, min_bytes_for_wide_part = 4294967296, non_replicated_deduplication_window = 10000,
  fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 480,
  min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1
"""
EVENT_DDL = """
CREATE TABLE IF NOT EXISTS {table} (
  time DateTime64(3, 'UTC') CODEC(Delta(8), LZ4), received DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
  uid FixedString(16), record FixedString(16), segment UInt64 CODEC(Delta(8), LZ4),
  class_uid UInt32, activity_id UInt8, severity_id UInt8, source LowCardinality(String),
  person LowCardinality(String), asset LowCardinality(String), place LowCardinality(String),
  credential String CODEC(LZ4), src_ip String CODEC(LZ4), dst_ip String CODEC(LZ4),
  message String CODEC(ZSTD(1)), data String CODEC(ZSTD(1)),
  INDEX ix_uid uid TYPE bloom_filter(0.01) GRANULARITY 2, INDEX ix_record record TYPE bloom_filter(0.01) GRANULARITY 2,
  INDEX ix_person person TYPE bloom_filter(0.01) GRANULARITY 2, INDEX ix_asset asset TYPE bloom_filter(0.01) GRANULARITY 2,
  INDEX ix_place place TYPE bloom_filter(0.01) GRANULARITY 2, INDEX ix_credential credential TYPE bloom_filter(0.01) GRANULARITY 2,
  INDEX ix_address [src_ip, dst_ip] TYPE bloom_filter(0.01) GRANULARITY 2,
  INDEX ix_segment segment TYPE minmax GRANULARITY 2,
  INDEX ix_message message TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = lowerUTF8(message))
) ENGINE = MergeTree PARTITION BY toDate(received) ORDER BY (time, uid)""" + _MERGE_TREE.replace("{granule}", "512")
RECORD_DDL = """
CREATE TABLE IF NOT EXISTS {table} (
  uid FixedString(16), source LowCardinality(String), received DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  segment UInt64 CODEC(Delta(8), ZSTD(1)), body String CODEC(ZSTD(1)),
  INDEX ix_segment segment TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(received) ORDER BY uid""" + _MERGE_TREE.replace("{granule}", "1024")


class ClickHouseEventLog:
    """`ingest.ports.EventLog` over HTTP; safe to share between threads.

    Args:
        url: ``http://[user[:password]@]host[:port][/database]``; the database is ``watchword`` when none is named.
        token: the store's token; takes the place of the password.
        columns: shared with the archive, so that a segment's columns are made once.
    """

    def __init__(self, url: str, token: str = "", columns: SegmentColumns | None = None) -> None:
        self._url = url
        self._token = token
        self._columns = columns or SegmentColumns()
        database = urlsplit(url).path.strip("/") or "watchword"
        if not _NAME.match(database):
            raise InputError(f"{database!r} is no name of a database", "url")
        self.database = database
        self.events_table = f"{database}.event"
        self.records_table = f"{database}.raw_record"
        self._guard = threading.Lock()
        self._writer: Any = None
        self._reader: Any = None
        self._density: tuple[Density, float | None] = Density(), None

    def prepare(self) -> None:
        """Make the database and its tables where they are missing."""
        for statement in (f"CREATE DATABASE IF NOT EXISTS {self.database}", *self.ddl()):
            self._call(lambda client, text=statement: client.command(text), writing=True)
        sql = Sql()
        sql.text = (
            f"SELECT toInt64(count()) AS n FROM system.data_skipping_indices WHERE database = {sql.bind(self.database, 'String')} "
            "AND table = 'event' AND name = 'ix_address'"
        )
        if not self._table(sql, writing=True).column("n")[0].as_py():  # a folder of an earlier version: the parts it has get the index too
            for change in (
                "ADD INDEX IF NOT EXISTS ix_address [src_ip, dst_ip] TYPE bloom_filter(0.01) GRANULARITY 2",
                "MATERIALIZE INDEX ix_address",
            ):
                self._call(lambda client, text=change: client.command(f"ALTER TABLE {self.events_table} {text}"), writing=True)

    def ddl(self) -> tuple[str, str]:
        """Return the statements that make the two tables."""
        return EVENT_DDL.format(table=self.events_table), RECORD_DDL.format(table=self.records_table)

    def insert(self, segment: Segment) -> None:
        """Insert a segment's records and events, each as one block under one token: inserting it again changes nothing.

        Raises:
            InputError: the segment is too large for one block, or spans two arrival dates.
            Full: the disk is full.
            Unavailable: the store does not answer.
        """
        check_block(segment)
        records, events = self._columns.of(segment)
        for table, batch, what in ((self.records_table, records, "records"), (self.events_table, events, "events")):
            if batch.num_rows:
                self._insert(table, batch, f"{segment.uid}-{what}")

    def holds(self, segment: int) -> tuple[int, int]:
        """Return how many records and events of a segment are stored."""
        found = []
        for table in (self.records_table, self.events_table):
            sql = Sql()
            sql.text = f"SELECT toInt64(count()) AS n FROM {table} WHERE segment = {sql.bind(segment, 'UInt64')}"
            found.append(int(self._table(sql, writing=True).column("n")[0].as_py()))
        return found[0], found[1]

    def events(self, query: EventQuery) -> list[Event]:
        """Return the events of a query, in its order, at most its limit.

        A page is sought in windows of event time from the end where its order begins, and beyond a window only what it leaves wanting.
        A window has every event of its time, whenever that arrived, so the answer is that of one question over all time.
        """
        named = query.uids or query.records or query.segment is not None or query.received_since or query.received_until
        if named or query.limit > WINDOW_LIMIT:
            return self._read(query)
        found: list[Event] = []
        rest, rows, tries = query, FIRST_ROWS * query.limit, 1 if query.addresses or query.text.strip() else 2
        while tries and (halves := self._known_density().cut(rest, rows)) is not None:
            page = self._read(halves[0])
            found += page
            if len(found) >= query.limit:
                return found
            rest, tries = replace(halves[1], limit=query.limit - len(found)), tries - 1
            rows = min(NEXT_TIMES, 2 * rest.limit // len(page) if page else NEXT_TIMES) * rows + 1
        few = tries == 0 and query.addresses and len(found) < query.limit // FEW_SHARE and self._known_density().total <= FEW_TOTAL
        return found + self._read(rest, FEW_SETTINGS if few else NO_SETTINGS)

    def _read(self, query: EventQuery, settings: Mapping[str, str] = NO_SETTINGS) -> list[Event]:
        return events_from(self._table(events_sql(query, self.events_table), settings=settings))

    def _known_density(self) -> Density:
        with self._guard:
            density, at = self._density
        if at is not None and time.monotonic() - at < DENSITY_SECONDS:
            return density
        sql = Sql()
        sql.text = DENSITY_SQL.format(database=sql.bind(self.database, "String"))
        try:
            table = self._table(sql)
            density = Density.of(zip(*(table.column(name).to_pylist() for name in ("hour", "first", "last", "rows")), strict=True))
        except Unavailable:
            raise
        except WatchwordError as error:  # a server may keep its indexes to itself: then every question is one window
            log.warning("the event log does not tell how events are spread; pages take longer: %s", error)
            density = Density()
        with self._guard:
            self._density = density, time.monotonic()
        return density

    def counts(self, query: CountQuery) -> list[Count]:
        """Return counts by group and bucket."""
        rows = self._table(counts_sql(query, self.events_table)).to_pylist()
        return [
            Count(
                key=row["key"],
                at=None if query.bucket is None else from_ms(row["at"]),
                events=row["events"],
                first_time=from_ms(row["first_time"]),
                last_time=from_ms(row["last_time"]),
            )
            for row in rows
        ]

    def records(self, uids: Sequence[str]) -> list[RawRecord]:
        """Return the raw records with these uids, verbatim, in order of arrival; unknown uids are passed over."""
        found: list[RawRecord] = []
        for start in range(0, len(uids), UIDS_PER_QUERY):
            sql = Sql()
            chosen = sql.uids(uids[start : start + UIDS_PER_QUERY])
            sql.text = f"SELECT uid, source, received, body FROM {self.records_table} WHERE uid IN {chosen}"
            found += records_from(self._table(sql, text=False))
        return sorted(found, key=lambda record: (record.received, record.uid))

    def newest(self) -> datetime | None:
        """Return the newest event time stored, or None when there is nothing."""
        sql = Sql(f"SELECT toUnixTimestamp64Milli(time) AS ms FROM {self.events_table} ORDER BY time DESC LIMIT 1")
        rows = self._table(sql).column("ms").to_pylist()
        return from_ms(rows[0]) if rows else None

    def days(self) -> list[tuple[str, int, int]]:
        """Return per arrival date (YYYY-MM-DD): events stored and bytes on disk, oldest first."""
        sql = Sql()
        sql.text = (
            "SELECT partition AS day, toInt64(sum(rows)) AS events, toInt64(sum(bytes_on_disk)) AS bytes FROM system.parts "
            f"WHERE active AND database = {sql.bind(self.database, 'String')} AND table = 'event' GROUP BY day ORDER BY day"
        )
        return [(row["day"], row["events"], row["bytes"]) for row in self._table(sql).to_pylist()]

    def drop_day(self, day: date) -> None:
        """Drop everything that arrived on a day, whole parts at once; a day that is not there changes nothing."""
        for table in (self.records_table, self.events_table):
            text = f"ALTER TABLE {table} DROP PARTITION '{day.isoformat()}'"
            self._call(lambda client, text=text: client.command(text), writing=True)
        with self._guard:
            self._density = Density(), None

    def ping(self) -> bool:
        """Tell whether the store answers."""
        try:
            self._table(Sql("SELECT 1 AS one"))
        except WatchwordError:
            return False
        return True

    def close(self) -> None:
        """Close the connections."""
        with self._guard:
            for client in (self._writer, self._reader):
                if client is not None:
                    client.close()
            self._writer = self._reader = None

    def _insert(self, table: str, batch: pa.RecordBatch, token: str) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as out:
            out.write_batch(batch)  # one record batch: a token covers the rows only as they were cut into blocks the first time
        settings = {"insert_deduplication_token": token, "async_insert": "0", "insert_deduplicate": "1"}
        self._call(
            lambda client: client.raw_insert(
                table,
                batch.schema.names,
                sink.getvalue().to_pybytes(),
                settings=settings,
                fmt="ArrowStream",
            ),
            writing=True,
        )

    def _table(self, sql: Sql, *, writing: bool = False, text: bool = True, settings: Mapping[str, str] = NO_SETTINGS) -> pa.Table:
        # Counting a segment goes through the writer's client: what it decides must not be subject to a reader's caps.
        chosen = {"output_format_arrow_low_cardinality_as_dictionary": "0", "output_format_arrow_compression_method": "none"}
        chosen["output_format_arrow_string_as_string"] = "1" if text else "0"  # bodies are bytes, not text
        chosen |= {} if writing else {**READ_SETTINGS, **settings}
        body = self._call(
            lambda client: client.raw_query(sql.text, parameters=sql.parameters, settings=chosen, fmt="ArrowStream"),
            writing=writing,
        )
        return pa.ipc.open_stream(pa.py_buffer(body)).read_all()

    def _call(self, work: Any, *, writing: bool) -> Any:
        try:
            return work(self._client(writing=writing))
        except OperationalError as error:
            raise Unavailable(f"the event log at {self.address} does not answer: {error}") from error
        except DatabaseError as error:
            text = str(error)
            if _DISK_FULL.search(text):
                raise Full(f"the disk of the event log is full: {text}") from error
            raise WatchwordError(f"the event log refused: {text}") from error
        except ClickHouseError as error:
            raise WatchwordError(f"the event log's client failed: {error}") from error

    def _client(self, *, writing: bool) -> Any:
        with self._guard:
            client = self._writer if writing else self._reader
            if client is None:
                client = self._connect(WRITE_SECONDS if writing else READ_SECONDS)
                if writing:
                    self._writer = client
                else:
                    self._reader = client
            return client

    def _connect(self, seconds: int) -> Any:
        parts = urlsplit(self._url)
        return clickhouse_connect.get_client(
            interface=parts.scheme,
            host=parts.hostname or "127.0.0.1",
            port=parts.port or (8443 if parts.scheme == "https" else 8123),
            username=unquote(parts.username or "default"),
            password=self._token or unquote(parts.password or ""),
            database="default",
            compress=False,
            autogenerate_session_id=False,  # a session would allow one query at a time
            connect_timeout=10,
            send_receive_timeout=seconds,
        )

    @property
    def address(self) -> str:
        """The URL without its secrets."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port}/{self.database}"


def check_block(segment: Segment) -> None:
    """See that a segment's insert is one block: not too many rows, one arrival date.

    Raises:
        InputError: it is not.
    """
    if max(len(segment.records), len(segment.events)) > MAX_ROWS:
        raise InputError(f"segment {segment.uid} has more than {MAX_ROWS:,} rows; seal fewer batches at a time")
    days = {record.received.astimezone(UTC).date() for record in segment.records}
    days |= {event.received.astimezone(UTC).date() for event in segment.events}
    if len(days) > 1:
        raise InputError(f"segment {segment.uid} spans arrival dates {min(days)} to {max(days)}; a segment has one")
