"""The library of playbooks, by version, and when each is to be reviewed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "playbook_version",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("modified", sa.String(length=40), nullable=False, comment="as the playbook writes it"),
        sa.Column("modified_at", sa.BigInteger(), nullable=False, comment="the same as a moment: the order of versions"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the text, in hex"),
        sa.Column(
            "body", sa.String(length=64), nullable=False, comment="SHA-256 of the canonical JSON without signatures: what a version says"
        ),
        sa.Column("faults", sa.JSON(), nullable=False, comment="of both stages"),
        sa.Column("lint_version", sa.Integer(), nullable=False),
        sa.Column("cut", sa.JSON(), nullable=False, comment="JSON pointers of secrets that were cut out on arrival"),
        sa.Column("received", sa.JSON(), nullable=False, comment="verdicts on its signatures as it arrived, in words"),
        sa.Column("shipped", sa.Boolean(), server_default=sa.false(), nullable=False, comment="comes with Watchword"),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "modified", name=op.f("pk_playbook_version")),
    )
    with op.batch_alter_table("playbook_version", schema=None) as batch_op:
        batch_op.create_index("ix_playbook_version_newest", ["id", "modified_at", "modified"], unique=False)

    op.create_table(
        "playbook_review",
        sa.Column("id", sa.String(length=80), nullable=False, comment="of the playbook, whatever its version"),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("reviewed_by", sa.String(length=128), server_default="", nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbook_review")),
    )
    with op.batch_alter_table("playbook_review", schema=None) as batch_op:
        batch_op.create_index("ix_playbook_review_due", ["due"], unique=False)
