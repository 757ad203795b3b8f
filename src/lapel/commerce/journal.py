"""The one way in which orders change: a transaction, and after its commit the news of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from lapel.commerce.order import OrderEvent
from lapel.faults import fault
from lapel.store import Store

T = TypeVar("T")
Listener = Callable[[OrderEvent], None]

_log = logging.getLogger(__name__)


class Journal:
    """Commits changes of orders and tells the listeners, on the loop, what was committed.

    A listener that misses an event (the process died between the commit and the call) reads it
    later from the cursor: the rows are the record, the call is only the hint.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: list[Listener] = []

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._store.read(work)

    async def commit(self, work: Callable[[sa.Connection], tuple[T, list[OrderEvent]]]) -> T:
        result, events = await self._store.write(work)
        for event in events:
            self._tell(event)
        return result

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def _tell(self, event: OrderEvent) -> None:
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # the boundary: a listener's fault must not stop an order
                _log.error("a listener failed on a %s event: %s", event.kind, fault(error))
