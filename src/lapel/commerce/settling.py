"""A grocer's order from placed to paid: answers to its questions, then the bill.

The hold is the most that the user agreed to. The merchant takes its money once all is weighed, and
what the bank then shows is held against the bill: what is more than was agreed comes back. The
receipt is written here, when it is known what was brought and what it came to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from lapel.commerce import ledger, records, words
from lapel.commerce.card import card, money
from lapel.commerce.consent import closed
from lapel.commerce.desk import Desk, approved, key_of
from lapel.commerce.fees import expect_refunds
from lapel.commerce.money import Money
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.paying import payment_of
from lapel.commerce.ports import (
    BilledLine,
    MerchantOrder,
    Payment,
    PaymentState,
    PortError,
    Refused,
)
from lapel.commerce.receipt import Signer, receipt_of
from lapel.commerce.records import Told
from lapel.commerce.weighing import Verdict, judge

ASKED, CLOSED = "substitution_asked", "substitution_closed"
ANSWERED, SENT = "substitution_answered", "substitution_sent"
"""Kinds of events about one line of groceries and one thing that was offered for it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something offered for a line that is not there, and what became of the question."""

    line_id: str
    item_id: str
    accepted: bool | None = None
    sent: bool = False
    closed: bool = False


def awaits_bill(order: Order) -> bool:
    """Whether the merchant has taken the order and not said what it came to."""
    return (
        order.state in (OrderState.PLACED, OrderState.DELIVERED)
        and order.receipt is None
        and bool(order.authorization_id)
        and order.checkout is not None
        and order.checkout.billed_later
    )


def offers(connection: sa.Connection, order_id: str) -> list[Offer]:
    """What was offered, in the order of asking."""
    found: dict[tuple[object, object], Offer] = {}
    for event in records.events_of(connection, order_id):
        line_id, item_id = event.data.get("line_id"), event.data.get("item_id")
        key = (line_id, item_id)
        if event.kind == ASKED and isinstance(line_id, str) and isinstance(item_id, str):
            found.setdefault(key, Offer(line_id, item_id))
        offer = found.get(key)
        if offer is None:
            continue
        if event.kind == ANSWERED:
            found[key] = replace(offer, accepted=bool(event.data.get("accept")))
        elif event.kind == SENT:
            found[key] = replace(offer, sent=True)
        elif event.kind == CLOSED:
            found[key] = replace(offer, closed=True)
    return list(found.values())


def answered(order: Order, offer: Offer, accept: bool) -> Told:
    """The user's yes or no, as an event."""
    return _told(order, ANSWERED, "u:sub", offer.line_id, offer.item_id, accept=accept)


def questions_told(connection: sa.Connection, order: Order, report: MerchantOrder) -> list[Told]:
    """What is asked and was not told yet, and what is not asked any more."""
    if order.checkout is None or not order.checkout.billed_later:
        return []
    told = [
        _told(
            order,
            ASKED,
            "m:sub",
            asked.line_id,
            asked.item_id,
            text=words.substitution(asked),
            missing=asked.title,
            offered=asked.offered,
            price=money(asked.total),
        )
        for asked in report.questions
    ]
    open_ones = {(asked.line_id, asked.item_id) for asked in report.questions}
    return told + [
        _told(order, CLOSED, "m:subc", offer.line_id, offer.item_id)
        for offer in offers(connection, order.id)
        if (offer.line_id, offer.item_id) not in open_ones
    ]


async def settle(desk: Desk, signer: Signer, order: Order) -> bool:
    """Take the next step towards the bill; True once there is nothing more to wait for."""
    if not awaits_bill(order):
        return True
    try:
        await _send_answers(desk, order)
        payment = await payment_of(desk, order)
        if payment.state is PaymentState.AUTHORIZED:
            return False
        if not payment.captured.minor:
            await _let_go(desk, order)
            return True
        report = await desk.merchants.get_order(order.merchant_id, order.merchant_order_id)
        if report.bill is None and order.state is OrderState.PLACED:
            return False
        verdict = await _judged(desk, order, report)
        payment = await _take_back(desk, order, payment, verdict)
    except PortError:
        return False
    await _book(desk, signer, order, payment, report, verdict)
    return True


