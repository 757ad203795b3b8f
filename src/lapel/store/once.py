"""`INSERT ... ON CONFLICT`, which both engines know but SQLAlchemy's common language does not."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.dml.Insert | postgresql.dml.Insert:
    """An insert that may `on_conflict_do_nothing` and return columns, for the engine in use."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
