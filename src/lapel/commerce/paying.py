"""Money: hold it at the bank, and give it back."""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import ledger, records, words
from lapel.commerce.card import card
from lapel.commerce.desk import Desk, Step, approved, key_of
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.ports import Nonsense, Payment, PaymentState, PortError, Refused, Unreachable
from lapel.commerce.records import Told
from lapel.failures import Code

BACK = frozenset({PaymentState.VOIDED, PaymentState.REFUNDED, PaymentState.DECLINED})
"""Where a payment is when the user has all the money."""


async def pay(desk: Desk, order: Order, attempt: int) -> Step:
    """Hold exactly the approved amount for exactly this payee."""
    approval = approved(order)
    decided_at = approval.decided_at or approval.asked_at
    if desk.clock() - decided_at > desk.policy.stale_s:
        return await give_back(desk, order, words.BANK_LATE, code="unreachable")
    try:
        credential = await desk.credential(order)
    except Refused as error:
        return await _declined(desk, order, error)
    except (Unreachable, Nonsense):
        if attempt + 1 < desk.policy.pay_attempts:
            return desk.retry(OrderState.PAYING, attempt)
        return await give_back(desk, order, words.BANK_SILENT, code="unreachable")
    now = desk.clock()
    told = Told("paid", f"{order.revision}:paid", words.paid(approval.amount), card(order))

    def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
        authorization = credential.authorization_id
        ledger.hold(connection, order, approval.amount, authorization, now)
        events = records.move(
            connection, order, OrderState.PLACING, now, told, authorization_id=authorization
        )
        return None, events

    await desk.journal.commit(work)
    return Step(OrderState.PLACING)


async def give_back(
    desk: Desk,
    order: Order,
    said: str,
    kind: str = "place_failed",
    *,
    code: Code | None = None,
    item: str = "",
) -> Step:
    """End the attempt: from here on the order only frees the money. `code` says why, if known."""
    now = desk.clock()
    data = {**card(order), "code": code or kind, "item": item}
    if order.state is OrderState.PLACING and kind == "place_failed":
        said = words.set_free(said)
    told = Told(kind, f"{order.revision}:{kind}", said, data)
    await desk.journal.commit(
        lambda c: (None, records.move(c, order, OrderState.REFUNDING, now, told))
    )
    return Step(OrderState.REFUNDING)


async def release(desk: Desk, order: Order) -> PaymentState:
    """Free the money of this round, whatever became of it; raises what the bank's port raises."""
    authorization = order.authorization_id
    if not authorization:
        # Whether the bank ever heard of the payment is not known. The same key tells.
        try:
            authorization = (await desk.credential(order)).authorization_id
        except Refused:
            return PaymentState.DECLINED
    checkout = order.checkout
    if checkout is None or checkout.payment is None:
        raise Nonsense(f"order {order.id!r} holds money but has no payee")
    state = await desk.payments.release(
        order.user_id, checkout.payment, authorization, key_of(order, "release")
    )
    if state not in BACK:
        raise Nonsense(f"the bank answers {state.value!r} to a release")
    return state


async def payment_of(desk: Desk, order: Order) -> Payment:
    """The order's payment as the bank has it now; raises what the bank's port raises."""
    checkout = order.checkout
    if checkout is None or checkout.payment is None or not order.authorization_id:
        raise Nonsense(f"order {order.id!r} has no payment")
    return await desk.payments.payment(order.user_id, checkout.payment, order.authorization_id)


def at_most(order: Order) -> bool:
    """Whether the user agreed to a final price at or below the approved one."""
    checkout = order.checkout
    return checkout is not None and checkout.payment is not None and checkout.payment.at_most


async def refund(desk: Desk, order: Order, attempt: int) -> Step:
    """Free the money and say so; however long it takes."""
    try:
        was_captured = await release(desk, order) is PaymentState.REFUNDED
        amount = approved(order).amount
        if was_captured:  # a merchant may have taken less than was held for it
            amount = (await payment_of(desk, order)).captured
    except PortError:
        if attempt + 1 == desk.policy.refund_attempts:
            await _tell_slow(desk, order)
        if attempt + 1 < desk.policy.refund_attempts:
            return desk.retry(OrderState.REFUNDING, attempt)
        return desk.retry_slowly(OrderState.REFUNDING, attempt + 1 - desk.policy.refund_attempts)
    now = desk.clock()
    said = words.refunded(amount, was_captured=was_captured)
    data = {**card(order), "captured": was_captured}
    told = Told("refunded", f"{order.revision}:refunded", said, data)

    def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
        if was_captured:
            ledger.all_back(connection, order, amount, now)
        else:
            ledger.released(connection, order, now)
        return None, records.move(connection, order, OrderState.REFUNDED, now, told)

    await desk.journal.commit(work)
    desk.forget(order)
    return Step(OrderState.REFUNDED)


async def _declined(desk: Desk, order: Order, error: Refused) -> Step:
    now = desk.clock()
    code = "payment_declined" if error.code == Refused.code else error.code
    data = {**card(order), "reason": error.code, "code": code}
    told = Told("payment_declined", f"{order.revision}:payment_declined", words.DECLINED, data)
    await desk.journal.commit(
        lambda c: (None, records.move(c, order, OrderState.FAILED, now, told))
    )
    return Step(OrderState.FAILED)


async def _tell_slow(desk: Desk, order: Order) -> None:
    now = desk.clock()
    told = Told("trouble", f"{order.revision}:refund_slow", words.REFUND_SLOW, card(order))
    await desk.journal.commit(lambda c: (None, records.tell(c, order, now, [told])))
