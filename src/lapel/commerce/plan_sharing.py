"""Plans among several workers: each open plan is carried on by one, as each order is.

A plan belongs to the life of the worker that began it, with the orders that are its parts. When
that life ends, its heir takes both in one transaction. What the user says may be noted at any
worker: the owner is told, and looks at the record. Without a worker all plans are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from lapel.commerce import plan as plan_record
from lapel.commerce.plan import Plan
from lapel.store import Store, Worker

PLAN = "plan"


class PlanShare:
    """What one process carries on of the plans; implements `Heir`."""

    def __init__(self, store: Store, worker: Worker | None, look: Callable[[], None]) -> None:
        """`look` is called on the loop when there may be something to do."""
        self._store = store
        self._worker = worker
        self._look = look

    @property
    def owner(self) -> int | None:
        return None if self._worker is None else self._worker.epoch

    async def begin(self) -> Callable[[], None]:
        """Take part in take-overs from now on; the result ends it."""
        worker = self._worker
        if worker is None:
            return _nothing
        ends = (worker.add_heir(self), worker.hear(PLAN, lambda _: self._look()))
        await self._store.write(lambda c: plan_record.inherit(c, worker.epoch))

        def end() -> None:
            for each in ends:
                each()

        return end

    async def open(self) -> list[Plan]:
        """The plans that are not over and are ours to carry on."""
        return await self._store.read(lambda c: plan_record.carried_on(c, self.owner))

    async def fence(self) -> None:
        """Raise `StoreFenced` where another worker may carry on our plans by now."""
        if self._worker is not None:
            await self._worker.check()

    def stir(self, connection: sa.Connection, plan_id: str) -> None:
        """Once this transaction is committed, let the plan's owner look at it."""
        if self._worker is not None:
            self._worker.announce(connection, PLAN, plan_id)

    def inherit(self, connection: sa.Connection, dead: Sequence[int]) -> None:
        assert self.owner is not None
        plan_record.inherit(connection, self.owner)

    def inherited(self, dead: Sequence[int], what: None) -> None:
        self._look()


def _nothing() -> None:
    return
