"""Until when the parts of a plan can be undone, and what it costs then: short, for its card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lapel.commerce import Checkout, Money, Order, Plan, TripTerms

FOR_GOOD = "cannot be undone"


def undoing(plan: Plan, orders: Sequence[Order]) -> str:
    """A sentence a part."""
    said = [
        f"{part.title.partition(',')[0]}: {_terms(order)}."
        for part, order in zip(plan.parts, orders, strict=True)
    ]
    return " ".join(said)


def _terms(order: Order) -> str:
    checkout = order.checkout
    if checkout is None:
        return FOR_GOOD
    if checkout.trip is not None:
        return _of_ride(checkout.trip)
    if checkout.table is not None:
        rules = checkout.table.cancellation
        return _free_until(rules.free_until, rules.fee, checkout)
    if checkout.journey is not None and checkout.journey.fare.refund_fee is not None:
        fare = checkout.journey.fare
        fee = Money(fare.refund_fee or 0, checkout.total.currency)
        cost = f"can be undone for {fee}" if fee.minor else "free to undo"
        return f"{cost} until {_short(fare.until)}"
    return FOR_GOOD


def _of_ride(terms: TripTerms) -> str:
    fee = terms.cancel_fee
    if fee is None or not fee.minor:
        return "free to undo"
    if terms.free_until:
        return f"free to undo until {_short(terms.free_until)}, then {fee}"
    return f"free to undo for {terms.free_minutes} minutes, then {fee}"


def _free_until(until: str, minor: int, checkout: Checkout) -> str:
    if not minor:
        return "free to undo"
    fee = Money(minor, checkout.total.currency)
    return f"free to undo until {_short(until)}, then {fee}"


def _short(moment: str) -> str:
    """`Wed 25 Nov 18:15`, by the clock of the place."""
    at = datetime.fromisoformat(moment)
    return f"{at:%a} {at.day} {at:%b} {at:%H:%M}"
