"""Controls: catalogues, tests, evidence, attestations, exceptions."""

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
