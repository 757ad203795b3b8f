"""The workers on one shared record: who is alive, by the database's clock, and who takes over.

A life of a worker is its epoch, a number that no other life ever has: the fencing token. It beats;
one that is silent for longer than its lease is ended by another worker, in the transaction that
takes over what it had. Each change of a worker begins with a look whether its own life still lasts.
So a process that was paused and wakes up writes nothing, whatever it still believes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from lapel.faults import fault
from lapel.store.errors import StoreClosed, StoreError, StoreFenced
from lapel.store.postgresql import notify
from lapel.store.schema import workers
from lapel.store.store import LEASE_S, Store

BEATS = 4
"""Beats in a lease."""
SURE = 0.6
"""For this part of a lease after a beat nobody can have ended this life; then it is asked."""
_KEPT_S = 7 * 86400.0
_CHANGED = "worker"
_NOW = sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float)

_log = logging.getLogger(__name__)
Heard = Callable[[str], None]


class Heir(Protocol):
    """What takes over from workers that have ended."""

    def inherit(self, connection: sa.Connection, dead: Sequence[int]) -> object:
        """Inside the transaction that ends the epochs `dead`; may run again, so only the record."""
        ...

    def inherited(self, dead: Sequence[int], what: Any) -> None:
        """After its commit, on the loop, with what `inherit` returned."""
        ...


@dataclass(slots=True)
class _Beat:
    dead: list[int]
    found: list[tuple[Heir, object]]


class Worker:
    """One process of those on the record. Made by `join`; `leave` it before the store closes.

    `lost` is set once another has taken over: nothing more of this life is written, and the process
    must begin anew with another `join`.
    """

    def __init__(self, store: Store, epoch: int, lease_s: float) -> None:
        self.epoch = epoch
        self.lease_s = lease_s
        self.lost = asyncio.Event()
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._sure_at = _awake()
        self._judges_at = self._sure_at
        self._heirs: list[Heir] = []
        self._listeners: list[tuple[str, Heard]] = []
        self._soon = asyncio.Event()
        self._living: asyncio.Task[None] | None = None
        self._stop_listening: Callable[[], None] | None = None
        self._alive = sa.select(workers.c.epoch).where(
            workers.c.epoch == epoch, workers.c.ended_at.is_(None)
        )

    @classmethod
    async def join(
        cls, store: Store, worker_id: str, url: str = "", lease_s: float = LEASE_S
    ) -> Worker:
        """Begin a life; the last one of the same `worker_id` is over. `url` is where it is reached.

        Only one process at a time may use a `worker_id`: a second one ends the first.
        """
        epoch = await store.write(lambda c: _begin(c, worker_id, url, lease_s), free=True)
        worker = cls(store, epoch, lease_s)
        store.guard = worker._guard
        worker._stop_listening = await store.listen(worker._heard)
        worker._living = asyncio.create_task(worker._live(), name="worker")
        return worker

    async def leave(self) -> None:
        """End this life: the others take over at once."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
        if self._stop_listening is not None:
            await asyncio.to_thread(self._stop_listening)
        with contextlib.suppress(StoreError):
            await self._store.write(self._end, free=True)

    async def check(self) -> None:
        """Raise `StoreFenced` unless this life surely lasts: before an effect on the world outside.

        What is sent in the moment after it may still arrive late: its idempotency key, the same in
        every life, makes that harmless.
        """
        if self.lost.is_set():
            raise StoreFenced(_OVER)
        if _awake() - self._sure_at > self.lease_s * SURE:
            await self._beat()

    async def take_over(self) -> None:
        """Inherit now from whoever has ended, and what belongs to nobody."""
        await self._beat(at_once=True)

    def add_heir(self, heir: Heir) -> Callable[[], None]:
        """Let `heir` take part in every take-over; the result ends it."""
        self._heirs.append(heir)
        return lambda: self._heirs.remove(heir)

    def hear(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Call back with what other workers announce of `topic`; the result ends it.

        An empty text says that some may have been missed.
        """
        entry = (topic, heard)
        self._listeners.append(entry)
        return lambda: self._listeners.remove(entry)

    def announce(self, connection: sa.Connection, topic: str, text: str) -> None:
        """Tell the other workers, once this transaction is committed."""
        notify(connection, f"{topic} {self.epoch} {text}")

    def _guard(self, connection: sa.Connection) -> None:
        if connection.execute(self._alive).first() is None:
            self._loop.call_soon_threadsafe(self._lose)
            raise StoreFenced(_OVER)

    def _lose(self) -> None:
        if not self.lost.is_set():
            _log.error("this worker was silent for too long: another one has taken over")
            self.lost.set()

    def _heard(self, text: str) -> None:
        topic, _, rest = text.partition(" ")
        epoch, _, said = rest.partition(" ")
        if epoch == str(self.epoch):
            return
        if topic == _CHANGED:
            self._soon.set()
        for wanted, heard in list(self._listeners):
            if topic in ("", wanted):
                heard(said)

    async def _live(self) -> None:
        while not self.lost.is_set():
            self._soon.clear()  # before the look: what is announced meanwhile is looked at again
            try:
                await self._beat()
            except (StoreFenced, StoreClosed):
                return
            except Exception as error:  # the boundary: a worker that is silent is taken for dead
                _log.warning("a worker's beat failed: %s", fault(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.lease_s / BEATS):
                    await self._soon.wait()

    async def _beat(self, *, at_once: bool = False) -> None:
        began = _awake()
        if began - self._sure_at > self.lease_s:
            # The database was away, for the others as well: they get the time to say so.
            self._judges_at = began + self.lease_s
        # Without an heir there would be nobody to take over what the ended one had.
        judges = at_once or (bool(self._heirs) and began >= self._judges_at)
        beat = await self._store.write(lambda c: self._write_beat(c, judges, at_once))
        self._sure_at = max(self._sure_at, began)
        for heir, what in beat.found:
            heir.inherited(beat.dead, what)

    def _write_beat(self, connection: sa.Connection, judges: bool, at_once: bool) -> _Beat:
        mine = workers.c.epoch == self.epoch
        connection.execute(workers.update().where(mine).values(beat_at=_NOW))
        dead = self._end_the_silent(connection) if judges else []
        if not dead and not at_once:
            return _Beat([], [])
        return _Beat(dead, [(heir, heir.inherit(connection, dead)) for heir in self._heirs])

    def _end_the_silent(self, connection: sa.Connection) -> list[int]:
        silent = workers.c.beat_at + workers.c.lease_s < _NOW
        ended = (
            workers.update()
            .where(workers.c.heir.is_(None), workers.c.epoch != self.epoch)
            .where(sa.or_(workers.c.ended_at.is_not(None), silent))
            .values(ended_at=sa.func.coalesce(workers.c.ended_at, _NOW), heir=self.epoch)
            .returning(workers.c.epoch)
        )
        return sorted(connection.scalars(ended))

    def _end(self, connection: sa.Connection) -> None:
        mine = workers.c.epoch == self.epoch
        connection.execute(
            workers.update().where(mine, workers.c.ended_at.is_(None)).values(ended_at=_NOW)
        )
        self.announce(connection, _CHANGED, "")


_OVER = "another worker has taken over from this one: it begins anew by itself"


def is_live(epoch: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the life `epoch` lasts, as a condition."""
    return sa.exists().where(workers.c.epoch == epoch, workers.c.ended_at.is_(None))


def _begin(connection: sa.Connection, worker_id: str, url: str, lease_s: float) -> int:
    connection.execute(
        workers.update()
        .where(workers.c.id == worker_id, workers.c.ended_at.is_(None))
        .values(ended_at=_NOW)
    )
    connection.execute(
        workers.delete().where(workers.c.heir.is_not(None), workers.c.ended_at < _NOW - _KEPT_S)
    )
    return connection.execute(
        workers.insert()
        .values(id=worker_id, url=url, lease_s=lease_s, joined_at=_NOW, beat_at=_NOW)
        .returning(workers.c.epoch)
    ).scalar_one()


def _awake() -> float:
    """Seconds that go on while the process, or the whole machine, sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
