"""What is kept of evidence: one row per piece, and its chain of custody; the originals themselves lie as files in the data folder."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

evidence = Table(
    "evidence",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("key", String(200), unique=True, comment="of the action or step that acquired it: asked again, it is the same piece"),
    Column("incident", String(32), nullable=False),
    Column("kind", String(16), nullable=False, comment="clip, log, photo, document or record"),
    Column("name", Text, nullable=False, comment="of the file, as it came"),
    Column("media", String(200), nullable=False, comment="media type as the source states it"),
    Column("sha256", String(64), nullable=False, comment="of the original, taken while it came in"),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("source", String(200), nullable=False, comment="device, product or person that it came from"),
    Column("place", String(300), nullable=False),
    Column("since", Instant, comment="what it shows: from when, by the source's clock"),
    Column("until", Instant),
    Column("clock_offset", BigInteger, comment="milliseconds by which the source's clock was ahead of ours; NULL: not known"),
    Column("player", Text, nullable=False, comment="what opens it"),
    Column("note", Text, nullable=False),
    Column("by", String(200), nullable=False),
    Column("team", String(16), nullable=False),
    Column("acquired_at", Instant, nullable=False),
    Column("custodian", String(200), nullable=False),
    Column("offered_to", String(200), nullable=False),
    Column("sealed", Boolean, nullable=False),
    Column("released", Boolean, nullable=False),
    Column("entries", Integer, nullable=False, comment="of the chain of custody"),
    Column("head", String(64), nullable=False, comment="of the chain of custody"),
    Index("ix_evidence_incident", "incident", "acquired_at"),
    Index("ix_evidence_newest", "acquired_at", "uid"),
    Index("ix_evidence_sha256", "sha256"),
)

custody = Table(
    "custody",
    metadata,
    Column("evidence", String(32), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False, comment="from 1 without gaps"),
    Column("deed", String(24), nullable=False),
    Column("by", String(200), nullable=False),
    Column("team", String(16), nullable=False),
    Column("to", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON object of texts, keys sorted"),
    Column("key", String(64), nullable=False, comment="public key of whoever did it, in hex"),
    Column("head", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)
