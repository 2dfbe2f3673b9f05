"""What is kept of learning: after-action reviews, their corrective actions with what was done and what worked, and recurrences."""

from sqlalchemy import JSON, Column, Date, Float, Index, Integer, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

after_action = Table(
    "after_action",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("of", String(32), nullable=False, comment="uid of the incident"),
    Column("held", Instant, nullable=False),
    Column("facilitator", String(200), nullable=False),
    Column("present", JSON, nullable=False, comment="pairs of person and team"),
    Column("helped", JSON, nullable=False),
    Column("hindered", JSON, nullable=False),
    Column("skills_used", JSON, nullable=False),
    Column("skills_missing", JSON, nullable=False),
    Column(
        "pattern", JSON, nullable=False, comment="rules, places, entities and techniques of the incident: what a recurrence is matched by"
    ),
    Column("carried", JSON, nullable=False, comment="uids of the actions that were open when it was held"),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_after_action_of", "of", unique=True),
    Index("ix_after_action_held", "held"),
)

corrective_action = Table(
    "corrective_action",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("review", String(32), nullable=False),
    Column("number", Integer, nullable=False, comment="1 to 3 within its review"),
    Column("text", Text, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("team", String(16), nullable=False),
    Column("due", Date, nullable=False),
    Column("expects", JSON, nullable=False),
    Column("verify_on", Date, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("done", Instant),
    Column("done_by", String(200), nullable=False, server_default=""),
    Column("done_note", Text, nullable=False, server_default=""),
    Column("effect", String(24), nullable=False),
    Column("effect_because", Text, nullable=False, server_default=""),
    Column("effect_at", Instant),
    Column("carried", Integer, nullable=False),
    Column("recurrences", Integer, nullable=False, server_default="0"),
    Index("ix_corrective_action_review", "review", "number", unique=True),
    Index("ix_corrective_action_open", "done", "due"),
)

recurrence = Table(
    "recurrence",
    metadata,
    Column("action", String(32), primary_key=True),
    Column("incident", String(32), primary_key=True),
    Column("score", Float, nullable=False, comment="0 to 1: how alike"),
    Column("because", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_recurrence_incident", "incident"),
)
"""A new incident that looks like the one whose corrective action is still open, or was done and is not known to have worked."""

decision_effect = Table(
    "decision_effect",
    metadata,
    Column("decision", String(32), primary_key=True),
    Column("effect", String(24), nullable=False),
    Column("because", Text, nullable=False),
    Column("before", Float),
    Column("after", Float),
    Column("points_before", Integer, nullable=False),
    Column("points_after", Integer, nullable=False),
    Column("method", String(16), nullable=False, comment="xmr or did"),
    Column("metrics", JSON, nullable=False, comment="uids of the values read"),
    Column("judged_at", Instant, nullable=False),
)
"""What came of a Decision, told by measuring; judged anew as the series grows."""
