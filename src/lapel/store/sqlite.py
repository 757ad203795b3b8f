"""SQLite as the record: one writer that commits in groups, a few readers, WAL, synchronous=FULL.

`write` returns when the change is on the disk. What arrives while one commit waits for the disk
shares the next one, so that twenty orders cost little more than one; a pool of writers is slower
and has a p99 a hundred times worse.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError

from lapel.store.errors import StoreClosed, StoreError, StoreFull
from lapel.store.migrations import upgrade

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

GROUP = 256
"""Most changes in one commit."""
WAITING = 4096
"""Most changes waiting for the writer; beyond that `write` waits for a place."""
READERS = 3


@dataclass(slots=True)
class _Change:
    work: Work[object]
    done: Future[object]


class Store:
    """The record. A `work` function gets a connection inside a transaction and uses nothing else.

    One that raises is rolled back by itself and its error reaches the caller; the others of its
    group stand.
    """

    def __init__(self, path: Path, engine: sa.Engine) -> None:
        self.path = path
        self._engine = engine
        self._changes: queue.Queue[_Change | None] = queue.Queue(WAITING)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._writer = threading.Thread(target=self._write_loop, name="store-write", daemon=True)
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Store:
        """Open or create the file, bring its schema up to date, start the writer."""
        engine = _engine(path)
        try:
            await asyncio.to_thread(_prepare, path, engine)
        except DBAPIError as error:
            raise _refusal(error, f"cannot open the record {str(path)!r}") from error
        store = cls(path, engine)
        store._writer.start()
        return store

    async def write(self, work: Work[T]) -> T:
        """Run `work` in the next group; returns its result once it is durable."""
        if self._closed:
            raise StoreClosed(f"the record {str(self.path)!r} is closed")
        done: Future[T] = Future()
        change = _Change(work, done)  # pyright: ignore[reportArgumentType]  # one result type each
        try:
            self._changes.put_nowait(change)
        except queue.Full:
            await asyncio.to_thread(self._changes.put, change)
        # A change in the queue is carried out even if its caller gives up.
        return await asyncio.shield(asyncio.wrap_future(done))

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a reader; it sees every change whose `write` has returned."""
        if self._closed:
            raise StoreClosed(f"the record {str(self.path)!r} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def close(self) -> None:
        """Carry out what is queued, then let go of the file."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._changes.put, None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown(wait=True)
        self._engine.dispose()

    def _read(self, work: Work[T]) -> T:
        with self._engine.connect() as connection, connection.begin():
            return work(connection)

    def _write_loop(self) -> None:
        with self._engine.connect().execution_options(lapel_writes=True) as connection:
            running = True
            while running:
                group, running = self._next_group()
                if group:
                    _commit(connection, group)

    def _next_group(self) -> tuple[list[_Change], bool]:
        group: list[_Change] = []
        entry = self._changes.get()
        while entry is not None:
            group.append(entry)
            if len(group) == GROUP:
                return group, True
            try:
                entry = self._changes.get_nowait()
            except queue.Empty:
                return group, True
        return group, False


def _commit(connection: sa.Connection, group: list[_Change]) -> None:
    """One transaction for the group, one savepoint for each change in it."""
    results: list[tuple[Future[object], object]] = []
    failed: list[tuple[Future[object], BaseException]] = []
    try:
        with connection.begin():
            for change in group:
                try:
                    with connection.begin_nested():
                        results.append((change.done, change.work(connection)))
                except OperationalError:
                    raise
                except Exception as error:  # the boundary: a caller's own error belongs to it alone
                    failed.append((change.done, error))
    except Exception as error:  # the boundary: the disk refused, so nobody's change was kept
        refusal = _refusal(error, "the change was not kept")
        for change in group:
            change.done.set_exception(refusal)
        return
    for done, result in results:
        done.set_result(result)
    for done, error in failed:
        done.set_exception(error)


def _refusal(error: Exception, what: str) -> StoreError:
    if "full" in str(error):
        return StoreFull(f"the disk is full: {what}; free some space and repeat")
    # SQLAlchemy's own words add lines that help nobody here.
    return StoreError(f"{what}: {getattr(error, 'orig', None) or error}")


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}",
        pool_size=READERS + 1,
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


def _prepare(path: Path, engine: sa.Engine) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        path.touch(mode=0o600)
    with engine.connect().execution_options(lapel_writes=True) as connection:
        upgrade(connection)
