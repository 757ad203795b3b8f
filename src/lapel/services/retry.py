"""The ports once more, with patience: a call without an answer is repeated with the same key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from lapel.commerce.checkout import Checkout, OrderDraft, PaymentTarget
from lapel.commerce.money import Money
from lapel.commerce.ports import (
    BankStatement,
    Credential,
    MerchantOrder,
    Merchants,
    Payment,
    Payments,
    PaymentState,
    Unreachable,
)
from lapel.commerce.request import Request

T = TypeVar("T")
P = TypeVar("P", Merchants, Payments)

PAUSES_S = (0.5, 2.0)
"""Before the second and the third try. Longer outages are the order workflow's to sit out."""

Sleep = Callable[[float], Awaitable[None]]


class _Patience(Generic[P]):
    """A port around another one. Only Unreachable is repeated; the last one is passed on."""

    def __init__(
        self,
        inner: P,
        *,
        pauses_s: tuple[float, ...] = PAUSES_S,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._inner = inner
        self._pauses_s = pauses_s
        self._sleep = sleep

    async def _try(self, call: Callable[[], Awaitable[T]]) -> T:
        for pause_s in self._pauses_s:
            try:
                return await call()
            except Unreachable:
                await self._sleep(pause_s)
        return await call()


class RetryingMerchants(_Patience[Merchants]):
    """`Merchants` around another one."""

    async def create_checkout(self, draft: OrderDraft, key: str) -> Checkout:
        return await self._try(lambda: self._inner.create_checkout(draft, key))

    async def update_checkout(self, checkout_id: str, draft: OrderDraft, key: str) -> Checkout:
        return await self._try(lambda: self._inner.update_checkout(checkout_id, draft, key))

    async def get_checkout(self, merchant_id: str, checkout_id: str) -> Checkout:
        return await self._try(lambda: self._inner.get_checkout(merchant_id, checkout_id))

    async def complete_checkout(
        self, merchant_id: str, checkout_id: str, credential: Credential, key: str
    ) -> Checkout:
        return await self._try(
            lambda: self._inner.complete_checkout(merchant_id, checkout_id, credential, key)
        )

    async def cancel_checkout(self, merchant_id: str, checkout_id: str, key: str) -> Checkout:
        return await self._try(lambda: self._inner.cancel_checkout(merchant_id, checkout_id, key))

    async def get_order(self, merchant_id: str, order_id: str) -> MerchantOrder:
        return await self._try(lambda: self._inner.get_order(merchant_id, order_id))

    async def answer_substitution(
        self, merchant_id: str, order_id: str, line_id: str, item_id: str, accept: bool, key: str
    ) -> None:
        await self._try(
            lambda: self._inner.answer_substitution(
                merchant_id, order_id, line_id, item_id, accept, key
            )
        )

    async def ask(
        self, merchant_id: str, order_id: str, request: Request, key: str
    ) -> MerchantOrder:
        return await self._try(lambda: self._inner.ask(merchant_id, order_id, request, key))


class RetryingPayments(_Patience[Payments]):
    """`Payments` around another one."""

    async def authorize(
        self, user_id: str, target: PaymentTarget, amount: Money, checkout_hash: str, key: str
    ) -> Credential:
        return await self._try(
            lambda: self._inner.authorize(user_id, target, amount, checkout_hash, key)
        )

    async def state(
        self, user_id: str, target: PaymentTarget, authorization_id: str
    ) -> PaymentState:
        return await self._try(lambda: self._inner.state(user_id, target, authorization_id))

    async def payment(self, user_id: str, target: PaymentTarget, authorization_id: str) -> Payment:
        return await self._try(lambda: self._inner.payment(user_id, target, authorization_id))

    async def refund(
        self, user_id: str, target: PaymentTarget, authorization_id: str, amount: Money, key: str
    ) -> Payment:
        return await self._try(
            lambda: self._inner.refund(user_id, target, authorization_id, amount, key)
        )

    async def statements(self, user_id: str) -> tuple[BankStatement, ...]:
        return await self._try(lambda: self._inner.statements(user_id))

    async def release(
        self, user_id: str, target: PaymentTarget, authorization_id: str, key: str
    ) -> PaymentState:
        return await self._try(lambda: self._inner.release(user_id, target, authorization_id, key))
