"""Evidence with its custody ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column(
            "key", sa.String(length=200), nullable=True, comment="of the action or step that acquired it: asked again, it is the same piece"
        ),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="clip, log, photo, document or record"),
        sa.Column("name", sa.Text(), nullable=False, comment="of the file, as it came"),
        sa.Column("media", sa.String(length=200), nullable=False, comment="media type as the source states it"),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the original, taken while it came in"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column("source", sa.String(length=200), nullable=False, comment="device, product or person that it came from"),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True, comment="what it shows: from when, by the source's clock"),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column(
            "clock_offset",
            sa.BigInteger(),
            nullable=True,
            comment="milliseconds by which the source's clock was ahead of ours; NULL: not known",
        ),
        sa.Column("player", sa.Text(), nullable=False, comment="what opens it"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("acquired_at", sa.BigInteger(), nullable=False),
        sa.Column("custodian", sa.String(length=200), nullable=False),
        sa.Column("offered_to", sa.String(length=200), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False, comment="of the chain of custody"),
        sa.Column("head", sa.String(length=64), nullable=False, comment="of the chain of custody"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_evidence")),
        sa.UniqueConstraint("key", name=op.f("uq_evidence_key")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index("ix_evidence_incident", ["incident", "acquired_at"], unique=False)
        batch_op.create_index("ix_evidence_newest", ["acquired_at", "uid"], unique=False)
        batch_op.create_index("ix_evidence_sha256", ["sha256"], unique=False)

    op.create_table(
        "custody",
        sa.Column("evidence", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False, comment="from 1 without gaps"),
        sa.Column("deed", sa.String(length=24), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("to", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="JSON object of texts, keys sorted"),
        sa.Column("key", sa.String(length=64), nullable=False, comment="public key of whoever did it, in hex"),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("evidence", "seq", name=op.f("pk_custody")),
    )
