"""A refund that was announced and does not come: the user hears it once, whoever lives by then."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from commerce_town import LATTES, TOTAL
from commerce_world import QUICK, TAP, running, wrong_in
from mortal import Mortal
from stage.loop import Loop

import postgres
from lapel.commerce import Books, OrderState

pytestmark = pytest.mark.net

DAY_S = 86400.0
LATE_S = 7200.0
"""Longer than an announcement alone is followed."""
MISSING = (
    "said 7 days ago that it gives 3 euros 20 back, and it has not come. "
    "Ask the shop: your receipt is the proof."
)


class Waiting(Mortal):
    """A Lapel in virtual time with one delivered order."""

    async def delivered(self):
        await self.open()
        order_id = await self.orders.begin("u_0", LATTES)
        while (order := await self.orders.get(order_id)).approval is None:
            await asyncio.sleep(0.1)
        asked = order.approval
        await self.orders.decide(asked.id, "approve", TAP, checkout_hash=asked.checkout_hash)
        while (order := await self.orders.get(order_id)).state is not OrderState.PLACED:
            await asyncio.sleep(0.1)
        await self.says(order, "delivered")
        return await self.orders.get(order_id)

    async def says(self, order, *kinds: str) -> None:
        await self.orders.merchant_reports(self.town.report(order.checkout_id, *kinds))

    async def promises(self, order, minor: int = 320) -> None:
        self.town.promise_back(order.checkout_id, minor)
        await self.says(order)

    async def told(self, order, kind: str) -> list[str]:
        history = await self.orders.history(order.id)
        return [event.text for event in history if event.kind == kind]

    async def wrong(self) -> list[object]:
        moves = self.town.moves()
        return await self.record.read(lambda c: wrong_in(c, moves))


def play(scene, **policy: float) -> None:
    async def whole() -> None:
        world = Waiting()
        world.policy = replace(world.policy, **policy)
        try:
            await scene(world, await world.delivered())
        finally:
            await world.close()

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(whole())


def test_it_is_told_once_after_its_time_and_again_when_it_comes():
    async def scene(world, order):
        await world.promises(order)
        await asyncio.sleep(7 * DAY_S - 3600)
        assert await world.told(order, "refund_overdue") == []
        await asyncio.sleep(3 * 3600)
        (said,) = await world.told(order, "refund_overdue")
        assert said.endswith(MISSING)
        await asyncio.sleep(8 * DAY_S)
        assert len(await world.told(order, "refund_overdue")) == 1
        world.town.give_part(order.authorization_id, 320)
        await asyncio.sleep(2 * 3600)
        came = ["The 3 euros 20 that the shop owed you came back."]
        assert await world.told(order, "refund_came") == came
        await asyncio.sleep(DAY_S)
        assert await world.told(order, "refund_came") == came
        assert (await Books(world.record, world.town).check("u_0")).differences == ()
        assert await world.wrong() == []

    play(scene)


def test_what_came_in_time_is_not_missed():
    async def scene(world, order):
        await world.promises(order, 100)
        await world.promises(order, 320)
        await asyncio.sleep(LATE_S)
        world.town.give_part(order.authorization_id, 320)
        await asyncio.sleep(9 * DAY_S)
        (said,) = await world.told(order, "refund_overdue")
        assert "gives 1 euro back" in said
        assert await world.told(order, "refund_came") == []

    play(scene)


def test_a_lost_database_does_not_end_the_looking_for_what_was_announced():
    async def scene(world, order):
        await world.promises(order)
        world.town.give_part(order.authorization_id, 320)
        world.record.broken += [OSError("no database")] * 2
        await asyncio.sleep(120.0)
        assert world.record.broken == []
        assert (await Books(world.record, world.town).check("u_0")).differences == ()
        assert await world.wrong() == []

    play(scene)


def test_nothing_is_called_missing_without_the_banks_word():
    async def scene(world, order):
        await world.promises(order)
        world.town.fail("state", "always down")
        await asyncio.sleep(8 * DAY_S)
        assert await world.told(order, "refund_overdue") == []
        world.town.heal()
        await asyncio.sleep(2 * 3600)
        assert len(await world.told(order, "refund_overdue")) == 1

    play(scene)


@pytest.mark.parametrize("came", [False, True])
def test_it_is_told_once_wherever_the_process_dies(came):
    """Between any two touches of the bank and the record, from the start of a Lapel on."""
    deaths = 0

    async def dies_at(world, order, fuse: int) -> bool:
        await world.promises(order)
        await asyncio.sleep(LATE_S - 1)
        if came:
            await asyncio.sleep(LATE_S)
            world.town.give_part(order.authorization_id, 320)
        await world.bury()
        world.life.fuse = fuse
        await asyncio.sleep(2.0)
        await world.revive()
        await asyncio.sleep(60.0)  # longer than a look at the bank, shorter than until the next
        dead = world.life.over.is_set() or world.dead
        if dead:
            await world.revive()
            await asyncio.sleep(60.0)
        assert len(await world.told(order, "refund_overdue")) == 1
        assert len(await world.told(order, "refund_came")) == int(came)
        assert world.town.money_kept() == TOTAL - 320 * came
        assert await world.wrong() == []
        return dead

    for fuse in range(1, 40):
        died: list[bool] = []

        async def scene(world, order, fuse=fuse, died=died):
            died.append(await dies_at(world, order, fuse))

        play(scene, refund_late_s=LATE_S, refund_look_s=600.0)
        if not died[0]:
            break
        deaths += 1
    assert deaths >= 4


@asynccontextmanager
async def worker(folder, url: str, name: str):
    """One of several on the database, whose days pass with `skew`."""
    policy = replace(QUICK, refund_look_s=0.05)
    async with running(folder, url, policy, worker=name) as world:
        yield world


async def test_another_worker_tells_it_when_the_one_that_had_the_order_is_no_more(
    tmp_path, database
):
    with postgres.database(like=database) as url:
        postgres.empty(url)
        async with worker(tmp_path, url, "one") as world:
            order = await world.placed()
            await world.orders.merchant_reports(world.town.report(order.checkout_id, "delivered"))
            world.town.promise_back(order.checkout_id, 320)
            await world.orders.merchant_reports(world.town.report(order.checkout_id))
            assert "refund_overdue" not in await world.kinds(order.id)
        async with worker(tmp_path, url, "other") as world:
            world.skew = 8 * DAY_S
            told = await world.event(order.id, "refund_overdue")
            assert told.data["amount"] == {"minor": 320, "currency": "EUR"}
            asked = world.town.calls("state")
            while world.town.calls("state") < asked + 2:  # it goes on looking
                await asyncio.sleep(0.01)
            assert (await world.kinds(order.id)).count("refund_overdue") == 1
