"""Incidents: cases with their findings, moments, roles, timeline, tasks, chat and hand-overs."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
