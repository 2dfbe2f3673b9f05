"""Datagrams lost are counted with their source."""

from alembic import op
from sqlalchemy import BigInteger, Column, inspect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tables = inspect(op.get_bind())
    # 0001 makes the tables as they are declared now, so a new database has the column already.
    if tables.has_table("source_status") and "lost" not in {each["name"] for each in tables.get_columns("source_status")}:
        op.add_column("source_status", Column("lost", BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("source_status", "lost")
