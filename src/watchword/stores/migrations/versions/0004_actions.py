"""Actions with their approvals, temporary states and what the interlock refused."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "action",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False, comment="idempotency key: one row, one effect"),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("verb", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False, comment="the whole action as rendered"),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("securing", sa.Boolean(), nullable=False, comment="held back by the life-safety interlock; ended by an alarm"),
        sa.Column("buildings", sa.JSON(), nullable=False),
        sa.Column("approval", sa.String(length=32), nullable=False),
        sa.Column("reverts", sa.String(length=200), nullable=False, comment="key of the action that this one undoes"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="open, then the outcome's status"),
        sa.Column("fence", sa.Integer(), nullable=False, comment="who took it up last; an outcome of an earlier one is not kept"),
        sa.Column("intended_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("outcome_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "cancelled_at", sa.BigInteger(), nullable=True, comment="a fire alarm ended it while it was being carried out or in force"
        ),
        sa.Column("revert_at", sa.BigInteger(), nullable=True, comment="when the temporary state ends by itself"),
        sa.Column("revert_tries", sa.Integer(), nullable=False),
        sa.Column(
            "ended_at", sa.BigInteger(), nullable=True, comment="when the state was undone, seen released, or could not have been set"
        ),
        sa.Column("ended_by", sa.String(length=200), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False, comment="handed to the front door as a record"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_action")),
        sa.UniqueConstraint("key", name=op.f("uq_action_key")),
    )
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.create_index("ix_action_state", ["state", "claimed_at"], unique=False)
        batch_op.create_index("ix_action_revert", ["ended_at", "revert_at"], unique=False)
        batch_op.create_index("ix_action_target", ["target", "ended_at"], unique=False)
        batch_op.create_index("ix_action_incident", ["incident", "intended_at"], unique=False)

    op.create_table(
        "approval",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False, comment="the whole action as rendered"),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("glass", sa.Boolean(), nullable=False, comment="break-glass: one named role in place of the approvers"),
        sa.Column("used_by", sa.String(length=200), nullable=False, comment="key of the action that it was used for"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_approval")),
        sa.UniqueConstraint("run", "path", "digest", "round", name="uq_approval_run"),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index("ix_approval_state", ["state", "expires_at"], unique=False)
        batch_op.create_index("ix_approval_incident", ["incident", "asked_at"], unique=False)

    op.create_table(
        "approval_vote",
        sa.Column("approval", sa.String(length=32), nullable=False),
        sa.Column("identity", sa.String(length=200), nullable=False, comment="the person, or the account"),
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("yes", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["approval"], ["approval.uid"], name=op.f("fk_approval_vote_approval_approval"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("approval", "identity", name=op.f("pk_approval_vote")),
    )
    with op.batch_alter_table("approval_vote", schema=None) as batch_op:
        batch_op.create_index("ix_approval_vote_account", ["account", "at"], unique=False)

    op.create_table(
        "fire_point",
        sa.Column("building", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False, comment="the panel's or controller's uid, else the source"),
        sa.Column("point", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="alarm or fault"),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="event time of the newest change"),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=True, comment="event time at which it was last raised"),
        sa.Column("raised_by", sa.String(length=32), nullable=False, comment="event that last raised it"),
        sa.PrimaryKeyConstraint("building", "origin", "point", "kind", name=op.f("pk_fire_point")),
    )
    op.create_table(
        "fire_heard",
        sa.Column("panel", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("heard", sa.BigInteger(), nullable=False, comment="when its last record arrived"),
        sa.PrimaryKeyConstraint("panel", name=op.f("pk_fire_heard")),
    )
