"""What is shown and said of rides."""

from __future__ import annotations

from collections.abc import Sequence

from lapel.commerce import Checkout, Money, TripTerms, spoken
from lapel.commerce.words import place
from lapel.devices import Card, CardAction, CardLine
from lapel.services import RideOffer

STEPS = ("Booked", "Driver found", "At the pick-up", "On the way", "Arrived")
AT = {
    "placed": 1,
    "driver_canceled": 1,
    "driver_assigned": 2,
    "driver_arriving": 2,
    "late": 2,
    "driver_here": 3,
    "on_trip": 3,
    "dropped_off": 5,
}
"""Event kind -> the step that is under way."""


def offers_card(offers: Sequence[RideOffer], way: str, serial: int) -> Card:
    """The classes with their prices, and a button each."""
    several = len({offer.merchant_id for offer in offers}) > 1
    return Card(
        title="Rides" if several else offers[0].merchant_name,
        lines=tuple(
            CardLine(
                f"{offer.title}{f', {offer.merchant_name}' if several else ''}, "
                f"{offer.pickup_minutes} min",
                str(offer.price),
            )
            for offer in offers
        ),
        body=f"{way}{_surge(offers[0].surge_percent)}",
        actions=tuple(
            CardAction(f"ride:{serial}:{index}", offer.title) for index, offer in enumerate(offers)
        ),
    )


def offers_text(offers: Sequence[RideOffer], way: str) -> str:
    said = [
        f"{offer.title} is {spoken(offer.price)}, here in {_minutes(offer.pickup_minutes or 1)}"
        for offer in offers
    ]
    return f"{way}:{_surge(offers[0].surge_percent)} {'. '.join(said)}. Which one?"


def question(checkout: Checkout, terms: TripTerms) -> str:
    """The approval read out: what, how much, how soon, surge, and what canceling costs."""
    trip = terms.trip
    if trip.kind == "tip":
        return f"{checkout.lines[0].title}: {spoken(checkout.total)}."
    if trip.kind == "change":
        return f"To {place(trip.destination)} instead costs {spoken(checkout.total)} more."
    start = f" from {place(trip.pickup)}" if trip.pickup else ""
    parts = [
        f"{checkout.lines[0].title} with {checkout.merchant_name}{start} to "
        f"{place(trip.destination)}.",
        f"{spoken(checkout.total)}{_with_surge(terms)}, {soon(terms)}.",
        canceling(terms),
    ]
    return " ".join(part for part in parts if part)


def way_of(terms: TripTerms) -> str:
    """What stands on the card: from where, where to, when."""
    trip = terms.trip
    if trip.kind == "tip":
        return "Tip"
    if trip.kind == "change":
        return f"New destination: {place(trip.destination)}"
    start = f"From {place(trip.pickup)} " if trip.pickup else ""
    return f"{start}to {place(trip.destination)}, {soon(terms)}. {canceling(terms)}".strip()


def soon(terms: TripTerms) -> str:
    pickup = f"pick-up in about {_minutes(terms.pickup_minutes)}" if terms.pickup_minutes else ""
    ride = f"{_minutes(terms.duration_minutes)} on the way" if terms.duration_minutes else ""
    return ", ".join(part for part in (pickup, ride) if part) or "now"


def canceling(terms: TripTerms) -> str:
    fee = terms.cancel_fee
    if fee is None or fee.minor == 0:
        return ""
    return f"Cancelling is free for {_minutes(terms.free_minutes)}, then {spoken(fee)}."


def cancel_question(fee: Money | None) -> str:
    if fee is None or fee.minor == 0:
        return "Cancelling your ride is free now. Shall I?"
    return f"Cancelling your ride costs {spoken(fee)} now. Shall I?"


def _with_surge(terms: TripTerms) -> str:
    return f" with {terms.surge_percent} percent surge" if terms.surge_percent else ""


def _surge(percent: int) -> str:
    return f" Prices are {percent} percent higher than usual." if percent else ""


def _minutes(count: int) -> str:
    return f"{count} minute" if count == 1 else f"{count} minutes"
