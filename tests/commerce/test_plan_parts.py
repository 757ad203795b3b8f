"""Parts that depend on each other, what undoing a booking costs, and what was really charged."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from commerce_market import APPLES, FLIGHT, GROCERIES, KEEPS, RIDE, RYE, Market
from commerce_town import FEE, LATTES, TOTAL
from commerce_world import ON_SCREEN, World, wrong_in

from lapel.assistant.planning.undoing import BookingUndoer
from lapel.commerce import Money, NewPart, Order, OrderState, Plan, Plans, ledger

pytestmark = pytest.mark.unit

FLOWN, RIDDEN = 15000, 1900
FULL = "No seats are left."


@dataclass
class Planned:
    """A user's plans in the market; what is told of them is noted."""

    world: World
    told: list[Plan] = field(default_factory=list)
    bills: list[Money] = field(default_factory=list)

    async def ask(self, plan: Plan, orders: Sequence[Order]) -> None:
        self.told.append(plan)

    async def choose(self, plan: Plan) -> None:
        self.told.append(plan)

    async def ended(self, plan: Plan) -> None:
        self.told.append(plan)

    async def charged(self, plan: Plan, total: Money) -> None:
        self.bills.append(total)

    async def begin(self, *parts: NewPart) -> Plan:
        """Asked about, and agreed to."""
        plan = await self.plans.begin("u_0", "all of it", parts)
        asked = await self.until(plan.id, "asking", "failed")
        if asked.state == "asking":
            await self.plans.decide(
                plan.id, "approve", ON_SCREEN, plan_hash=asked.hash(), user_id="u_0"
            )
        return asked

    async def until(self, plan_id: str, *states: str) -> Plan:
        async with asyncio.timeout(30):
            while True:
                plan = await self.plans.get(plan_id)
                if plan is not None and plan.state in states:
                    return plan
                await asyncio.sleep(0.01)

    async def states(self, plan: Plan) -> list[OrderState]:
        found = [await self.world.orders.get(part.order_id) for part in plan.parts]
        return [order.state for order in found if order is not None]

    def paid(self) -> int:
        return self.world.town.money_kept()


@asynccontextmanager
async def planning(folder, untouched):
    shutil.copytree(untouched, folder, dirs_exist_ok=True)
    world = World(folder)
    world.town.db.close()
    world.town = town = Market(folder / "town.db")
    await world.open()
    here = Planned(world)
    undoer = BookingUndoer(world.orders, town, town, town)  # type: ignore[arg-type]
    here.plans = Plans(world.store, world.orders, here, undoer, world.clock)
    going = asyncio.create_task(here.plans.run())
    try:
        yield here
        while await world.store.read(ledger.on_their_way):  # the bank is asked after the company
            await asyncio.sleep(0.01)
        moves = town.moves()
        assert await world.store.read(lambda c: wrong_in(c, moves)) == []
        assert town.violations() == []
    finally:
        going.cancel()
        await world.close()


FLY, THERE, COFFEE = (
    NewPart("Flight", FLIGHT),
    NewPart("Ride to the airport", RIDE, needs=0),
    NewPart("Lattes", LATTES),
)


async def test_what_was_made_for_a_part_is_not_bought_without_it(tmp_path, untouched):
    async with planning(tmp_path, untouched) as here:
        here.world.town.set("full:siivet", FULL)
        plan = await here.begin(FLY, THERE, COFFEE)
        over = await here.until(plan.id, "failed")
        assert [part.outcome for part in over.parts] == ["failed", "dropped", "dropped"]
        assert FULL in over.why
        assert here.paid() == 0
        assert (await here.states(plan))[1:] == [OrderState.CANCELED] * 2


