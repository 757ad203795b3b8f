"""Plans: several orders that belong together, agreed to at once and bought one after the other.

Every part is an order like any other, with its own exact checkout, approval and mandates; the yes
to a plan binds the list of their hashes. Parts are bought in their order, what can be given back
first. When one cannot be had, the user says whether the rest is kept or undone, and hears what
became of each. All of it stands in the record: `advance` looks at it and does the next thing, which
may be done again, so that a crash between any two steps loses and repeats nothing.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec
import sqlalchemy as sa

from lapel.commerce import plan as plan_record
from lapel.commerce import records
from lapel.commerce.checkout import OrderDraft
from lapel.commerce.errors import ApprovalError, OrderError
from lapel.commerce.money import Money
from lapel.commerce.order import CHANGEABLE, ApprovalState, Decision, Evidence, Order, OrderState
from lapel.commerce.orders import Orders
from lapel.commerce.plan import (
    ASKING,
    BUYING,
    CHOOSING,
    DROPPING,
    OPEN,
    PRICING,
    UNDOING,
    Part,
    Plan,
    PlanError,
    PlanTakes,
)
from lapel.commerce.plan_sharing import PlanShare
from lapel.commerce.ports import PortError, Refused
from lapel.commerce.screening import refuse_unseen_plan
from lapel.faults import fault
from lapel.store import Store, Worker, schema

log = logging.getLogger(__name__)

BOUGHT = frozenset({OrderState.PLACED, OrderState.DELIVERED})
ON_THE_WAY = frozenset(
    {OrderState.PAYING, OrderState.PLACING, OrderState.TROUBLE, OrderState.REFUNDING}
)
CHOOSE_S = 600.0
"""So long the user may say what is to become of the rest; then it is kept."""
BUY_S = 600.0
"""So long after the yes parts may still be bought."""
LOOK_S = 5.0


class PlanTeller(Protocol):
    """Makes the user hear of it: durable on return, harmless when repeated."""

    async def ask(self, plan: Plan, orders: Sequence[Order]) -> None: ...
    async def choose(self, plan: Plan) -> None: ...
    async def ended(self, plan: Plan) -> None: ...


class Undoer(Protocol):
    """Takes bought things back where that is possible."""

    async def cost(self, order: Order) -> Money | None:
        """What undoing it costs now; None when it cannot be undone."""
        ...

    async def undo(self, order: Order, most: Money) -> None:
        """For at most that; Refused when it cannot be any more. May be repeated."""
        ...


class Plans:
    """All plans. `run` carries them on; when it ends they stay as they are, for the next one."""

    def __init__(
        self,
        store: Store,
        orders: Orders,
        teller: PlanTeller,
        undoer: Undoer,
        clock: Callable[[], float],
        worker: Worker | None = None,
    ) -> None:
        """`worker` is this process among several on one PostgreSQL, as for `orders`."""
        self._store = store
        self._orders = orders
        self._teller = teller
        self._undoer = undoer
        self._clock = clock
        self._moved = asyncio.Event()
        self._at_work: set[str] = set()
        self._look_again: set[str] = set()
        self._share = PlanShare(store, worker, self.moved)

    async def begin(
        self,
        user_id: str,
        said: str,
        parts: Sequence[tuple[str, OrderDraft]],
        *,
        note: str = "",
        memo: str = "",
        plan_id: str | None = None,
    ) -> Plan:
        """Titles and drafts in the order in which they are bought; durable on return."""
        id = plan_id or f"p_{secrets.token_hex(8)}"
        made = [Part(f"o_{id[2:]}{n}", title) for n, (title, _) in enumerate(parts)]
        plan = Plan(id, user_id, said, tuple(made), note=note, memo=memo)
        self._at_work.add(id)
        try:
            # First the plan: an order of a plan that is not known would wait for nobody.
            at, owner = self._clock(), self._share.owner
            await self._store.write(lambda c: plan_record.insert(c, plan, at, owner))
            for part, (_, draft) in zip(made, parts, strict=True):
                wanted = msgspec.structs.replace(draft, plan=id)
                await self._orders.begin(user_id, wanted, part.order_id)
        finally:
            self._rest(id)
        self.moved()
        return plan

    async def get(self, plan_id: str) -> Plan | None:
        return await self._store.read(lambda c: plan_record.find(c, plan_id))

    async def open_of(self, user_id: str) -> Plan | None:
        """The user's newest plan that is not over."""
        return await self._store.read(
            lambda c: next(iter(plan_record.open_plans(c, user_id)), None)
        )

    async def asked(self, user_id: str) -> list[Plan]:
        """The user's plans that wait for a yes."""
        found = await self._store.read(lambda c: plan_record.open_plans(c, user_id))
        return [plan for plan in found if plan.state == ASKING]

    async def decide(
        self,
        plan_id: str,
        decision: Decision,
        evidence: Evidence,
        *,
        plan_hash: str,
        user_id: str,
    ) -> None:
        """The user's answer to the whole; durable on return. Raises PlanError.

        It takes as much as the strictest part would alone, and at least a screen that showed it.
        """
        at = self._clock()

        def work(connection: sa.Connection) -> None:
            plan = plan_record.find(connection, plan_id)
            if plan is None or plan.user_id != user_id:
                raise PlanError("there is no such plan", code="unknown")
            self._share.stir(connection, plan_id)
            given = replace(evidence, plan=plan.bound)
            if plan.state == BUYING and plan.evidence == given:
                return
            if plan.state != ASKING:
                raise PlanError("that plan is not being asked about any more", code="closed")
            if decision == "refuse":
                plan_record.write(connection, plan, at, state=DROPPING)
                return
            if at >= plan.until:
                raise PlanError("the question has expired: ask again", code="expired")
            if plan.hash() != plan_hash:
                raise PlanError("the plan has changed since it was shown", code="other_plan")
            orders = [_extend(connection, part, at) for part in plan.parts]
            refuse_unseen_plan(connection, self._orders.policy, plan, orders, given, at)
            until = at + BUY_S
            plan_record.write(connection, plan, at, state=BUYING, evidence=given, until=until)

        await self._store.write(work)
        self.moved()

    async def drop(self, plan_id: str, user_id: str) -> None:
        """Give up a plan that nobody has agreed to yet; one that was is left as it is."""

        def work(connection: sa.Connection) -> Plan | None:
            plan = plan_record.find(connection, plan_id)
            if plan is None or plan.user_id != user_id or plan.state not in (PRICING, ASKING):
                return None
            self._share.stir(connection, plan_id)
            return plan_record.write(connection, plan, self._clock(), state=DROPPING)

        if await self._store.write(work) is not None:
            self.moved()

    async def choose(self, plan_id: str, user_id: str, *, keeps: bool) -> Plan:
        """Whether the rest of a plan that cannot be had whole is kept. Raises PlanError."""

        def work(connection: sa.Connection) -> Plan:
            plan = plan_record.find(connection, plan_id)
            if plan is None or plan.user_id != user_id:
                raise PlanError("there is no such plan", code="unknown")
            if plan.state != CHOOSING:
                raise PlanError("there is nothing to choose any more", code="closed")
            self._share.stir(connection, plan_id)
            state, until = (BUYING, self._clock() + BUY_S) if keeps else (UNDOING, 0.0)
            return plan_record.write(connection, plan, self._clock(), state=state, until=until)

        plan = await self._store.write(work)
        self.moved()
        return plan

    def moved(self) -> None:
        """Something happened to an order: look at the plans now."""
        self._moved.set()

    async def run(self) -> None:
        """Carry plans on, those too that a crash or a dead worker left open, until cancelled."""
        end = await self._share.begin()
        unsubscribe = self._orders.subscribe(lambda _: self.moved())
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._moved.clear()
                    busy = await self._look(group)
                    try:
                        async with asyncio.timeout(LOOK_S if busy else None):
                            await self._moved.wait()
                    except TimeoutError:
                        continue
        finally:
            unsubscribe()
            end()

    async def _look(self, group: asyncio.TaskGroup) -> bool:
        """Work on each plan that is open, none waiting for another; whether there is any."""
        try:
            plans = await self._share.open()
        except Exception as error:  # the boundary: plans must go on when the record is back
            log.error("the plans cannot be read yet: %s", fault(error))
            return True
        for plan in plans:
            if plan.id in self._at_work:
                self._look_again.add(plan.id)
            else:
                self._at_work.add(plan.id)
                group.create_task(self._work_on(plan.id))
        return bool(plans)

    async def _work_on(self, plan_id: str) -> None:
        """Do everything that can be done now."""
        try:
            plan = await self.get(plan_id)
            if plan is not None and plan.state in OPEN:
                await self._advance(plan)
        except PortError as error:
            log.info("a plan waits for an answer: %s", error.code)
        except Exception as error:  # the boundary of one plan: the others must go on
            log.error("a plan cannot go on yet: %s", fault(error))
        finally:
            self._rest(plan_id)

    def _rest(self, plan_id: str) -> None:
        """What happened while it was worked on may have been overlooked."""
        self._at_work.discard(plan_id)
        if plan_id in self._look_again:
            self._look_again.discard(plan_id)
            self.moved()

    async def _advance(self, plan: Plan) -> None:
        orders = [await self._orders.get(part.order_id) for part in plan.parts]
        if any(order is None for order in orders):
            # Begun, and the process died before all orders were: nothing was asked yet.
            return await self._give_up(plan, [x for x in orders if x is not None], "lapsed", "")
        found = [order for order in orders if order is not None]
        match plan.state:
            case "pricing":
                await self._price(plan, found)
            case "asking":
                await self._await_yes(plan, found)
            case "buying":
                await self._buy(plan, found)
            case "choosing":
                if self._clock() >= plan.until:
                    await self.choose(plan.id, plan.user_id, keeps=True)
            case "dropping":
                await self._give_up(plan, found, "refused", "")
            case _:
                await self._undo(plan, found)

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
            order.state is OrderState.AWAITING_APPROVAL and _is_asked(part, order)
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
            if _is_asked(part, order) and self._clock() < plan.until:
                try:
                    await self._approve(plan, part)
                except (ApprovalError, OrderError) as error:
                    return await self._lost(plan, orders, n, error.text)
                return None
            return await self._lost(plan, orders, n, await self._why(order))
        await self._end(plan, "kept" if any(x.outcome for x in plan.parts) else "done")

    async def _approve(self, plan: Plan, part: Part) -> None:
        if plan.evidence is None:
            raise OrderError(f"plan {plan.id!r} was not agreed to", code="closed")
        await self._orders.decide(
            part.approval_id, "approve", plan.evidence, checkout_hash=part.checkout_hash
        )

    async def _lost(self, plan: Plan, orders: Sequence[Order], n: int, why: str) -> None:
        """One part cannot be had: nothing happens by itself to what is bought already."""
        await self._drop(orders[n])
        parts = list(plan.parts)
        parts[n] = msgspec.structs.replace(parts[n], outcome="failed", why=why)
        bought = [i for i, order in enumerate(orders) if order.state in BOUGHT]
        left = [i for i, part in enumerate(parts) if not part.outcome]
        if not left:
            await self._end(plan, "failed", tuple(parts))
            return
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
                parts[n] = msgspec.structs.replace(part, outcome="undone")
            else:
                parts[n] = await self._take_back(part, order)
            plan = await self._set(plan, parts=tuple(parts))
        await self._end(plan, "undone")

    async def _take_back(self, part: Part, order: Order) -> Part:
        if part.undo_minor is None or part.total is None:
            return msgspec.structs.replace(part, outcome="stays")
        await self._share.fence()
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
        over = msgspec.structs.replace(plan, state=state, parts=parts, why=why)
        await self._teller.ended(over)
        await self._set(plan, state=state, parts=parts, why=why)

    async def _set(self, plan: Plan, **values: object) -> Plan:
        at = self._clock()
        return await self._store.write(lambda c: plan_record.write(c, plan, at, **values))

    async def _why(self, order: Order) -> str:
        events = await self._orders.history(order.id)
        said = next((event.text for event in reversed(events) if event.text), order.state.value)
        for told in ("Nothing was ordered.", "Nothing was charged."):
            said = said.removesuffix(told).strip()  # the plan tells what all of it cost
        return said or "it came to nothing."


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


def _is_asked(part: Part, order: Order) -> bool:
    """Whether the order waits for a yes to exactly what the plan was shown with."""
    approval = order.approval
    return (
        order.state is OrderState.AWAITING_APPROVAL
        and approval is not None
        and approval.state is ApprovalState.PENDING
        and (approval.id, approval.checkout_hash) == (part.approval_id, part.checkout_hash)
    )


def _extend(connection: sa.Connection, part: Part, at: float) -> Order:
    """The question of a part stays open while its turn has not come. Raises PlanError."""
    found = records.find_approval(connection, part.approval_id)
    if found is None or not _is_asked(part, found[1]) or at >= found[0].expires_at:
        raise PlanError("a part of the plan has changed since it was shown", code="other_plan")
    approvals = schema.approvals
    connection.execute(
        approvals.update().where(approvals.c.id == part.approval_id).values(expires_at=at + BUY_S)
    )
    return found[1]
