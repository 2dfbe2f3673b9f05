"""What the library of playbooks keeps: one row per version, with its text, what was found in it and when it is to be reviewed."""

from sqlalchemy import JSON, Boolean, Column, Date, Index, Integer, String, Table, Text, false

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

playbook_version = Table(
    "playbook_version",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("modified", String(40), primary_key=True, comment="as the playbook writes it"),
    Column("modified_at", Instant, nullable=False, comment="the same as a moment: the order of versions"),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sha256", String(64), nullable=False, comment="of the text, in hex"),
    Column("body", String(64), nullable=False, comment="SHA-256 of the canonical JSON without signatures: what a version says"),
    Column("faults", JSON, nullable=False, comment="of both stages"),
    Column("lint_version", Integer, nullable=False),
    Column("cut", JSON, nullable=False, comment="JSON pointers of secrets that were cut out on arrival"),
    Column("received", JSON, nullable=False, comment="verdicts on its signatures as it arrived, in words"),
    Column("shipped", Boolean, nullable=False, server_default=false(), comment="comes with Watchword"),
    Column("by", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_playbook_version_newest", "id", "modified_at", "modified"),
)

playbook_review = Table(
    "playbook_review",
    metadata,
    Column("id", String(80), primary_key=True, comment="of the playbook, whatever its version"),
    Column("due", Date, nullable=False),
    Column("reviewed_by", String(128), nullable=False, server_default=""),
    Column("reviewed_at", Instant),
    Column("note", Text, nullable=False, server_default=""),
    Index("ix_playbook_review_due", "due"),
)