async def _send_answers(desk: Desk, order: Order) -> None:
    """Tell the merchant what the user said; once each, however often this runs."""
    for offer in await desk.journal.read(lambda c: offers(c, order.id)):
        if offer.accepted is None or offer.sent:
            continue
        text = ""
        try:
            await desk.merchants.answer_substitution(
                order.merchant_id,
                order.merchant_order_id,
                offer.line_id,
                offer.item_id,
                offer.accepted,
                key_of(order, f"sub:{offer.line_id}:{offer.item_id}"),
            )
        except Refused:
            text = words.TOO_LATE_TO_ANSWER if offer.accepted else ""
        now = desk.clock()
        told = _told(order, SENT, "u:sent", offer.line_id, offer.item_id, text=text)
        await desk.journal.commit(
            lambda c, told=told, now=now: (None, records.tell(c, order, now, [told]))
        )


async def _judged(desk: Desk, order: Order, report: MerchantOrder) -> Verdict:
    """What may be kept. A merchant that took money and shows no bill is judged by its total."""
    agreed = order.checkout
    assert agreed is not None  # awaits_bill
    if report.bill is None:
        most = min(report.total.minor, agreed.total.minor)
        return Verdict(Money(most, agreed.total.currency), ("it shows no bill",))
    offered = await desk.journal.read(lambda c: offers(c, order.id))
    accepted = [(offer.line_id, offer.item_id) for offer in offered if offer.accepted]
    return judge(agreed, report.bill, report.total, accepted)


async def _take_back(desk: Desk, order: Order, payment: Payment, verdict: Verdict) -> Payment:
    """Get back what was taken above what may be kept; raises what the bank's port raises."""
    excess = payment.captured.minor - verdict.fair.minor - payment.refunded.minor
    checkout = order.checkout
    if excess <= 0 or checkout is None or checkout.payment is None:
        return payment
    return await desk.payments.refund(
        order.user_id,
        checkout.payment,
        order.authorization_id,
        Money(excess, payment.captured.currency),
        key_of(order, "excess"),
    )


async def _book(
    desk: Desk,
    signer: Signer,
    order: Order,
    payment: Payment,
    report: MerchantOrder,
    verdict: Verdict,
) -> None:
    """Ledger, receipt and news, in one transaction."""
    agreed, now = order.checkout, desk.clock()
    assert agreed is not None  # awaits_bill
    approval = approved(order)
    paid = payment.captured
    bill = report.bill or ()

    def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
        ledger.captured(connection, order, paid, now)
        expect_refunds(connection, order, report, now)  # what it said before it had any money
        excess = paid.minor - verdict.fair.minor
        announced = ledger.standing(connection, order.id).get(ledger.TRANSIT, 0)
        if excess > announced:
            asked = Money(excess - announced, paid.currency)
            ledger.refund_due(connection, order, asked, "due:excess", now)
        ledger.refunded(connection, order, payment.refunded, now)
        previous = records.last_receipt(connection, order.user_id)
        mandates = closed.find(connection, approval.id)
        receipt = receipt_of(
            order, agreed, now, signer.key_id, previous, mandates, paid, tuple(bill)
        )
        data = {
            **card(order),
            "total": money(paid),
            "most": money(agreed.total),
            "receipt_id": receipt.id,
            "bill": [_line_data(line) for line in bill],
        }
        told = [Told("billed", "m:bill", words.billed(agreed, bill, paid), data)]
        if excess > 0:
            said = words.overbilled(verdict.faults, Money(excess, paid.currency))
            told.append(Told("overbilled", "m:overbilled", said, card(order)))
        events = records.move(
            connection,
            order,
            order.state,
            now,
            *told,
            receipt=signer.sign(receipt),
            total_minor=paid.minor,
        )
        return None, events

    await desk.journal.commit(work)


async def _let_go(desk: Desk, order: Order) -> None:
    """The hold is over and nothing was taken: the merchant has no money for what it may bring."""
    now = desk.clock()
    told = Told("refunded", f"{order.revision}:refunded", words.HOLD_OVER, card(order))

    def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
        ledger.released(connection, order, now)
        return None, records.move(connection, order, OrderState.CANCELED, now, told)

    await desk.journal.commit(work)


def _told(
    order: Order, kind: str, key: str, line_id: str, item_id: str, text: str = "", **data: object
) -> Told:
    about = {**card(order), "line_id": line_id, "item_id": item_id, **data}
    return Told(kind, f"{key}:{line_id}\n{item_id}", text, about)


def _line_data(line: BilledLine) -> dict[str, object]:
    return {
        "title": line.title,
        "quantity": line.quantity,
        "grams": line.grams,
        "missing": line.missing,
        "total": money(line.total),
    }
