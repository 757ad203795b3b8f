"""Alembic's entry: it is always handed a connection that is inside a transaction."""

from __future__ import annotations

from alembic import context

from lapel.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
