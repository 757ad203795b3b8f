"""Plans: several orders that belong together, agreed to at once and bought one after the other.

Every part is an order like any other, with its own exact checkout, approval and mandates; the yes
to a plan binds the list of their hashes. Parts are bought in their order; one that was made for
another (the ride to a table) comes after it, and is not bought without it. When one cannot be had,
the user says whether the rest is kept or undone, and hears what became of each. All of it stands in
the record: `PlanSteps` looks at it and does the next thing, which may be done again, so that a
crash between any two steps loses and repeats nothing.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import sqlalchemy as sa

from lapel.commerce import plan as plan_record
from lapel.commerce import records
from lapel.commerce.checkout import OrderDraft
from lapel.commerce.order import Decision, Evidence, Order
from lapel.commerce.orders import Orders
from lapel.commerce.plan import (
    ASKING,
    BILLING,
    BUY_S,
    BUYING,
    CHOOSING,
    DROPPING,
    OPEN,
    PRICING,
    UNDOING,
    Part,
    Plan,
    PlanError,
)
from lapel.commerce.plan_sharing import PlanShare
from lapel.commerce.plan_steps import PlanSteps, PlanTeller, Undoer, is_asked
from lapel.commerce.ports import PortError
from lapel.commerce.screening import refuse_unseen_plan
from lapel.faults import fault
from lapel.store import Store, Worker, schema

log = logging.getLogger(__name__)

LOOK_S = 5.0
SELDOM_S = 60.0
"""How often it is looked when nothing is awaited but a bill."""


@dataclass(frozen=True, slots=True)
class NewPart:
    """One thing of a new plan. `needs` says which of the parts before it it was made for, if any:
    it is not bought without that one.
    """

    title: str
    draft: OrderDraft
    needs: int | None = None


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
        self._clock = clock
        self._moved = asyncio.Event()
        self._at_work: set[str] = set()
        self._look_again: set[str] = set()
        self._share = PlanShare(store, worker, self.moved)
        self._steps = PlanSteps(store, orders, teller, undoer, clock, self._share.fence)

    async def begin(
        self,
        user_id: str,
        said: str,
        parts: Sequence[NewPart],
        *,
        note: str = "",
        memo: str = "",
        plan_id: str | None = None,
    ) -> Plan:
        """The parts in the order in which they are bought; durable on return."""
        id = plan_id or f"p_{secrets.token_hex(8)}"
        ids = [f"o_{id[2:]}{n}" for n in range(len(parts))]
        made = [
            Part(order_id, new.title, needs="" if new.needs is None else ids[new.needs])
            for order_id, new in zip(ids, parts, strict=True)
        ]
        plan = Plan(id, user_id, said, tuple(made), note=note, memo=memo)
        self._at_work.add(id)
        try:
            # First the plan: an order of a plan that is not known would wait for nobody.
            at, owner = self._clock(), self._share.owner
            await self._store.write(lambda c: plan_record.insert(c, plan, at, owner))
            for part, new in zip(made, parts, strict=True):
                wanted = msgspec.structs.replace(new.draft, plan=id)
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
                    again_s = await self._look(group)
                    try:
                        async with asyncio.timeout(again_s):
                            await self._moved.wait()
                    except TimeoutError:
                        continue
        finally:
            unsubscribe()
            end()

    async def _look(self, group: asyncio.TaskGroup) -> float | None:
        """Work on each plan that is open, none waiting for another.

        When to look again even if nothing is heard; None when there is no plan.
        """
        try:
            plans = await self._share.open()
        except Exception as error:  # the boundary: plans must go on when the record is back
            log.error("the plans cannot be read yet: %s", fault(error))
            return LOOK_S
        for plan in plans:
            if plan.id in self._at_work:
                self._look_again.add(plan.id)
            else:
                self._at_work.add(plan.id)
                group.create_task(self._work_on(plan.id))
        if not plans:
            return None
        return SELDOM_S if all(plan.state == BILLING for plan in plans) else LOOK_S

    async def _work_on(self, plan_id: str) -> None:
        """Do everything that can be done now."""
        try:
            plan = await self.get(plan_id)
            if plan is not None and plan.state in OPEN:
                await self._steps.advance(plan)
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


def _extend(connection: sa.Connection, part: Part, at: float) -> Order:
    """The question of a part stays open while its turn has not come. Raises PlanError."""
    found = records.find_approval(connection, part.approval_id)
    if found is None or not is_asked(part, found[1]) or at >= found[0].expires_at:
        raise PlanError("a part of the plan has changed since it was shown", code="other_plan")
    approvals = schema.approvals
    connection.execute(
        approvals.update().where(approvals.c.id == part.approval_id).values(expires_at=at + BUY_S)
    )
    return found[1]
