"""What is kept of bodies: members, meetings with their agendas, proposals with their logs, decisions, actions, anonymous pulses."""

from sqlalchemy import JSON, Boolean, Column, Date, Float, Index, Integer, String, Table, Text, false

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

body = Table(
    "governing_body",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("rules", JSON, nullable=False, comment="purpose, quorum, method, fallback, cadence, length, roles, holidays, shares"),
    Column("version", Integer, nullable=False),
    Column("feed", Integer, nullable=False, server_default="0", comment="counts renewals of the calendar's address"),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(200), nullable=False),
)

body_member = Table(
    "body_member",
    metadata,
    Column("body", String(32), primary_key=True),
    Column("person", String(128), primary_key=True, comment="account name"),
    Column("domain", String(16), nullable=False, comment="it, physical or other"),
    Column("mail", String(254), nullable=False, server_default="", comment="where invitations go; empty: none"),
    Column("since", Instant, nullable=False),
    Column("position", Integer, nullable=False),
)

body_absence = Table(
    "body_absence",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("body", String(32), nullable=False),
    Column("person", String(128), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False, comment="the last day of it"),
    Index("ix_body_absence_body", "body", "until"),
)

meeting = Table(
    "body_meeting",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("body", String(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("state", String(16), nullable=False, comment="planned, frozen, open, closed, cancelled"),
    Column("roles", JSON, nullable=False, comment="role to account"),
    Column("dropped", JSON, nullable=False, comment="rules of the rotation that could not hold"),
    Column("agenda_dropped", JSON, nullable=False, comment="rules of the agenda that could not hold"),
    Column("frozen", Instant),
    Column("invited", Instant),
    Column("opened", Instant),
    Column("closed", Instant),
    Column("current", String(32), nullable=False, server_default="", comment="the item on the shared screen"),
    Column("version", Integer, nullable=False, server_default="1", comment="counts invitations, for calendars"),
    Index("ix_body_meeting_body", "body", "starts", unique=True),
)

presence = Table(
    "meeting_presence",
    metadata,
    Column("meeting", String(32), primary_key=True),
    Column("person", String(128), primary_key=True),
    Column("domain", String(16), nullable=False),
    Column("state", String(16), nullable=False, comment="present or excused"),
    Column("at", Instant, nullable=False),
)

invitation = Table(
    "meeting_invitation",
    metadata,
    Column("meeting", String(32), primary_key=True),
    Column("person", String(128), primary_key=True),
    Column("version", Integer, nullable=False, comment="of the meeting that was sent"),
    Column("at", Instant, nullable=False),
    Column("fault", Text, nullable=False, comment="empty: the server took it"),
)

agenda_item = Table(
    "agenda_item",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("meeting", String(32), nullable=False),
    Column("key", String(400), nullable=False, comment="makes it the same thing at the next meeting"),
    Column("kind", String(32), nullable=False),
    Column("title", String(300), nullable=False),
    Column("why", Text, nullable=False),
    Column("value", Float, nullable=False, comment="v, in euro a year times its weights"),
    Column("delta_risk_eur", Float, comment="null: unpriced"),
    Column("urgency", Float, nullable=False),
    Column("staleness", Float, nullable=False),
    Column("passed_over", Integer, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("domain", String(16), nullable=False),
    Column("iso_input", String(32), nullable=False),
    Column("refs", JSON, nullable=False),
    Column("metrics", JSON, nullable=False, comment="the numbers as they were frozen"),
    Column("metrics_hash", String(64), nullable=False),
    Column("position", Integer, nullable=False, comment="0: left out"),
    Column("added_by", String(128), nullable=False, comment="empty: by rule"),
    Column("state", String(16), nullable=False, comment="open, done or carried"),
    Column("outcome", Text, nullable=False),
    Column("closed", Instant),
    Index("ix_agenda_item_meeting", "meeting", "position"),
    Index("ix_agenda_item_key", "key"),
)

proposal = Table(
    "proposal",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("body", String(32), nullable=False),
    Column("title", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("proposer", String(128), nullable=False),
    Column("state", String(16), nullable=False, comment="of the log's end; the log is what counts"),
    Column("version", Integer, nullable=False),
    Column("until", Instant, comment="when the round ends by time"),
    Column("made", Instant, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("meeting", String(32), nullable=False, server_default=""),
    Column("supersedes", String(32), nullable=False, server_default="", comment="a decision"),
    Column("decision", String(32), nullable=False, server_default=""),
    Index("ix_proposal_body", "body", "state"),
    Index("ix_proposal_until", "until"),
)

proposal_version = Table(
    "proposal_version",
    metadata,
    Column("proposal", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", Text, nullable=False, comment="canonical JSON: what is hashed"),
    Column("hash", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(128), nullable=False),
)

proposal_entry = Table(
    "proposal_entry",
    metadata,
    Column("proposal", String(32), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(128), nullable=False, comment="empty: the clock"),
    Column("deed", String(16), nullable=False),
    Column("detail", Text, nullable=False, comment="canonical JSON"),
    Column("head", String(64), nullable=False),
)
"""The log of a consent round: append-only, each entry bound to the one before it."""

decision = Table(
    "decision",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("body", String(32), nullable=False),
    Column("question", Text, nullable=False),
    Column("choice", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("version_hash", String(64), nullable=False),
    Column("method", String(16), nullable=False),
    Column("decided", Instant, nullable=False),
    Column("in_force", Instant, nullable=False),
    Column("review_on", Date, nullable=False),
    Column("expects", JSON, nullable=False),
    Column("objections", JSON, nullable=False),
    Column("sets", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("meeting", String(32), nullable=False),
    Column("proposal", String(32), nullable=False),
    Column("supersedes", String(32), nullable=False),
    Column("superseded_by", String(32), nullable=False, server_default=""),
    Column("expires", Date),
    Column("kind", String(16), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("reviewed", Instant, comment="when the review was held"),
    Column("review", Text, nullable=False, server_default="", comment="what the review found"),
    Column("review_by", String(128), nullable=False, server_default=""),
    Index("ix_decision_subject", "subject", "kind"),
    Index("ix_decision_review", "reviewed", "review_on"),
)

minutes = Table(
    "meeting_minutes",
    metadata,
    Column("meeting", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", Text, nullable=False, comment="canonical JSON"),
    Column("hash", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(128), nullable=False),
    Column("approved", Instant),
)

minutes_answer = Table(
    "minutes_answer",
    metadata,
    Column("meeting", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String(128), primary_key=True),
    Column("objects", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

body_action = Table(
    "body_action",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("body", String(32), nullable=False),
    Column("meeting", String(32), nullable=False),
    Column("decision", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("domain", String(16), nullable=False),
    Column("due", Date, nullable=False),
    Column("metric", String(64), nullable=False),
    Column("made", Instant, nullable=False),
    Column("done", Instant),
    Column("done_said", Text, nullable=False, server_default=""),
    Column("dropped", Boolean, nullable=False, server_default=false()),
    Index("ix_body_action_body", "body", "done", "due"),
)

pulse = Table(
    "meeting_pulse",
    metadata,
    Column("uid", String(32), primary_key=True, comment="random: it says nothing of who or when"),
    Column("meeting", String(32), nullable=False, index=True),
    Column("question", String(32), nullable=False),
    Column("score", Integer, nullable=False),
    sqlite_with_rowid=False,  # rows lie in the order of their random uids, not in that of their coming
)
"""Answers without a name or a moment."""

pulse_answered = Table(
    "meeting_pulse_answered",
    metadata,
    Column("meeting", String(32), primary_key=True),
    Column("person", String(128), primary_key=True),
    sqlite_with_rowid=False,
)
"""Who has answered, so that nobody answers twice; no row of it leads to an answer."""
