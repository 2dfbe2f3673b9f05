"""What is kept of playbooks that are being written: one draft per person and playbook."""

from sqlalchemy import Column, String, Table, Text

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

playbook_draft = Table(
    "playbook_draft",
    metadata,
    Column("id", String(80), primary_key=True, comment="of the playbook"),
    Column("account", String(128), primary_key=True, comment="who writes it"),
    Column("base", String(40), nullable=False, comment="the version that it began from; empty: a new playbook"),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
