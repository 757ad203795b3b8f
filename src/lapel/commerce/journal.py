"""The one way in which orders change: a transaction, and after its commit the news of it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from lapel.commerce import records
from lapel.commerce.order import OrderEvent
from lapel.faults import fault
from lapel.store import Store, StoreError, Worker

T = TypeVar("T")
Listener = Callable[[OrderEvent], None]

EVENTS = "events"
BATCH = 200
AGAIN_S = 1.0
REMEMBERED = 1024
"""Events told last; one is told as it is committed, and again met at the cursor."""

_log = logging.getLogger(__name__)


class Journal:
    """Commits changes of orders and tells the listeners, on the loop, what was committed.

    A listener that misses an event (the process died between the commit and the call) reads it
    later from the cursor: the rows are the record, the call is only the hint. Of several workers
    each hears of the others' events too, once they are committed.
    """

    def __init__(self, store: Store, worker: Worker | None = None) -> None:
        self._store = store
        self._worker = worker
        self._listeners: list[Listener] = []
        self._cursor = 0
        self._told: deque[int] = deque(maxlen=REMEMBERED)
        self._reading: asyncio.Task[None] | None = None
        self._more = False
        self._end: Callable[[], None] | None = None

    async def open(self) -> None:
        """Hear of the other workers' events from now on."""
        if self._worker is not None:
            self._cursor = await self._store.read(records.last_event)
            self._end = self._worker.hear(EVENTS, lambda _: self._catch_up())
            self._catch_up()

    async def close(self) -> None:
        if self._end is not None:
            self._end()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._store.read(work)

    async def commit(self, work: Callable[[sa.Connection], tuple[T, list[OrderEvent]]]) -> T:
        result, events = await self._store.write(lambda c: self._announced(c, work))
        for event in events:
            self._tell(event)
        return result

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def _announced(
        self,
        connection: sa.Connection,
        work: Callable[[sa.Connection], tuple[T, list[OrderEvent]]],
    ) -> tuple[T, list[OrderEvent]]:
        result, events = work(connection)
        if events and self._worker is not None:
            self._worker.announce(connection, EVENTS, "")
        return result, events

    def _catch_up(self) -> None:
        self._more = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_on())

    async def _read_on(self) -> None:
        """Numbers become visible in their order, so what stands before the cursor was seen."""
        while self._more:
            self._more = False
            try:
                events = await self._store.read(self._unheard)
            except (StoreError, SQLAlchemyError) as error:
                _log.warning("cannot read the other workers' events: %s", fault(error))
                await asyncio.sleep(AGAIN_S)
                self._more = True
                continue
            for event in events:
                self._cursor = event.n
                self._tell(event)
            self._more = self._more or len(events) == BATCH

    def _unheard(self, connection: sa.Connection) -> list[OrderEvent]:
        return records.events_after(connection, None, self._cursor, BATCH)

    def _tell(self, event: OrderEvent) -> None:
        if event.n in self._told:
            return
        self._told.append(event.n)
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # the boundary: a listener's fault must not stop an order
                _log.error("a listener failed on a %s event: %s", event.kind, fault(error))
