"""Controls: catalogues, maps, evidence with its inputs, exceptions, the book of the house."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _frameworks()
    _evidence()
    op.create_table(
        "control_exception",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("control", sa.String(length=64), nullable=False),
        sa.Column("asset", sa.String(length=200), nullable=False, comment="uid of the thing or place; empty: wherever the control applies"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("compensating", sa.Text(), nullable=False, comment="what is done instead"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False, comment="uid of the Decision that it rests on"),
        sa.Column("ended", sa.Boolean(), server_default=sa.false(), nullable=False, comment="superseded, or no longer needed"),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_control_exception")),
    )
    with op.batch_alter_table("control_exception") as batch_op:
        batch_op.create_index("ix_control_exception_until", ["ended", "until"], unique=False)
    op.create_table(
        "control_book",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_control_book")),
    )


def _frameworks() -> None:
    op.create_table(
        "framework",
        sa.Column("name", sa.String(length=64), nullable=False, comment="sp800-53, csf-2.0, or as the importer called it"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the file"),
        sa.Column("controls", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_framework")),
    )
    op.create_table(
        "framework_control",
        sa.Column("framework", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=False, comment="empty: the top"),
        sa.Column("kind", sa.String(length=24), nullable=False, comment="group, control, enhancement, function, category, subcategory"),
        sa.Column("title", sa.Text(), nullable=False, comment="as the imported file says; files are the user's"),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("framework", "id", name=op.f("pk_framework_control")),
    )
    op.create_table(
        "framework_selection",
        sa.Column("name", sa.String(length=64), nullable=False, comment="low, moderate, high, privacy, or as the profile is called"),
        sa.Column("framework", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", "framework", "id", name=op.f("pk_framework_selection")),
    )
    op.create_table(
        "framework_map",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("target_id", sa.String(length=64), nullable=False),
        sa.Column("relation", sa.String(length=12), nullable=False, comment="equal, superset, subset or intersect, source to target"),
        sa.PrimaryKeyConstraint("source", "source_id", "target", "target_id", name=op.f("pk_framework_map")),
    )
    with op.batch_alter_table("framework_map") as batch_op:
        batch_op.create_index("ix_framework_map_target", ["target", "target_id"], unique=False)


def _evidence() -> None:
    op.create_table(
        "control_evidence",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("control", sa.String(length=64), nullable=False),
        sa.Column("test", sa.String(length=80), nullable=False, comment="name of the test; empty: somebody's word"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("asset", sa.String(length=200), nullable=False, comment="uid of the thing; empty: the whole house"),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("way", sa.String(length=12), nullable=False, comment="telemetry, sampled or attested"),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False, comment="since when this result stands"),
        sa.Column("collected", sa.BigInteger(), nullable=False, comment="when it was last found so"),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("period_since", sa.BigInteger(), nullable=False, comment="the newest look read events from here …"),
        sa.Column("period_until", sa.BigInteger(), nullable=False, comment="… to here"),
        sa.Column("collector", sa.String(length=200), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("inputs", sa.String(length=32), nullable=False, comment="hash of what was read: control_input holds it"),
        sa.Column("read", sa.Integer(), nullable=False, comment="how much was read; the inputs kept may be fewer"),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 over all of this"),
        sa.Column("current", sa.Boolean(), server_default=sa.true(), nullable=False, comment="the newest of its test and thing"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_control_evidence")),
    )
    with op.batch_alter_table("control_evidence") as batch_op:
        batch_op.create_index("ix_control_evidence_current", ["current", "control"], unique=False)
        batch_op.create_index("ix_control_evidence_span", ["control", "collected"], unique=False)
    op.create_table(
        "control_input",
        sa.Column("inputs", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="event, finding, incident, run, directory, source, test, book"),
        sa.Column("uid", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("inputs", "kind", "uid", name=op.f("pk_control_input")),
    )
