"""The record: one group-commit writer and a few readers over SQLite or PostgreSQL.

`write` returns when the change is durable. What arrives while one commit waits for the disk shares
the next one, so that twenty orders cost little more than one.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from lapel.store.backend import Backend, Change, Guard, Work, refusal
from lapel.store.errors import StoreClosed, StoreError

T = TypeVar("T")

GROUP = 256
"""Most changes in one commit."""
WAITING = 4096
"""Most changes waiting for the writer; beyond that `write` waits for a place."""
READERS = 3
LEASE_S = 5.0


class Store:
    """The record. A `work` function gets a connection inside a transaction and uses nothing else.

    One that raises is rolled back by itself and its error reaches the caller; the others of its
    group stand. On PostgreSQL it may run again when a connection broke, so it must have no other
    effect than on the record.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._changes: queue.Queue[Change | None] = queue.Queue(WAITING)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._writer = threading.Thread(target=self._write_loop, name="store-write", daemon=True)
        self._closed = False
        self.guard: Guard | None = None
        """Refuses every change of this process, in its transaction, by raising a `StoreError`."""

    @classmethod
    async def open(cls, where: Path | str, *, lease_s: float = LEASE_S) -> Store:
        """Open or create the record, bring its schema up to date, start the writer.

        `where` is a file, or a URL `postgresql://user@host/database`. `lease_s` is how long other
        processes wait for one that stopped.
        """
        backend = await asyncio.to_thread(_backend, where, lease_s)
        try:
            await asyncio.to_thread(backend.prepare)
        except BaseException:
            backend.close()
            raise
        store = cls(backend)
        store._writer.start()
        return store

    @property
    def shared(self) -> bool:
        """Whether other processes may write to the same record."""
        return self._backend.shared

    async def write(self, work: Work[T], *, free: bool = False) -> T:
        """Run `work` in the next group; returns its result once it is durable.

        A `free` change is not refused by `guard`.
        """
        if self._closed:
            raise StoreClosed(f"the record {self._backend.name} is closed")
        done: Future[T] = Future()
        change = Change(work, done, free)  # pyright: ignore[reportArgumentType]  # one result type each
        try:
            self._changes.put_nowait(change)
        except queue.Full:
            await asyncio.to_thread(self._changes.put, change)
        # A change in the queue is carried out even if its caller gives up.
        return await asyncio.shield(asyncio.wrap_future(done))

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a reader; it sees every change whose `write` has returned."""
        if self._closed:
            raise StoreClosed(f"the record {self._backend.name} is closed")
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, self._backend.read, work
        )

    async def listen(self, heard: Callable[[str], None]) -> Callable[[], None]:
        """Call back on this loop with each text that any process announces by `notify`.

        An empty text says that some may have been missed. The result ends it, and blocks meanwhile.
        """
        loop = asyncio.get_running_loop()

        def hand_over(text: str) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(heard, text)

        return await asyncio.to_thread(self._backend.listen, hand_over)

    async def close(self) -> None:
        """Carry out what is queued, then let go of the record."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._changes.put, None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown(wait=True)
        self._backend.close()

    def _write_loop(self) -> None:
        running = True
        while running:
            group, running = self._next_group()
            if group:
                self._commit(group)

    def _next_group(self) -> tuple[list[Change], bool]:
        group: list[Change] = []
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

    def _commit(self, group: list[Change]) -> None:
        try:
            outcome = self._backend.commit(group, self.guard)
        except Exception as error:  # the boundary: the engine refused, so nobody's change was kept
            refused = refusal(error, "the change was not kept")
            for change in group:
                change.done.set_exception(refused)
            return
        outcome.tell()


def _backend(where: Path | str, lease_s: float) -> Backend:
    # Imported here: a start on SQLite does not need the other's driver.
    if isinstance(where, Path):
        from lapel.store.sqlite import Sqlite

        return Sqlite(where, READERS)
    try:
        url = sa.make_url(where)
    except ArgumentError as error:
        raise StoreError(f"{where!r} is no URL of a record") from error
    if url.get_backend_name() != "postgresql" or not url.database:
        raise StoreError(
            f"{url.render_as_string()!r} is no record that Lapel knows: give "
            "postgresql://user@host/database, or nothing for SQLite in the data folder"
        )
    from lapel.store.postgresql import Postgresql

    return Postgresql(url, READERS, lease_s)
