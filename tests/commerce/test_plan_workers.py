"""Plans of two workers on one PostgreSQL: each is carried on by one, and by the other when that one is no more."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from commerce_town import LATTES, TOTAL
from commerce_world import ON_SCREEN, World, wrong_in

import lapel.commerce.driving
import postgres
from lapel.commerce import Money, NewPart, Order, OrderDraft, Plan, Plans

sys.path.insert(0, str(Path(__file__).parents[1] / "assistant" / "virtual"))
from stage.engine import LoopEngine  # two of DBOS do not fit in one process

pytestmark = pytest.mark.net

FREE = Money(0, "EUR")


class Engine(LoopEngine):
    async def abandon(self, executors: Sequence[str]) -> None:
        """Nothing of another life is written down."""


class Gate:
    """Holds whoever comes by until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def pass_by(self) -> None:
        self.reached.set()
        await self.opened.wait()


@dataclass
class Home:
    """One worker with its plans. What it tells and undoes is noted."""

    world: World
    told: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)

    async def open(self, stack: AsyncExitStack) -> None:
        world = self.world
        world.lease_s = 60.0
        await world.open()
        stack.push_async_callback(world.close)
        self.plans = Plans(
            world.store,
            world.orders,
            self,
            self,
            world.clock,
            world.worker,  # type: ignore[arg-type]
        )
        self.going = asyncio.create_task(self.plans.run())
        stack.push_async_callback(self._stop)

    async def _stop(self) -> None:
        self.going.cancel()
        await asyncio.gather(self.going, return_exceptions=True)

    async def begin(self, *drafts: OrderDraft) -> Plan:
        return await self.plans.begin("u_0", "twice", [NewPart("Lattes", x) for x in drafts])

    async def until(self, plan_id: str, *states: str) -> Plan:
        async with asyncio.timeout(30):
            while True:
                plan = await self.plans.get(plan_id)
                if plan is not None and plan.state in states:
                    return plan
                await asyncio.sleep(0.01)

    async def agree(self, plan: Plan) -> None:
        await self.plans.decide(plan.id, "approve", ON_SCREEN, plan_hash=plan.hash(), user_id="u_0")

    async def paused_and_replaced_by(self, other: Home) -> None:
        """Silent for longer than its lease: the other one has taken over, and this one does not know."""
        worker = self.world.worker
        assert worker is not None
        assert worker._living is not None
        assert other.world.worker is not None
        worker._living.cancel()
        worker._sure_at -= 2 * worker.lease_s
        url = str(self.world.url)
        await asyncio.to_thread(
            postgres.run, url, f"UPDATE workers SET ended_at = 1 WHERE epoch = {worker.epoch}"
        )
        await other.world.worker.take_over()

    async def gave_up(self, plan_id: str) -> None:
        """It has noticed that it is replaced, and what it was about to do came to nothing."""
        async with asyncio.timeout(30):
            await self.world.worker.lost.wait()  # type: ignore[union-attr]
            while plan_id in self.plans._at_work:
                await asyncio.sleep(0.01)

    # What the plans ask for.

    async def ask(self, plan: Plan, orders: Sequence[Order]) -> None:
        if "asked" not in self.told:
            self.told.append("asked")

    async def choose(self, plan: Plan) -> None:
        self.told.append("choose")

    async def ended(self, plan: Plan) -> None:
        self.told.append(plan.state)

    async def charged(self, plan: Plan, total: Money) -> None:
        assert total == plan.total

    async def cost(self, order: Order) -> Money | None:
        return FREE

    async def undo(self, order: Order, most: Money) -> None:
        self.undone.append(order.id)


@pytest_asyncio.fixture
async def homes(database, tmp_path, monkeypatch) -> AsyncIterator[tuple[Home, Home]]:
    monkeypatch.setattr(lapel.commerce.driving, "_engine_class", lambda: Engine)
    with postgres.database(like=database) as url:
        postgres.empty(url)  # of what an earlier test left in the one that it is like
        async with AsyncExitStack() as stack:
            made: list[Home] = []
            for name in ("here", "there"):
                world = World(tmp_path, url)
                world.worker_name = name
                made.append(Home(world))
                await made[-1].open(stack)
            yield made[0], made[1]
            world = made[1].world
            moves = world.town.moves()
            assert await world.store.read(lambda c: wrong_in(c, moves)) == []


async def test_the_yes_at_another_worker_is_carried_out_by_the_one_that_began_it(homes):
    here, there = homes
    plan = await here.begin(LATTES, LATTES)
    asked = await there.until(plan.id, "asking")
    await there.agree(asked)
    await there.until(plan.id, "done")
    assert (here.told, there.told) == (["asked", "done"], [])
    here.world.balanced(TOTAL, TOTAL)


async def test_a_plan_that_one_worker_is_beginning_is_left_alone_by_the_other(homes):
    here, there = homes
    gate, begin = Gate(), here.world.orders.begin

    async def slowly(user_id: str, draft: OrderDraft, order_id: str | None = None) -> str:
        if order_id and order_id.endswith("1"):
            await gate.pass_by()
        return await begin(user_id, draft, order_id)

    here.world.orders.begin = slowly
    beginning = asyncio.create_task(here.begin(LATTES, LATTES))
    await gate.reached.wait()
    own = await there.begin(LATTES)  # something to do, so that all plans are looked at
    await there.until(own.id, "asking")
    gate.opened.set()
    plan = await here.until((await beginning).id, "asking", "lapsed")
    assert plan.state == "asking"
    assert there.told == ["asked"]


async def test_a_worker_that_wakes_up_between_two_parts_buys_nothing_more(homes):
    here, there = homes
    gate, decide = Gate(), here.world.orders.decide

    async def slowly(approval_id: str, *arguments, **more):
        if approval_id == asked.parts[1].approval_id:
            await gate.pass_by()
        return await decide(approval_id, *arguments, **more)

    here.world.orders.decide = slowly
    plan = await here.begin(LATTES, LATTES)
    asked = await here.until(plan.id, "asking")
    await here.agree(asked)
    await gate.reached.wait()
    here.world.balanced(TOTAL)
    await here.paused_and_replaced_by(there)
    await there.until(plan.id, "done")
    gate.opened.set()
    await here.gave_up(plan.id)
    assert here.told == ["asked"]
    assert there.told == ["done"]
    here.world.balanced(TOTAL, TOTAL)


async def test_nor_does_it_undo_what_the_other_has_undone(homes):
    here, there = homes
    plan = await here.begin(LATTES, LATTES)
    asked = await here.until(plan.id, "asking")
    here.world.orders.subscribe(
        lambda event: (
            here.world.town.set("refuse:complete", "We are out of milk.")
            if event.kind == "placed"
            else None
        )
    )
    await here.agree(asked)
    await here.until(plan.id, "choosing")
    gate, get = Gate(), here.world.orders.get

    async def slowly(order_id: str) -> Order | None:
        await gate.pass_by()
        return await get(order_id)

    here.world.orders.get = slowly
    await there.plans.choose(plan.id, "u_0", keeps=False)
    await gate.reached.wait()
    await here.paused_and_replaced_by(there)
    await there.until(plan.id, "undone")
    gate.opened.set()
    await here.gave_up(plan.id)
    assert there.undone == [plan.parts[0].order_id]
    assert here.undone == []
    assert there.told == ["undone"]
