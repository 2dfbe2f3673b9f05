"""What is kept of runs: the run, its pinned playbooks, step instances and flows, what it waits for, its timers, attempts and wake-ups."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

LONGEST_PATH = 500
"""Characters of a step instance's path; checked before a run starts."""

playbook_run = Table(
    "playbook_run",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("playbook", String(64), nullable=False, comment="id of the playbook"),
    Column("book", String(120), nullable=False, comment="key of the pinned version, id@modified"),
    Column("name", Text, nullable=False),
    Column("incident", String(32), nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("started_by", String(200), nullable=False),
    Column("rule", String(128), nullable=False, comment="the detection rule that started it; empty: a person did"),
    Column("override", Text, nullable=False, comment="why a person started it outside its validity"),
    Column("lint_version", String(32), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("progressed_at", Instant, nullable=False, comment="when a transition was last made"),
    Column("ended_at", Instant),
    Column("version", Integer, nullable=False, comment="counts transitions; a transition from an older one is not kept"),
    Column("reached", Integer, nullable=False, comment="step instances so far"),
    Column("more", Boolean, nullable=False, comment="the last transition stopped at its bound"),
    Column("code", String(64), nullable=False),
    Column("said", Text, nullable=False),
    Index("ix_playbook_run_status", "status", "started_at"),
    Index("ix_playbook_run_incident", "incident", "started_at"),
    Index("ix_playbook_run_playbook", "playbook", "started_at"),
)

run_pin = Table(
    "run_pin",
    metadata,
    Column("run", String(32), ForeignKey("playbook_run.uid", ondelete="CASCADE"), primary_key=True),
    Column("book", String(120), primary_key=True),
    Column("latest", Boolean, nullable=False, comment="what a call without version means"),
    Column("sha256", String(64), nullable=False),
    Column("text", Text, nullable=False),
)
"""The text of every playbook that a run may reach, as it was at the start: later edits touch no running run."""

step_run = Table(
    "step_run",
    metadata,
    Column("run", String(32), ForeignKey("playbook_run.uid", ondelete="CASCADE"), primary_key=True),
    Column("path", String(LONGEST_PATH), primary_key=True),
    Column("step", String(80), nullable=False),
    Column("flow", String(LONGEST_PATH), nullable=False),
    Column("book", String(120), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("reached_at", Instant, nullable=False),
    Column("began_at", Instant),
    Column("ended_at", Instant),
    Column("values", JSON, nullable=False),
    Column("work", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("code", String(64), nullable=False),
    Column("said", Text, nullable=False),
    Column("by", String(200), nullable=False, comment="who recorded it"),
    Column("team", String(32), nullable=False),
    Column("owner", String(200), nullable=False, comment="who took it"),
    Column("owner_at", Instant),
    Column("note", Text, nullable=False),
    Column("evidence", JSON, nullable=False, comment="uids of evidence named with the record"),
    Index("ix_step_run_open", "run", "open"),
    Index("ix_step_run_seq", "run", "seq"),
)

run_flow = Table(
    "run_flow",
    metadata,
    Column("run", String(32), ForeignKey("playbook_run.uid", ondelete="CASCADE"), primary_key=True),
    Column("path", String(LONGEST_PATH), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("owner", String(LONGEST_PATH), nullable=False),
    Column("book", String(120), nullable=False),
    Column("number", Integer, nullable=False),
    Column("values", JSON, nullable=False),
    Column("writes", JSON, nullable=False, comment="[[scope, variable, value], …] of a branch, until its join"),
    Column("ended", Boolean, nullable=False),
    Column("caught", Boolean, nullable=False),
    Column("code", String(64), nullable=False),
    Column("said", Text, nullable=False),
)
"""Open flows only; a flow that is over leaves."""

step_attempt = Table(
    "step_attempt",
    metadata,
    Column("key", String(200), primary_key=True, comment="idempotency key of the action"),
    Column("run", String(32), ForeignKey("playbook_run.uid", ondelete="CASCADE"), nullable=False),
    Column("path", String(LONGEST_PATH), nullable=False),
    Column("work", Integer, nullable=False),
    Column("action", JSON, nullable=False),
    Column("approval", String(32), nullable=False),
    Column("timeout_ms", BigInteger, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("lease", String(64), nullable=False, comment="which worker has it in hand; empty: none"),
    Column("lease_until", Instant),
    Column("tries", Integer, nullable=False),
    Column("status", String(16), nullable=False, comment="open, then the outcome's status, overran or cancelled"),
    Column("outcome", JSON(none_as_null=True)),
    Column("settled_at", Instant),
    Index("ix_step_attempt_settled_at", "settled_at", "lease_until"),
    Index("ix_step_attempt_run", "run"),
)
"""One row per action that a step hands to the gateway, committed before it is handed over."""

run_wait = Table(
    "run_wait",
    metadata,
    Column("run", String(32), ForeignKey("playbook_run.uid", ondelete="CASCADE"), primary_key=True),
    Column("path", String(LONGEST_PATH), primary_key=True),
    Column("kind", String(16), primary_key=True, comment="person or approval"),
    Column("ref", String(32), primary_key=True, comment="the request for approval"),
    Column("title", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("team", String(32), nullable=False),
    Column("out_args", JSON, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Index("ix_run_wait_closed_at", "closed_at", "opened_at"),
)
"""Whom a run waits for."""

run_timer = Table(
    "run_timer",
    metadata,
    Column("run", String(32), ForeignKey("playbook_run.uid", ondelete="CASCADE"), primary_key=True),
    Column("path", String(LONGEST_PATH), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("clock", String(64), primary_key=True),
    Column("set_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("on_breach", String(16), nullable=False),
    Column("closed_at", Instant, comment="fired, or no longer needed"),
    Column("fired_at", Instant),
    Column("late", Boolean, nullable=False),
    Index("ix_run_timer_closed_at", "closed_at", "due_at"),
)

run_wake = Table(
    "run_wake",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("run", String(32), nullable=False),
    Column("path", String(LONGEST_PATH), nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
"""Wake-ups, added in the transaction of what woke: adding a row waits for nobody's lock."""
