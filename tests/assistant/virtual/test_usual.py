"""The usual: what was had before, as it costs and is to be had today."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stage.shops import MENUS, price
from stage.wearing import PHONE, RING, Worn, text_of
from stage.world import BRAIN, World

from lapel.brain import AddressLabel, Brain
from lapel.commerce import OrderState

pytestmark = pytest.mark.unit


async def had(world: World, phone: Worn, ring: Worn, text: str, count: int) -> None:
    """Order it and have it delivered; it is the `count`th order."""
    phone.type(text)
    await world.asked(count)
    ring.press()
    order = await world.state(OrderState.PLACED)
    world.deliver(order, [(0.5, "delivered")])
    await world.state(OrderState.DELIVERED)
    await world.passes(1)


async def test_the_usual_is_what_was_ordered_most_and_last_time_is_the_newest() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        await had(world, phone, ring, "two lattes to my office", 1)
        await had(world, phone, ring, "two lattes to my office", 2)
        await had(world, phone, ring, "a muffin to my home", 3)
        phone.type("the usual please")
        await world.asked(4)
        (asked,) = phone.questions
        assert phone.cards[asked].total == price(latte=2)
        assert "your office" in text_of(phone.cards[asked])
        ring.press(long=True)
        await world.state(OrderState.REFUSED)
        phone.type("same as last time")
        await world.asked(5)
        (asked,) = phone.questions
        assert phone.cards[asked].total == price(muffin=1)
        assert "home" in text_of(phone.cards[asked])


async def test_the_usual_goes_elsewhere_and_can_be_changed_like_any_cart() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        await had(world, phone, ring, "two lattes to my office", 1)
        phone.type("my usual to my place")
        await world.asked(2)
        assert "home" in text_of(phone.cards[phone.questions[0]])
        phone.type("make it three")
        await world.asked(3)
        assert phone.cards[phone.questions[0]].total == price(latte=3)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert order.draft.address.label == "home"


async def test_of_what_kind_and_from_where() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        await had(world, phone, ring, "two lattes to my office", 1)
        await had(world, phone, ring, "a ramen to my office", 2)
        phone.type("my usual coffee")
        await world.asked(3)
        assert phone.cards[phone.questions[0]].total == price(latte=2)
        ring.press(long=True)
        await world.state(OrderState.REFUSED)
        phone.type("the usual from red bowl")
        await world.asked(4)
        assert phone.cards[phone.questions[0]].total == price(ramen=1)


async def test_what_cannot_be_had_is_said_and_orders_nothing() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type("the usual")
        await world.until(lambda: any("not ordered anything yet" in x for x in phone.texts()))
        await had(world, phone, ring, "two lattes and a tart to my office", 1)
        phone.type("the usual from Pizza Moon")
        await world.until(lambda: any("not ordered from pizza moon" in x for x in phone.texts()))
        phone.type("the usual to the moon")
        await world.until(lambda: any("where the moon is" in x for x in phone.texts()))
        phone.type("the usual suspects")
        await world.quiet()
        assert len(await world.orders.list(world.user_id)) == 1


async def test_sold_out_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    blue = MENUS[0]
    no_tart = tuple(
        replace(item, available=False) if item.id == "tart" else item for item in blue.items
    )
    places = (AddressLabel("office"), AddressLabel("home"))
    today = [BRAIN]
    async with World() as world:

        async def brain(user_id: str) -> Brain:
            return today[0]

        monkeypatch.setattr(world, "_brain", brain)
        object.__setattr__(world.house._ground, "brain", brain)
        phone, ring = await world.wear(PHONE, RING)
        await had(world, phone, ring, "two lattes and a tart to my office", 1)
        today[0] = Brain((replace(blue, items=no_tart), MENUS[1]), places)
        phone.type("the usual")
        await world.asked(2)
        card = phone.cards[phone.questions[0]]
        assert card.total == price(latte=2)
        assert "no Tart" in text_of(card)
        ring.press(long=True)
        await world.state(OrderState.REFUSED)
        today[0] = Brain((replace(blue, open_now=False, opens_text="It opens at 8."),), places)
        phone.type("the usual")
        await world.until(
            lambda: any("Blue Door is closed. It opens at 8." in x for x in phone.texts())
        )
