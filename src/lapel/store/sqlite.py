"""SQLite as the record: WAL, synchronous=FULL, one connection that writes.

A pool of writers is slower than one that commits in groups, and has a p99 a hundred times worse.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from lapel.store.backend import Change, Guard, Outcome, Work, carry_out, refusal
from lapel.store.migrations import upgrade

T = TypeVar("T")


class Sqlite:
    """One file, for one process."""

    shared = False

    def __init__(self, path: Path, readers: int) -> None:
        self._path = path
        self._engine = _engine(path, readers)
        self._writing: sa.Connection | None = None

    @property
    def name(self) -> str:
        return repr(str(self._path))

    def prepare(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self._path.exists():
                self._path.touch(mode=0o600)
            with self._engine.connect().execution_options(lapel_writes=True) as connection:
                upgrade(connection)
        except DBAPIError as error:
            raise refusal(error, f"cannot open the record {self.name}") from error

    def commit(self, group: list[Change], guard: Guard | None) -> Outcome:
        if self._writing is None:
            self._writing = self._engine.connect().execution_options(lapel_writes=True)
        with self._writing.begin():
            return carry_out(self._writing, group, guard)

    def read(self, work: Work[T]) -> T:
        with self._engine.connect() as connection, connection.begin():
            return work(connection)

    def listen(self, heard: Callable[[str], None]) -> Callable[[], None]:
        """Nobody else writes, so there is nothing to hear."""
        del heard
        return lambda: None

    def close(self) -> None:
        if self._writing is not None:
            self._writing.close()
        self._engine.dispose()


def _engine(path: Path, readers: int) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}",
        pool_size=readers + 1,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 30.0},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
        # The driver's own BEGIN comes too late for savepoints; SQLAlchemy's `begin` event sends it.
        setattr(connection, "isolation_level", None)  # noqa: B010  # not in the driver's protocol
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        writes = connection.get_execution_options().get("lapel_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
