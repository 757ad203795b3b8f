"""One step of an order, whatever state it is in: the only code that knows all the states."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from lapel.commerce import records
from lapel.commerce.asking import carry
from lapel.commerce.desk import Desk, Step
from lapel.commerce.escalating import await_buyer
from lapel.commerce.order import CHANGEABLE, Order, OrderState
from lapel.commerce.paying import pay, refund
from lapel.commerce.placing import Placer
from lapel.commerce.quoting import await_approval, quote
from lapel.commerce.receipt import Signer
from lapel.commerce.records import Moved
from lapel.commerce.settling import awaits_bill, settle
from lapel.commerce.tracking import close, deliver, track
from lapel.faults import fault

_LOOK_S = 15.0
"""Longest sleep at once: after a suspended machine or a moved clock the time is looked at again."""

_log = logging.getLogger(__name__)


class Steps:
    """Advances orders, and lets them wait until a time comes or somebody wakes them."""

    def __init__(self, desk: Desk, signer: Signer) -> None:
        self._desk = desk
        self._signer = signer
        self._placer = Placer(desk, signer)
        self._wakes: dict[str, asyncio.Event] = {}

    async def advance(self, order_id: str, attempt: int) -> Step:
        """Do the next thing for the order. Never raises: what fails is tried again, later."""
        order = None
        try:
            order = await self._desk.journal.read(lambda c: records.load(c, order_id))
            return await self._step(order, attempt)
        except Moved:
            return await self._moved(order, order_id, attempt)
        except Exception as error:  # the boundary: an order is never dropped for a fault of ours
            _log.error("a step of an order failed: %s", fault(error))
            return self._desk.retry_slowly(order.state if order else OrderState.QUOTING, attempt)

    async def wait(self, order_id: str, state: OrderState, until: float) -> None:
        """Wait in `state` until then, or until woken.

        A workflow that comes back after a crash takes up the wait that it was in. The user may have
        decided meanwhile, and another workflow have brought the order to its end: nobody wakes it.
        """
        if state in CHANGEABLE and await self._decided(order_id):
            return
        wake = self._wakes.setdefault(order_id, asyncio.Event())
        while not wake.is_set() and (left := until - self._desk.clock()) > 0:
            try:
                await asyncio.wait_for(wake.wait(), min(left, _LOOK_S))
            except TimeoutError:
                continue
        self._wakes.pop(order_id, None)

    async def _decided(self, order_id: str) -> bool:
        try:
            order = await self._desk.journal.read(lambda c: records.find(c, order_id))
        except Exception as error:  # the boundary: a record that cannot be read is waited for
            _log.error("an order could not be looked at: %s", fault(error))
            return False
        return order is not None and order.state not in CHANGEABLE

    def wake(self, order_id: str) -> None:
        """Let the order look at the record now, or right after what it is doing."""
        self._wakes.setdefault(order_id, asyncio.Event()).set()

    def forget(self, order_id: str) -> None:
        self._wakes.pop(order_id, None)

    async def _step(self, order: Order, attempt: int) -> Step:
        match order.state:
            case OrderState.QUOTING:
                return await quote(self._desk, order, attempt)
            case OrderState.AWAITING_APPROVAL:
                return await await_approval(self._desk, order, attempt)
            case OrderState.ESCALATED:
                return await await_buyer(self._desk, order, attempt)
            case OrderState.PAYING:
                return await pay(self._desk, order, attempt)
            case OrderState.PLACING:
                return await self._placer.place(order, attempt)
            case OrderState.TROUBLE:
                return await self._placer.settle(order, attempt)
            case OrderState.REFUNDING:
                return await refund(self._desk, order, attempt)
            case OrderState.PLACED | OrderState.DELIVERED:
                return await self._follow(order, attempt)
            case _:
                await carry(self._desk, order)
                return await close(self._desk, order, attempt)

    async def _follow(self, order: Order, attempt: int) -> Step:
        """To the door, and to the bill where that comes after the order."""
        asked, again = order.asked, await carry(self._desk, order)
        if asked:
            order = await self._desk.journal.read(lambda c: records.load(c, order.id))
        waits = awaits_bill(order)
        settled = await settle(self._desk, self._signer, order)
        if waits and settled:
            order = await self._desk.journal.read(lambda c: records.load(c, order.id))
        match order.state:
            case OrderState.PLACED:
                step = await track(self._desk, order, attempt)
            case OrderState.DELIVERED if not settled:
                step = self._desk.retry_slowly(order.state, attempt)
            case OrderState.DELIVERED:
                step = await deliver(self._desk, order, attempt)
            case _:
                return Step(order.state)
        return step if again is None else _by(step, again)

    async def _moved(self, order: Order | None, order_id: str, attempt: int) -> Step:
        """Somebody else moved the order on: go on from there."""
        now = await self._desk.journal.read(lambda c: records.find(c, order_id))
        if now is None:
            return Step(OrderState.FAILED, done=True)
        if order is None or (now.state, now.revision) != (order.state, order.revision):
            return Step(now.state)
        _log.error("order in state %s does not fit its approval", now.state.value)
        return self._desk.retry_slowly(now.state, attempt)


def _by(step: Step, until: float) -> Step:
    """The same step, at the latest then: a merchant still has to answer."""
    return replace(step, done=False, until=until if step.until is None else min(until, step.until))
