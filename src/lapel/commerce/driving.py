"""Keeps every open order running: from the start, after a nudge, after its workflow has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lapel.commerce import ledger, overdue, records
from lapel.commerce.desk import Desk, Step
from lapel.commerce.errors import OrderError
from lapel.commerce.order import OPEN, Order, OrderState
from lapel.commerce.receipt import Signer
from lapel.commerce.settling import awaits_bill
from lapel.commerce.sharing import Share
from lapel.commerce.steps import Steps
from lapel.commerce.tracking import settle_refunds
from lapel.faults import fault

if TYPE_CHECKING:
    from lapel.commerce.engine import Engine

log = logging.getLogger(__name__)

_AGAIN_S = 5.0
"""An order whose workflow ended too early is taken up again after this."""
_PRUNE_S = 3600.0


class Driving:
    """Drives what is ours of the orders; implements `sharing.Driver`."""

    def __init__(self, desk: Desk, share: Share, workflows: Path | str) -> None:
        """`workflows` is DBOS's file, or the URL of the PostgreSQL that the record stands in."""
        self._desk = desk
        self._share = share
        self._workflows = workflows
        self._steps: Steps | None = None
        self._engine: Engine | None = None
        self._chores: set[asyncio.Task[None]] = set()

    async def start(self, signer: Signer) -> None:
        """Launch the engine and take up every open order where it stands."""
        engine_class = await asyncio.to_thread(_engine_class)
        self._steps = Steps(self._desk, signer)
        conduct = _Conduct(self._steps, self._ended)
        engine = engine_class(self._workflows, conduct, self._share.executor)
        await engine.start()
        self._engine = engine
        await self._share.begin(self)
        self._chore(self._prune(engine))
        self._chore(self._look_for_refunds())

    async def stop(self) -> None:
        """Leave every order as it stands."""
        self._share.end()
        engine, self._engine = self._engine, None
        for chore in list(self._chores):
            chore.cancel()
        if engine is not None:
            await engine.stop()

    def running(self) -> Engine:
        """Raises `OrderError` (`stopped`) before the start and after the end."""
        if self._engine is None:
            raise OrderError("orders are not running: call start first", code="stopped")
        return self._engine

    def nudge(self, order_id: str) -> None:
        """Make the order look at the record now, and run if it does not."""
        if self._engine is None or self._steps is None:
            return
        self._steps.wake(order_id)
        if not self._engine.follows(order_id):
            self._chore(self._take_up(order_id, 0.0))

    def nudge_anywhere(self, order_id: str) -> None:
        """Also when another worker drives the order."""
        self.nudge(order_id)
        if self._engine is not None and not self._engine.follows(order_id):
            self._chore(self._share.poke(order_id))

    def settle(self, order_id: str) -> None:
        """See whether what a report announces has come: a delivered order is not followed."""
        self._chore(self._settle(order_id))

    # What the share of several workers asks for.

    def take_on(self, order_ids: Sequence[str], executors: Sequence[str]) -> None:
        """Orders of this worker, from the start or from one that has ended."""
        engine = self.running()
        if self._steps is not None:
            for order_id in order_ids:
                self._steps.wake(order_id)
        self._chore(self._drive(*order_ids))
        self._chore(self._settle_left())
        self._chore(engine.abandon(executors))

    def look(self, order_id: str) -> None:
        """Another worker noted something about it."""
        if self._engine is None or self._steps is None:
            return
        for one in (order_id,) if order_id else self._engine.following:
            if self._engine.follows(one):
                self._steps.wake(one)
            else:
                self._chore(self._take_up(one, 0.0))

    async def _prune(self, engine: Engine) -> None:
        """Keep the engine's history short, for as long as it runs."""
        while True:
            try:
                while await engine.prune(self._desk.clock()):
                    pass
            except Exception as error:  # the boundary: DBOS raises its drivers' errors
                log.warning("the engine's history was not pruned: %s", fault(error))
            await asyncio.sleep(_PRUNE_S)

    def _ended(self, order_id: str) -> None:
        self._chore(self._take_up(order_id, _AGAIN_S))

    async def _take_up(self, order_id: str, after_s: float) -> None:
        """Run an open order that nobody runs: its workflow ended early, or long ago."""
        while self._engine is not None:
            try:
                if not await self._needs_driver(order_id):
                    return
                await asyncio.sleep(after_s)
                if await self._share.claim(order_id):
                    await self._drive(order_id)
                return
            except Exception as error:  # the boundary: an order is not dropped for a lost database
                log.warning("an order cannot be taken up yet: %s", fault(error))
                await asyncio.sleep(_AGAIN_S)

    async def _needs_driver(self, order_id: str) -> bool:
        order = await self._get(order_id)
        needed = order is not None and (order.state in OPEN or order.asked or awaits_bill(order))
        if order is None or not needed:
            if self._steps is not None:
                self._steps.forget(order_id)
            return False
        at_the_merchant = order.state in (OrderState.PLACED, OrderState.DELIVERED)
        if not at_the_merchant or order.asked:
            return True
        return self._desk.clock() - order.updated_at <= self._desk.policy.track_for_s

    async def _drive(self, *order_ids: str) -> None:
        """Run these orders, however long the engine's database is away.

        Those that DBOS brings back itself too: it looks once a second only.
        """
        left = list(order_ids)
        while left and self._engine is not None:
            try:
                if not self._engine.follows(left[0]):
                    await self._engine.follow(left[0], again=True)
                left.pop(0)
            except Exception as error:  # the boundary: DBOS raises its drivers' errors
                log.error("an order cannot be run yet: %s", fault(error))
                await asyncio.sleep(_AGAIN_S)

    async def _settle_left(self) -> None:
        """Of orders that are over: money that was on its way back when a process died."""
        while self._engine is not None:
            try:
                for order_id in await self._desk.journal.read(ledger.on_their_way):
                    self.settle(order_id)
                return
            except Exception as error:  # the boundary: money is not forgotten for a lost database
                log.warning("refunds on their way cannot be read yet: %s", fault(error))
                await asyncio.sleep(_AGAIN_S)

    async def _settle(self, order_id: str) -> None:
        for attempt in range(self._desk.policy.refund_attempts):
            try:
                order = await self._get(order_id)
                if order is None or order.state not in (OrderState.DELIVERED, OrderState.CANCELED):
                    return
                if await settle_refunds(self._desk, order):
                    return
            except Exception as error:  # the boundary: money is not forgotten for a lost database
                log.warning("a refund cannot be looked for yet: %s", fault(error))
            await asyncio.sleep(self._desk.policy.long_retry_in(attempt))

    async def _look_for_refunds(self) -> None:
        """Tell of money that has not come back in time, for as long as this worker lives."""
        policy, journal = self._desk.policy, self._desk.journal
        while True:
            since = self._desk.clock() - policy.refund_late_s
            try:
                late = await journal.read(lambda c, since=since: ledger.late_refunds(c, since))
            except Exception as error:  # the boundary: it is looked again when the database is back
                log.warning("refunds could not be looked for: %s", fault(error))
                late = []
            for order_id in late:
                await self._look_for(order_id)
            await asyncio.sleep(policy.refund_look_s)

    async def _look_for(self, order_id: str) -> None:
        """Of several workers the one does it that has the order, or takes it from a dead one."""
        try:
            if await self._share.claim(order_id) and (order := await self._get(order_id)):
                await overdue.look(self._desk, order)
        except Exception as error:  # the boundary of one order: the others are looked for, too
            log.warning("a late refund could not be looked for: %s", fault(error))

    async def _get(self, order_id: str) -> Order | None:
        return await self._desk.journal.read(lambda c: records.find(c, order_id))

    def _chore(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("something about the orders was not done: %s", fault(error))


@dataclass(frozen=True, slots=True)
class _Conduct:
    """What the engine calls."""

    steps: Steps
    ended: Callable[[str], None]

    async def advance(self, order_id: str, attempt: int) -> Step:
        return await self.steps.advance(order_id, attempt)

    async def wait(self, order_id: str, state: str, until: float) -> None:
        await self.steps.wait(order_id, OrderState(state), until)


def _engine_class() -> type[Engine]:
    from lapel.commerce.engine import Engine

    return Engine
