"""Orders among several workers: each open order is driven by one, and the others hear of it.

The owner of an order is the epoch of a worker's life. When that life ends, its open orders change
their owner in the same transaction (`lapel.store.Heir`) and go on there. Anybody may note what the
user or a merchant says: the owner is told, and looks at the record. Without a worker all orders
are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import sqlalchemy as sa

from lapel.commerce import records
from lapel.store import Store, Worker

ORDER = "order"


class Driver(Protocol):
    """What is to be done about orders, on Lapel's loop."""

    def take_on(self, order_ids: Sequence[str], executors: Sequence[str]) -> None:
        """Drive these from now on; what the `executors` had begun is over."""
        ...

    def look(self, order_id: str) -> None:
        """Another worker noted something about it; all orders when `order_id` is empty."""
        ...


class Share:
    """What one process drives of the orders; all of them where it works alone."""

    def __init__(self, store: Store, worker: Worker | None, since: Callable[[], float]) -> None:
        """`since()`: orders placed and silent for longer are not followed any more."""
        self._store = store
        self._worker = worker
        self._since = since
        self._driver: Driver | None = None
        self._ends: list[Callable[[], None]] = []

    @property
    def owner(self) -> int | None:
        return None if self._worker is None else self._worker.epoch

    @property
    def executor(self) -> str:
        """The name of this life in the workflow engine."""
        return "lapel" if self._worker is None else _executor(self._worker.epoch)

    async def fence(self) -> None:
        """Raise `StoreFenced` where another worker may drive our orders by now."""
        if self._worker is not None:
            await self._worker.check()

    async def begin(self, driver: Driver) -> None:
        """Hand every open order that is ours to the driver, now and whenever a worker ends."""
        self._driver = driver
        if self._worker is None:
            since = self._since()
            mine = await self._store.read(lambda c: records.open_orders(c, since))
            driver.take_on(mine, ())
            return
        self._ends = [self._worker.add_heir(self), self._worker.hear(ORDER, driver.look)]
        await self._worker.take_over()

    def end(self) -> None:
        for end in self._ends:
            end()
        self._ends = []

    def stir(self, connection: sa.Connection, order_id: str) -> None:
        """Once this transaction is committed, let the order's owner look at it."""
        if self._worker is not None:
            self._worker.announce(connection, ORDER, order_id)

    async def poke(self, order_id: str) -> None:
        """Let the order's owner look at it, after what was committed."""
        if self._worker is not None:
            await self._store.write(lambda c: self.stir(c, order_id))

    async def claim(self, order_id: str) -> bool:
        """Whether the order is ours to drive; it becomes ours when its owner is no more."""
        owner = self.owner
        if owner is None:
            return True
        found, live = await self._store.read(lambda c: records.owner_of(c, order_id))
        if live or found == owner:
            return found == owner
        return await self._store.write(lambda c: records.claim(c, order_id, owner))

    def inherit(self, connection: sa.Connection, dead: Sequence[int]) -> list[str]:
        """Implements `Heir`; also takes what had no owner, from before there were workers."""
        assert self.owner is not None
        since = self._since()
        records.inherit(connection, since, self.owner)
        return records.open_orders(connection, since, self.owner)

    def inherited(self, dead: Sequence[int], what: list[str]) -> None:
        if self._driver is not None:
            self._driver.take_on(what, [_executor(epoch) for epoch in dead])


def _executor(epoch: int) -> str:
    return f"lapel-{epoch}"
