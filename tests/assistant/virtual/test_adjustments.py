"""What a shop gives back is told beside the order's way, once, and also after the door."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stage.wearing import EARBUDS, PHONE, RING, Worn
from stage.world import World

from lapel.commerce import MerchantAdjustment, MerchantOrder, Money, Order, OrderState

pytestmark = pytest.mark.unit


def with_refund(report: MerchantOrder, status: str = "completed") -> MerchantOrder:
    refund = MerchantAdjustment("a1", "refund", status, Money(-320, "EUR"), "One was missing.")
    return replace(report, adjustments=(refund,))


async def placed(world: World, phone: Worn, ring: Worn) -> Order:
    phone.type("two lattes to my office")
    await world.asked()
    ring.press()
    return await world.state(OrderState.PLACED)


def told(device: Worn) -> list[str]:
    return [text for text in device.texts() if "3 euros 20 back" in text]


async def test_a_refund_on_the_way_leaves_the_order_s_card_and_is_said_once() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        order = await placed(world, phone, ring)
        report = world.street.report(order.checkout_id, "preparing", "picked_up")
        await world.orders.merchant_reports(report)
        await world.until(lambda: world.of_kind("picked_up"))
        for _ in range(2):
            await world.orders.merchant_reports(with_refund(report))
        await world.until(lambda: told(phone))
        await world.quiet()
        assert len(told(phone)) == 1
        assert "One was missing." in told(phone)[0]
        assert sum("3 euros 20 back" in text for text, _ in earbuds.heard()) == 1
        card = phone.cards[f"order:{order.id}"]
        assert card.progress is not None
        assert card.progress.at == 2


async def test_a_refund_after_the_door_reaches_a_phone_that_was_away() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        order = await placed(world, phone, ring)
        report = world.street.report(order.checkout_id, "delivered")
        await world.orders.merchant_reports(report)
        await world.state(OrderState.DELIVERED)
        await phone.die()
        await ring.die()
        await world.orders.merchant_reports(with_refund(report))
        await world.crash()
        await world.open()
        await world.back()
        await world.until(lambda: told(phone))
        await world.passes(5)
        assert len(told(phone)) == 1
