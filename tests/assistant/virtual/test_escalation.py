"""A shop that wants the buyer on its page: the link gets to the phone, and what was told is taken down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stage.shops import price
from stage.wearing import EARBUDS, GLASSES, PHONE, RING, Worn
from stage.world import World

from lapel.commerce import Order, OrderState
from lapel.devices import Cue

pytestmark = pytest.mark.unit

LATTES = "two lattes to my office"


def links(device: Worn) -> list[Cue]:
    return [cue for cue in device.told() if cue.card is not None and cue.card.link is not None]


def topics(device: Worn) -> set[str]:
    return {topic.partition(":")[0] for topic in device.cards}


async def escalated(world: World, phone: Worn) -> Order:
    world.street.set("escalate", "1")
    phone.type(LATTES)
    order = await world.state(OrderState.ESCALATED)
    await world.until(lambda: "escalation" in topics(phone))
    return order


async def test_the_phone_gets_the_link_the_glasses_the_words_and_the_ear_hears_it() -> None:
    async with World() as world:
        phone, glasses, earbuds, ring = await world.wear(PHONE, GLASSES, EARBUDS, RING)
        order = await escalated(world, phone)
        (cue,) = links(phone)
        assert cue.card is not None
        assert cue.card.link is not None
        assert cue.card.link.url == f"https://shop.example/checkout/{order.checkout_id}"
        assert cue.card.total == price(latte=2)
        assert "Adults only." in cue.card.body
        assert 1700 < (cue.expires_s or 0) <= 1800
        assert "escalation" in topics(glasses)
        assert links(glasses) == []
        await world.quiet()
        assert any("on its own page" in text for text, _ in earbuds.heard())
        ring.press()
        await world.passes(5)
        assert world.street.holds() == []
        world.street.confirms(order.checkout_id)
        await world.asked()
        assert "escalation" not in topics(phone) | topics(glasses)
        ring.press()
        await world.state(OrderState.PLACED)


async def test_the_link_survives_a_death_and_finds_a_phone_that_joins_later() -> None:
    async with World() as world:
        glasses, _ = await world.wear(GLASSES, RING)
        world.street.set("escalate", "1")
        (typing,) = await world.wear(PHONE)
        typing.type(LATTES)
        order = await world.state(OrderState.ESCALATED)
        await typing.die()
        await world.crash()
        await world.passes(60)
        await world.open()
        await world.back(glasses, typing)
        await world.until(lambda: "escalation" in topics(typing))
        assert links(typing)[-1].card.link.url.endswith(order.checkout_id)  # type: ignore[union-attr]
        world.street.finishes(order.checkout_id)
        await world.until(lambda: world.of_kind("placed"))
        await world.until(lambda: "escalation" not in topics(typing))


async def test_saying_it_again_and_dropping_it_while_the_shop_waits() -> None:
    async with World() as world:
        (phone,) = await world.wear(PHONE)
        await escalated(world, phone)
        phone.type("where is my order")
        await world.until(lambda: any("waits for you on its own page" in x for x in phone.texts()))
        phone.type("cancel")
        await world.state(OrderState.CANCELED)
        await world.until(lambda: "escalation" not in topics(phone))
        assert world.street.holds() == []


async def test_a_page_that_nobody_visits_lapses_with_a_word() -> None:
    async with World() as world:
        world.policy = replace(world.policy, escalation_s=60.0)
        await world.crash()
        await world.open()
        (phone,) = await world.wear(PHONE)
        await escalated(world, phone)
        await world.state(OrderState.LAPSED, within_s=70)
        await world.until(lambda: any("in time" in text for text in phone.texts()))
        assert "escalation" not in topics(phone)
