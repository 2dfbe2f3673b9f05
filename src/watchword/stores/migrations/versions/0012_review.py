"""Blind re-review of closures, and what the gaming detectors found."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "closure_review",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="finding or incident"),
        sa.Column("subject", sa.String(length=32), nullable=False, comment="uid of what was closed"),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("closer", sa.String(length=128), nullable=False, comment="never shown to the reviewer"),
        sa.Column("team", sa.String(length=16), nullable=False, comment="of the closer"),
        sa.Column("severity", sa.Integer(), nullable=False, comment="at closure, 1 gravest to 4"),
        sa.Column("verdict", sa.String(length=16), nullable=False, comment="first verdict; not shown before the second is given"),
        sa.Column("week", sa.BigInteger(), nullable=False, comment="start of the week from which it was drawn"),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.Column("reviewer", sa.String(length=128), server_default="", nullable=False),
        sa.Column("second_verdict", sa.String(length=16), server_default="", nullable=False),
        sa.Column("second_severity", sa.Integer(), nullable=True, comment="null: not reviewed yet"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("differs", sa.Boolean(), nullable=True, comment="null: not reviewed yet"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_closure_review")),
        sa.UniqueConstraint("kind", "subject", "closed_at", name="uq_closure_review_kind_subject_closed_at"),
    )
    with op.batch_alter_table("closure_review") as batch_op:
        batch_op.create_index("ix_closure_review_week", ["week"], unique=False)
        batch_op.create_index("ix_closure_review_reviewed_at", ["reviewed_at"], unique=False)
    op.create_table(
        "gaming_sign",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("flag", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False, comment="kept only while measures of persons are allowed"),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("seen", sa.Float(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("p", sa.Float(), nullable=True, comment="null: the detector is a threshold"),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_gaming_sign")),
    )
    with op.batch_alter_table("gaming_sign") as batch_op:
        batch_op.create_index("ix_gaming_sign_until", ["until"], unique=False)
    op.create_table(
        "gaming_prompt",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("flag", sa.String(length=16), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False, comment="empty: both"),
        sa.Column("metric", sa.String(length=64), nullable=False, comment="the measure that it makes doubtful"),
        sa.Column("because", sa.Text(), nullable=False, comment="names nobody"),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="window that was looked at"),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="null: the detector still fires"),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=128), server_default="", nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_gaming_prompt")),
    )
    with op.batch_alter_table("gaming_prompt") as batch_op:
        batch_op.create_index("ix_gaming_prompt_opened_at", ["opened_at"], unique=False)
    op.create_table(
        "study",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False, comment="hash of the code that computed it"),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_study")),
    )
