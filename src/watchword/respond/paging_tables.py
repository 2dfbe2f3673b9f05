"""What is kept of reaching people: rotas, swaps, overrides, contacts, maintenance windows, pages, who was called, and how channels fare."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

_Position = BigInteger().with_variant(Integer, "sqlite")

rota = Table(
    "rota",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("team", String(16), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("layers", Text, nullable=False, comment="JSON"),
    Column("version", Integer, nullable=False),
    Column("feed", Integer, nullable=False, comment="number of the calendar's secret address; a new one makes the old one void"),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(200), nullable=False),
)

rota_swap = Table(
    "rota_swap",
    metadata,
    Column("position", _Position, primary_key=True, autoincrement=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("rota", String(64), nullable=False, index=True),
    Column("layer", String(64), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("giver", String(64), nullable=False),
    Column("taker", String(64), nullable=False, comment="empty: offered, nobody took it yet"),
    Column("reason", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(200), nullable=False),
    Column("withdrawn_at", Instant),
    sqlite_autoincrement=True,
)

rota_override = Table(
    "rota_override",
    metadata,
    Column("position", _Position, primary_key=True, autoincrement=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("rota", String(64), nullable=False, index=True),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("person", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(200), nullable=False),
    Column("withdrawn_at", Instant),
    sqlite_autoincrement=True,
)

contact = Table(
    "contact",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("person", String(64), nullable=False, index=True, comment="account name"),
    Column("rank", Integer, nullable=False, comment="lowest first"),
    Column("kind", String(16), nullable=False),
    Column("label", String(100), nullable=False),
    Column("sealed", Text, nullable=False, comment="the address, encrypted with a key derived from the site key"),
    Column("quiet", Text, nullable=False, comment="JSON: zone, since, until; empty: none"),
    Column("enabled", Boolean, nullable=False),
    Column("made_at", Instant, nullable=False),
)

channel_beat = Table(
    "channel_beat",
    metadata,
    Column("position", _Position, primary_key=True, autoincrement=True),
    Column("channel", String(100), nullable=False, comment="desk:<name> or contact:<uid>"),
    Column("at", Instant, nullable=False),
    Column("delivery", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Index("ix_channel_beat_channel_at", "channel", "at"),
    sqlite_autoincrement=True,
)

maintenance_window = Table(
    "maintenance_window",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("place", String(200), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False, index=True),
    Column("ticket", String(200), nullable=False),
    Column("planned_by", String(200), nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("approved_by", String(200), nullable=False),
    Column("approved_at", Instant),
    Column("ended_by", String(200), nullable=False),
)

page = Table(
    "page",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("incident", String(32), nullable=False, index=True),
    Column("severity", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("what_to_do", Text, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("life_safety", Boolean, nullable=False),
    Column("policy", Text, nullable=False, comment="JSON: as it was when the page was made"),
    Column("places", Text, nullable=False, comment="JSON: uids that a maintenance window may cover"),
    Column("alike", String(32), nullable=False, comment="pages of the same kind have the same"),
    Column("made", Instant, nullable=False),
    Index("ix_page_alike_made", "alike", "made"),
)

page_track = Table(
    "page_track",
    metadata,
    Column("page", String(32), primary_key=True),
    Column("team", String(16), primary_key=True),
    Column("state", Text, nullable=False, comment="JSON"),
    Column("status", String(16), nullable=False),
    Column("due", Instant),
    Column("notified", Instant, comment="when a channel first took a message"),
    Column("version", Integer, nullable=False),
    Index("ix_page_track_due", "due"),
    Index("ix_page_track_status", "status"),
)

page_attempt = Table(
    "page_attempt",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("page", String(32), nullable=False, index=True),
    Column("team", String(16), nullable=False),
    Column("person", String(64), nullable=False, comment="empty: a shared channel"),
    Column("contact", String(100), nullable=False, comment="contact:<uid> or desk:<name>; empty: nobody could be called"),
    Column("channel", String(100), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("step", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("due", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("made", Instant, nullable=False),
    Column("ended", Instant),
    Column("tries", Integer, nullable=False),
    Column("again", Boolean, nullable=False, comment="sent anew after the process died while it was sent"),
    Column("detail", Text, nullable=False),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("token_used", Instant),
    Index("ix_page_attempt_status_due", "status", "due"),
)
"""A row is there before anything is sent."""

page_turn = Table("page_turn", metadata, Column("name", String(32), primary_key=True), Column("position", Integer, nullable=False))
"""How far each round robin has come."""