async def test_the_rest_is_kept_without_what_went_with_the_lost_part(tmp_path, untouched):
    async with planning(tmp_path, untouched) as here:
        here.world.town.set("full:siivet", FULL)
        ride = NewPart("Ride to the airport", RIDE, needs=1)
        plan = await here.begin(COFFEE, FLY, ride)
        lost = await here.until(plan.id, "choosing")
        assert [part.outcome for part in lost.parts] == ["", "failed", "dropped"]
        assert here.paid() == TOTAL
        await here.plans.choose(plan.id, "u_0", keeps=True)
        over = await here.until(plan.id, "kept")
        assert [part.outcome for part in over.parts] == ["", "failed", "dropped"]
        assert (await here.states(plan))[2] is OrderState.CANCELED
        assert here.paid() == TOTAL
        assert here.bills == [Money(TOTAL, "EUR")]


async def test_undoing_gives_back_ride_and_flight_for_what_was_told(tmp_path, untouched):
    async with planning(tmp_path, untouched) as here:
        here.world.town.set("full:blue", FULL)
        plan = await here.begin(FLY, THERE, COFFEE)
        lost = await here.until(plan.id, "choosing")
        assert [part.undo_minor for part in lost.parts[:2]] == [KEEPS, KEEPS]
        assert here.paid() == FLOWN + RIDDEN
        await here.plans.choose(plan.id, "u_0", keeps=False)
        over = await here.until(plan.id, "undone")
        assert [part.outcome for part in over.parts] == ["undone", "undone", "failed"]
        assert over.parts[2].undo_minor == 0
        assert here.paid() == 2 * KEEPS
        assert await here.states(plan) == [
            OrderState.CANCELED, OrderState.CANCELED, OrderState.REFUNDED,
        ]  # fmt: skip
        assert here.bills == []


async def test_a_booking_that_was_moved_leaves_what_was_made_for_it_unbought(tmp_path, untouched):
    async with planning(tmp_path, untouched) as here:
        moved = asyncio.Event()

        def happened(event) -> None:
            if event.kind == "placed" and not moved.is_set():
                moved.set()

        here.world.orders.subscribe(happened)
        decide = here.world.orders.decide

        async def after_a_report(approval_id: str, *arguments, **more):
            answer = await decide(approval_id, *arguments, **more)
            if approval_id == asked.parts[0].approval_id:
                await moved.wait()
            return answer

        here.world.orders.decide = after_a_report
        history = here.world.orders.history

        async def disrupted(order_id: str):
            if order_id == asked.parts[0].order_id and not reported.is_set():
                reported.set()
                order = await here.world.orders.get(order_id)
                report = here.world.town.report(order.checkout_id, "disrupted")
                await here.world.orders.merchant_reports(report)
            return await history(order_id)

        reported = asyncio.Event()
        here.world.orders.history = disrupted
        plan = await here.plans.begin("u_0", "all of it", (FLY, THERE))
        asked = await here.until(plan.id, "asking")
        await here.plans.decide(
            plan.id, "approve", ON_SCREEN, plan_hash=asked.hash(), user_id="u_0"
        )
        lost = await here.until(plan.id, "choosing")
        assert [part.outcome for part in lost.parts] == ["", "failed"]
        assert lost.parts[1].why
        assert here.paid() == FLOWN


async def test_what_is_weighed_later_is_shared_at_what_it_came_to(tmp_path, untouched):
    async with planning(tmp_path, untouched) as here:
        town, orders = here.world.town, here.world.orders
        plan = await here.begin(NewPart("Groceries", GROCERIES))
        waiting = await here.until(plan.id, "billing")
        assert here.told[-1].state == "done"
        assert here.bills == []
        part = waiting.parts[0]
        order = await orders.get(part.order_id)
        asked = await here.world.event(part.order_id, "substitution_asked")
        line, item = asked.data["line_id"], asked.data["item_id"]
        await orders.answer_substitution(part.order_id, line, item, True)
        while not town.fact(order.merchant_order_id, "answer"):
            await asyncio.sleep(0.01)
        town.pack(order.merchant_order_id)
        await orders.merchant_reports(town.report(order.checkout_id))
        await here.until(plan.id, "done")
        assert here.bills == [Money(APPLES + RYE + FEE, "EUR")]
        assert here.bills[0].minor < part.total.minor
