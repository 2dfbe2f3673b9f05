"""Share links and reports of the dashboard."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "dashboard_share",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="of the secret in the address; the secret itself is not kept"),
        sa.Column("title", sa.String(length=100), nullable=False, comment="for whom it is"),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True, comment="null: it works until it expires"),
        sa.Column("last_read", sa.BigInteger(), nullable=True),
        sa.Column("readings", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_dashboard_share")),
        sa.UniqueConstraint("digest", name=op.f("uq_dashboard_share_digest")),
    )
    op.create_table(
        "board_report",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False, comment="2026-11"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False, comment="its first sentence"),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the PDF"),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("docx", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_board_report")),
        sa.UniqueConstraint("month", name=op.f("uq_board_report_month")),
    )
    with op.batch_alter_table("board_report") as batch_op:
        batch_op.create_index("ix_board_report_made", ["made"], unique=False)
