"""Risks: scenarios, safeguards, events seen, treatments, computations with their results, forecasts."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "risk_event",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("scenario", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False, comment="empty: told by hand"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="suggested, confirmed or rejected"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("loss", sa.Float(), nullable=True, comment="euros; null: not known"),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_risk_event")),
    )
    op.create_index("ix_risk_event_incident", "risk_event", ["incident"], unique=False)
    op.create_index("ix_risk_event_scenario", "risk_event", ["scenario", "state", "at"], unique=False)
    op.create_table(
        "risk_forecast",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("scenario", sa.String(length=64), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("any_event", sa.Float(), nullable=False),
        sa.Column("events_low", sa.Integer(), nullable=False),
        sa.Column("events_high", sa.Integer(), nullable=False),
        sa.Column("loss_low", sa.Float(), nullable=False),
        sa.Column("loss_high", sa.Float(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("scored", sa.BigInteger(), nullable=True),
        sa.Column("came", sa.Integer(), nullable=True, comment="events that came"),
        sa.Column("came_loss", sa.Float(), nullable=True, comment="null: not all losses are known"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_risk_forecast")),
        sa.UniqueConstraint("scenario", "made", "until", name=op.f("uq_risk_forecast_scenario")),
    )
    op.create_index("ix_risk_forecast_until", "risk_forecast", ["scored", "until"], unique=False)
    op.create_table(
        "risk_result",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("world", sa.String(length=16), nullable=False, comment="now, bare, planned, budget"),
        sa.Column("scenario", sa.String(length=64), nullable=False, comment="empty: the house"),
        sa.Column("content", sa.Text(), nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("run", "world", "scenario", name=op.f("pk_risk_result")),
    )
    op.create_table(
        "risk_run",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="asked, done or failed"),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("seed", sa.String(length=64), server_default="", nullable=False),
        sa.Column("inputs", sa.String(length=32), server_default="", nullable=False, comment="hash of all that went in"),
        sa.Column("outer", sa.Integer(), server_default="0", nullable=False),
        sa.Column("inner", sa.Integer(), server_default="0", nullable=False),
        sa.Column("took_ms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fault", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_risk_run")),
    )
    op.create_index("ix_risk_run_state", "risk_run", ["state", "asked"], unique=False)
    op.create_table(
        "risk_safeguard",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("decision", sa.String(length=32), server_default="", nullable=False, comment="that approved it"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_risk_safeguard")),
    )
    op.create_table(
        "risk_scenario",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("retired", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_risk_scenario")),
    )
    op.create_table(
        "risk_setting",
        sa.Column("name", sa.String(length=32), nullable=False, comment="appetite or budget"),
        sa.Column("content", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_risk_setting")),
    )
    op.create_table(
        "risk_treatment",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("scenario", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.Column("safeguard", sa.String(length=64), nullable=False),
        sa.Column("retention", sa.Float(), nullable=False),
        sa.Column("cover", sa.Float(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.Text(), server_default="", nullable=False),
        sa.Column("reopened", sa.Text(), server_default="", nullable=False, comment="what changed materially since"),
        sa.Column("frozen", sa.Text(), nullable=False, comment="JSON: the risk as it was seen; empty: none was computed yet"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_risk_treatment")),
    )
    op.create_index("ix_risk_treatment_scenario", "risk_treatment", ["scenario", "ended"], unique=False)
