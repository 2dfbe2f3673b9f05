"""What detect keeps: findings with what people made of them, whom and what each finding names, and what sources lost."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

finding = Table(
    "finding",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("rule", String(128), nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("time", Instant, nullable=False),
    Column("first_time", Instant, nullable=False),
    Column("last_time", Instant, nullable=False),
    Column("because", Text, nullable=False),
    Column("mode", String(8), nullable=False),
    Column("state", String(16), nullable=False, comment="provisional, final or withdrawn"),
    Column("author", Text, nullable=False, default=""),
    Column("refuted_by", String(32), nullable=False, default=""),
    Column("named", Text, nullable=False, comment="JSON: persons, assets, places, credentials, addresses, events, attack"),
    Column("kept_at", Instant, nullable=False, comment="when it was first written"),
    Column("changed_at", Instant, nullable=False, comment="when the detector last said otherwise"),
    Column("work", String(16), nullable=False, default="open", comment="open, acknowledged or closed"),
    Column("disposition", String(16), nullable=False, default="", comment="true, benign, false or undecided; empty while not closed"),
    Column("note", Text, nullable=False, default=""),
    Column("work_by", String(128), nullable=False, default=""),
    Column("work_at", Instant),
    Index("ix_finding_time", "time", "uid"),
    Index("ix_finding_last_time", "last_time"),
    Index("ix_finding_rule", "rule", "time"),
    Index("ix_finding_work", "work", "time"),
)

finding_entity = Table(
    "finding_entity",
    metadata,
    Column("finding", String(32), ForeignKey("finding.uid", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True, comment="person, asset, place, credential, address or event"),
    Column("entity", String(200), primary_key=True),
    Column("time", Instant, nullable=False, comment="the finding's time"),
    Index("ix_finding_entity_entity", "kind", "entity", "time"),
    Index("ix_finding_entity_time", "time"),
)
"""One row per finding and what it names."""

gap = Table(
    "gap",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("since", Instant, primary_key=True, comment="the last record before it came then"),
    Column("until", Instant, comment="the next record came then; null: not yet"),
)
"""The stretches for which a source's records are lost: rules that rest on absence leave them out."""
