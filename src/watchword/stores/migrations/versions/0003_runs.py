"""Durable runs of playbooks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "playbook_run",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("playbook", sa.String(length=64), nullable=False, comment="id of the playbook"),
        sa.Column("book", sa.String(length=120), nullable=False, comment="key of the pinned version, id@modified"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("started_by", sa.String(length=200), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False, comment="the detection rule that started it; empty: a person did"),
        sa.Column("override", sa.Text(), nullable=False, comment="why a person started it outside its validity"),
        sa.Column("lint_version", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("progressed_at", sa.BigInteger(), nullable=False, comment="when a transition was last made"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, comment="counts transitions; a transition from an older one is not kept"),
        sa.Column("reached", sa.Integer(), nullable=False, comment="step instances so far"),
        sa.Column("more", sa.Boolean(), nullable=False, comment="the last transition stopped at its bound"),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_playbook_run")),
    )
    op.create_index("ix_playbook_run_incident", "playbook_run", ["incident", "started_at"], unique=False)
    op.create_index("ix_playbook_run_playbook", "playbook_run", ["playbook", "started_at"], unique=False)
    op.create_index("ix_playbook_run_status", "playbook_run", ["status", "started_at"], unique=False)
    op.create_table(
        "run_flow",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=500), nullable=False),
        sa.Column("book", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("writes", sa.JSON(), nullable=False, comment="[[scope, variable, value], …] of a branch, until its join"),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("caught", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["playbook_run.uid"], name=op.f("fk_run_flow_run_playbook_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "path", name=op.f("pk_run_flow")),
    )
    op.create_table(
        "run_pin",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("book", sa.String(length=120), nullable=False),
        sa.Column("latest", sa.Boolean(), nullable=False, comment="what a call without version means"),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["playbook_run.uid"], name=op.f("fk_run_pin_run_playbook_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "book", name=op.f("pk_run_pin")),
    )
    op.create_table(
        "run_timer",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("clock", sa.String(length=64), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("on_breach", sa.String(length=16), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True, comment="fired, or no longer needed"),
        sa.Column("fired_at", sa.BigInteger(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["playbook_run.uid"], name=op.f("fk_run_timer_run_playbook_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "path", "kind", "clock", name=op.f("pk_run_timer")),
    )
    op.create_index("ix_run_timer_closed_at", "run_timer", ["closed_at", "due_at"], unique=False)
    op.create_table(
        "run_wait",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="person or approval"),
        sa.Column("ref", sa.String(length=32), nullable=False, comment="the request for approval"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("out_args", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["playbook_run.uid"], name=op.f("fk_run_wait_run_playbook_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "path", "kind", "ref", name=op.f("pk_run_wait")),
    )
    op.create_index("ix_run_wait_closed_at", "run_wait", ["closed_at", "opened_at"], unique=False)
    op.create_table(
        "run_wake",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_run_wake")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "step_attempt",
        sa.Column("key", sa.String(length=200), nullable=False, comment="idempotency key of the action"),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("work", sa.Integer(), nullable=False),
        sa.Column("action", sa.JSON(), nullable=False),
        sa.Column("approval", sa.String(length=32), nullable=False),
        sa.Column("timeout_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(length=64), nullable=False, comment="which worker has it in hand; empty: none"),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False, comment="open, then the outcome's status, overran or cancelled"),
        sa.Column("outcome", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["playbook_run.uid"], name=op.f("fk_step_attempt_run_playbook_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_step_attempt")),
    )
    op.create_index("ix_step_attempt_run", "step_attempt", ["run"], unique=False)
    op.create_index("ix_step_attempt_settled_at", "step_attempt", ["settled_at", "lease_until"], unique=False)
    op.create_table(
        "step_run",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("flow", sa.String(length=500), nullable=False),
        sa.Column("book", sa.String(length=120), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("reached_at", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("work", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False, comment="who recorded it"),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False, comment="who took it"),
        sa.Column("owner_at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False, comment="uids of evidence named with the record"),
        sa.ForeignKeyConstraint(["run"], ["playbook_run.uid"], name=op.f("fk_step_run_run_playbook_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "path", name=op.f("pk_step_run")),
    )
    op.create_index("ix_step_run_open", "step_run", ["run", "open"], unique=False)
    op.create_index("ix_step_run_seq", "step_run", ["run", "seq"], unique=False)
