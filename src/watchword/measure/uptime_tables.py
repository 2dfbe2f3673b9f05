"""What uptime keeps: spans of each condition, tests by hand, planned work, service objectives, and budgets that burn."""

from sqlalchemy import Boolean, Column, Float, Index, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

span = Table(
    "uptime_span",
    metadata,
    Column("component", String(200), primary_key=True, comment="uid of the asset or door"),
    Column("condition", String(80), primary_key=True),
    Column("since", Instant, primary_key=True, autoincrement=False),
    Column("until", Instant, comment="null: still so, unless it has run out"),
    Column("expires", Instant, comment="of an open span: after this moment it is unknown; null: it holds until the next sign"),
    Column("last", Instant, nullable=False, comment="the newest sign within it"),
    Column("state", String(8), nullable=False),
    Column("because", Text, nullable=False),
    Column("event", String(32), nullable=False, comment="uid of the event with which it began"),
    Index("ix_uptime_span_until", "until"),
)

progress = Table(
    "uptime_progress",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("received", Instant, nullable=False, comment="events that arrived up to then are taken into account"),
)

test = Table(
    "component_test",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("component", String(200), nullable=False),
    Column("kind", String(40), nullable=False, comment="lock, walk or footage"),
    Column("at", Instant, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", String(128), nullable=False),
    Column("kept_at", Instant, nullable=False),
    Index("ix_component_test_component", "component", "kind", "at"),
)

planned = Table(
    "planned_work",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("entity", String(200), nullable=False, comment="uid of a place (and all within it), door or asset"),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("by", String(128), nullable=False),
    Column("kept_at", Instant, nullable=False, comment="planned after it began, it excuses only what comes later"),
    Index("ix_planned_work_until", "until"),
)

objective = Table(
    "service_objective",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("share", Float, nullable=False),
    Column("days", Float, nullable=False, comment="length of the rolling window"),
    Column("by", String(128), nullable=False),
    Column("at", Instant, nullable=False),
)

burn = Table(
    "budget_burn",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("kind", String(8), primary_key=True, comment="page or ticket"),
    Column("since", Instant, primary_key=True, autoincrement=False),
    Column("until", Instant, comment="null: still burning"),
    Column("finding", String(32), nullable=False),
)
