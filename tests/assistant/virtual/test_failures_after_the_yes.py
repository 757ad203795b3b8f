"""What goes wrong with an order that was agreed to: what is said, what it costs, who can be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stage.failing import (
    SAID,
    asked_anew,
    card_of,
    free,
    has_said,
    last,
    placed,
    wearing,
)

from lapel.commerce import (
    MerchantAdjustment,
    Money,
    OrderState,
    Policy,
    Unreachable,
)

pytestmark = pytest.mark.unit


async def test_a_price_that_moved_is_asked_anew_and_nothing_is_charged_until_then() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        phone.type(SAID)
        await world.asked()
        world.street.set("price:latte", 520)
        ring.press()
        await world.asked(2)
        await world.until(
            lambda: has_said(
                earbuds, "The price changed", "Nothing was charged.", "I ask you again."
            )
        )
        await free(world)
        ring.press()
        await world.state(OrderState.PLACED)
        assert world.street.money_kept() == 1700


async def test_trouble_says_what_it_costs_at_most_and_ends_by_itself() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        phone.type(SAID)
        await world.asked()
        complete = world.street.complete_checkout

        async def lost(*arguments: object) -> None:
            await complete(*arguments)
            for op in ("get", "complete", "cancel"):
                world.street.fail(op, "always down")
            raise Unreachable("the answer is lost")

        world.street.complete_checkout = lost
        ring.press()
        await world.until(lambda: "trouble" in world.kinds(), 200)
        await world.until(
            lambda: has_said(earbuds, "You pay once at most.", "I keep checking."), 60
        )
        world.street.heal()
        await world.state(OrderState.PLACED, within_s=2000)
        assert world.street.money_kept() == 1640


async def test_what_the_shop_gives_up_later_comes_back_and_is_to_be_had_elsewhere() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        order = await placed(world, phone, ring)
        world.street.promise_back(order.checkout_id, 1640)
        report = world.street.report(order.checkout_id, canceled=True)
        await world.orders.merchant_reports(report)
        await world.state(OrderState.REFUNDED, within_s=2000)
        said = await last(world, earbuds)
        assert said == "You got 16 euros 40 back. Shall I look elsewhere?"
        assert "The shop cancelled the order. I get your money back." in card_of(phone)[1]
        await free(world)
        phone.type("yes")
        assert (await asked_anew(world, order.id))[0] == "green"


async def test_a_refund_that_fails_names_the_amount_and_whom_to_ask() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        order = await placed(world, phone, ring)
        failed = MerchantAdjustment("a1", "refund", "failed", Money(-320, "EUR"))
        report = world.street.report(order.checkout_id, "preparing")
        await world.orders.merchant_reports(replace(report, adjustments=(failed,)))
        await world.until(lambda: has_said(earbuds, "3 euros 20", "Ask the shop."))
        assert world.street.money_kept() == 1640


async def test_a_refund_that_does_not_come_names_the_amount_and_whom_to_ask() -> None:
    policy = Policy(refund_late_s=60.0, refund_look_s=20.0)
    async with wearing(policy) as (world, phone, ring, earbuds):
        order = await placed(world, phone, ring)
        world.street.promise_back(order.checkout_id, 320)
        await world.orders.merchant_reports(world.street.report(order.checkout_id, "preparing"))
        await world.until(
            lambda: has_said(earbuds, "3 euros 20 back, and it has not come", "Ask the shop"), 300
        )
        assert world.kinds().count("refund_overdue") == 1
        assert world.street.money_kept() == 1640


async def test_a_late_order_and_a_page_of_the_shops() -> None:
    async with wearing() as (world, phone, ring, earbuds):
        order = await placed(world, phone, ring)
        await world.until(lambda: has_said(earbuds, "is placed"))
        await world.orders.merchant_reports(world.street.report(order.checkout_id, "late"))
        await world.until(lambda: has_said(earbuds, "late", "costs nothing more", "Ask the shop"))
    async with wearing() as (world, phone, ring, earbuds):
        world.street.set("escalate", "1")
        phone.type(SAID)
        await world.state(OrderState.ESCALATED)
        await world.until(
            lambda: has_said(
                earbuds, "on its own page", "nothing is ordered yet", "link is on your phone"
            )
        )
        (card,) = [card for topic, card in phone.cards.items() if topic.startswith("escalation:")]
        assert card.link is not None
        await free(world)
