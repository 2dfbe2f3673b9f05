"""What is kept of policies: drafts, versions that were decided, exceptions, who has read what, and which parameter was applied where."""

from sqlalchemy import JSON, Column, Date, Index, Integer, String, Table, Text

from watchword.ingest.tables import POSITION
from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

policy_draft = Table(
    "policy_draft",
    metadata,
    Column("policy", String(64), primary_key=True),
    Column("document", JSON, nullable=False, comment="the policy as a file holds it"),
    Column("hash", String(64), nullable=False, comment="SHA-256 of the document: a decision names it"),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)
"""A text on the way to a body; once decided, the draft goes."""

policy_version = Table(
    "policy_version",
    metadata,
    Column("policy", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False, comment="from 1 without gaps"),
    Column("document", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("decision", String(32), nullable=False, comment="uid of the Decision; no version without one"),
    Column("in_force", Instant, nullable=False),
    Column("kept_at", Instant, nullable=False),
    Index("ix_policy_version_in_force", "in_force"),
    Index("ix_policy_version_decision", "decision"),
)

policy_exception = Table(
    "policy_exception",
    metadata,
    Column("decision", String(32), primary_key=True, comment="uid of the Decision that grants it"),
    Column("statement", String(80), nullable=False),
    Column("scope", Text, nullable=False, comment="for whom and where, in words"),
    Column("reason", Text, nullable=False),
    Column("compensating", Text, nullable=False, comment="what is done instead"),
    Column("hash", String(64), nullable=False, comment="of the policy's version: a later one needs a new exception"),
    Column("since", Instant, nullable=False),
    Column("expires", Date, nullable=False),
    Column("ended", Instant, comment="ended early"),
    Index("ix_policy_exception_statement", "statement", "expires"),
)

policy_acknowledgement = Table(
    "policy_acknowledgement",
    metadata,
    Column("policy", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("account", String(200), primary_key=True),
    Column("statements", JSON, nullable=False, comment="ids of the extract that was shown"),
    Column("at", Instant, nullable=False),
)

parameter_applied = Table(
    "parameter_applied",
    metadata,
    Column("position", POSITION, primary_key=True, autoincrement=True),
    Column("parameter", String(160), nullable=False),
    Column("lands", String(160), nullable=False, comment="what follows it: ww_007.granted_after, respond.approval …"),
    Column("before", Text, nullable=False, comment="as text; empty: the default of the code or content"),
    Column("value", Text, nullable=False, comment="as text; empty: back to the default"),
    Column("policy_version", Integer, nullable=False),
    Column("decision", String(32), nullable=False),
    Column("process", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_parameter_applied_lands", "lands", "position"),
    Index("ix_parameter_applied_decision", "decision"),
    sqlite_autoincrement=True,
)
"""The moment at which a running process began to act on a parameter: what a decision reached on the ground."""

event_day = Table(
    "event_day",
    metadata,
    Column("day", String(10), primary_key=True, comment="arrival date, YYYY-MM-DD"),
    Column("state", String(12), nullable=False, comment="begun or dropped"),
    Column("records", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("kept", Integer, nullable=False, comment="archive files that stay, as findings of open or held incidents rest on them"),
    Column("parameter", String(160), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("decision", String(32), nullable=False),
    Column("digest", String(64), nullable=False, comment="SHA-256 over the digests of the day's archive files"),
    Column("begun_at", Instant, nullable=False),
    Column("dropped_at", Instant),
)
"""Days of the event log that retention dropped: what went, by whose decision."""

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Date, comment="first arrival day held; NULL: from the beginning"),
    Column("until", Date, comment="last arrival day held; NULL: without end"),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Column("released_by", String(200), nullable=False, server_default=""),
    Column("released_at", Instant),
)
"""Nothing of these days is dropped while the hold stands."""
