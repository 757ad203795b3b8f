"""From a draft to a question: price it at the merchant, judge it, ask the user."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import sqlalchemy as sa

from lapel.commerce import journeys, records, standing, tables, transfers, trips, words
from lapel.commerce.card import approval_card, card
from lapel.commerce.ceilings import ceiling, kind_of
from lapel.commerce.checkout import (
    Checkout,
    CheckoutLine,
    CheckoutStatus,
    DraftLine,
    OrderDraft,
)
from lapel.commerce.desk import Desk, Step, key_of
from lapel.commerce.order import Approval, ApprovalState, Order, OrderEvent, OrderState
from lapel.commerce.policy import Denied
from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.commerce.records import Moved, Told
from lapel.failures import Code

_PRICED = frozenset({CheckoutStatus.READY_FOR_COMPLETE, CheckoutStatus.REQUIRES_ESCALATION})


async def quote(desk: Desk, order: Order, attempt: int) -> Step:
    """Price the draft. The same checkout at the merchant is replaced when the user revised."""
    key = key_of(order, "quote")
    try:
        if order.checkout_id:
            checkout = await desk.merchants.update_checkout(order.checkout_id, order.draft, key)
        else:
            checkout = await desk.merchants.create_checkout(order.draft, key)
    except Unreachable:
        if attempt + 1 < desk.policy.quote_attempts:
            return desk.retry(OrderState.QUOTING, attempt)
        return await _fail(desk, order, None, words.NO_QUOTE, "unreachable")
    except Refused as error:
        return await _fail(
            desk, order, None, words.not_ordered(error.text), error.code, item=error.item
        )
    except Nonsense:
        return await _fail(desk, order, None, words.ODD_QUOTE, "nonsense")
    try:
        return await answer(desk, order, checkout)
    except Moved:
        await desk.journal.commit(
            lambda c: (records.remember_checkout(c, order.id, checkout.id), [])
        )
        raise


async def answer(desk: Desk, order: Order, checkout: Checkout) -> Step:
    """What follows from a price: a question, a hand-over to the buyer, or the end."""
    fault = mismatch(order.draft, checkout)
    if fault:
        code = "nonsense" if checkout.status in _PRICED else "incomplete"
        return await _fail(desk, order, checkout, fault, code)
    escalates = checkout.status is CheckoutStatus.REQUIRES_ESCALATION
    user_id, currency = order.user_id, checkout.total.currency
    most = await desk.journal.read(
        lambda c: ceiling(c, desk.policy, user_id, kind_of(checkout), currency)
    )
    match desk.policy.judge(checkout, most):
        case Denied(code, said):
            return await _fail(desk, order, checkout, said, code, kind="over_limit")
        case _ if escalates:
            return await _hand_over(desk, order, checkout)
        case _:
            return await _ask(desk, order, checkout)


async def await_approval(desk: Desk, order: Order, _: int) -> Step:
    """Wait for the decision until the question expires; what expired unseen is lapsed, too."""
    approval = order.approval
    if approval is None or approval.state is not ApprovalState.PENDING:
        raise Moved(f"order {order.id!r} has no open question")
    now = desk.clock()
    if now < approval.expires_at:
        return Step(OrderState.AWAITING_APPROVAL, until=approval.expires_at)
    if approval.limit_id:
        return await standing.window_ends(desk, order, approval)
    await desk.journal.commit(lambda c: (None, lapse(c, order, approval, now)))
    return Step(OrderState.LAPSED)


def lapse(
    connection: sa.Connection, order: Order, approval: Approval, at: float
) -> list[OrderEvent]:
    records.close_approval(connection, approval, ApprovalState.LAPSED, at)
    told = Told("lapsed", f"{order.revision}:lapsed", words.LAPSED, card(order))
    return records.move(connection, order, OrderState.LAPSED, at, told)


def mismatch(draft: OrderDraft, checkout: Checkout) -> str:
    """Why this is not a price for that draft, in words for the user; empty when it is."""
    if checkout.merchant_id != draft.merchant_id or goods_of(draft) != priced_goods(checkout):
        return words.OTHER_CART
    if (other := other_service(draft, checkout)) != "":
        return other
    if not _same_weights(draft, checkout):
        return words.OTHER_CART
    elsewhere = _elsewhere(draft, checkout)
    if elsewhere:
        return elsewhere
    amounts = [line.total for line in checkout.lines] + [line.unit_price for line in checkout.lines]
    amounts += [total.amount for total in checkout.totals]
    if any(amount.currency != checkout.total.currency for amount in amounts):
        return words.OTHER_MONEY
    if checkout.total.minor <= 0:
        return words.OTHER_MONEY
    if checkout.status is CheckoutStatus.REQUIRES_ESCALATION:
        return "" if checkout.continue_url else words.NO_LINK
    if checkout.status is not CheckoutStatus.READY_FOR_COMPLETE:
        return _complaint(checkout)
    if checkout.payment is None or not checkout.payment.payee:
        return words.NO_WAY_TO_PAY
    return ""


def other_service(draft: OrderDraft, checkout: Checkout) -> str:
    """Why this is not the ride, journey, table or transfer that was asked for; empty if it is."""
    if draft.trip is not None and not trips.same(draft.trip, checkout):
        return words.OTHER_TRIP
    if draft.transfer is not None and not transfers.same(draft.transfer, checkout):
        return words.OTHER_TRANSFER
    if draft.journey is not None and not journeys.same(draft.journey, checkout):
        return words.OTHER_JOURNEY
    if draft.table is not None and not tables.same(draft.table, checkout):
        return words.OTHER_TABLE
    return ""


def _complaint(checkout: Checkout) -> str:
    said = " ".join(message.text for message in checkout.messages if message.severity != "info")
    return words.not_ordered(said) if said else words.NOT_READY


Goods = Counter[tuple[str, tuple[str, ...]]]
"""How many of each item with the same options; the order of the options does not matter."""


def goods_of(draft: OrderDraft) -> Goods:
    goods: Goods = Counter()
    for line in draft.lines:
        goods[line.item_id, tuple(sorted(line.options))] += line.quantity
    return goods


def priced_goods(checkout: Checkout) -> Goods:
    goods: Goods = Counter()
    for line in checkout.lines:
        goods[line.item_id, tuple(sorted(line.options))] += line.quantity
    return goods


def _same_weights(draft: OrderDraft, checkout: Checkout) -> bool:
    """As much of each as was asked, and what may come instead is what was said."""

    def asked(x: DraftLine) -> tuple[str, int, str, int]:
        return x.item_id, x.grams, x.substitution or "none", x.substitution_max

    def priced(x: CheckoutLine) -> tuple[str, int, str, int]:
        grams = x.weighing.grams if x.weighing else 0
        return x.item_id, grams, x.substitution or "none", x.substitution_max

    return {*map(asked, draft.lines)} == {*map(priced, checkout.lines)}


def _elsewhere(draft: OrderDraft, checkout: Checkout) -> str:
    """Why it would not get to the user; where something is to be fetched the merchant says."""
    if draft.pickup is not checkout.pickup:
        return words.OTHER_WAY
    return "" if draft.pickup or _same_place(draft, checkout) else words.OTHER_ADDRESS


def _same_place(draft: OrderDraft, checkout: Checkout) -> bool:
    wanted, answered = draft.address, checkout.address
    return all(
        " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
        for one, other in (
            (wanted.street, answered.street),
            (wanted.city, answered.city),
            (wanted.postal_code, answered.postal_code),
        )
    )


async def _ask(desk: Desk, order: Order, checkout: Checkout) -> Step:
    now = desk.clock()
    payment = checkout.payment
    question = Approval(
        id=records.approval_id(order.id, order.revision),
        order_id=order.id,
        user_id=order.user_id,
        checkout_hash=checkout.hash(),
        amount=checkout.total,
        payee=payment.payee if payment else "",
        merchant_name=checkout.merchant_name,
        address_label=order.draft.address.label,
        asked_at=now,
        expires_at=now + desk.policy.approval_s,
        state=ApprovalState.PENDING,
    )

    def work(connection: sa.Connection) -> tuple[float, list[OrderEvent]]:
        in_plan = bool(order.draft.plan)
        limit = None if in_plan else standing.covering(connection, desk, order, checkout, now)
        if limit is None:
            approval = question
            kind, said = "approval_needed", words.approval(checkout, order.draft)
        else:
            until = now + desk.policy.undo_s
            approval = replace(question, limit_id=limit.id, expires_at=until)
            kind, said = "within_limit", words.within_limit(checkout, order.draft)
        data = approval_card(order, checkout, approval)
        events = records.move(
            connection,
            order,
            OrderState.AWAITING_APPROVAL,
            now,
            Told("quoted", f"{order.revision}:quoted", words.quoted(checkout), data),
            Told(kind, f"{order.revision}:{kind}", said, data),
            **records.checkout_values(checkout),
        )
        records.ask(connection, approval)
        return approval.expires_at, events

    return Step(OrderState.AWAITING_APPROVAL, until=await desk.journal.commit(work))


async def _hand_over(desk: Desk, order: Order, checkout: Checkout) -> Step:
    now = desk.clock()
    told = escalated(order, checkout, now + desk.policy.escalation_s, desk.policy.escalation_s)
    values = records.checkout_values(checkout)
    await desk.journal.commit(
        lambda c: (None, records.move(c, order, OrderState.ESCALATED, now, told, **values))
    )
    return Step(OrderState.ESCALATED)


def escalated(order: Order, checkout: Checkout, expires_at: float, life_s: float) -> Told:
    """The event that hands the checkout to the buyer, with the link to the shop's page."""
    reasons = [m.text for m in checkout.messages if m.severity.startswith("requires_buyer")]
    data = {
        **card(order, checkout),
        "continue_url": checkout.continue_url,
        "reason": words.from_shop(reasons[0]) if reasons else "",
        "expires_at": expires_at,
    }
    text = words.escalated(checkout.merchant_name, life_s)
    return Told("escalated", f"{order.revision}:escalated", text, data)


async def _fail(
    desk: Desk,
    order: Order,
    checkout: Checkout | None,
    said: str,
    code: Code,
    *,
    kind: str = "quote_failed",
    item: str = "",
) -> Step:
    now = desk.clock()
    values = records.checkout_values(checkout) if checkout else {}
    data = {**card(order, checkout), "code": code, "item": item}
    told = Told(kind, f"{order.revision}:{kind}", said, data)
    await desk.journal.commit(
        lambda c: (None, records.move(c, order, OrderState.FAILED, now, told, **values))
    )
    return Step(OrderState.FAILED)
