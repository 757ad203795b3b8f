"""What is shown and said of rides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lapel.commerce import Checkout, Money, Trip, TripTerms, spoken
from lapel.commerce.times import clock, moment, seconds
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
                f"{offer.title}{f', {offer.merchant_name}' if several else ''}"
                f"{'' if offer.pickup_at else f', {offer.pickup_minutes} min'}",
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
        f"{offer.title} is {spoken(offer.price)}"
        f"{'' if offer.pickup_at else f', here in {_minutes(offer.pickup_minutes or 1)}'}"
        for offer in offers
    ]
    return f"{way}:{_surge(offers[0].surge_percent)} {'. '.join(said)}. Which one?"


def question(checkout: Checkout, terms: TripTerms, now: float) -> str:
    """The approval read out: what, how much, how soon, surge, and what canceling costs."""
    trip = terms.trip
    if trip.kind == "tip":
        return f"{checkout.lines[0].title}: {spoken(checkout.total)}."
    if trip.kind == "change":
        return f"To {place(trip.destination)} instead costs {spoken(checkout.total)} more."
    if trip.kind == "time":
        return f"On {moment(trip.pickup_at)} instead costs {spoken(checkout.total)} more."
    start = f" from {place(trip.pickup)}" if trip.pickup else ""
    when = f", on {moment(trip.pickup_at)}" if trip.pickup_at else ""
    parts = [
        f"{checkout.lines[0].title} with {checkout.merchant_name}{start} to "
        f"{place(trip.destination)}{when}.",
        f"{spoken(checkout.total)}{_with_surge(terms)}, {soon(terms)}.",
        canceling(terms, now),
    ]
    return " ".join(part for part in parts if part)


def way_of(terms: TripTerms, now: float) -> str:
    """What stands on the card: from where, where to, when."""
    trip = terms.trip
    if trip.kind == "tip":
        return "Tip"
    if trip.kind == "change":
        return f"New destination: {place(trip.destination)}"
    if trip.kind == "time":
        return f"New time: {moment(trip.pickup_at)}"
    start = f"From {place(trip.pickup)} " if trip.pickup else ""
    when = f" on {moment(trip.pickup_at)}" if trip.pickup_at else ""
    way = f"{start}to {place(trip.destination)}{when}, {soon(terms)}."
    return f"{way} {canceling(terms, now)}".strip()


def soon(terms: TripTerms) -> str:
    """How soon it comes and how long it takes; of a ride for later, how long alone."""
    pickup = f"pick-up in about {_minutes(terms.pickup_minutes)}" if terms.pickup_minutes else ""
    ride = f"{_minutes(terms.duration_minutes)} on the way" if terms.duration_minutes else ""
    return ", ".join(part for part in (pickup, ride) if part) or "now"


def canceling(terms: TripTerms, now: float) -> str:
    """Until when or for how long it is free, and what it costs then."""
    fee = terms.cancel_fee
    if fee is None or fee.minor == 0:
        return ""
    if terms.free_until and seconds(terms.free_until) <= now:
        return f"Cancelling costs {spoken(fee)}, even now."
    if terms.free_until:
        until, at = datetime.fromisoformat(terms.free_until), terms.trip.pickup_at
        same_day = at and datetime.fromisoformat(at).date() == until.date()
        when = clock(until) if same_day else moment(terms.free_until)
        return f"Cancelling is free until {when}, then {spoken(fee)}."
    return f"Cancelling is free for {_minutes(terms.free_minutes)}, then {spoken(fee)}."


def cancel_question(fee: Money | None, which: str = "your ride") -> str:
    if fee is None or fee.minor == 0:
        return f"Cancelling {which} is free now. Shall I?"
    return f"Cancelling {which} costs {spoken(fee)} now. Shall I?"


def when(pickup_at: str, now: float) -> str:
    """`today at 22:00`, `tomorrow at 06:30`, `on Friday 27 November at 06:30`, by its own clock."""
    at = datetime.fromisoformat(pickup_at)
    days = (at.date() - datetime.fromtimestamp(now, at.tzinfo).date()).days
    near = {0: "today", 1: "tomorrow"}.get(days)
    return f"{near} at {clock(at)}" if near else f"on {moment(pickup_at)}"


def ride_title(trip: Trip) -> str:
    """`ride to your office`."""
    return f"ride {'' if trip.destination.label == 'home' else 'to '}{place(trip.destination)}"


def which_text(named: Sequence[str]) -> str:
    return f"Which one: {', '.join(named[:-1])} or {named[-1]}?"


def which_card(named: Sequence[str], serial: int) -> Card:
    """The booked rides with a button each."""
    return Card(
        title="Which ride?",
        lines=tuple(CardLine(name[0].upper() + name[1:]) for name in named),
        actions=tuple(CardAction(f"which:{serial}:{n}", f"{n + 1}") for n in range(len(named))),
    )


def _with_surge(terms: TripTerms) -> str:
    return f" with {terms.surge_percent} percent surge" if terms.surge_percent else ""


def _surge(percent: int) -> str:
    return f" Prices are {percent} percent higher than usual." if percent else ""


def _minutes(count: int) -> str:
    return f"{count} minute" if count == 1 else f"{count} minutes"
