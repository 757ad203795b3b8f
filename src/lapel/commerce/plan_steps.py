"""What happens to a plan next: one look at it and its orders, and the next thing is done.

Everything here may be done again, by this process after a crash or by another one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
import sqlalchemy as sa

from lapel.commerce import ledger
from lapel.commerce import plan as plan_record
from lapel.commerce.errors import ApprovalError, OrderError
from lapel.commerce.money import Money
from lapel.commerce.order import CHANGEABLE, ApprovalState, Order, OrderState
from lapel.commerce.orders import Orders
from lapel.commerce.plan import ASKING, BILLING, BUY_S, BUYING, CHOOSING, Part, Plan, PlanTakes
from lapel.commerce.ports import Refused
from lapel.commerce.settling import awaits_bill
from lapel.store import Store

BOUGHT = frozenset({OrderState.PLACED, OrderState.DELIVERED})
ON_THE_WAY = frozenset(
    {OrderState.PAYING, OrderState.PLACING, OrderState.TROUBLE, OrderState.REFUNDING}
)
MOVED = frozenset(
    {"journey_delayed", "journey_disrupted", "journey_changed", "table_delayed", "table_changed"}
)
"""Events after which a booking is not at the time any more for which others were made."""
CHOOSE_S = 600.0
"""So long the user may say what is to become of the rest; then it is kept."""
BILL_S = 7 * 86400.0
"""So long the bills of what was bought are waited for."""


class PlanTeller(Protocol):
    """Makes the user hear of it: durable on return, harmless when repeated."""

    async def ask(self, plan: Plan, orders: Sequence[Order]) -> None: ...
    async def choose(self, plan: Plan) -> None: ...
    async def ended(self, plan: Plan) -> None: ...
    async def charged(self, plan: Plan, total: Money) -> None:
        """What was bought of it has been charged to the last cent."""
        ...


class Undoer(Protocol):
    """Takes bought things back where that is possible."""

    async def cost(self, order: Order) -> Money | None:
        """What undoing it costs now; None when it cannot be undone."""
        ...

    async def undo(self, order: Order, most: Money) -> None:
        """For at most that; Refused when it cannot be any more. May be repeated."""
        ...


class PlanSteps:
    """The next step of any plan. `fence` raises where another worker may have the plan by now."""

    def __init__(
        self,
        store: Store,
        orders: Orders,
        teller: PlanTeller,
        undoer: Undoer,
        clock: Callable[[], float],
        fence: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._orders = orders
        self._teller = teller
        self._undoer = undoer
        self._clock = clock
        self._fence = fence

    async def advance(self, plan: Plan) -> None:
        """Do what can be done now; raises `PortError` where somebody does not answer."""
        found = await self._orders_of(plan)
        if len(found) < len(plan.parts):
            # Begun, and the process died before all orders were: nothing was asked yet.
            return await self._give_up(plan, found, "lapsed", "")
        match plan.state:
            case "pricing":
                await self._price(plan, found)
            case "asking":
                await self._await_yes(plan, found)
            case "buying":
                await self._buy(plan, found)
            case "choosing":
                if self._clock() >= plan.until:
                    await self._set(plan, state=BUYING, until=self._clock() + BUY_S)
            case "billing":
                await self._bill(plan, found)
            case "dropping":
                await self._give_up(plan, found, "refused", "")
            case _:
                await self._undo(plan, found)

    async def _orders_of(self, plan: Plan) -> list[Order]:
        found = [await self._orders.get(part.order_id) for part in plan.parts]
        return [order for order in found if order is not None]

    async def _price(self, plan: Plan, orders: Sequence[Order]) -> None:
        """All parts must have a price before anything is asked."""
        for part, order in zip(plan.parts, orders, strict=True):
            if order.state not in (OrderState.QUOTING, OrderState.AWAITING_APPROVAL):
                why = await self._why(order)
                return await self._give_up(plan, orders, "failed", f"{part.title}: {why}")
        if any(order.state is OrderState.QUOTING or order.approval is None for order in orders):
            return None
        parts = tuple(_asked(part, x) for part, x in zip(plan.parts, orders, strict=True))
        until = min(x.approval.expires_at for x in orders if x.approval is not None)
        takes = await self._takes(orders)
        asked = await self._set(plan, state=ASKING, parts=parts, until=until, takes=takes)
        await self._teller.ask(asked, orders)

    async def _takes(self, orders: Sequence[Order]) -> PlanTakes:
        """What the strictest part takes: one passkey agrees to all parts at once."""
        by_part = [await self._orders.takes(order) for order in orders]
        return "passkey" if "passkey" in by_part else "screen"

    async def _await_yes(self, plan: Plan, orders: Sequence[Order]) -> None:
        whole = all(
            order.state is OrderState.AWAITING_APPROVAL and is_asked(part, order)
            for part, order in zip(plan.parts, orders, strict=True)
        )
        if not whole or self._clock() >= plan.until:
            return await self._give_up(plan, orders, "lapsed", "")
        takes = await self._takes(orders)
        if takes != plan.takes:  # a passkey was added, or removed, since it was asked
            plan = await self._set(plan, takes=takes)
        await self._teller.ask(plan, orders)

    async def _buy(self, plan: Plan, orders: Sequence[Order]) -> None:
        """The next part, once the one before it is bought; the same answer may be given again."""
        for n, (part, order) in enumerate(zip(plan.parts, orders, strict=True)):
            if part.outcome or order.state in BOUGHT:
                continue
            if order.state in ON_THE_WAY:
                return None
            if is_asked(part, order) and self._clock() < plan.until:
                if moved := await self._moved(part):
                    return await self._lost(plan, orders, n, moved)
                try:
                    await self._approve(plan, part)
                except (ApprovalError, OrderError) as error:
                    return await self._lost(plan, orders, n, error.text)
                return None
            return await self._lost(plan, orders, n, await self._why(order))
        await self._end(plan, "kept" if any(x.outcome for x in plan.parts) else "done")

    async def _moved(self, part: Part) -> str:
        """What became of the part that this one was made for, if it is at another time by now."""
        events = await self._orders.history(part.needs) if part.needs else []
        return next((event.text for event in reversed(events) if event.kind in MOVED), "")

    async def _approve(self, plan: Plan, part: Part) -> None:
        if plan.evidence is None:
            raise OrderError(f"plan {plan.id!r} was not agreed to", code="closed")
        await self._orders.decide(
            part.approval_id, "approve", plan.evidence, checkout_hash=part.checkout_hash
        )

    async def _lost(self, plan: Plan, orders: Sequence[Order], n: int, why: str) -> None:
        """One part cannot be had: nothing happens by itself to what is bought already."""
        parts = list(plan.parts)
        parts[n] = msgspec.structs.replace(parts[n], outcome="failed", why=why)
        for i in range(len(parts)):
            without = parts[i].needs in _without(parts) and orders[i].state not in BOUGHT
            if without and not parts[i].outcome:
                parts[i] = msgspec.structs.replace(parts[i], outcome="dropped")
        for part, order in zip(parts, orders, strict=True):
            if part.outcome:
                await self._drop(order)
        bought = [i for i, x in enumerate(orders) if x.state in BOUGHT and not parts[i].outcome]
        if not bought:
            said = f"{parts[n].title}: {why}"
            return await self._give_up(
                msgspec.structs.replace(plan, parts=tuple(parts)), orders, "failed", said
            )
        for i in bought:
            cost = await self._undoer.cost(orders[i])
            minor = None if cost is None else cost.minor
            parts[i] = msgspec.structs.replace(parts[i], undo_minor=minor)
        until = self._clock() + CHOOSE_S
        asked = await self._set(plan, state=CHOOSING, parts=tuple(parts), until=until)
        await self._teller.choose(asked)

    async def _undo(self, plan: Plan, orders: Sequence[Order]) -> None:
        """The last first. What cannot be undone, or not for what was said, stays and is told."""
        parts = list(plan.parts)
        for n in range(len(parts) - 1, -1, -1):
            part, order = parts[n], orders[n]
            if part.outcome:
                continue
            if order.state not in BOUGHT:
                await self._drop(order)
                outcome = "undone" if order.merchant_order_id else "dropped"
                parts[n] = msgspec.structs.replace(part, outcome=outcome)
            else:
                parts[n] = await self._take_back(part, order)
            plan = await self._set(plan, parts=tuple(parts))
        await self._end(plan, "undone")

    async def _take_back(self, part: Part, order: Order) -> Part:
        if part.undo_minor is None or part.total is None:
            return msgspec.structs.replace(part, outcome="stays")
        await self._fence()
        try:
            await self._undoer.undo(order, Money(part.undo_minor, part.total.currency))
        except (Refused, OrderError) as error:
            return msgspec.structs.replace(part, outcome="stays", why=error.text)
        return msgspec.structs.replace(part, outcome="undone")

    async def _give_up(self, plan: Plan, orders: Sequence[Order], state: str, why: str) -> None:
        """Nothing was bought: all that is open is dropped."""
        for order in orders:
            await self._drop(order)
        parts = tuple(
            part if part.outcome else msgspec.structs.replace(part, outcome="dropped")
            for part in plan.parts
        )
        await self._end(plan, state, parts, why)

    async def _drop(self, order: Order) -> None:
        if order.state not in CHANGEABLE:
            return
        try:
            await self._orders.cancel(order.id)
        except OrderError:
            return  # it has ended by itself meanwhile

    async def _end(
        self, plan: Plan, state: str, parts: tuple[Part, ...] | None = None, why: str = ""
    ) -> None:
        """First it is told, under an id of the plan's; then it is over."""
        parts = plan.parts if parts is None else parts
        if any(part.outcome == "failed" for part in parts):
            told = parts
            parts = await self._store.read(lambda c: tuple(_costing(c, x) for x in told))
        over = msgspec.structs.replace(plan, state=state, parts=parts, why=why)
        await self._teller.ended(over)
        if state in ("done", "kept"):
            at = self._clock() + BILL_S
            billed = await self._set(plan, state=BILLING, parts=parts, until=at)
            await self._bill(billed, await self._orders_of(plan))
            return
        await self._set(plan, state=state, parts=parts, why=why)

    async def _bill(self, plan: Plan, orders: Sequence[Order]) -> None:
        """Over once it is known what was really charged: what is weighed later is billed later."""
        if any(map(awaits_bill, orders)) and self._clock() < plan.until:
            return
        minor = await self._store.read(lambda c: sum(ledger.charged(c, x.id) for x in orders))
        if plan.total is not None and minor > 0:
            await self._teller.charged(plan, Money(minor, plan.total.currency))
        await self._set(plan, state="kept" if any(x.outcome for x in plan.parts) else "done")

    async def _set(self, plan: Plan, **values: object) -> Plan:
        at = self._clock()
        return await self._store.write(lambda c: plan_record.write(c, plan, at, **values))

    async def _why(self, order: Order) -> str:
        """The last that was told of it, besides what it cost: the plan tells that of all parts."""
        for event in reversed(await self._orders.history(order.id)):
            said = event.text
            for cost in ("Nothing was ordered.", "Nothing was charged."):
                said = said.removesuffix(cost).strip()
            if said:
                return said
        return "it came to nothing."


def _asked(part: Part, order: Order) -> Part:
    approval = order.approval
    if approval is None:
        return part
    return msgspec.structs.replace(
        part,
        approval_id=approval.id,
        checkout_hash=approval.checkout_hash,
        total=approval.amount,
    )


def is_asked(part: Part, order: Order) -> bool:
    """Whether the order waits for a yes to exactly what the plan was shown with."""
    approval = order.approval
    return (
        order.state is OrderState.AWAITING_APPROVAL
        and approval is not None
        and approval.state is ApprovalState.PENDING
        and (approval.id, approval.checkout_hash) == (part.approval_id, part.checkout_hash)
    )


def _costing(connection: sa.Connection, part: Part) -> Part:
    """With what a part that cannot be had has cost all the same."""
    if part.outcome != "failed":
        return part
    return msgspec.structs.replace(part, undo_minor=ledger.charged(connection, part.order_id))


def _without(parts: Sequence[Part]) -> set[str]:
    """The orders that will not be had."""
    return {part.order_id for part in parts if part.outcome in ("failed", "dropped")}
