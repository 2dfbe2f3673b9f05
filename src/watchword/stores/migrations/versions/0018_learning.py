"""After-action reviews and their corrective actions."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "after_action",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("of", sa.String(length=32), nullable=False, comment="uid of the incident"),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("facilitator", sa.String(length=200), nullable=False),
        sa.Column("present", sa.JSON(), nullable=False, comment="pairs of person and team"),
        sa.Column("helped", sa.JSON(), nullable=False),
        sa.Column("hindered", sa.JSON(), nullable=False),
        sa.Column("skills_used", sa.JSON(), nullable=False),
        sa.Column("skills_missing", sa.JSON(), nullable=False),
        sa.Column(
            "pattern",
            sa.JSON(),
            nullable=False,
            comment="rules, places, entities and techniques of the incident: what a recurrence is matched by",
        ),
        sa.Column("carried", sa.JSON(), nullable=False, comment="uids of the actions that were open when it was held"),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_after_action")),
    )
    with op.batch_alter_table("after_action") as batch_op:
        batch_op.create_index("ix_after_action_held", ["held"], unique=False)
        batch_op.create_index("ix_after_action_of", ["of"], unique=True)
    op.create_table(
        "corrective_action",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("review", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 to 3 within its review"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("expects", sa.JSON(), nullable=False),
        sa.Column("verify_on", sa.Date(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("done_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("done_note", sa.Text(), server_default="", nullable=False),
        sa.Column("effect", sa.String(length=24), nullable=False),
        sa.Column("effect_because", sa.Text(), server_default="", nullable=False),
        sa.Column("effect_at", sa.BigInteger(), nullable=True),
        sa.Column("carried", sa.Integer(), nullable=False),
        sa.Column("recurrences", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_corrective_action")),
    )
    with op.batch_alter_table("corrective_action") as batch_op:
        batch_op.create_index("ix_corrective_action_open", ["done", "due"], unique=False)
        batch_op.create_index("ix_corrective_action_review", ["review", "number"], unique=True)
    op.create_table(
        "recurrence",
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Float(), nullable=False, comment="0 to 1: how alike"),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("action", "incident", name=op.f("pk_recurrence")),
    )
    with op.batch_alter_table("recurrence") as batch_op:
        batch_op.create_index("ix_recurrence_incident", ["incident"], unique=False)
    op.create_table(
        "decision_effect",
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("effect", sa.String(length=24), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("before", sa.Float(), nullable=True),
        sa.Column("after", sa.Float(), nullable=True),
        sa.Column("points_before", sa.Integer(), nullable=False),
        sa.Column("points_after", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False, comment="xmr or did"),
        sa.Column("metrics", sa.JSON(), nullable=False, comment="uids of the values read"),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("decision", name=op.f("pk_decision_effect")),
    )
