"""What is kept of measures: values with the uids read for them, the code that made them, targets, and how the periodic work went."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, false, true

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

metric_value = Table(
    "metric_value",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False, comment="of the definition: a series is one version"),
    Column("subject", String(200), nullable=False, comment="empty: the whole house"),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("period", Boolean, nullable=False, comment="a closed aligned window: a point of the series; else a running value"),
    Column("current", Boolean, nullable=False, server_default=true(), comment="false: the same window was computed anew since"),
    Column("held", Boolean, nullable=False, server_default=false(), comment="a decision or meeting stands on it: never swept"),
    Column("value", Float, comment="null: cannot be known"),
    Column("lo", Float),
    Column("hi", Float),
    Column("n", Integer, nullable=False),
    Column("coverage", Float, nullable=False),
    Column("grade", String(1), nullable=False),
    Column("unit", String(24), nullable=False),
    Column("because", Text, nullable=False),
    Column("flags", JSON, nullable=False),
    Column("inputs", String(32), nullable=False, comment="hash of the uids read: metric_input holds them"),
    Column("details", JSON, nullable=False),
    Column("code", String(16), nullable=False, comment="hash of the formula's code"),
    Column("computed", Instant, nullable=False),
    Index("ix_metric_value_latest", "name", "subject", "current", "until"),
    Index("ix_metric_value_series", "name", "subject", "period", "since"),
    Index("ix_metric_value_sweep", "period", "computed"),
)

metric_input = Table(
    "metric_input",
    metadata,
    Column("inputs", String(32), primary_key=True),
    Column("kind", String(16), primary_key=True, comment="incident, finding, run, event, evidence …"),
    Column("uid", String(200), primary_key=True),
)
"""What was read for a value: the walk back. Values over the same uids share their rows."""

metric_target = Table(
    "metric_target",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("value", Float, nullable=False),
    Column("owner_it", String(200), nullable=False),
    Column("owner_physical", String(200), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, comment="null: in force"),
    Column("decision", String(32), nullable=False, server_default=""),
    Column("by", String(200), nullable=False),
    Index("ix_metric_target_name", "name", "since"),
)

metric_flag = Table(
    "metric_flag",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("flag", String(16), nullable=False),
    Column("because", Text, nullable=False, comment="what the detector saw, in one sentence"),
    Column("since", Instant, nullable=False),
    Column("until", Instant, comment="null: in force"),
    Index("ix_metric_flag_name", "name", "subject", "until"),
)
"""Detectors' flags: while one is in force, new values of the measure are graded D."""

measure_job = Table(
    "measure_job",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("started", Instant, nullable=False),
    Column("ended", Instant),
    Column("said", Text, nullable=False, comment="empty: it went well; else what went wrong"),
    Column("took_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("done", Instant, comment="when it last went well"),
)
"""One row per periodic job of the measuring process."""
