"""What every step of an order works with, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from lapel.commerce.consent import Vault
from lapel.commerce.journal import Journal
from lapel.commerce.order import Approval, ApprovalState, Order, OrderState
from lapel.commerce.policy import Policy
from lapel.commerce.ports import Credential, Merchants, Payments
from lapel.commerce.records import Moved


class Clock(Protocol):
    def __call__(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next: the step of `state`, at once or at `until` (or when woken); or nothing."""

    state: OrderState
    attempt: int = 0
    until: float | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    journal: Journal
    merchants: Merchants
    payments: Payments
    policy: Policy
    clock: Clock
    vault: Vault
    credentials: dict[str, Credential] = field(default_factory=dict[str, Credential])
    """Payment tokens by key, in memory only: after a restart the bank gives them again."""

    async def credential(self, order: Order) -> Credential:
        """The bank's authorisation of the approved payment; the same one however often asked."""
        approval = approved(order)
        checkout = order.checkout
        if checkout is None or checkout.payment is None:
            raise Moved(f"order {order.id!r} has no approved checkout")
        key = key_of(order, "pay")
        if key not in self.credentials:
            self.credentials[key] = await self.payments.authorize(
                order.user_id, checkout.payment, approval.amount, approval.checkout_hash, key
            )
        return self.credentials[key]

    def forget(self, order: Order) -> None:
        self.credentials.pop(key_of(order, "pay"), None)

    def retry(self, state: OrderState, attempt: int) -> Step:
        return Step(state, attempt + 1, self.clock() + self.policy.retry_in(attempt))

    def retry_slowly(self, state: OrderState, attempt: int) -> Step:
        return Step(state, attempt + 1, self.clock() + self.policy.long_retry_in(attempt))


def key_of(order: Order, step: str) -> str:
    """The idempotency key of a step: never random, never the same for two rounds of pricing."""
    return f"{order.id}:{order.revision}:{step}"


def approved(order: Order) -> Approval:
    """The approval that the order runs on: the user's yes to this very round of pricing."""
    approval = order.approval
    if approval is None or approval.state is not ApprovalState.APPROVED:
        raise Moved(f"order {order.id!r} has no approval in round {order.revision}")
    if order.checkout is None or order.checkout.hash() != approval.checkout_hash:
        raise Moved(f"order {order.id!r} is approved for another checkout")
    return approval
