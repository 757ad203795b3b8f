"""What was offered after a failure is understood, by word and by button, and nothing else is."""

from __future__ import annotations

import re

import pytest
from stage.failing import (
    answered,
    asked_anew,
    card_of,
    free,
    last,
    once,
    priced,
    refused,
    wearing,
)
from stage.wearing import PENDANT

from lapel.commerce import (
    LimitError,
    Money,
    OrderState,
    Policy,
)

pytestmark = pytest.mark.unit


async def test_another_address_of_the_users_own() -> None:
    for words in ("to home", "bring it to my place", "home"):
        async with wearing() as (world, phone, ring, earbuds):
            once(world, "create_checkout", refused("out_of_area"))
            await priced(world, phone, ring)
            assert (await last(world, earbuds)).endswith("Say another address, or another shop.")
            (before,) = await world.orders.list(world.user_id, 1)
            phone.type(words)
            await asked_anew(world, before.id)
            (newest,) = await world.orders.list(world.user_id, 1)
            assert newest.draft.address.label == "home"


async def test_another_shop_by_its_name_and_one_that_has_not_all_of_it() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        once(world, "create_checkout", refused("shop_closed"))
        await priced(world, phone, ring)
        phone.type("from Red Bowl")
        await world.until(
            lambda: "Red Bowl does not have all of that. Nothing was ordered." in earbuds.spoken()
        )
        (before,) = await world.orders.list(world.user_id, 1)
        await last(world, earbuds)
        phone.type("look elsewhere")
        assert (await asked_anew(world, before.id))[0] == "green"


async def test_it_is_taken_up_by_voice_and_can_be_changed() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        (pendant,) = await world.wear(PENDANT)
        once(world, "create_checkout", refused("checkout_expired"))
        await priced(world, phone, ring)
        assert (await last(world, earbuds)).endswith("Shall I try again?")
        (before,) = await world.orders.list(world.user_id, 1)
        await world.say("yes please", pendant)
        await asked_anew(world, before.id)
        phone.type("make it three lattes")
        await world.asked(2)
        (newest,) = await world.orders.list(world.user_id, 1)
        assert [line.quantity for line in newest.draft.lines] == [3, 1]
        ring.press()
        await world.state(OrderState.PLACED)
        assert len(world.street.placed()) == 1


async def test_no_leaves_it_and_a_later_yes_buys_nothing() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        once(world, "create_checkout", refused("shop_closed"))
        await priced(world, phone, ring)
        await last(world, earbuds)
        phone.type("no")
        await world.until(lambda: "All right." in earbuds.spoken())
        for words in ("what cakes do they have", "yes"):
            phone.type(words)
            await world.passes(10)
        assert len(await world.orders.list(world.user_id, 9)) == 1
        await world.passes(2000)
        phone.type("try again")
        await world.passes(10)
        assert len(await world.orders.list(world.user_id, 9)) == 1


async def test_a_button_of_a_card_that_is_out_of_date_orders_nothing() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        once(world, "create_checkout", refused("shop_closed"))
        await priced(world, phone, ring)
        await last(world, earbuds)
        topic, _, _ = card_of(phone)
        phone.tap("elsewhere", topic)
        await world.asked()
        for _ in range(2):
            phone.tap("elsewhere", topic)
            await world.until(
                lambda: answered(earbuds, "That is out of date. Nothing was ordered.")
            )
        assert len(await world.orders.list(world.user_id, 9)) == 2


async def test_a_limit_is_raised_in_the_step_that_is_named_and_the_order_goes_on() -> None:
    """Above the limit and, raised, above what a press may buy: it takes the button of a screen."""
    policy = Policy(max_order={"EUR": 1000}, screen_over={"EUR": 1500})
    async with wearing(policy) as (world, phone, ring, earbuds):
        await priced(world, phone, ring)
        said = await last(world, earbuds)
        assert said == (
            "That is 16 euros 40, and your limit is 10 euros. Nothing was ordered. "
            "Raise your limit in the console, then say try again."
        )
        _, shown, actions = card_of(phone)
        (most,) = re.findall(r"with: lapel limit (\d+)\.", shown)
        assert actions == ["again"]
        await free(world)
        (before,) = await world.orders.list(world.user_id, 1)
        await world.orders.ceilings.set(world.user_id, "orders", Money(int(most) * 100, "EUR"))
        phone.type("try again")
        await asked_anew(world, before.id)
        ring.press()
        await world.passes(5)
        assert "placed" not in world.kinds()
        phone.tap("approve", phone.questions[0])
        await world.state(OrderState.PLACED)
        assert world.street.money_kept() == 1640


async def test_limits_that_cannot_be_meant_change_nothing() -> None:
    async with wearing() as (world, _phone, _ring, _earbuds):
        before = await world.orders.ceilings.of(world.user_id)
        assert [(x.kind, x.most.minor, x.own) for x in before] == [
            ("orders", 20000, False),
            ("travel", 200000, False),
        ]
        for minor in (0, -5, 10**9):
            with pytest.raises(LimitError):
                await world.orders.ceilings.set(world.user_id, "orders", Money(minor, "EUR"))
        assert await world.orders.ceilings.of(world.user_id) == before
