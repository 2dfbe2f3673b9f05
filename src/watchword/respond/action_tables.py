"""What is kept of actions: intents, outcomes, temporary states, requests for approval with every answer, and what is known of fire."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

action = Table(
    "action",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("key", String(200), nullable=False, unique=True, comment="idempotency key: one row, one effect"),
    Column("digest", String(64), nullable=False),
    Column("verb", String(64), nullable=False),
    Column("target", String(300), nullable=False),
    Column("body", JSON, nullable=False, comment="the whole action as rendered"),
    Column("incident", String(32), nullable=False),
    Column("run", String(32), nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("securing", Boolean, nullable=False, comment="held back by the life-safety interlock; ended by an alarm"),
    Column("buildings", JSON, nullable=False),
    Column("approval", String(32), nullable=False),
    Column("reverts", String(200), nullable=False, comment="key of the action that this one undoes"),
    Column("state", String(16), nullable=False, comment="open, then the outcome's status"),
    Column("fence", Integer, nullable=False, comment="who took it up last; an outcome of an earlier one is not kept"),
    Column("intended_at", Instant, nullable=False),
    Column("claimed_at", Instant, nullable=False),
    Column("outcome", JSON),
    Column("outcome_at", Instant),
    Column("cancelled_at", Instant, comment="a fire alarm ended it while it was being carried out or in force"),
    Column("revert_at", Instant, comment="when the temporary state ends by itself"),
    Column("revert_tries", Integer, nullable=False),
    Column("ended_at", Instant, comment="when the state was undone, seen released, or could not have been set"),
    Column("ended_by", String(200), nullable=False),
    Column("told", Boolean, nullable=False, comment="handed to the front door as a record"),
    Index("ix_action_state", "state", "claimed_at"),
    Index("ix_action_revert", "ended_at", "revert_at"),
    Index("ix_action_target", "target", "ended_at"),
    Index("ix_action_incident", "incident", "intended_at"),
)
"""One row per intent, committed before anything is sent."""

approval = Table(
    "approval",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("run", String(32), nullable=False),
    Column("path", String(500), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("round", Integer, nullable=False),
    Column("body", JSON, nullable=False, comment="the whole action as rendered"),
    Column("incident", String(32), nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("rule", JSON, nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_at", Instant),
    Column("glass", Boolean, nullable=False, comment="break-glass: one named role in place of the approvers"),
    Column("used_by", String(200), nullable=False, comment="key of the action that it was used for"),
    UniqueConstraint("run", "path", "digest", "round", name="uq_approval_run"),
    Index("ix_approval_state", "state", "expires_at"),
    Index("ix_approval_incident", "incident", "asked_at"),
)

approval_vote = Table(
    "approval_vote",
    metadata,
    Column("approval", String(32), ForeignKey("approval.uid", ondelete="CASCADE"), primary_key=True),
    Column("identity", String(200), primary_key=True, comment="the person, or the account"),
    Column("account", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("team", String(32), nullable=False),
    Column("yes", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("shown_at", Instant),
    Column("at", Instant, nullable=False),
    Index("ix_approval_vote_account", "account", "at"),
)
"""One row per person and request: nobody counts twice."""

fire_point = Table(
    "fire_point",
    metadata,
    Column("building", String(200), primary_key=True),
    Column("origin", String(200), primary_key=True, comment="the panel's or controller's uid, else the source"),
    Column("point", String(200), primary_key=True),
    Column("kind", String(16), primary_key=True, comment="alarm or fault"),
    Column("present", Boolean, nullable=False),
    Column("since", Instant, nullable=False, comment="event time of the newest change"),
    Column("event", String(32), nullable=False),
    Column("raised_at", Instant, comment="event time at which it was last raised"),
    Column("raised_by", String(32), nullable=False, comment="event that last raised it"),
)

fire_heard = Table(
    "fire_heard",
    metadata,
    Column("panel", String(200), primary_key=True),
    Column("source", String(128), nullable=False),
    Column("heard", Instant, nullable=False, comment="when its last record arrived"),
)
