"""What is kept of controls: catalogues and maps that were imported, evidence with its inputs, exceptions, and the book of the house."""

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text, false, true

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

framework = Table(
    "framework",
    metadata,
    Column("name", String(64), primary_key=True, comment="sp800-53, csf-2.0, or as the importer called it"),
    Column("title", Text, nullable=False),
    Column("version", String(64), nullable=False),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the file"),
    Column("controls", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("imported_by", String(200), nullable=False),
)

framework_control = Table(
    "framework_control",
    metadata,
    Column("framework", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("parent", String(64), nullable=False, comment="empty: the top"),
    Column("kind", String(24), nullable=False, comment="group, control, enhancement, function, category, subcategory"),
    Column("title", Text, nullable=False, comment="as the imported file says; files are the user's"),
    Column("withdrawn", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
)

framework_selection = Table(
    "framework_selection",
    metadata,
    Column("name", String(64), primary_key=True, comment="low, moderate, high, privacy, or as the profile is called"),
    Column("framework", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
)
"""Which controls a baseline selects."""

framework_map = Table(
    "framework_map",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("source_id", String(64), primary_key=True),
    Column("target", String(64), primary_key=True),
    Column("target_id", String(64), primary_key=True),
    Column("relation", String(12), nullable=False, comment="equal, superset, subset or intersect, source to target"),
    Index("ix_framework_map_target", "target", "target_id"),
)

evidence = Table(
    "control_evidence",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("control", String(64), nullable=False),
    Column("test", String(80), nullable=False, comment="name of the test; empty: somebody's word"),
    Column("version", Integer, nullable=False),
    Column("asset", String(200), nullable=False, comment="uid of the thing; empty: the whole house"),
    Column("result", String(16), nullable=False),
    Column("way", String(12), nullable=False, comment="telemetry, sampled or attested"),
    Column("quality", Float, nullable=False),
    Column("weight", Float, nullable=False),
    Column("first", Instant, nullable=False, comment="since when this result stands"),
    Column("collected", Instant, nullable=False, comment="when it was last found so"),
    Column("expires", Instant, nullable=False),
    Column("period_since", Instant, nullable=False, comment="the newest look read events from here …"),
    Column("period_until", Instant, nullable=False, comment="… to here"),
    Column("collector", String(200), nullable=False),
    Column("because", Text, nullable=False),
    Column("inputs", String(32), nullable=False, comment="hash of what was read: control_input holds it"),
    Column("read", Integer, nullable=False, comment="how much was read; the inputs kept may be fewer"),
    Column("digest", String(64), nullable=False, comment="SHA-256 over all of this"),
    Column("current", Boolean, nullable=False, server_default=true(), comment="the newest of its test and thing"),
    Index("ix_control_evidence_current", "current", "control"),
    Index("ix_control_evidence_span", "control", "collected"),
)
"""One row for as long as a test gives the same result on a thing; each look moves `collected`, so rows are spans of time."""

evidence_input = Table(
    "control_input",
    metadata,
    Column("inputs", String(32), primary_key=True),
    Column("kind", String(16), primary_key=True, comment="event, finding, incident, run, directory, source, test, book"),
    Column("uid", String(200), primary_key=True),
)

exemption = Table(
    "control_exception",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("control", String(64), nullable=False),
    Column("asset", String(200), nullable=False, comment="uid of the thing or place; empty: wherever the control applies"),
    Column("reason", Text, nullable=False),
    Column("compensating", Text, nullable=False, comment="what is done instead"),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("decision", String(32), nullable=False, comment="uid of the Decision that it rests on"),
    Column("ended", Boolean, nullable=False, server_default=false(), comment="superseded, or no longer needed"),
    Column("by", String(200), nullable=False),
    Index("ix_control_exception_until", "ended", "until"),
)

book = Table(
    "control_book",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)
"""What the tests must know of the house and no site file says: roles by zone, vestibules, posts, racks, tagged things, required skills."""
