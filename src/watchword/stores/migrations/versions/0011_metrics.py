"""Metrics: definitions, values with their inputs, targets, re-reviews."""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
