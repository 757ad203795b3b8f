"""From placed to delivered: what the merchant reports, by webhook or when asked."""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import booked, ledger, overdue, records, transfers, trips, words
from lapel.commerce.card import card, money
from lapel.commerce.desk import Desk, Step, key_of
from lapel.commerce.fees import adjustments_told, expect_refunds, returned_later
from lapel.commerce.journeys import JOURNEYS
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.paying import at_most, payment_of
from lapel.commerce.ports import MerchantEvent, MerchantOrder, PortError, Refused
from lapel.commerce.records import Told
from lapel.commerce.settling import questions_told
from lapel.commerce.tables import TABLES
from lapel.commerce.times import seconds

_KINDS = {
    "processing": "preparing",
    "preparing": "preparing",
    "picked_up": "picked_up",
    "shipped": "picked_up",
    "in_transit": "on_the_way",
    "out_for_delivery": "on_the_way",
    "on_the_way": "on_the_way",
    "delivered": "delivered",
    "late": "late",
    "delayed": "late",
}
_STAGES = ("preparing", "picked_up", "on_the_way", "delivered")
_KINDS_AT_THE_SHOP = {
    "processing": "preparing",
    "preparing": "preparing",
    "ready": "ready",
    "ready_for_pickup": "ready",
    "ready_for_collection": "ready",
    "picked_up": "delivered",
    "collected": "delivered",
    "delivered": "delivered",
    "late": "late",
    "delayed": "late",
}
_STAGES_AT_THE_SHOP = ("preparing", "ready", "delivered")
_WORDS = {
    "preparing": words.PREPARING,
    "picked_up": words.PICKED_UP,
    "on_the_way": words.ON_THE_WAY,
    "delivered": words.DELIVERED,
    "late": words.LATE,
}
_LATE = "late:eta"


async def track(desk: Desk, order: Order, attempt: int) -> Step:
    """Wait for webhooks; ask the merchant when it is silent, ever more rarely."""
    policy, now = desk.policy, desk.clock()
    over_at = order.updated_at + policy.track_for_s
    draft = order.draft
    if now > max(over_at, booked.followed_until(draft), trips.followed_until(draft)):
        return Step(OrderState.PLACED, done=True)
    if attempt == 0:
        return Step(OrderState.PLACED, 1, now + policy.track_first_s)
    late_at = _late_at(desk, order)
    if late_at is not None and now >= late_at:
        await _tell_late(desk, order, now)
    # The first look is always taken: reports that overtook the placing were not applied.
    heard = attempt > 1 and now - order.updated_at < policy.track_first_s
    news = False if heard or not order.merchant_order_id else await _ask(desk, order)
    await settle_refunds(desk, order)
    attempt = 1 if news else attempt + 1
    patience_s = booked.patience_s(draft, now, policy.track_in(attempt))
    until = now + trips.patience_s(draft, now, patience_s)
    if late_at is not None and now < late_at < until:
        until = late_at
    return Step(OrderState.PLACED, attempt, until)


def apply(
    connection: sa.Connection, order: Order, report: MerchantOrder, at: float
) -> list[OrderEvent]:
    """Write what is new in a report. A report is the whole story, so a late one adds nothing."""
    if order.state is OrderState.DELIVERED:
        expect_refunds(connection, order, report, at)
        return records.tell(connection, order, at, adjustments_told(order, report))
    if order.state is OrderState.CANCELED and order.receipt is not None:
        return records.tell(connection, order, at, returned_later(connection, order, report, at))
    if order.state is not OrderState.PLACED:
        return []
    keys = records.told_keys(connection, order.id)
    if order.draft.is_booking:
        return _booked(connection, order, report, keys, at)
    if order.draft.transfer is not None and not report.canceled:
        return transfers.apply(connection, order, report, at)
    news = [*_progress(order, report, keys), *questions_told(connection, order, report)]
    if report.canceled and not order.authorization_id:
        # Paid on the shop's own page: there is no money of ours to bring back.
        there = Told("merchant_canceled", "m:canceled", words.THERE_CANCELED, card(order))
        return records.move(connection, order, OrderState.CANCELED, at, *news, there)
    if report.canceled:
        # What the shop gives back is told by the bank's word, once.
        told = Told("merchant_canceled", "m:canceled", words.SHOP_CANCELED_LATER, card(order))
        ledger.refund_due(connection, order, None, "due:all", at)
        return records.move(connection, order, OrderState.REFUNDING, at, *news, told)
    news += adjustments_told(order, report) + _asks_more(order, report)
    expect_refunds(connection, order, report, at)
    if any(told.kind == "delivered" for told in news):
        return records.move(connection, order, OrderState.DELIVERED, at, *news)
    events = records.tell(connection, order, at, news)
    if events:
        records.touch(connection, order.id, at)
    return events


def _booked(
    connection: sa.Connection, order: Order, report: MerchantOrder, keys: set[str], at: float
) -> list[OrderEvent]:
    if order.draft.trip is not None:
        return trips.apply(connection, order, report, keys, at)
    kind = JOURNEYS if order.draft.journey is not None else TABLES
    return booked.apply(kind, connection, order, report, keys, at)


