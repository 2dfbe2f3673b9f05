"""What is kept of risks: scenarios, safeguards, events seen, treatments, computations with their results, and forecasts."""

from sqlalchemy import Boolean, Column, Date, Float, Index, Integer, String, Table, Text, UniqueConstraint, false

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

scenario = Table(
    "risk_scenario",
    metadata,
    Column("uid", String(64), primary_key=True),
    Column("content", Text, nullable=False, comment="JSON"),
    Column("retired", Boolean, nullable=False, server_default=false()),
    Column("version", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(200), nullable=False),
)

safeguard = Table(
    "risk_safeguard",
    metadata,
    Column("uid", String(64), primary_key=True),
    Column("content", Text, nullable=False, comment="JSON"),
    Column("standing", String(16), nullable=False),
    Column("decision", String(32), nullable=False, server_default="", comment="that approved it"),
    Column("version", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(200), nullable=False),
)

setting = Table(
    "risk_setting",
    metadata,
    Column("name", String(32), primary_key=True, comment="appetite or budget"),
    Column("content", Text, nullable=False, comment="JSON"),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(200), nullable=False),
)

event = Table(
    "risk_event",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("scenario", String(64), nullable=False),
    Column("incident", String(32), nullable=False, comment="empty: told by hand"),
    Column("state", String(16), nullable=False, comment="suggested, confirmed or rejected"),
    Column("at", Instant, nullable=False),
    Column("loss", Float, comment="euros; null: not known"),
    Column("because", Text, nullable=False),
    Column("by", String(200), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_risk_event_scenario", "scenario", "state", "at"),
    Index("ix_risk_event_incident", "incident"),
)

treatment = Table(
    "risk_treatment",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("scenario", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("since", Instant, nullable=False),
    Column("by", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("decision", String(32), nullable=False),
    Column("expires", Date),
    Column("safeguard", String(64), nullable=False),
    Column("retention", Float, nullable=False),
    Column("cover", Float, nullable=False),
    Column("ended", Instant),
    Column("ended_why", Text, nullable=False, server_default=""),
    Column("reopened", Text, nullable=False, server_default="", comment="what changed materially since"),
    Column("frozen", Text, nullable=False, comment="JSON: the risk as it was seen; empty: none was computed yet"),
    Index("ix_risk_treatment_scenario", "scenario", "ended"),
)

run = Table(
    "risk_run",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("state", String(16), nullable=False, comment="asked, done or failed"),
    Column("asked", Instant, nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("because", Text, nullable=False),
    Column("done", Instant),
    Column("seed", String(64), nullable=False, server_default=""),
    Column("inputs", String(32), nullable=False, server_default="", comment="hash of all that went in"),
    Column("outer", Integer, nullable=False, server_default="0"),
    Column("inner", Integer, nullable=False, server_default="0"),
    Column("took_ms", Integer, nullable=False, server_default="0"),
    Column("fault", Text, nullable=False, server_default=""),
    Index("ix_risk_run_state", "state", "asked"),
)

result = Table(
    "risk_result",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("world", String(16), primary_key=True, comment="now, bare, planned, budget"),
    Column("scenario", String(64), primary_key=True, comment="empty: the house"),
    Column("content", Text, nullable=False, comment="JSON"),
)

forecast = Table(
    "risk_forecast",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("scenario", String(64), nullable=False),
    Column("made", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("any_event", Float, nullable=False),
    Column("events_low", Integer, nullable=False),
    Column("events_high", Integer, nullable=False),
    Column("loss_low", Float, nullable=False),
    Column("loss_high", Float, nullable=False),
    Column("mean", Float, nullable=False),
    Column("run", String(32), nullable=False),
    Column("scored", Instant),
    Column("came", Integer, comment="events that came"),
    Column("came_loss", Float, comment="null: not all losses are known"),
    UniqueConstraint("scenario", "made", "until"),
    Index("ix_risk_forecast_until", "scored", "until"),
)
