"""What resolve keeps: every version of every site, geometry and people file; of people files only what was read, card numbers hashed."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, UniqueConstraint

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

POSITION = BigInteger().with_variant(Integer, "sqlite")
"""A growing row number: SQLite counts up by itself only on INTEGER."""

directory_document = Table(
    "directory_document",
    metadata,
    Column("position", POSITION, primary_key=True, comment="the newest one is the version of the whole directory"),
    Column("kind", String(16), nullable=False, comment="site, geometry or people"),
    Column("name", String(200), nullable=False, comment="file name"),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the text; of people files keyed, as they hold card numbers"),
    Column("text", Text, nullable=False, comment="the file, or the book read from it as JSON; empty: taken away"),
    Column("loaded_at", Instant, nullable=False),
    Column("loaded_by", String(200), nullable=False),
    UniqueConstraint("kind", "name", "version", name="uq_directory_document_version"),
)
"""The newest version of each (kind, name) counts."""
