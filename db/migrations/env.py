"""How Alembic runs here: on the caller's open transaction, which the caller commits."""

from alembic import context

from db import tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables.metadata,
    render_as_batch=True,
    # SQLite can roll schema changes back if nobody commits in between: the transaction is the caller's, whole.
    transactional_ddl=True,
)
context.run_migrations()
