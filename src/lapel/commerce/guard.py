"""Ports that always answer in time and only with their own errors, whoever wrote the adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

from lapel.commerce.checkout import Checkout, OrderDraft, PaymentTarget
from lapel.commerce.money import Money
from lapel.commerce.ports import (
    BankStatement,
    Credential,
    MerchantOrder,
    Merchants,
    Nonsense,
    Payment,
    Payments,
    PaymentState,
    PortError,
    Unreachable,
)
from lapel.commerce.request import Request
from lapel.faults import fault

T = TypeVar("T")


async def _unfenced() -> None:
    return


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a call may take, and what must hold before it begins."""

    within_s: float
    fence: Callable[[], Awaitable[None]] = _unfenced
    """Raises, past the ports' own errors, where this process may act no more."""


async def answered(call: Coroutine[object, object, T], bounds: Bounds) -> T:
    """The answer, or a `PortError`: a call that hangs is `Unreachable`, a crash is `Nonsense`."""
    try:
        await bounds.fence()
    except BaseException:
        call.close()
        raise
    try:
        async with asyncio.timeout(bounds.within_s):
            return await call
    except PortError:
        raise
    except TimeoutError as error:
        raise Unreachable(f"no answer within {bounds.within_s} s") from error
    except Exception as error:  # the boundary: an adapter's fault must not stop an order
        raise Nonsense(f"the adapter failed: {fault(error)}") from error


@dataclass(frozen=True, slots=True)
class GuardedMerchants:
    inner: Merchants
    bounds: Bounds

    async def create_checkout(self, draft: OrderDraft, key: str) -> Checkout:
        return await answered(self.inner.create_checkout(draft, key), self.bounds)

    async def update_checkout(self, checkout_id: str, draft: OrderDraft, key: str) -> Checkout:
        call = self.inner.update_checkout(checkout_id, draft, key)
        return await answered(call, self.bounds)

    async def get_checkout(self, merchant_id: str, checkout_id: str) -> Checkout:
        return await answered(self.inner.get_checkout(merchant_id, checkout_id), self.bounds)

    async def complete_checkout(
        self, merchant_id: str, checkout_id: str, credential: Credential, key: str
    ) -> Checkout:
        call = self.inner.complete_checkout(merchant_id, checkout_id, credential, key)
        return await answered(call, self.bounds)

    async def cancel_checkout(self, merchant_id: str, checkout_id: str, key: str) -> Checkout:
        call = self.inner.cancel_checkout(merchant_id, checkout_id, key)
        return await answered(call, self.bounds)

    async def get_order(self, merchant_id: str, order_id: str) -> MerchantOrder:
        return await answered(self.inner.get_order(merchant_id, order_id), self.bounds)

    async def answer_substitution(
        self, merchant_id: str, order_id: str, line_id: str, item_id: str, accept: bool, key: str
    ) -> None:
        call = self.inner.answer_substitution(merchant_id, order_id, line_id, item_id, accept, key)
        await answered(call, self.bounds)

    async def ask(
        self, merchant_id: str, order_id: str, request: Request, key: str
    ) -> MerchantOrder:
        call = self.inner.ask(merchant_id, order_id, request, key)
        return await answered(call, self.bounds)


@dataclass(frozen=True, slots=True)
class GuardedPayments:
    inner: Payments
    bounds: Bounds

    async def authorize(
        self, user_id: str, target: PaymentTarget, amount: Money, checkout_hash: str, key: str
    ) -> Credential:
        call = self.inner.authorize(user_id, target, amount, checkout_hash, key)
        return await answered(call, self.bounds)

    async def state(
        self, user_id: str, target: PaymentTarget, authorization_id: str
    ) -> PaymentState:
        call = self.inner.state(user_id, target, authorization_id)
        return await answered(call, self.bounds)

    async def payment(self, user_id: str, target: PaymentTarget, authorization_id: str) -> Payment:
        call = self.inner.payment(user_id, target, authorization_id)
        return await answered(call, self.bounds)

    async def refund(
        self, user_id: str, target: PaymentTarget, authorization_id: str, amount: Money, key: str
    ) -> Payment:
        call = self.inner.refund(user_id, target, authorization_id, amount, key)
        return await answered(call, self.bounds)

    async def statements(self, user_id: str) -> tuple[BankStatement, ...]:
        return await answered(self.inner.statements(user_id), self.bounds)

    async def release(
        self, user_id: str, target: PaymentTarget, authorization_id: str, key: str
    ) -> PaymentState:
        call = self.inner.release(user_id, target, authorization_id, key)
        return await answered(call, self.bounds)
