"""Shops and a bank in memory, behind the ports of `commerce`: they keep what was done at them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from lapel.commerce import (
    BankStatement,
    Checkout,
    CheckoutLine,
    CheckoutMessage,
    CheckoutStatus,
    Credential,
    MerchantEvent,
    MerchantOrder,
    Money,
    OrderDraft,
    Payment,
    PaymentState,
    PaymentTarget,
    Refused,
    Total,
    Unreachable,
)
from lapel.commerce.request import Request

CURRENCY = "EUR"
PRICES = {"latte": 490, "muffin": 320, "tart": 610, "ramen": 1250}
OTHER_PRICE = 700
BANK = PaymentTarget("city.bank", "h1", "https://bank.example", "")


@dataclass(frozen=True, slots=True)
class Charge:
    """Money that left a user's account."""

    user_id: str
    payee: str
    minor: int


@dataclass(slots=True)
class _Hold:
    user_id: str
    payee: str
    amount: Money
    state: PaymentState = PaymentState.AUTHORIZED


class Town:
    """Implements `Merchants` and `Payments`. `says` is what a shop smuggles in: text by place."""

    def __init__(self) -> None:
        self.says: dict[str, dict[str, str]] = {}
        self._checkouts: dict[str, Checkout] = {}
        self._holds: dict[str, _Hold] = {}

    def charges(self, user_id: str) -> list[Charge]:
        """What was taken from the user, and not given back."""
        return [
            Charge(x.user_id, x.payee, x.amount.minor)
            for x in self._holds.values()
            if x.user_id == user_id and x.state in (PaymentState.CAPTURED, PaymentState.AUTHORIZED)
        ]

    def _said(self, merchant_id: str, where: str) -> str:
        return self.says.get(merchant_id, {}).get(where, "")

    # Shops. ---------------------------------------------------------------------------------------

    async def create_checkout(self, draft: OrderDraft, key: str) -> Checkout:
        checkout_id = "c_" + hashlib.sha256(key.encode()).hexdigest()[:16]
        return self._priced(checkout_id, draft)

    async def update_checkout(self, checkout_id: str, draft: OrderDraft, key: str) -> Checkout:
        return self._priced(checkout_id, draft)

    async def get_checkout(self, merchant_id: str, checkout_id: str) -> Checkout:
        return self._checkout(checkout_id)

    async def complete_checkout(
        self, merchant_id: str, checkout_id: str, credential: Credential, key: str
    ) -> Checkout:
        checkout = self._checkout(checkout_id)
        if checkout.status is not CheckoutStatus.COMPLETED:
            hold = self._hold(credential.authorization_id)
            if hold.amount != checkout.total or hold.state is not PaymentState.AUTHORIZED:
                raise Refused("The payment did not go through.", code="payment_declined")
            hold.state = PaymentState.CAPTURED
            done = replace(
                checkout, status=CheckoutStatus.COMPLETED, order_id=f"m_{checkout_id}", payment=None
            )
            self._checkouts[checkout_id] = done
        return self._checkouts[checkout_id]

    async def cancel_checkout(self, merchant_id: str, checkout_id: str, key: str) -> Checkout:
        checkout = self._checkout(checkout_id)
        if checkout.status is CheckoutStatus.COMPLETED:
            raise Refused("It is ordered already.", code="already_completed")
        gone = replace(checkout, status=CheckoutStatus.CANCELED)
        self._checkouts[checkout_id] = gone
        return gone

    async def get_order(self, merchant_id: str, order_id: str) -> MerchantOrder:
        checkout = self._checkout(order_id.removeprefix("m_"))
        return self.order_of(checkout)

    def order_of(self, checkout: Checkout, *more: str) -> MerchantOrder:
        """The order at the shop; its news carry what the shop smuggles in, and `more`."""
        texts = [self._said(checkout.merchant_id, x) for x in ("update", "driver")]
        events = tuple(
            MerchantEvent(f"m_{checkout.id}.{n}", "preparing", "2026-11-24T10:00:00Z", text)
            for n, text in enumerate((*texts, *more))
            if text
        )
        return MerchantOrder(
            checkout.merchant_id, f"m_{checkout.id}", checkout.id, checkout.total, events
        )

    def _priced(self, checkout_id: str, wanted: OrderDraft) -> Checkout:
        transfer = wanted.transfer
        lines = tuple(
            CheckoutLine(
                x.item_id,
                x.title + self._said(wanted.merchant_id, "item"),
                x.quantity,
                each := transfer.amount if transfer else _price(x.item_id),
                Money(each.minor * x.quantity, CURRENCY),
            )
            for x in wanted.lines
        )
        total = sum((x.total for x in lines), Money(0, CURRENCY))
        text = self._said(wanted.merchant_id, "message")
        off = self._said(wanted.merchant_id, "discount")
        totals = [Total("subtotal", "Goods", total), Total("total", "Total", total)]
        if off:
            totals.insert(1, Total("discount", off, Money(0, CURRENCY)))
        checkout = Checkout(
            wanted.merchant_id,
            f"Shop {wanted.merchant_id}",
            checkout_id,
            CheckoutStatus.READY_FOR_COMPLETE,
            lines,
            tuple(totals),
            total,
            wanted.address,
            replace(BANK, payee=transfer.payee if transfer else wanted.merchant_id),
            messages=(CheckoutMessage("info", text, "info"),) if text else (),
            eta_minutes=None if transfer else 20,
            transfer=transfer,
        )
        self._checkouts[checkout_id] = checkout
        return checkout

    def _checkout(self, checkout_id: str) -> Checkout:
        if checkout_id not in self._checkouts:
            raise Refused("There is no such cart.", code="not_found")
        return self._checkouts[checkout_id]

    async def answer_substitution(
        self, merchant_id: str, order_id: str, line_id: str, item_id: str, accept: bool, key: str
    ) -> None:
        raise Refused("This shop asks nothing.", code="not_found")

    async def ask(
        self, merchant_id: str, order_id: str, request: Request, key: str
    ) -> MerchantOrder:
        raise Refused("This shop does not do that.", code="not_found")

    # The bank. ------------------------------------------------------------------------------------

    async def authorize(
        self, user_id: str, target: PaymentTarget, amount: Money, checkout_hash: str, key: str
    ) -> Credential:
        name = "au_" + hashlib.sha256(key.encode()).hexdigest()[:16]
        self._holds.setdefault(name, _Hold(user_id, target.payee, amount))
        return Credential(name, f"t_{name}", target.handler, target.handler_id)

    async def state(
        self, user_id: str, target: PaymentTarget, authorization_id: str
    ) -> PaymentState:
        return self._hold(authorization_id).state

    async def payment(self, user_id: str, target: PaymentTarget, authorization_id: str) -> Payment:
        hold = self._hold(authorization_id)
        nothing = Money(0, CURRENCY)
        taken = hold.amount if hold.state is PaymentState.CAPTURED else nothing
        return Payment(hold.state, hold.amount, taken, nothing)

    async def refund(
        self, user_id: str, target: PaymentTarget, authorization_id: str, amount: Money, key: str
    ) -> Payment:
        raise Unreachable("nothing is given back here")

    async def statements(self, user_id: str) -> tuple[BankStatement, ...]:
        return ()

    async def release(
        self, user_id: str, target: PaymentTarget, authorization_id: str, key: str
    ) -> PaymentState:
        hold = self._hold(authorization_id)
        back = hold.state is PaymentState.CAPTURED
        hold.state = PaymentState.REFUNDED if back else PaymentState.VOIDED
        return hold.state

    def _hold(self, authorization_id: str) -> _Hold:
        if authorization_id not in self._holds:
            raise Refused("The bank does not know that payment.", code="unknown_authorization")
        return self._holds[authorization_id]


def _price(item_id: str) -> Money:
    return Money(PRICES.get(item_id, OTHER_PRICE), CURRENCY)
