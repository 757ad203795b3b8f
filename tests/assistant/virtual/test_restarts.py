"""The process dies at any moment; what was written down goes on, and nothing is told twice."""

from __future__ import annotations

import pytest
from stage.shops import price
from stage.wearing import EARBUDS, PHONE, RING, Worn
from stage.world import World

from lapel.commerce import OrderState
from lapel.devices import CueKind

pytestmark = pytest.mark.unit

LATTES = "two lattes to my office"


async def again(world: World, down_s: float = 2.0) -> None:
    """Die, and start again on the same record; the devices come back."""
    await world.crash()
    await world.passes(down_s)
    await world.open()
    await world.back()
    await world.passes(1)


def told(device: Worn, text: str) -> int:
    return sum(text in body for body in device.texts())


async def test_a_question_survives() -> None:
    async with World() as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await again(world)
        (topic,) = phone.questions
        assert phone.cards[topic].total == price(latte=2)
        assert len(phone.told(CueKind.APPROVAL)) == 1
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert str(order.total) == price(latte=2)


async def test_the_cart_survives() -> None:
    async with World() as world:
        phone, _, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await again(world)
        phone.type("make it three")
        await world.asked(2)
        (topic,) = phone.questions
        assert phone.cards[topic].total == price(latte=3)
        assert len(await world.orders.list(world.user_id)) == 1


async def test_a_price_that_comes_while_nobody_is_there_is_told_afterwards() -> None:
    async with World() as world:
        world.street.slow["create"] = 3.0
        phone, _, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.passes(1)
        await again(world)
        await world.asked()
        await world.quiet()
        assert len(phone.questions) == 1
        assert sum(price(latte=2) in text for text, _ in earbuds.heard()) == 1


async def test_nothing_is_told_twice_and_nothing_forgotten() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.quiet()
        await again(world)
        await world.quiet()
        assert told(phone, "is placed") == 1
        world.deliver(order, [(0.5, "preparing"), (3, "on_the_way")])
        await world.passes(5)
        await world.quiet()
        await again(world)
        world.deliver(order, [(0.5, "delivered")])
        await world.passes(3)
        await world.quiet()
        for text in ("is placed", "is being prepared", "is on its way", "was delivered"):
            assert told(phone, text) == 1, text
        spoken = [text for text, how in earbuds.heard() if how == "finished"]
        assert sum("is placed" in text for text in spoken) == 1
        assert sum("is on its way" in text for text in spoken) == 1
        assert sum("was delivered" in text for text in spoken) == 1
        assert world.untold() == []


async def test_dying_right_after_yes_buys_once_and_says_so() -> None:
    async with World() as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.until(lambda: "approved" in world.kinds())
        await again(world)
        order = await world.state(OrderState.PLACED)
        await world.quiet()
        assert told(phone, "is placed") == 1
        assert len(world.street.placed()) == 1
        assert world.street.money_kept() == order.total.minor


async def test_a_question_that_lapsed_meanwhile_is_told_as_lapsed() -> None:
    async with World() as world:
        phone, _, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await again(world, down_s=90)
        await world.state(OrderState.LAPSED)
        await world.quiet()
        assert phone.questions == []
        assert earbuds.heard()[-1] == (
            "Nobody confirmed, so I did not order it. Shall I try again?",
            "finished",
        )


async def test_a_courier_is_followed_again() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        world.deliver(order, [(0.5, "on_the_way")])
        await world.passes(5)
        await again(world)
        looked = world.street.tracked
        await world.passes(5)
        assert world.street.tracked > looked


async def test_dying_at_every_moment_of_an_order() -> None:
    """The process dies once, a little later in each round; the user then goes on as they would."""
    for moment in range(40):
        async with World() as world:
            phone, ring = await world.wear(PHONE, RING)
            phone.type(LATTES)
            await world.passes(0.001 + moment * 0.02)
            await again(world, down_s=0.5)
            if not await world.orders.list(world.user_id):
                phone.type(LATTES)
            await world.asked()
            if not world.of_kind("approved"):
                ring.press()
            order = await world.state(OrderState.PLACED)
            world.deliver(order, [(0.5, "on_the_way"), (1, "delivered")])
            await world.passes(3)
            assert told(phone, "is placed") == 1, world.story()
            assert told(phone, "was delivered") == 1, world.story()
            assert len(phone.told(CueKind.APPROVAL)) == 1, world.story()
            assert len(world.street.placed()) == 1
            assert world.untold() == []
