"""Committees: bodies, meetings, agendas, proposals, decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "agenda_item",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False, comment="makes it the same thing at the next meeting"),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False, comment="v, in euro a year times its weights"),
        sa.Column("delta_risk_eur", sa.Float(), nullable=True, comment="null: unpriced"),
        sa.Column("urgency", sa.Float(), nullable=False),
        sa.Column("staleness", sa.Float(), nullable=False),
        sa.Column("passed_over", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(length=16), nullable=False),
        sa.Column("iso_input", sa.String(length=32), nullable=False),
        sa.Column("refs", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False, comment="the numbers as they were frozen"),
        sa.Column("metrics_hash", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="0: left out"),
        sa.Column("added_by", sa.String(length=128), nullable=False, comment="empty: by rule"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="open, done or carried"),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_agenda_item")),
    )
    with op.batch_alter_table("agenda_item") as batch_op:
        batch_op.create_index("ix_agenda_item_key", ["key"], unique=False)
        batch_op.create_index("ix_agenda_item_meeting", ["meeting", "position"], unique=False)

    op.create_table(
        "body_absence",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("body", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False, comment="the last day of it"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_body_absence")),
    )
    with op.batch_alter_table("body_absence") as batch_op:
        batch_op.create_index("ix_body_absence_body", ["body", "until"], unique=False)

    op.create_table(
        "body_action",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("body", sa.String(length=32), nullable=False),
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("domain", sa.String(length=16), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("metric", sa.String(length=64), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("done_said", sa.Text(), server_default="", nullable=False),
        sa.Column("dropped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_body_action")),
    )
    with op.batch_alter_table("body_action") as batch_op:
        batch_op.create_index("ix_body_action_body", ["body", "done", "due"], unique=False)

    op.create_table(
        "body_meeting",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("body", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="planned, frozen, open, closed, cancelled"),
        sa.Column("roles", sa.JSON(), nullable=False, comment="role to account"),
        sa.Column("dropped", sa.JSON(), nullable=False, comment="rules of the rotation that could not hold"),
        sa.Column("agenda_dropped", sa.JSON(), nullable=False, comment="rules of the agenda that could not hold"),
        sa.Column("frozen", sa.BigInteger(), nullable=True),
        sa.Column("invited", sa.BigInteger(), nullable=True),
        sa.Column("opened", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("current", sa.String(length=32), server_default="", nullable=False, comment="the item on the shared screen"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False, comment="counts invitations, for calendars"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_body_meeting")),
    )
    with op.batch_alter_table("body_meeting") as batch_op:
        batch_op.create_index("ix_body_meeting_body", ["body", "starts"], unique=True)

    op.create_table(
        "body_member",
        sa.Column("body", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False, comment="account name"),
        sa.Column("domain", sa.String(length=16), nullable=False, comment="it, physical or other"),
        sa.Column("mail", sa.String(length=254), server_default="", nullable=False, comment="where invitations go; empty: none"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("body", "person", name=op.f("pk_body_member")),
    )
    op.create_table(
        "decision",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(length=32), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("version_hash", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("in_force", sa.BigInteger(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("expects", sa.JSON(), nullable=False),
        sa.Column("objections", sa.JSON(), nullable=False),
        sa.Column("sets", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("proposal", sa.String(length=32), nullable=False),
        sa.Column("supersedes", sa.String(length=32), nullable=False),
        sa.Column("superseded_by", sa.String(length=32), server_default="", nullable=False),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("reviewed", sa.BigInteger(), nullable=True, comment="when the review was held"),
        sa.Column("review", sa.Text(), server_default="", nullable=False, comment="what the review found"),
        sa.Column("review_by", sa.String(length=128), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_decision")),
        sa.UniqueConstraint("number", name=op.f("uq_decision_number")),
    )
    with op.batch_alter_table("decision") as batch_op:
        batch_op.create_index("ix_decision_review", ["reviewed", "review_on"], unique=False)
        batch_op.create_index("ix_decision_subject", ["subject", "kind"], unique=False)

    op.create_table(
        "governing_body",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "rules", sa.JSON(), nullable=False, comment="purpose, quorum, method, fallback, cadence, length, roles, holidays, shares"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Integer(), server_default="0", nullable=False, comment="counts renewals of the calendar's address"),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_governing_body")),
        sa.UniqueConstraint("name", name=op.f("uq_governing_body_name")),
    )
    op.create_table(
        "meeting_minutes",
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="canonical JSON"),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("approved", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("meeting", "number", name=op.f("pk_meeting_minutes")),
    )
    op.create_table(
        "meeting_presence",
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("domain", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="present or excused"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("meeting", "person", name=op.f("pk_meeting_presence")),
    )
    op.create_table(
        "meeting_pulse",
        sa.Column("uid", sa.String(length=32), nullable=False, comment="random: it says nothing of who or when"),
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("question", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_meeting_pulse")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("meeting_pulse") as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_pulse_meeting"), ["meeting"], unique=False)

    op.create_table(
        "meeting_pulse_answered",
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("meeting", "person", name=op.f("pk_meeting_pulse_answered")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "minutes_answer",
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("objects", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("meeting", "number", "person", name=op.f("pk_minutes_answer")),
    )
    op.create_table(
        "proposal",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("proposer", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="of the log's end; the log is what counts"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True, comment="when the round ends by time"),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("meeting", sa.String(length=32), server_default="", nullable=False),
        sa.Column("supersedes", sa.String(length=32), server_default="", nullable=False, comment="a decision"),
        sa.Column("decision", sa.String(length=32), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_proposal")),
        sa.UniqueConstraint("number", name=op.f("uq_proposal_number")),
    )
    with op.batch_alter_table("proposal") as batch_op:
        batch_op.create_index("ix_proposal_body", ["body", "state"], unique=False)
        batch_op.create_index("ix_proposal_until", ["until"], unique=False)

    op.create_table(
        "proposal_entry",
        sa.Column("proposal", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False, comment="empty: the clock"),
        sa.Column("deed", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="canonical JSON"),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("proposal", "seq", name=op.f("pk_proposal_entry")),
    )
    op.create_table(
        "proposal_version",
        sa.Column("proposal", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="canonical JSON: what is hashed"),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("proposal", "number", name=op.f("pk_proposal_version")),
    )
    op.create_table(
        "meeting_invitation",
        sa.Column("meeting", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the meeting that was sent"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False, comment="empty: the server took it"),
        sa.PrimaryKeyConstraint("meeting", "person", name=op.f("pk_meeting_invitation")),
    )
