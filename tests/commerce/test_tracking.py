"""From placed to delivered, cancelled or late."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from commerce_town import draft
from commerce_world import QUICK

from lapel.commerce import OrderState, verify, verify_chain

pytestmark = pytest.mark.net


async def test_reports_tell_each_stage_once_and_in_order(world):
    await world.stop()
    await world.start(replace(QUICK, track_first_s=1000.0, track_s=1000.0, track_most_s=1000.0))
    order = await world.placed()
    early = world.town.report(order.checkout_id, "preparing")
    later = world.town.report(order.checkout_id, "processing", "picked_up", "in_transit", "odd")
    for report in (later, early, later, early):
        await world.orders.merchant_reports(report)
    done = world.town.report(order.checkout_id, "delivered")
    await world.orders.merchant_reports(done)
    await world.orders.merchant_reports(done)
    await world.orders.merchant_reports(later)
    assert (await world.kinds(order.id))[5:] == [
        "preparing",
        "picked_up",
        "on_the_way",
        "delivered",
    ]
    assert (await world.orders.get(order.id)).state is OrderState.DELIVERED
    events = [e for e in world.heard if e.kind == "preparing"]
    assert events[0].text == "Your order is being prepared."
    assert "IGNORE" in events[0].data["merchant_text"]


async def test_a_report_that_overtakes_the_placing_is_asked_for_at_once(world, monkeypatch):
    await world.stop()
    await world.start(replace(QUICK, track_first_s=1000.0, track_s=1000.0, track_most_s=1000.0))
    complete = world.town.complete_checkout

    async def overtaken(*arguments):
        answer = await complete(*arguments)
        await world.orders.merchant_reports(world.town.report(answer.id, "delivered"))
        return answer

    monkeypatch.setattr(world.town, "complete_checkout", overtaken)
    order_id, _ = await world.asked()
    await world.approve(order_id)
    async with asyncio.timeout(30):
        await world.state(order_id, OrderState.DELIVERED)


async def test_a_report_of_something_else_is_dropped(world):
    order = await world.placed()
    report = world.town.report(order.checkout_id, canceled=True)
    world.town.db.execute("update orders set canceled=0")
    await world.orders.merchant_reports(replace(report, merchant_id="red"))
    await world.orders.merchant_reports(replace(report, id="m_x", checkout_id="c_x"))
    assert (await world.orders.get(order.id)).state is OrderState.PLACED


async def test_a_shop_that_cancels_gives_the_money_back(world):
    order = await world.placed()
    report = world.town.report(order.checkout_id, canceled=True)
    await world.orders.merchant_reports(report)
    await world.state(order.id, OrderState.REFUNDED)
    await world.orders.merchant_reports(report)
    assert (await world.kinds(order.id))[-2:] == ["merchant_canceled", "refunded"]
    after = await world.orders.get(order.id)
    assert after.receipt == order.receipt
    world.balanced()


async def test_a_cancellation_counts_long_after_tracking_has_ended(world):
    order = await world.placed()
    await world.stop()
    world.skew = QUICK.track_for_s + 10
    await world.start()
    await world.orders.merchant_reports(world.town.report(order.checkout_id, canceled=True))
    await world.state(order.id, OrderState.REFUNDED)
    world.balanced()


async def test_an_order_is_called_late_once(world):
    order = await world.placed()
    world.skew = 20 * 60 + QUICK.late_s + 1
    await world.event(order.id, "late")
    await world.orders.merchant_reports(world.town.report(order.checkout_id, "delivered"))
    await world.state(order.id, OrderState.DELIVERED)
    assert (await world.kinds(order.id)).count("late") == 1


async def test_receipts_of_a_user_form_a_chain(world):
    files = []
    for n in (1, 2, 3):
        order = await world.placed(draft(("latte", n)))
        await world.placed(draft(("tart", n)), "u_1")
        files.append(order.receipt)
    assert [r.lines[0].quantity for r in verify_chain(files)] == [1, 2, 3]
    assert verify(files[0]).previous == ""
