"""What the running house keeps of its own: accounts, sessions, log-in attempts, API tokens, granted trail readings, and the audit log."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

HEAD_ROW: Final = 1
"""The one row of `audit_head`."""

account = Table(
    "account",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("full_name", String(200), nullable=False, server_default=""),
    Column("role", String(32), nullable=False),
    Column("password", String(200), nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("must_change", Boolean, nullable=False, default=False),
    Column("created", Instant, nullable=False),
    Column("password_changed", Instant, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("account", String(32), nullable=False, index=True),
    Column("created", Instant, nullable=False),
    Column("last_used", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Column("address", String(64), nullable=False, server_default=""),
    Column("agent", String(200), nullable=False, server_default=""),
)

login_attempt = Table(
    "login_attempt",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", Instant, nullable=False, index=True),
    Column("blocked_until", Instant, nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("account", String(32), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant),
    Column("last_used", Instant),
    Column("revoked", Instant),
)

trail_grant = Table(
    "trail_grant",
    metadata,
    Column("session", String(64), primary_key=True),
    Column("person", String(200), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("until", Instant, nullable=False, index=True),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("time", Instant, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", String(400), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("head", String(64), nullable=False),
    Index("ix_audit_actor_seq", "actor", "seq"),
    Index("ix_audit_target_seq", "target", "seq"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("head", String(64), nullable=False),
)

audit_check = Table(
    "audit_check",
    metadata,
    Column("time", Instant, primary_key=True),
    Column("entries", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("problems", JSON, nullable=False),
)

source_key = Table(
    "source_key",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("token_digest", String(64), nullable=False, server_default=""),
    Column("signing_id", String(32), nullable=False, server_default=""),
    Column("made", Instant, nullable=False),
)
"""What a source proves itself with over HTTP. The signing key itself is derived from `signing_id` and the site key, and never kept."""

idempotent = Table(
    "idempotent",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
)
"""Answers to requests that came with an Idempotency-Key, kept for a day: the same request sent again gets the same answer."""

reparse_request = Table(
    "reparse_request",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)
"""Sources whose unparsed records the worker is asked to parse again; a row goes once that is done."""

follower = Table(
    "follower",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How far each follower of the news has come."""
