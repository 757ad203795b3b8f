"""Every failure of an order before it is placed, provoked: what the earbuds say and the phone shows of it, what it cost, and that what is offered works."""

from __future__ import annotations

import pytest
from stage.failing import (
    OF_BANKS,
    OF_SHOPS,
    SAID,
    Provoke,
    confirmed,
    holds,
    priced,
    refused,
)
from stage.wearing import Worn
from stage.world import World

from lapel.commerce import (
    OrderState,
)
from lapel.failures import Code

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("code", OF_SHOPS)
async def test_what_a_shop_refuses_to_price(code: Code) -> None:
    await holds(code, "create_checkout", priced, refused(code).text)


@pytest.mark.parametrize("code", OF_SHOPS)
async def test_what_a_shop_refuses_after_the_yes(code: Code) -> None:
    await holds(code, "complete_checkout", confirmed, refused(code).text, most=1)


@pytest.mark.parametrize("code", OF_BANKS)
async def test_what_a_bank_refuses(code: Code) -> None:
    await holds(code, "authorize", confirmed, "The card was declined.")


async def silent(world: World, phone: Worn, ring: Worn) -> None:
    world.street.fail("create", "always down")
    phone.type(SAID)
    await world.state(OrderState.FAILED, within_s=120)
    world.street.heal()


async def senseless(world: World, phone: Worn, ring: Worn) -> None:
    world.street.fail("create", "nonsense")
    await priced(world, phone, ring)


async def unanswered(world: World, phone: Worn, ring: Worn) -> None:
    phone.type(SAID)
    await world.state(OrderState.LAPSED, within_s=90)


async def bank_silent(world: World, phone: Worn, ring: Worn) -> None:
    phone.type(SAID)
    await world.asked()
    world.street.fail("authorize", "always down")
    ring.press()
    await world.until(lambda: "place_failed" in world.kinds(), 120)
    world.street.heal()
    await world.state(OrderState.REFUNDED, within_s=120)


async def placing_silent(world: World, phone: Worn, ring: Worn) -> None:
    phone.type(SAID)
    await world.asked()
    world.street.fail("complete", *["down"] * 6)
    ring.press()
    await world.state(OrderState.REFUNDED, within_s=200)


@pytest.mark.parametrize(
    ("code", "provoke", "happened"),
    [
        ("quote_failed", silent, "The shop does not answer."),
        ("nonsense", senseless, "makes no sense"),
        ("lapsed", unanswered, "Nobody confirmed"),
        ("unreachable", bank_silent, "The bank does not answer"),
        ("place_failed", placing_silent, "The shop does not answer, so I stopped the order"),
    ],
)
async def test_what_comes_to_nothing_by_silence(
    code: Code, provoke: Provoke, happened: str
) -> None:
    await holds(code, "", provoke, happened)
