"""Alembic's entrance: runs the migrations on the connection that `SqlRecords.migrate` hands over."""

from typing import Any, Literal

from alembic import context

from watchword.kit.instant import Instant
from watchword.stores.catalogue import load


def plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write moments as what they are in the database, so that a migration stays as it is when our types change."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


settings = context.config.attributes
context.configure(
    connection=settings["connection"],
    target_metadata=load(settings["modules"]),
    render_as_batch=True,
    render_item=plain_type,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
