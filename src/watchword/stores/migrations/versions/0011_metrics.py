"""Metrics: values with their inputs, targets, and how the periodic work went."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "metric_value",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the definition: a series is one version"),
        sa.Column("subject", sa.String(length=200), nullable=False, comment="empty: the whole house"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.Boolean(), nullable=False, comment="a closed aligned window: a point of the series; else a running value"),
        sa.Column(
            "current", sa.Boolean(), server_default=sa.true(), nullable=False, comment="false: the same window was computed anew since"
        ),
        sa.Column(
            "held", sa.Boolean(), server_default=sa.false(), nullable=False, comment="a decision or meeting stands on it: never swept"
        ),
        sa.Column("value", sa.Float(), nullable=True, comment="null: cannot be known"),
        sa.Column("lo", sa.Float(), nullable=True),
        sa.Column("hi", sa.Float(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("grade", sa.String(length=1), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.String(length=32), nullable=False, comment="hash of the uids read: metric_input holds them"),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False, comment="hash of the formula's code"),
        sa.Column("computed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_metric_value")),
    )
    with op.batch_alter_table("metric_value") as batch_op:
        batch_op.create_index("ix_metric_value_latest", ["name", "subject", "current", "until"], unique=False)
        batch_op.create_index("ix_metric_value_series", ["name", "subject", "period", "since"], unique=False)
        batch_op.create_index("ix_metric_value_sweep", ["period", "computed"], unique=False)
    op.create_table(
        "metric_input",
        sa.Column("inputs", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="incident, finding, run, event, evidence …"),
        sa.Column("uid", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("inputs", "kind", "uid", name=op.f("pk_metric_input")),
    )
    op.create_table(
        "metric_target",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("owner_it", sa.String(length=200), nullable=False),
        sa.Column("owner_physical", sa.String(length=200), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True, comment="null: in force"),
        sa.Column("decision", sa.String(length=32), server_default="", nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_metric_target")),
    )
    with op.batch_alter_table("metric_target") as batch_op:
        batch_op.create_index("ix_metric_target_name", ["name", "since"], unique=False)
    op.create_table(
        "metric_flag",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("flag", sa.String(length=16), nullable=False),
        sa.Column("because", sa.Text(), nullable=False, comment="what the detector saw, in one sentence"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True, comment="null: in force"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_metric_flag")),
    )
    with op.batch_alter_table("metric_flag") as batch_op:
        batch_op.create_index("ix_metric_flag_name", ["name", "subject", "until"], unique=False)
    op.create_table(
        "measure_job",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False, comment="empty: it went well; else what went wrong"),
        sa.Column("took_ms", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True, comment="when it last went well"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_measure_job")),
    )