async def settle_refunds(desk: Desk, order: Order) -> bool:
    """See whether what the merchant gives back has come; False while some of it has not."""
    standing = await desk.journal.read(lambda c: ledger.standing(c, order.id))
    if not standing.get(ledger.TRANSIT, 0):
        return True
    try:
        back = (await payment_of(desk, order)).refunded
    except PortError:
        return False
    now = desk.clock()

    def work(connection: sa.Connection) -> tuple[bool, list[OrderEvent]]:
        left, events = overdue.arrived(connection, order, back, now)
        return not left, events

    return await desk.journal.commit(work)


async def deliver(desk: Desk, order: Order, attempt: int) -> Step:
    """Nothing is left to do, unless money is still on its way back."""
    if await settle_refunds(desk, order) or attempt >= desk.policy.refund_attempts:
        return Step(order.state, done=True)
    return desk.retry_slowly(order.state, attempt)


async def close(desk: Desk, order: Order, attempt: int) -> Step:
    """An order that came to nothing: let the merchant know, for courtesy; nothing hangs on it."""
    if order.state is OrderState.CANCELED and order.merchant_order_id:
        return await deliver(desk, order, attempt)  # of what was booked, a part comes back
    done = Step(order.state, done=True)
    if not order.checkout_id or order.merchant_order_id or attempt >= desk.policy.cancel_attempts:
        return done
    try:
        await desk.merchants.cancel_checkout(
            order.merchant_id, order.checkout_id, key_of(order, "cancel")
        )
    except Refused as error:
        if error.code == "already_completed" and not order.authorization_id:
            await _tell_already_there(desk, order)
        return done
    except PortError:
        return desk.retry(order.state, attempt)
    return done


async def _tell_already_there(desk: Desk, order: Order) -> None:
    """Dropped here a moment after the buyer had completed it on the shop's own page."""
    told = Told("trouble", f"{order.revision}:there", words.ALREADY_THERE, card(order))
    now = desk.clock()
    await desk.journal.commit(lambda c: (None, records.tell(c, order, now, [told])))


async def _ask(desk: Desk, order: Order) -> bool:
    try:
        report = await desk.merchants.get_order(order.merchant_id, order.merchant_order_id)
    except PortError:
        return False
    if report.id != order.merchant_order_id or report.checkout_id not in ("", order.checkout_id):
        return False
    now = desk.clock()

    def work(connection: sa.Connection) -> tuple[bool, list[OrderEvent]]:
        events = apply(connection, records.load(connection, order.id), report, now)
        return bool(events), events

    return await desk.journal.commit(work)


def _progress(order: Order, report: MerchantOrder, keys: set[str]) -> list[Told]:
    """Stages not told yet, and none that lies behind the furthest that was."""
    fetched = order.draft.pickup
    stages = _STAGES_AT_THE_SHOP if fetched else _STAGES
    kinds = _KINDS_AT_THE_SHOP if fetched else _KINDS
    reached = max((i for i, stage in enumerate(stages) if f"m:{stage}" in keys), default=-1)
    told: list[Told] = []
    for event in report.events:
        kind = kinds.get(event.kind)
        if kind is None:
            continue
        if kind == "late":
            told.append(_told(order, kind, f"m:late:{event.id}", event))
            continue
        stage = stages.index(kind)
        if stage > reached:
            reached = stage
            told.append(_told(order, kind, f"m:{kind}", event))
    return told


def _told(order: Order, kind: str, key: str, event: MerchantEvent) -> Told:
    data = {
        **card(order),
        "merchant_event": event.id,
        "merchant_at": event.at,
        "merchant_text": event.text,
        "tracking_url": event.tracking_url,
    }
    return Told(kind, key, _said(order, kind), data)


def _said(order: Order, kind: str) -> str:
    if kind == "ready":
        return words.ready(order.checkout)
    if kind == "delivered" and order.draft.pickup:
        return words.FETCHED
    return _WORDS[kind]


def _asks_more(order: Order, report: MerchantOrder) -> list[Told]:
    """An order that costs more than was approved: the hold stands, and the user is told so once.

    Less is no fault: something may have been left out and given back.
    """
    paid = order.total
    if not at_most(order) and order.checkout is not None:
        paid = order.checkout.total  # it may have taken less than the exact total, and was heard
    if paid is None or (
        report.total.currency == paid.currency and report.total.minor <= paid.minor
    ):
        return []
    said = words.other_total(paid, report.total)
    return [Told("trouble", "m:total", said, {**card(order), "asked": money(report.total)})]


def _late_at(desk: Desk, order: Order) -> float | None:
    """When it is late. A ride for later is not before its own time, whenever it was booked."""
    trip = order.draft.trip
    if trip is not None and trip.kind == "ride" and trip.pickup_at:
        return seconds(trip.pickup_at) + desk.policy.late_s
    eta = order.checkout.eta_minutes if order.checkout else None
    decided_at = order.approval.decided_at if order.approval else None
    if eta is None or decided_at is None:
        return None
    return decided_at + eta * 60.0 + desk.policy.late_s


async def _tell_late(desk: Desk, order: Order, now: float) -> None:
    keys = await desk.journal.read(lambda c: records.told_keys(c, order.id))
    if _LATE in keys or trips.is_here(keys):
        return
    said = words.LATE if order.draft.trip is None else words.DRIVER_LATE
    told = Told("late", _LATE, said, card(order))
    await desk.journal.commit(lambda c: (None, records.tell(c, order, now, [told])))
