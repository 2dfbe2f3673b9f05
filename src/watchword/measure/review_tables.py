"""What is kept of credibility: blind re-reviews of closures, signs and prompts of the gaming detectors, and computed demonstrations."""

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

closure_review = Table(
    "closure_review",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("kind", String(16), nullable=False, comment="finding or incident"),
    Column("subject", String(32), nullable=False, comment="uid of what was closed"),
    Column("closed_at", Instant, nullable=False),
    Column("closer", String(128), nullable=False, comment="never shown to the reviewer"),
    Column("team", String(16), nullable=False, comment="of the closer"),
    Column("severity", Integer, nullable=False, comment="at closure, 1 gravest to 4"),
    Column("verdict", String(16), nullable=False, comment="first verdict; not shown before the second is given"),
    Column("week", Instant, nullable=False, comment="start of the week from which it was drawn"),
    Column("drawn_at", Instant, nullable=False),
    Column("reviewer", String(128), nullable=False, server_default=""),
    Column("second_verdict", String(16), nullable=False, server_default=""),
    Column("second_severity", Integer, comment="null: not reviewed yet"),
    Column("note", Text, nullable=False),
    Column("reviewed_at", Instant),
    Column("differs", Boolean, comment="null: not reviewed yet"),
    UniqueConstraint("kind", "subject", "closed_at", name="uq_closure_review_kind_subject_closed_at"),
    Index("ix_closure_review_week", "week"),
    Index("ix_closure_review_reviewed_at", "reviewed_at"),
)

gaming_sign = Table(
    "gaming_sign",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("flag", String(16), nullable=False),
    Column("person", String(128), nullable=False, comment="kept only while measures of persons are allowed"),
    Column("team", String(16), nullable=False),
    Column("seen", Float, nullable=False),
    Column("expected", Float, nullable=False),
    Column("n", Integer, nullable=False),
    Column("p", Float, comment="null: the detector is a threshold"),
    Column("because", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("found_at", Instant, nullable=False),
    Index("ix_gaming_sign_until", "until"),
)
"""What a detector saw in one person: questions, not judgements."""

gaming_prompt = Table(
    "gaming_prompt",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("flag", String(16), nullable=False),
    Column("team", String(16), nullable=False, comment="empty: both"),
    Column("metric", String(64), nullable=False, comment="the measure that it makes doubtful"),
    Column("because", Text, nullable=False, comment="names nobody"),
    Column("since", Instant, nullable=False, comment="window that was looked at"),
    Column("until", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("ended_at", Instant, comment="null: the detector still fires"),
    Column("answer", Text, nullable=False),
    Column("answered_by", String(128), nullable=False, server_default=""),
    Column("answered_at", Instant),
    Index("ix_gaming_prompt_opened_at", "opened_at"),
)
"""What the team is asked to look at together."""

study = Table(
    "study",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("code", String(16), nullable=False, comment="hash of the code that computed it"),
    Column("content", JSON, nullable=False),
    Column("made_at", Instant, nullable=False),
)
"""Computed once and kept: demonstrations from simulation, and the secret from which reviews are drawn."""
