"""From a held payment to a placed order, or to the certainty that there is none.

`complete` may have happened although its answer never came. So every attempt first reads the
checkout again; after some attempts the order is taken back at the merchant; and when the merchant
stays silent the bank decides, because a voided hold can never be captured.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from lapel.commerce import booked, journey_words, ledger, records, table_words, words
from lapel.commerce.card import card, money
from lapel.commerce.checkout import Checkout, CheckoutStatus
from lapel.commerce.consent import closed
from lapel.commerce.desk import Desk, Step, approved, key_of
from lapel.commerce.escalating import escalate_again
from lapel.commerce.money import Money
from lapel.commerce.order import ApprovalState, Order, OrderEvent, OrderState
from lapel.commerce.paying import BACK, at_most, give_back, payment_of, release
from lapel.commerce.ports import (
    Nonsense,
    Payment,
    PaymentState,
    PortError,
    Refused,
    Unreachable,
)
from lapel.commerce.quoting import other_service
from lapel.commerce.receipt import Signer, receipt_of
from lapel.commerce.records import Told


class Placer:
    """The steps of placing; `signer` signs the receipt in the transaction that places the order."""

    def __init__(self, desk: Desk, signer: Signer) -> None:
        self._desk = desk
        self._signer = signer

    async def place(self, order: Order, attempt: int) -> Step:
        approval = approved(order)
        decided_at = approval.decided_at or approval.asked_at
        if self._desk.clock() - decided_at > self._desk.policy.stale_s:
            return await self.settle(order, attempt, words.SHOP_LATE)
        if attempt >= self._desk.policy.place_attempts:
            return await self.settle(order, attempt)
        try:
            current = await self._read(order)
        except (Unreachable, Nonsense):
            return self._desk.retry(OrderState.PLACING, attempt)
        except Refused:
            return await give_back(self._desk, order, words.PLACE_FAILED)
        return await self._as_it_stands(order, current, attempt)

    async def _as_it_stands(self, order: Order, current: Checkout, attempt: int) -> Step:
        """Complete the checkout, if the merchant still holds what was approved."""
        match current.status:
            case CheckoutStatus.COMPLETED:
                return await self._found_completed(order, current, attempt)
            case CheckoutStatus.CANCELED:
                return await give_back(
                    self._desk, order, words.SHOP_CANCELED, code="merchant_canceled"
                )
            case CheckoutStatus.COMPLETE_IN_PROGRESS:
                return self._desk.retry(OrderState.PLACING, attempt)
            case CheckoutStatus.REQUIRES_ESCALATION:
                return await escalate_again(self._desk, order, current, attempt)
            case _:
                pass
        if current.hash() != approved(order).checkout_hash:
            return await self._reprice(order, current, attempt)
        if current.status is not CheckoutStatus.READY_FOR_COMPLETE:
            return await give_back(self._desk, order, words.PLACE_FAILED)
        return await self._complete(order, attempt)

    async def settle(self, order: Order, attempt: int, said: str = words.SHOP_SILENT) -> Step:
        """Find out what became of an order that may or may not be placed, and end it either way."""
        current = await self._take_back(order)
        if current is not None and current.status is CheckoutStatus.COMPLETED:
            return await self._found_completed(order, current, attempt)
        if current is not None and current.status is CheckoutStatus.CANCELED:
            return await self._gone(order, said)
        policy = self._desk.policy
        last = policy.place_attempts + policy.cancel_attempts - 1
        if order.state is OrderState.PLACING and current is None and attempt < last:
            return self._desk.retry(OrderState.PLACING, attempt)
        try:
            state = await self._payment(order)
        except PortError:
            return await self._trouble(order, words.BOTH_SILENT, attempt)
        underway = current is None or current.status is CheckoutStatus.COMPLETE_IN_PROGRESS
        if state is PaymentState.CAPTURED and underway:
            return await self._trouble(order, words.NOT_SOLVED, attempt)
        return await self._gone(order, said)

    async def _complete(self, order: Order, attempt: int) -> Step:
        key = key_of(order, "place")
        try:
            credential = await self._desk.credential(order)
        except Refused:
            return await give_back(self._desk, order, words.PLACE_FAILED)
        except PortError:
            return self._desk.retry(OrderState.PLACING, attempt)
        mandates = await self._desk.journal.read(lambda c: closed.find(c, approved(order).id))
        if mandates is not None and order.checkout is not None and order.checkout.signed:
            credential = replace(
                credential,
                checkout_mandate=mandates.checkout,
                payment_mandate=mandates.shared_payment,
            )
        try:
            answer = await self._desk.merchants.complete_checkout(
                order.merchant_id, order.checkout_id, credential, key
            )
        except Refused as error:
            return await self._refused(order, error, attempt)
        except PortError:
            return self._desk.retry(OrderState.PLACING, attempt)
        match answer.status:
            case CheckoutStatus.COMPLETED:
                return await self._placed(order, answer, attempt)
            case CheckoutStatus.CANCELED:
                return await give_back(
                    self._desk, order, words.SHOP_CANCELED, code="merchant_canceled"
                )
            case CheckoutStatus.REQUIRES_ESCALATION:
                return await escalate_again(self._desk, order, answer, attempt)
            case _:
                return self._desk.retry(OrderState.PLACING, attempt)

    async def _refused(self, order: Order, error: Refused, attempt: int) -> Step:
        """A clear no; but look whether it means that it is placed, or costs something else."""
        try:
            current = await self._read(order)
        except Refused:
            return await give_back(
                self._desk, order, words.from_shop(error.text), code=error.code, item=error.item
            )
        except PortError:
            return self._desk.retry(OrderState.PLACING, attempt)
        if current.status is CheckoutStatus.COMPLETED:
            return await self._found_completed(order, current, attempt)
        ready = current.status is CheckoutStatus.READY_FOR_COMPLETE
        if ready and current.hash() != approved(order).checkout_hash:
            return await self._reprice(order, current, attempt)
        return await give_back(
            self._desk, order, words.from_shop(error.text), code=error.code, item=error.item
        )

    async def _found_completed(self, order: Order, current: Checkout, attempt: int) -> Step:
        """The merchant says it is placed; it counts unless the money is already on its way back."""
        try:
            state = await self._payment(order)
        except PortError:
            policy = self._desk.policy
            if attempt < policy.place_attempts + policy.cancel_attempts - 1:
                return self._desk.retry(order.state, attempt)
            return await self._trouble(order, words.BANK_UNSURE, attempt)
        if state not in BACK:
            return await self._placed(order, current, attempt)
        return await self._unpaid(order, current, state)

    async def _unpaid(self, order: Order, done: Checkout, state: PaymentState) -> Step:
        """It was placed and the money is back before that was heard: its number is kept, it ends.

        So it goes with a change whose booking the user gives back while its answer is still out.
        """
        number = done.order_id
        taken = await self._desk.journal.read(
            lambda c: records.is_taken(c, order.merchant_id, number, order.id)
        )
        if not number or taken:
            return await self._gone(order, words.PLACE_FAILED)
        now = self._desk.clock()
        if state is not PaymentState.REFUNDED:
            said = words.SHOP_TOOK_NOTHING
        else:
            said = booked.CHANGE_GIVEN_BACK if order.draft.is_change else words.SHOP_GAVE_BACK
        data = {**card(order), "code": "merchant_canceled", "item": ""}
        told = Told("place_failed", f"{order.revision}:place_failed", said, data)
        # Who was told of trouble hears only that the money is back.
        news = () if order.state is OrderState.TROUBLE else (told,)

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            events = records.move(
                connection,
                order,
                OrderState.REFUNDING,
                now,
                *news,
                merchant_order_id=number,
            )
            return None, events

        await self._desk.journal.commit(work)
        return Step(OrderState.REFUNDING)

    async def _placed(self, order: Order, answer: Checkout, attempt: int) -> Step:
        approval, agreed = approved(order), order.checkout
        if agreed is None:
            raise Nonsense(f"order {order.id!r} has no checkout")
        fair = _within(order, answer.total, approval.amount)
        other = _goods(answer) != _goods(agreed) or other_service(order.draft, answer) != ""
        if not fair or other:
            said = words.overcharged(approval.amount, answer.total)
            return await give_back(self._desk, order, said, kind="trouble")
        if await self._desk.journal.read(
            lambda c: records.is_taken(c, order.merchant_id, answer.order_id, order.id)
        ):
            return await give_back(self._desk, order, words.SAME_ORDER, kind="trouble")
        try:
            payment = await payment_of(self._desk, order)
        except PortError:
            return self._desk.retry(order.state, attempt)
        if payment.state in BACK:
            return await self._unpaid(order, answer, payment.state)
        later = agreed.billed_later and payment.state is PaymentState.AUTHORIZED
        final = _taken(order, payment, answer.total)
        if not later and not 0 < final.minor <= answer.total.minor:
            said = words.overcharged(answer.total, final)
            return await give_back(self._desk, order, said, kind="trouble")
        now = self._desk.clock()
        done = replace(
            agreed,
            status=CheckoutStatus.COMPLETED,
            order_id=answer.order_id,
            eta_minutes=agreed.eta_minutes if answer.eta_minutes is None else answer.eta_minutes,
        )

        if later:
            await self._placed_unbilled(order, done, now)
            return Step(OrderState.PLACED)
        said = _placed_words(done, answer.total, final)

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            previous = records.last_receipt(connection, order.user_id)
            mandates = closed.find(connection, approval.id)
            paid = final if at_most(order) or final != answer.total else None
            receipt = receipt_of(order, done, now, self._signer.key_id, previous, mandates, paid)
            data = {
                **card(order, done),
                "total": money(final),
                "receipt_id": receipt.id,
                "merchant_order_id": done.order_id,
            }
            ledger.captured(connection, order, final, now, answer)
            events = records.move(
                connection,
                order,
                OrderState.PLACED,
                now,
                Told("placed", f"{order.revision}:placed", said, data),
                **{**records.checkout_values(done), "total_minor": final.minor},
                merchant_order_id=done.order_id,
                receipt=self._signer.sign(receipt),
            )
            return None, events

        await self._desk.journal.commit(work)
        self._desk.forget(order)
        return Step(OrderState.PLACED)

    async def _placed_unbilled(self, order: Order, done: Checkout, now: float) -> None:
        """The money stays held until the goods are weighed; the receipt is written then."""
        data = {**card(order, done), "merchant_order_id": done.order_id}
        told = Told("placed", f"{order.revision}:placed", words.placed(done, done.total), data)

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            events = records.move(
                connection,
                order,
                OrderState.PLACED,
                now,
                told,
                **records.checkout_values(done),
                merchant_order_id=done.order_id,
            )
            return None, events

        await self._desk.journal.commit(work)
        self._desk.forget(order)

    async def _reprice(self, order: Order, current: Checkout, attempt: int) -> Step:
        """The price moved after the approval: free the money, void the approval, ask anew."""
        approval = approved(order)
        try:
            await release(self._desk, order)
        except PortError:
            return self._desk.retry(OrderState.PLACING, attempt)
        now = self._desk.clock()
        said = words.price_changed(approval.amount, current.total)
        data = {**card(order, current), "approved_total": money(approval.amount)}
        told = Told("price_changed", f"{order.revision}:price_changed", said, data)

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            records.close_approval(connection, approval, ApprovalState.VOID, now)
            ledger.released(connection, order, now)
            events = records.move(
                connection,
                order,
                OrderState.QUOTING,
                now,
                told,
                revision=order.revision + 1,
                authorization_id=None,
            )
            return None, events

        await self._desk.journal.commit(work)
        self._desk.forget(order)
        return Step(OrderState.QUOTING)

    async def _take_back(self, order: Order) -> Checkout | None:
        """Cancel what is not completed; how it then stands, None when the merchant says nothing."""
        merchants = self._desk.merchants
        try:
            current = await self._read(order)
            if current.status in (CheckoutStatus.COMPLETED, CheckoutStatus.CANCELED):
                return current
        except PortError:
            pass
        try:
            return await merchants.cancel_checkout(
                order.merchant_id, order.checkout_id, key_of(order, "cancel")
            )
        except Refused:
            pass
        except PortError:
            return None
        try:
            return await self._read(order)
        except PortError:
            return None

    async def _gone(self, order: Order, said: str) -> Step:
        """There is no order. Who was told of trouble hears only that the money is back."""
        if order.state is not OrderState.TROUBLE:
            return await give_back(self._desk, order, said)
        now = self._desk.clock()
        await self._desk.journal.commit(
            lambda c: (None, records.move(c, order, OrderState.REFUNDING, now))
        )
        return Step(OrderState.REFUNDING)

    async def _trouble(self, order: Order, said: str, attempt: int) -> Step:
        if order.state is OrderState.TROUBLE:
            return self._desk.retry_slowly(OrderState.TROUBLE, attempt)
        now = self._desk.clock()
        told = Told("trouble", f"{order.revision}:trouble", said, card(order))
        await self._desk.journal.commit(
            lambda c: (None, records.move(c, order, OrderState.TROUBLE, now, told))
        )
        return self._desk.retry_slowly(OrderState.TROUBLE, 0)

    async def _read(self, order: Order) -> Checkout:
        return await self._desk.merchants.get_checkout(order.merchant_id, order.checkout_id)

    async def _payment(self, order: Order) -> PaymentState:
        checkout = order.checkout
        if checkout is None or checkout.payment is None:
            raise Nonsense(f"order {order.id!r} has no payee")
        return await self._desk.payments.state(
            order.user_id, checkout.payment, order.authorization_id
        )


def _taken(order: Order, payment: Payment, stated: Money) -> Money:
    """What the order costs by the bank's word: a merchant may take less than it says.

    One that takes an exact price only later is believed until then.
    """
    if payment.state is PaymentState.AUTHORIZED and not at_most(order):
        return stated
    return payment.captured


def _placed_words(done: Checkout, stated: Money, final: Money) -> str:
    if done.journey is not None:
        said = journey_words.placed(done.journey)
    elif done.table is not None:
        said = table_words.placed(done.table)
    else:
        said = words.placed(done, final)
    return said if final == stated else f"{said} {words.took_less(stated, final)}"


def _within(order: Order, final: Money, agreed: Money) -> bool:
    """Whether the price that the merchant takes is one that the user said yes to."""
    if at_most(order):
        return final.currency == agreed.currency and 0 < final.minor <= agreed.minor
    return final == agreed


def _goods(checkout: Checkout) -> list[tuple[str, int, tuple[str, ...]]]:
    return sorted((x.item_id, x.quantity, tuple(sorted(x.options))) for x in checkout.lines)
