"""From placed to delivered, cancelled or late."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from commerce_town import draft
from commerce_world import QUICK

from lapel.commerce import MerchantAdjustment, Money, OrderState, verify, verify_chain

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


def adjusted(report, *adjustments):
    """The report with adjustments: (id, kind, status, minor, text)."""
    made = tuple(
        MerchantAdjustment(id, kind, status, None if minor is None else Money(minor, "EUR"), text)
        for id, kind, status, minor, text in adjustments
    )
    return replace(report, adjustments=made)


async def test_adjustments_are_told_once_in_each_status(world):
    order = await world.placed()
    report = world.town.report(order.checkout_id, "preparing")
    promised = adjusted(report, ("a1", "credit", "pending", -100, "Sorry\x07 for it."))
    given = adjusted(
        report, ("a1", "credit", "completed", -100, ""), ("a2", "refund", "completed", -320, "")
    )
    for told in (promised, promised, given, promised, given):
        await world.orders.merchant_reports(told)
    news = [e for e in world.heard if e.kind in ("refund_promised", "part_refunded")]
    assert [(e.kind, e.data["adjustment"], e.text) for e in news] == [
        ("refund_promised", "a1", "The shop wants to give you 1 euro back. It says: Sorry for it."),
        ("part_refunded", "a1", "The shop gives you 1 euro back."),
        ("part_refunded", "a2", "The shop gives you 3 euros 20 back."),
    ]
    assert (await world.orders.get(order.id)).state is OrderState.PLACED


async def test_adjustments_after_the_door_are_told_and_move_nothing(world):
    order = await world.placed()
    report = world.town.report(order.checkout_id, "delivered")
    await world.orders.merchant_reports(report)
    await world.state(order.id, OrderState.DELIVERED)
    late = adjusted(
        report,
        ("a1", "return", "completed", None, ""),
        ("a2", "exchange", "completed", 250, "A larger one."),
        ("a3", "refund", "failed", -5, ""),
        ("a4", "gift", "completed", None, "A cake."),
    )
    await world.orders.merchant_reports(late)
    await world.orders.merchant_reports(late)
    assert (await world.kinds(order.id))[-4:] == [
        "adjusted", "charged_more", "refund_failed", "adjusted",
    ]  # fmt: skip
    said = {e.data["adjustment"]: e.text for e in world.heard if "adjustment" in e.data}
    assert said["a1"] == "The shop has got back what you returned."
    assert said["a2"].endswith("I pay nothing that you have not agreed to.")
    assert said["a4"] == "The shop changed something in your order. It says: A cake."
    assert (await world.orders.get(order.id)).state is OrderState.DELIVERED
    assert world.town.calls("release") == 0
    assert world.town.calls("authorize") == 1


async def test_receipts_of_a_user_form_a_chain(world):
    files = []
    for n in (1, 2, 3):
        order = await world.placed(draft(("latte", n)))
        await world.placed(draft(("tart", n)), "u_1")
        files.append(order.receipt)
    assert [r.lines[0].quantity for r in verify_chain(files)] == [1, 2, 3]
    assert verify(files[0]).previous == ""
