"""Alembic's entrance: runs the migrations on the connection that `SqlRecords.migrate` hands over."""

from alembic import context

from watchword.stores.catalogue import load

settings = context.config.attributes
context.configure(
    connection=settings["connection"],
    target_metadata=load(settings["modules"]),
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
