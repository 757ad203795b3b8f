"""Checks of a merchant's sums. What does not add up is Nonsense, and is never shown as a price."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lapel.commerce.ports import Nonsense
from lapel.services.connectors.ucp.requests import method_of, option_price, wanted_option
from lapel.services.connectors.ucp.wire.amounts import TotalEntry
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody, LineEntry

_NEVER_NEGATIVE = frozenset({"subtotal", "fulfillment", "tax", "fee", "total"})
_ALWAYS_NEGATIVE = frozenset({"discount", "items_discount"})
_CURRENCY = re.compile(r"[A-Z]{3}")


def check_currency(currency: str) -> str:
    if not _CURRENCY.fullmatch(currency):
        raise Nonsense(f"{currency!r} is not a currency", code="wrong_currency")
    return currency


def total_of(totals: Sequence[TotalEntry], what: str) -> int:
    """The one `total`, which is the sum of the other entries; signs are as UCP fixes them."""
    for entry in totals:
        if entry.type in _NEVER_NEGATIVE and entry.amount < 0:
            raise _wrong(f"{what}: {entry.type} is {entry.amount}, less than nothing")
        if entry.type in _ALWAYS_NEGATIVE and entry.amount >= 0:
            raise _wrong(f"{what}: {entry.type} is {entry.amount}, but must be negative")
    total = _only(totals, "total", what)
    parts = sum(entry.amount for entry in totals if entry.type != "total")
    if parts != total:
        raise _wrong(f"{what}: the parts are {parts}, the total says {total}")
    return total


def check_line(line: LineEntry) -> int:
    """The line's total: price times quantity, less its own discounts. Returns it."""
    if line.item.price < 0:
        raise _wrong(f"line {line.id!r}: the price is {line.item.price}")
    subtotal = _only(line.totals, "subtotal", f"line {line.id!r}")
    if subtotal != line.item.price * line.quantity:
        raise _wrong(f"line {line.id!r}: {line.quantity} times {line.item.price} is not {subtotal}")
    if any(entry.type == "total" for entry in line.totals):
        return total_of(line.totals, f"line {line.id!r}")
    return sum(entry.amount for entry in line.totals)


def check_checkout(body: CheckoutBody) -> int:
    """All sums of a checkout; returns the grand total."""
    check_currency(body.currency)
    for line in body.line_items:
        check_line(line)
    subtotal = _only(body.totals, "subtotal", "the checkout")
    prices = sum(line.item.price * line.quantity for line in body.line_items)
    if subtotal != prices:
        raise _wrong(f"the subtotal is {subtotal}, the lines come to {prices}")
    return total_of(body.totals, "the checkout")


def check_delivery(body: CheckoutBody, *, fastest: bool = False, pickup: bool = False) -> None:
    """Delivery costs no more than the options that were wanted, which are the ones selected."""
    options = [
        wanted_option(group, fastest=fastest)
        for group in method_of(body, pickup=pickup).groups or ()
        if group.options
    ]
    promised = sum(option_price(option) for option in options)
    asked = sum(entry.amount for entry in body.totals if entry.type == "fulfillment")
    if asked > promised:
        raise _wrong(f"delivery costs {asked}, but the selected option says {promised}")


def _only(totals: Sequence[TotalEntry], kind: str, what: str) -> int:
    found = [entry.amount for entry in totals if entry.type == kind]
    if len(found) != 1:
        raise _wrong(f"{what} has {len(found)} entries {kind!r}, not one")
    return found[0]


def _wrong(text: str) -> Nonsense:
    return Nonsense(f"the merchant's sums are wrong: {text}", code="wrong_arithmetic")
