"""What the user and the merchants do in each scenario; again and again, as those do who saw a crash."""

from __future__ import annotations

import time
from contextlib import suppress
from zoneinfo import ZoneInfo

from commerce_market import FLIGHT, GROCERIES, KEEPS, RIDE, Market
from commerce_town import LATTES, sending
from commerce_world import ON_SCREEN, TAP

from lapel.assistant.planning.undoing import BookingUndoer
from lapel.assistant.travel.booked import Bookings
from lapel.commerce import Money, Order, OrderDraft, OrderError, Orders, OrderState, ledger
from lapel.store import Store

USER, ORDER = "u_0", "o_crash"
ENDS = (OrderState.DELIVERED, OrderState.REFUNDED, OrderState.FAILED, OrderState.CANCELED)
RETURNED = 490
"""What is worth of what is sent back."""
WANTED = {
    "transfer": sending(),
    "groceries": GROCERIES,
    "journey given back": FLIGHT,
    "ride canceled": RIDE,
}


def wanted(scenario: str) -> OrderDraft:
    return WANTED.get(scenario, LATTES)


async def is_over(store: Store, orders: Orders, scenario: str) -> bool:
    """Whether the order is at its end, with nothing on its way and nothing to be paid."""
    order = await orders.get(ORDER)
    if order is None or order.state not in ENDS:
        return False
    if scenario == "groceries":
        return order.receipt is not None
    now = await store.read(lambda c: ledger.standing(c, ORDER))
    if scenario == "sent back" and "part_refunded" not in await _told(orders):
        return False
    return not now.get(ledger.TRANSIT)


async def behave(orders: Orders, town: Market, scenario: str) -> None:
    """The user approves what is asked; the merchant does what the scenario wants."""
    for approval in await orders.pending_approvals(USER):
        if approval.limit_id:
            continue
        if scenario == "reprice":
            town.set("price:latte", 550)
        evidence = ON_SCREEN if scenario == "transfer" else TAP
        await orders.decide(approval.id, "approve", evidence, checkout_hash=approval.checkout_hash)
    order = await orders.get(ORDER)
    if order is None:
        return
    placed = order.state is OrderState.PLACED
    # What was done a moment ago, or by the merchant itself, is closed.
    with suppress(OrderError):
        match scenario:
            case "merchant cancels" if placed:
                await orders.merchant_reports(town.report(order.checkout_id, canceled=True))
            case "groceries" if placed:
                await _answer(orders, town, order)
            case "journey given back" if placed:
                await _give_back(orders, town)
            case "ride canceled" if placed:
                undoer = BookingUndoer(orders, town, town)  # type: ignore[arg-type]
                await undoer.undo(order, Money(KEEPS, "EUR"))
            case "sent back" if order.state is OrderState.DELIVERED:
                await _send_back(orders, town, order)
            case _:
                pass


async def _answer(orders: Orders, town: Market, order: Order) -> None:
    """The user says yes to what is offered; the grocer weighs once it has heard that."""
    for event in await orders.history(ORDER):
        if event.kind == "substitution_asked":
            line_id, item_id = str(event.data["line_id"]), str(event.data["item_id"])
            await orders.answer_substitution(ORDER, line_id, item_id, True)
    if town.knob("answer"):
        town.pack(order.merchant_order_id)
        await orders.merchant_reports(town.report(order.checkout_id))


async def _give_back(orders: Orders, town: Market) -> None:
    bookings = Bookings(USER, orders, town, ZoneInfo("Europe/Helsinki"))  # type: ignore[arg-type]
    booking = await bookings.find("flight", time.time())
    if booking is not None:
        assert booking.status.refund_now is not None
        await bookings.cancel(booking, booking.status.refund_now)


async def _send_back(orders: Orders, town: Market, order: Order) -> None:
    """The user sends one thing back, as the skill for goods does; its report comes until heard."""
    if "refund_promised" not in await _told(orders):
        await orders.ask_return(ORDER, "latte", Money(0, "EUR"))
        worth = Money(RETURNED, "EUR")
        key = f"{ORDER}:return:latte:0"
        report = await town.send_back(order.merchant_id, order.merchant_order_id, worth, key)
        await orders.merchant_reports(report)
    elif not town.knob("heard"):
        town.take_back()
        await orders.merchant_reports(town.report(order.checkout_id))
        town.set("heard", 1)


async def _told(orders: Orders) -> set[str]:
    return {event.kind for event in await orders.history(ORDER)}
