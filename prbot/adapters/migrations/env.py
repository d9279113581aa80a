"""Alembic runs this file; it uses the connection that `upgrade` hands over."""

from __future__ import annotations

from alembic import context

from prbot.adapters.store_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
