"""What was bought under each standing limit, period by period, from receipts alone.

Lapel's record keeps the same count and knows what came back since; a receipt never changes, so the
sums here are the most that it can have been.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lapel.commerce.consent.open_mandates import LimitTerms, verify_open
from lapel.commerce.money import Money
from lapel.commerce.receipt import Receipt


@dataclass(frozen=True, slots=True)
class LimitPeriod:
    """The period that ends with one purchase: all that was bought in it, that one included."""

    ends: str
    """RFC 3339; when the purchase was agreed to."""
    order_id: str
    spent: Money
    purchases: int
    over: bool
    """More than the limit allows, in money or in number, unless some of it came back."""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit as the user signed it, with its periods, the oldest first."""

    limit_id: str
    terms: LimitTerms
    periods: tuple[LimitPeriod, ...]


@dataclass(frozen=True, slots=True)
class _Bought:
    at: float
    receipt: Receipt

    @property
    def minor(self) -> int:
        payment = self.receipt.payment
        return (payment.paid or payment.amount).minor


def uses(receipts: Iterable[Receipt]) -> list[LimitUse]:
    """The use of every limit that these verified receipts stand on, by its first purchase.

    Raises `MandateError` for receipts that were not verified and whose mandates are false.
    """
    found: dict[tuple[str, str], tuple[LimitTerms, list[_Bought]]] = {}
    for receipt in receipts:
        mandates = receipt.mandates
        if mandates is None or mandates.standing is None:
            continue
        opened = verify_open(mandates.standing, mandates.jwk)
        name = (mandates.standing.limit_id, opened.hash)
        at = datetime.fromisoformat(receipt.consent.at).timestamp()
        found.setdefault(name, (opened.terms, []))[1].append(_Bought(at, receipt))
    return [
        LimitUse(limit_id, terms, tuple(_periods(terms, bought)))
        for (limit_id, _), (terms, bought) in found.items()
    ]


def _periods(terms: LimitTerms, bought: list[_Bought]) -> Iterable[LimitPeriod]:
    bought.sort(key=lambda each: each.at)
    first = total = 0
    for count, last in enumerate(bought, 1):
        total += last.minor
        while bought[first].at <= last.at - terms.period_s:
            total -= bought[first].minor
            first += 1
        purchases = count - first
        too_many = bool(terms.purchases) and purchases > terms.purchases
        yield LimitPeriod(
            last.receipt.consent.at,
            last.receipt.order_id,
            Money(total, terms.currency),
            purchases,
            too_many or total > terms.budget_minor,
        )
