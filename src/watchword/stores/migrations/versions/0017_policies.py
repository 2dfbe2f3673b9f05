"""Policies: versions, parameters in force, acknowledgements."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "policy_draft",
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False, comment="the policy as a file holds it"),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of the document: a decision names it"),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("policy", name=op.f("pk_policy_draft")),
    )
    op.create_table(
        "policy_version",
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False, comment="from 1 without gaps"),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False, comment="uid of the Decision; no version without one"),
        sa.Column("in_force", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("policy", "version", name=op.f("pk_policy_version")),
    )
    with op.batch_alter_table("policy_version") as batch_op:
        batch_op.create_index("ix_policy_version_decision", ["decision"], unique=False)
        batch_op.create_index("ix_policy_version_in_force", ["in_force"], unique=False)
    op.create_table(
        "policy_exception",
        sa.Column("decision", sa.String(length=32), nullable=False, comment="uid of the Decision that grants it"),
        sa.Column("statement", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False, comment="for whom and where, in words"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("compensating", sa.Text(), nullable=False, comment="what is done instead"),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="of the policy's version: a later one needs a new exception"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.Date(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True, comment="ended early"),
        sa.PrimaryKeyConstraint("decision", name=op.f("pk_policy_exception")),
    )
    with op.batch_alter_table("policy_exception") as batch_op:
        batch_op.create_index("ix_policy_exception_statement", ["statement", "expires"], unique=False)
    op.create_table(
        "policy_acknowledgement",
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("statements", sa.JSON(), nullable=False, comment="ids of the extract that was shown"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("policy", "version", "account", name=op.f("pk_policy_acknowledgement")),
    )
    op.create_table(
        "parameter_applied",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("parameter", sa.String(length=160), nullable=False),
        sa.Column("lands", sa.String(length=160), nullable=False, comment="what follows it: ww_007.granted_after, respond.approval …"),
        sa.Column("before", sa.Text(), nullable=False, comment="as text; empty: the default of the code or content"),
        sa.Column("value", sa.Text(), nullable=False, comment="as text; empty: back to the default"),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("process", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_parameter_applied")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("parameter_applied") as batch_op:
        batch_op.create_index("ix_parameter_applied_decision", ["decision"], unique=False)
        batch_op.create_index("ix_parameter_applied_lands", ["lands", "position"], unique=False)
    op.create_table(
        "event_day",
        sa.Column("day", sa.String(length=10), nullable=False, comment="arrival date, YYYY-MM-DD"),
        sa.Column("state", sa.String(length=12), nullable=False, comment="begun or dropped"),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column(
            "kept", sa.Integer(), nullable=False, comment="archive files that stay, as findings of open or held incidents rest on them"
        ),
        sa.Column("parameter", sa.String(length=160), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 over the digests of the day's archive files"),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("dropped_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_event_day")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True, comment="first arrival day held; NULL: from the beginning"),
        sa.Column("until", sa.Date(), nullable=True, comment="last arrival day held; NULL: without end"),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("released_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_legal_hold")),
    )
