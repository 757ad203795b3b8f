"""A PostgreSQL for the tests: databases of their own, made and dropped.

`TEST_POSTGRESQL` names a database of a server on which databases may be made. Where none answers the tests are
skipped; with `CI` in the environment they fail.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
import sqlalchemy as sa

SERVER = sa.make_url(os.environ.get("TEST_POSTGRESQL", "postgresql://127.0.0.1:5432/test")).set(
    drivername="postgresql+psycopg"
)


def _server() -> sa.Engine:
    return sa.create_engine(
        SERVER,
        poolclass=sa.NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": 5},
    )


@cache
def _unreachable() -> str:
    try:
        with _server().connect():
            return ""
    except sa.exc.OperationalError as error:
        return str(error.orig).strip().splitlines()[0]


def needed() -> None:
    """Skip the test, or fail it in CI, where no PostgreSQL answers."""
    if problem := _unreachable():
        told = f"no PostgreSQL at {SERVER.render_as_string()}, set TEST_POSTGRESQL: {problem}"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)


@contextmanager
def database(like: str | None = None) -> Iterator[str]:
    """The URL of a new database, dropped afterwards: empty, or a copy of one that nobody uses."""
    needed()
    name = f"lapel_{secrets.token_hex(6)}"
    copied = "" if like is None else f' TEMPLATE "{sa.make_url(like).database}"'
    with _server().connect() as at:
        at.exec_driver_sql(f'CREATE DATABASE "{name}"{copied}')
    try:
        yield SERVER.set(drivername="postgresql", database=name).render_as_string(False)
    finally:
        with _server().connect() as at:
            at.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


def empty(url: str) -> None:
    """Take every row out of a database that nobody uses; quicker by far than to make another one."""
    with _at(url).begin() as at:
        at.exec_driver_sql("SET LOCAL session_replication_role = replica")
        tables = at.exec_driver_sql(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'dbos') "
            "AND tablename NOT IN ('alembic_version', 'dbos_migrations')"
        )
        for schema, table in tables.all():
            at.exec_driver_sql(f'DELETE FROM "{schema}"."{table}"')
        for (name,) in at.exec_driver_sql(
            "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
        ).all():
            at.exec_driver_sql(f'ALTER SEQUENCE public."{name}" RESTART')


def _at(url: str) -> sa.Engine:
    return sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool
    )


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    """What the database says, read from the outside."""
    with _at(url).connect() as at:
        return [tuple(row) for row in at.exec_driver_sql(query)]


def run(url: str, statement: str) -> None:
    with _at(url).begin() as at:
        at.exec_driver_sql(statement)
