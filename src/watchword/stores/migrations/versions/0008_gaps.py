"""The stretches that sources lost, which rules that rest on absence leave out."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gap",
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("since", sa.BigInteger(), autoincrement=False, nullable=False, comment="the last record before it came then"),
        sa.Column("until", sa.BigInteger(), nullable=True, comment="the next record came then; null: not yet"),
        sa.PrimaryKeyConstraint("source", "since", name=op.f("pk_gap")),
    )
