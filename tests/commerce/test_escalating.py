"""A shop that wants the buyer on its own page: waiting, going on, and what the buyer does there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from commerce_town import LATTES, TOTAL, draft
from commerce_world import QUICK

from lapel.commerce import OrderError, OrderState

pytestmark = pytest.mark.net

PATIENT = replace(QUICK, escalation_s=600.0, escalation_look_s=0.02, escalation_look_most_s=0.05)


@pytest.fixture
async def escalated(world):
    """The world with an order that waits for its buyer, and the event that said so."""
    await world.stop()
    await world.start(PATIENT)
    world.town.set("escalate", "1")
    order_id = await world.orders.begin("u_0", LATTES)
    event = await world.event(order_id, "escalated")
    return world, await world.orders.get(order_id), event


async def test_the_buyer_gets_the_link_and_then_the_question(escalated):
    world, order, event = escalated
    assert order.state is OrderState.ESCALATED
    assert event.data["continue_url"] == f"https://shop.example/checkout/{order.checkout_id}"
    assert event.data["reason"] == "Adults only."
    assert event.data["total"] == {"minor": TOTAL, "currency": "EUR"}
    assert world.town.holds() == []
    assert await world.orders.pending_approvals("u_0") == []
    world.town.confirms(order.checkout_id)
    asked = await world.event(order.id, "approval_needed")
    assert asked.data["escalated"] is True
    await world.approve(order.id)
    await world.state(order.id, OrderState.PLACED)
    assert await world.kinds(order.id) == [
        "escalated", "quoted", "approval_needed", "approved", "paid", "placed",
    ]  # fmt: skip
    world.balanced(TOTAL)


async def test_it_waits_over_a_restart_and_a_silent_shop(escalated):
    world, order, _ = escalated
    await world.stop()
    world.town.fail("get", "down", "nonsense", "down")
    await world.start()
    world.town.confirms(order.checkout_id)
    await world.event(order.id, "approval_needed")
    assert (await world.kinds(order.id)).count("escalated") == 1


async def test_nobody_comes(escalated):
    world, order, _ = escalated
    world.skew = 601.0
    lapsed = await world.event(order.id, "lapsed")
    assert "in time" in lapsed.text
    assert (await world.orders.get(order.id)).state is OrderState.LAPSED
    world.balanced()


async def test_the_shop_gives_it_up(escalated):
    world, order, _ = escalated
    await world.town.cancel_checkout("blue", order.checkout_id, "theirs")
    gone = await world.event(order.id, "quote_failed")
    assert gone.text == "The shop gave the order up. Nothing was ordered."
    assert (await world.orders.get(order.id)).state is OrderState.FAILED


async def test_what_the_buyer_completes_there_is_placed_and_costs_nothing_here(escalated):
    world, order, _ = escalated
    world.town.finishes(order.checkout_id)
    placed = await world.event(order.id, "placed")
    assert placed.data["paid_at_shop"] is True
    now = await world.orders.get(order.id)
    assert (now.state, now.merchant_order_id) == (OrderState.PLACED, f"m_{order.checkout_id}")
    assert now.receipt is None
    assert world.town.calls("authorize") == 0
    assert world.town.calls("complete") == 0
    await world.orders.merchant_reports(world.town.report(order.checkout_id, "delivered"))
    await world.state(order.id, OrderState.DELIVERED)
    assert world.town.holds() == []


async def test_completed_a_moment_before_the_time_is_over(escalated):
    world, order, _ = escalated
    await world.stop()
    world.town.finishes(order.checkout_id)
    world.skew = 700.0
    await world.start()
    await world.state(order.id, OrderState.PLACED)
    assert "lapsed" not in await world.kinds(order.id)


@pytest.mark.parametrize("changed", [{"extra": 100}, {"item": "tart"}])
async def test_what_does_not_agree_is_not_ours(escalated, changed):
    world, order, _ = escalated
    world.town.finishes(order.checkout_id, **changed)
    told = await world.event(order.id, "trouble")
    assert "I paid nothing" in told.text
    assert (await world.orders.get(order.id)).state is OrderState.FAILED
    assert world.town.calls("authorize") == 0
    assert world.town.calls("cancel") == 0


async def test_an_order_paid_there_and_cancelled_by_the_shop_moves_no_money_here(escalated):
    world, order, _ = escalated
    world.town.finishes(order.checkout_id)
    await world.state(order.id, OrderState.PLACED)
    await world.orders.merchant_reports(world.town.report(order.checkout_id, canceled=True))
    told = await world.event(order.id, "merchant_canceled")
    assert "What you paid on its page" in told.text
    assert (await world.orders.get(order.id)).state is OrderState.CANCELED
    assert world.town.calls("release") == 0


async def test_a_webhook_is_reason_to_look_at_once(world):
    await world.stop()
    await world.start(replace(PATIENT, escalation_look_s=1000.0, escalation_look_most_s=1000.0))
    world.town.set("escalate", "1")
    order_id = await world.orders.begin("u_0", LATTES)
    await world.event(order_id, "escalated")
    order = await world.orders.get(order_id)
    world.town.finishes(order.checkout_id)
    await world.orders.merchant_reports(world.town.report(order.checkout_id, "preparing"))
    async with asyncio.timeout(30):
        await world.state(order_id, OrderState.PLACED)


async def test_the_user_may_drop_or_change_it_meanwhile(escalated):
    world, order, _ = escalated
    await world.orders.revise(order.id, draft(("latte", 1)))
    again = await world.event(order.id, "escalated", 2)
    assert again.data["total"]["minor"] == 490 + 340
    await world.orders.cancel(order.id)
    assert (await world.orders.get(order.id)).state is OrderState.CANCELED
    await world.called("cancel")
    with pytest.raises(OrderError):
        await world.orders.revise(order.id, LATTES)


async def test_dropped_here_but_completed_there_is_told(escalated):
    world, order, _ = escalated
    await world.stop()
    world.town.finishes(order.checkout_id)
    await world.orders.cancel(order.id)
    await world.start()
    # The workflow was stopped at the waiting state; it goes on from where the record stands.
    told = await world.event(order.id, "trouble")
    assert "on its own page" in told.text


async def test_without_a_link_that_can_be_trusted_nothing_is_ordered(world):
    world.town.set("escalate", "1")
    world.town.set("page", "")
    order_id = await world.orders.begin("u_0", LATTES)
    failed = await world.event(order_id, "quote_failed")
    assert "no link that I trust" in failed.text
    assert (await world.orders.get(order_id)).state is OrderState.FAILED


async def test_a_shop_that_escalates_after_the_yes_frees_the_money_first(world):
    await world.stop()
    await world.start(PATIENT)
    order_id, _ = await world.asked()
    world.town.set("escalate", "1")
    await world.approve(order_id)
    await world.event(order_id, "escalated")
    order = await world.orders.get(order_id)
    assert (order.revision, order.approval, order.authorization_id) == (1, None, "")
    assert [state for _, state, _, _ in world.town.holds()] == ["voided"]
    world.town.confirms(order.checkout_id)
    await world.approve(order_id, 2)
    await world.state(order_id, OrderState.PLACED)
    world.balanced(TOTAL)
