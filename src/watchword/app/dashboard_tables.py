"""What is kept of the dashboard: links by which others read it, and the reports made for the board."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

dashboard_share = Table(
    "dashboard_share",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True, comment="of the secret in the address; the secret itself is not kept"),
    Column("title", String(100), nullable=False, comment="for whom it is"),
    Column("by", String(200), nullable=False),
    Column("made", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("revoked", Instant, comment="null: it works until it expires"),
    Column("last_read", Instant),
    Column("readings", Integer, nullable=False, server_default="0"),
)

board_report = Table(
    "board_report",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("month", String(7), nullable=False, unique=True, comment="2026-11"),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("made", Instant, nullable=False),
    Column("headline", Text, nullable=False, comment="its first sentence"),
    Column("sha256", String(64), nullable=False, comment="of the PDF"),
    Column("pdf", LargeBinary, nullable=False),
    Column("docx", LargeBinary, nullable=False),
    Index("ix_board_report_made", "made"),
)
"""One report for each month: the values that it prints are held in `metric_value`."""
