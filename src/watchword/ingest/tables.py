"""What ingest keeps: the ledger of segments, what could not be parsed, sources with mappings and counts, and the news for browsers."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

POSITION = BigInteger().with_variant(Integer, "sqlite")
"""A growing row number: SQLite counts up by itself only on INTEGER."""

segment = Table(
    "segment",
    metadata,
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("writer", String(64), nullable=False),
    Column("number", BigInteger, nullable=False, comment="place in the writer's chain, from 1"),
    Column("arrival", String(10), nullable=False, comment="arrival date of all its records, YYYY-MM-DD"),
    Column("records", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("file", Text, nullable=False, comment="path below the archive folder"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the archive file"),
    Column("previous", String(64), nullable=False),
    Column("chain", String(64), nullable=False),
    Column("state", String(16), nullable=False, comment="sealed, inserted or judged"),
    Column("sealed_at", Instant, nullable=False),
    Column("inserted_at", Instant),
    Column("judged_at", Instant),
    UniqueConstraint("writer", "number", name="uq_segment_writer_number"),
    Index("ix_segment_state", "state", "uid"),
)
"""One row per segment; the unique place in the chain keeps two writers from forking it."""

segment_batch = Table(
    "segment_batch",
    metadata,
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False, comment="partition of the stream; 0 on one machine"),
    Column("segment", BigInteger, ForeignKey("segment.uid", ondelete="CASCADE"), nullable=False, index=True),
)
"""Which spool batches are sealed: the primary key makes a second sealing of a batch fail. Rows go once the spool let go of the batch."""

unparsed = Table(
    "unparsed",
    metadata,
    Column("record", String(32), primary_key=True),
    Column("source", String(128), nullable=False),
    Column("received", Instant, nullable=False),
    Column("fault", Text, nullable=False),
    Column("sample", Text, nullable=False),
    Index("ix_unparsed_source", "source", "received", "record"),
    Index("ix_unparsed_received", "received", "record"),
)

source = Table(
    "source",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("domain", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("connector", String(32), nullable=False),
    Column("mapping", String(128), nullable=False),
    Column("site", String(128), nullable=False),
    Column("lateness_ms", BigInteger, nullable=False),
    Column("resolution_ms", BigInteger, nullable=False),
    Column("skew_ms", BigInteger, nullable=False),
    Column("rhythm_ms", BigInteger),
)

source_status = Table(
    "source_status",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("accepted", BigInteger, nullable=False, default=0),
    Column("parsed", BigInteger, nullable=False, default=0),
    Column("unparsed", BigInteger, nullable=False, default=0),
    Column("unmapped", BigInteger, nullable=False, default=0),
    Column("duplicate", BigInteger, nullable=False, default=0),
    Column("lost", BigInteger, nullable=False, default=0, server_default="0"),
    Column("unresolved", BigInteger, nullable=False, default=0),
    Column("events", BigInteger, nullable=False, default=0),
    Column("last_received", Instant),
    Column("last_time", Instant),
)

mapping = Table(
    "mapping",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("kept_at", Instant, nullable=False),
)

change = Table(
    "change",
    metadata,
    Column("position", POSITION, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("uid", String(128), nullable=False),
    Column("summary", Text, nullable=False, comment="JSON object"),
    sqlite_autoincrement=True,
)
"""What is new, in the order of commits: browsers follow it from a position."""
