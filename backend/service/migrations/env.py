"""Alembic's entry point: brings a database to a revision, over the caller's connection or the configured database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from backend.service.tables import Base


def migrate(connection: Connection) -> None:
    """Run the revisions that are asked for, all in one transaction (SQLite's schema changes roll back too)."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:  # the `alembic` command of a developer
    from backend.settings import load_settings

    with create_engine(load_settings().database).begin() as own:
        migrate(own)
