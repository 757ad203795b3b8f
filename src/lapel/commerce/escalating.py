"""A checkout that only the buyer can take further, on the shop's own page (`requires_escalation`).

The order waits for a stated time and looks at the checkout meanwhile: ready again it is asked for
approval like any other; completed there, with the very goods and total that were quoted, it counts
as placed. No money of Lapel's is held while it waits, so nothing can be paid twice.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from lapel.commerce import ledger, records, words
from lapel.commerce.card import card, money
from lapel.commerce.checkout import Checkout, CheckoutStatus
from lapel.commerce.desk import Desk, Step, approved, key_of
from lapel.commerce.order import ApprovalState, Order, OrderEvent, OrderState
from lapel.commerce.paying import release
from lapel.commerce.ports import Nonsense, PortError, Refused
from lapel.commerce.quoting import answer, escalated, goods_of, priced_goods
from lapel.commerce.records import Told

_WAITING = frozenset(
    {
        CheckoutStatus.REQUIRES_ESCALATION,
        CheckoutStatus.INCOMPLETE,
        CheckoutStatus.COMPLETE_IN_PROGRESS,
    }
)


async def await_buyer(desk: Desk, order: Order, attempt: int) -> Step:
    """Look whether the buyer has done it; give the order up when the time is over."""
    now = desk.clock()
    until = order.updated_at + desk.policy.escalation_s
    if attempt == 0 and now < until:
        return _later(desk, now, until, 0)
    try:
        if now >= until:
            current = await _take_back(desk, order)
        else:
            current = await desk.merchants.get_checkout(order.merchant_id, order.checkout_id)
    except Refused:
        return await _over(desk, order, OrderState.FAILED, words.ESCALATION_GONE)
    except PortError:
        if now < until + desk.policy.call_s:
            return _later(desk, now, max(until, now + desk.policy.escalation_look_s), attempt)
        return await _over(desk, order, OrderState.LAPSED, words.ESCALATION_LAPSED)
    if current.status is CheckoutStatus.COMPLETED:
        return await _completed_there(desk, order, current)
    if now >= until:
        return await _over(desk, order, OrderState.LAPSED, words.ESCALATION_LAPSED)
    if current.status is CheckoutStatus.CANCELED:
        return await _over(desk, order, OrderState.FAILED, words.ESCALATION_GONE)
    if current.status in _WAITING:
        return _later(desk, now, until, attempt)
    return await answer(desk, order, current)


async def escalate_again(desk: Desk, order: Order, current: Checkout, attempt: int) -> Step:
    """The shop wants to see the buyer after the approval: free the money, void the yes, wait."""
    approval = approved(order)
    try:
        await release(desk, order)
    except PortError:
        return desk.retry(OrderState.PLACING, attempt)
    now = desk.clock()
    revision = order.revision + 1

    def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
        records.close_approval(connection, approval, ApprovalState.VOID, now)
        ledger.released(connection, order, now)
        if not current.continue_url:
            told = Told("quote_failed", f"{revision}:no_link", words.NO_LINK, card(order))
            to = OrderState.FAILED
        else:
            life_s = desk.policy.escalation_s
            told = escalated(replace(order, revision=revision), current, now + life_s, life_s)
            to = OrderState.ESCALATED
        values = {"revision": revision, "authorization_id": None}
        return None, records.move(connection, order, to, now, told, **values)

    await desk.journal.commit(work)
    desk.forget(order)
    return Step(OrderState.ESCALATED if current.continue_url else OrderState.FAILED)


async def _completed_there(desk: Desk, order: Order, current: Checkout) -> Step:
    """The buyer finished and paid on the shop's page: ours, if it is what was quoted."""
    quoted = order.checkout
    if quoted is None or not current.order_id:
        raise Nonsense(f"order {order.id!r} was completed without an order")
    now = desk.clock()
    taken = await desk.journal.read(
        lambda c: records.is_taken(c, order.merchant_id, current.order_id, order.id)
    )
    same = current.total == quoted.total and priced_goods(current) == goods_of(order.draft)
    agrees = same and not taken
    done = replace(quoted, status=CheckoutStatus.COMPLETED, order_id=current.order_id)
    data = {**card(order, done), "merchant_order_id": current.order_id, "paid_at_shop": True}
    if agrees:
        said = words.placed_there(done)
        told = Told("placed", f"{order.revision}:placed", said, data)
        values = records.checkout_values(done)
    else:
        said = words.other_there(quoted.total, current.total)
        data["asked_total"] = money(current.total)
        told = Told("trouble", f"{order.revision}:trouble", said, data)
        values = {}
    to = OrderState.PLACED if agrees else OrderState.FAILED

    def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
        number = current.order_id
        events = records.move(connection, order, to, now, told, merchant_order_id=number, **values)
        return None, events

    await desk.journal.commit(work)
    return Step(to)


async def _take_back(desk: Desk, order: Order) -> Checkout:
    """The time is over: cancel at the shop, unless the buyer was faster."""
    merchants = desk.merchants
    try:
        return await merchants.cancel_checkout(
            order.merchant_id, order.checkout_id, key_of(order, "cancel")
        )
    except Refused:
        return await merchants.get_checkout(order.merchant_id, order.checkout_id)


async def _over(desk: Desk, order: Order, to: OrderState, said: str) -> Step:
    now = desk.clock()
    kind = "lapsed" if to is OrderState.LAPSED else "quote_failed"
    told = Told(kind, f"{order.revision}:{kind}", said, card(order))
    await desk.journal.commit(lambda c: (None, records.move(c, order, to, now, told)))
    return Step(to)


def _later(desk: Desk, now: float, until: float, attempt: int) -> Step:
    look = now + desk.policy.escalation_look_in(attempt)
    return Step(OrderState.ESCALATED, attempt + 1, min(look, max(until, now)))
