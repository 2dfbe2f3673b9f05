"""Uptime: spans of conditions, tests by hand, planned work, service objectives, budgets that burn."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uptime_span",
        sa.Column("component", sa.String(length=200), nullable=False, comment="uid of the asset or door"),
        sa.Column("condition", sa.String(length=80), nullable=False),
        sa.Column("since", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True, comment="null: still so, unless it has run out"),
        sa.Column(
            "expires",
            sa.BigInteger(),
            nullable=True,
            comment="of an open span: after this moment it is unknown; null: it holds until the next sign",
        ),
        sa.Column("last", sa.BigInteger(), nullable=False, comment="the newest sign within it"),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False, comment="uid of the event with which it began"),
        sa.PrimaryKeyConstraint("component", "condition", "since", name=op.f("pk_uptime_span")),
    )
    op.create_index("ix_uptime_span_until", "uptime_span", ["until"])
    op.create_table(
        "uptime_progress",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False, comment="events that arrived up to then are taken into account"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_uptime_progress")),
    )
    op.create_table(
        "component_test",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("component", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False, comment="lock, walk or footage"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_component_test")),
    )
    op.create_index("ix_component_test_component", "component_test", ["component", "kind", "at"])
    op.create_table(
        "planned_work",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("entity", sa.String(length=200), nullable=False, comment="uid of a place (and all within it), door or asset"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False, comment="planned after it began, it excuses only what comes later"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_planned_work")),
    )
    op.create_index("ix_planned_work_until", "planned_work", ["until"])
    op.create_table(
        "service_objective",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("days", sa.Float(), nullable=False, comment="length of the rolling window"),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_service_objective")),
    )
    op.create_table(
        "budget_burn",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="page or ticket"),
        sa.Column("since", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True, comment="null: still burning"),
        sa.Column("finding", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("subject", "kind", "since", name=op.f("pk_budget_burn")),
    )
