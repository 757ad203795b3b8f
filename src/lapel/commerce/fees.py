"""What a merchant keeps of what the user gives back, and what it returns."""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import ledger, words
from lapel.commerce.card import card, money
from lapel.commerce.money import Money
from lapel.commerce.order import Order
from lapel.commerce.ports import MerchantAdjustment, MerchantOrder
from lapel.commerce.records import Told

_CANCEL = "u:cancel:"
_REFUSED = "u:cancel-refused:"
_ALL = "due:fee"
"""Under this name rides used to book all that came back when they were given back, at once."""


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
) -> set[str]:
    """Book what the merchant says that it has given back, once an adjustment; the new ones' ids."""
    booked = ledger.due_under(connection, order, _ALL)
    new: set[str] = set()
    for entry in report.adjustments:
        amount = entry.amount
        if entry.status != "completed" or amount is None or amount.minor >= 0:
            continue
        if booked > 0:
            booked += amount.minor
        elif ledger.refund_due(connection, order, -amount, f"due:{entry.id}", at):
            new.add(entry.id)
    return new


def returned_later(
    connection: sa.Connection, order: Order, report: MerchantOrder, at: float
) -> list[Told]:
    """What is new of the money of a booking that was given back for a fee.

    What came back at once was told with the fee.
    """
    known = {x.id for x in report.adjustments if x.status == "completed"}
    known -= expect_refunds(connection, order, report, at)
    return [x for x in adjustments_told(order, report) if x.data["adjustment"] not in known]


def adjustments_told(order: Order, report: MerchantOrder) -> list[Told]:
    """Each adjustment once in each of its statuses, in the merchant's order."""
    told: list[Told] = []
    for adjustment in report.adjustments:
        kind, said = _adjusted(adjustment)
        data: dict[str, object] = {
            **card(order),
            "adjustment": adjustment.id,
            "adjustment_kind": adjustment.kind,
            "status": adjustment.status,
            "merchant_text": adjustment.text,
        }
        if adjustment.amount is not None:
            data["amount"] = money(adjustment.amount)
        told.append(Told(kind, f"m:adj:{adjustment.status}:{adjustment.id}", said, data))
    return told


def _adjusted(adjustment: MerchantAdjustment) -> tuple[str, str]:
    """The kind of event that an adjustment is, and the words for it."""
    amount, reason = adjustment.amount, adjustment.text
    if amount is None:
        return "adjusted", words.adjusted(adjustment.kind, adjustment.status, reason)
    if amount.minor > 0:
        return "charged_more", words.charged_more(amount, reason)
    match adjustment.status:
        case "completed":
            return "part_refunded", words.part_refunded(-amount, reason)
        case "pending":
            return "refund_promised", words.refund_promised(-amount, reason)
        case _:
            return "refund_failed", words.refund_failed(-amount)
