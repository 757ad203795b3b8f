"""What a company keeps of a booking that the user gives back, and what it returns."""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import ledger
from lapel.commerce.money import Money
from lapel.commerce.order import Order
from lapel.commerce.ports import MerchantOrder

_CANCEL = "u:cancel:"
_REFUSED = "u:cancel-refused:"


def cancel_key(most: Money, n: int) -> str:
    """The key of the event that the user cancels and agrees to this fee; `n` counts requests."""
    return f"{_CANCEL}{most.minor}:{n}"


def refused_key(n: int) -> str:
    """The key of the event that the company did not cancel: the agreement is over with it."""
    return f"{_REFUSED}{n}"


def agreed(keys: set[str]) -> int | None:
    """The highest fee that the user agrees to, in minor units; None who has not canceled."""
    fees: list[int] = []
    for key in keys:
        if key.startswith(_CANCEL):
            minor, _, n = key.removeprefix(_CANCEL).partition(":")
            if not n or refused_key(int(n)) not in keys:
                fees.append(int(minor))
    return max(fees, default=None)


def expect_refunds(
    connection: sa.Connection, order: Order, report: MerchantOrder, at: float
) -> None:
    """Book what the merchant says that it has given back, once an adjustment."""
    for entry in report.adjustments:
        amount = entry.amount
        if entry.status == "completed" and amount is not None and amount.minor < 0:
            back = Money(-amount.minor, amount.currency)
            ledger.refund_due(connection, order, back, f"due:{entry.id}", at)
