"""On-call rotas, escalations, pages and who answered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_beat",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False, comment="desk:<name> or contact:<uid>"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("delivery", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_channel_beat")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("channel_beat", schema=None) as batch_op:
        batch_op.create_index("ix_channel_beat_channel_at", ["channel", "at"], unique=False)

    op.create_table(
        "contact",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False, comment="account name"),
        sa.Column("rank", sa.Integer(), nullable=False, comment="lowest first"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False, comment="the address, encrypted with a key derived from the site key"),
        sa.Column("quiet", sa.Text(), nullable=False, comment="JSON: zone, since, until; empty: none"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_contact")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_person"), ["person"], unique=False)

    op.create_table(
        "maintenance_window",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ticket", sa.String(length=200), nullable=False),
        sa.Column("planned_by", sa.String(length=200), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(length=200), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_maintenance_window")),
    )
    with op.batch_alter_table("maintenance_window", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_maintenance_window_until"), ["until"], unique=False)

    op.create_table(
        "page",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("what_to_do", sa.Text(), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("life_safety", sa.Boolean(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False, comment="JSON: as it was when the page was made"),
        sa.Column("places", sa.Text(), nullable=False, comment="JSON: uids that a maintenance window may cover"),
        sa.Column("alike", sa.String(length=32), nullable=False, comment="pages of the same kind have the same"),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_page")),
        sa.UniqueConstraint("key", name=op.f("uq_page_key")),
    )
    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_page_incident"), ["incident"], unique=False)
        batch_op.create_index("ix_page_alike_made", ["alike", "made"], unique=False)

    op.create_table(
        "page_attempt",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False, comment="empty: a shared channel"),
        sa.Column("contact", sa.String(length=100), nullable=False, comment="contact:<uid> or desk:<name>; empty: nobody could be called"),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False, comment="sent anew after the process died while it was sent"),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("token_used", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_page_attempt")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_page_attempt_token_digest")),
    )
    with op.batch_alter_table("page_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_page_attempt_page"), ["page"], unique=False)
        batch_op.create_index("ix_page_attempt_status_due", ["status", "due"], unique=False)

    op.create_table(
        "page_track",
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("notified", sa.BigInteger(), nullable=True, comment="when a channel first took a message"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("page", "team", name=op.f("pk_page_track")),
    )
    with op.batch_alter_table("page_track", schema=None) as batch_op:
        batch_op.create_index("ix_page_track_due", ["due"], unique=False)
        batch_op.create_index("ix_page_track_status", ["status"], unique=False)

    op.create_table(
        "page_turn",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_page_turn")),
    )
    op.create_table(
        "rota",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("layers", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "feed", sa.Integer(), nullable=False, comment="number of the calendar's secret address; a new one makes the old one void"
        ),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rota")),
    )
    op.create_table(
        "rota_override",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("rota", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_rota_override")),
        sa.UniqueConstraint("uid", name=op.f("uq_rota_override_uid")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("rota_override", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rota_override_rota"), ["rota"], unique=False)

    op.create_table(
        "rota_swap",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("rota", sa.String(length=64), nullable=False),
        sa.Column("layer", sa.String(length=64), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("giver", sa.String(length=64), nullable=False),
        sa.Column("taker", sa.String(length=64), nullable=False, comment="empty: offered, nobody took it yet"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_rota_swap")),
        sa.UniqueConstraint("uid", name=op.f("uq_rota_swap_uid")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("rota_swap", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rota_swap_rota"), ["rota"], unique=False)
