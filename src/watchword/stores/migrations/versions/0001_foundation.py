"""The foundation: every table of the first release."""

from alembic import context, op

from watchword.stores.catalogue import load

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    load(context.config.attributes["modules"]).create_all(op.get_bind())


def downgrade() -> None:
    load(context.config.attributes["modules"]).drop_all(op.get_bind())
