"""Drafts of playbooks: what a person has changed and not yet saved as a version."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "playbook_draft",
        sa.Column("id", sa.String(length=80), nullable=False, comment="of the playbook"),
        sa.Column("account", sa.String(length=128), nullable=False, comment="who writes it"),
        sa.Column("base", sa.String(length=40), nullable=False, comment="the version that it began from; empty: a new playbook"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "account", name=op.f("pk_playbook_draft")),
    )
