"""What is shown and said of flights, trains and rooms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from lapel.assistant.travel.choosing import Departure
from lapel.commerce import Checkout, Journey, JourneyOffer, JourneyStatus, Money, spoken
from lapel.commerce import journey_words as words
from lapel.devices import Card, CardAction, CardLine
from lapel.services.travel import Held, PricedChange

_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth")
ACTION = "journey"
"""What the buttons of a list of offers begin with."""


def offers_card(listed: Sequence[Departure], serial: int) -> Card:
    """The departures with their cheapest prices, and a button each."""
    first = listed[0].cheapest.journey
    several = len({x.cheapest.merchant_id for x in listed}) > 1
    return Card(
        title=_heading(first),
        lines=tuple(
            CardLine(_line(x.cheapest, several=several), f"from {x.cheapest.price}") for x in listed
        ),
        body="" if first.kind == "stay" else "Local times.",
        actions=tuple(
            CardAction(f"{ACTION}:{serial}:{n}", label(x.cheapest.journey))
            for n, x in enumerate(listed)
        ),
    )


def offers_text(listed: Sequence[Departure], count: int, note: str) -> str:
    """The same to be heard; `count` is how many there are in all."""
    first = listed[0].cheapest.journey
    said = [_said(n, x.cheapest) for n, x in enumerate(listed)]
    more = f" There are {count - len(listed)} more." if count > len(listed) else ""
    which = "Shall I take it?" if len(listed) == 1 else "Which one?"
    note = f"{note} " if note else ""
    return f"{note}{_heading(first)}. {' '.join(said)}{more} {which}"


def question(checkout: Checkout, journey: Journey) -> str:
    """The approval read out: all that is agreed to."""
    said = words.agreed(journey, checkout.total, checkout.merchant_name)
    return f"{said} {parts(checkout)}".strip() if journey.is_change else said


def body(checkout: Checkout, journey: Journey) -> str:
    """What stands on the card under the price."""
    who = ", ".join(str(traveller) for traveller in journey.travellers)
    rules = words.rules(journey.fare, checkout.total.currency)
    said = f"{words.times(journey)}. {who}. {rules}"
    if journey.is_change:
        return f"Change of your booking, {words.title(journey)}: {said} {parts(checkout)}".strip()
    return said[0].upper() + said[1:]


def parts(checkout: Checkout) -> str:
    """What a change is made of, its fee and the difference of the fares, as a sentence."""
    kinds = {total.kind: total.amount for total in checkout.totals}
    fee, difference = kinds.get("fee"), kinds.get("subtotal")
    said = [f"the fee is {spoken(fee)}"] if fee and fee.minor else []
    if difference and difference.minor:
        said.append(f"the fare is {spoken(difference)} more")
    text = ", ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def held(hold: Held, zone: ZoneInfo) -> str:
    """Until when, by the user's own clock."""
    until = datetime.fromtimestamp(hold.expires_at, zone)
    price = spoken(hold.offer.price)
    what = words.title(hold.offer.journey)
    return f"The {what} is held for {price} until {words.clock(until)}. Say, book it."


def change_question(journey: Journey, change: PricedChange) -> str:
    """A change that costs nothing, before it is made."""
    what = f"{words.title(journey)}, which {words.times(journey)}"
    if journey.kind == "stay":
        what = f"{words.title(journey)}, {words.times(journey)}"
    back = -change.owed.minor
    cost = "That costs nothing"
    if back > 0:
        cost += f", and {spoken(Money(back, change.owed.currency))} comes back"
    return f"Change to {what}? {cost}. Shall I?"


def cancel_question(journey: Journey, paid: Money, back: Money) -> str:
    """What comes back by the fare's rules, before it is given back."""
    what = f"your {words.title(journey)} on {words.day(journey.day)}"
    if back.minor <= 0:
        return f"Nothing of {spoken(paid)} comes back for {what}. Shall I cancel it all the same?"
    if back.minor >= paid.minor:
        return f"You get all of {spoken(paid)} back for {what}. Shall I cancel it?"
    return f"You get {spoken(back)} of {spoken(paid)} back for {what}. Shall I cancel it?"


def status(status_: JourneyStatus) -> str:
    """When it begins, and whether it is late, in the clocks of the places."""
    journey = status_.journey
    what = words.title(journey)
    if status_.status == "disrupted":
        return words.step("journey_disrupted", journey, status_)
    if status_.expected_begins:
        return words.step("journey_delayed", journey, status_)
    if journey.kind == "stay":
        return f"Your {what} is booked {words.times(journey)}."
    return f"Your {what} {words.times(journey)}."


def _heading(journey: Journey) -> str:
    day = words.day(journey.day)
    if journey.origin is None:
        nights = (journey.arrives.date() - journey.day).days
        return f"{journey.destination.city}, {nights} night{'s' * (nights > 1)} from {day}"
    names = {"flight": "Flights", "train": "Trains"}
    way = f"{journey.origin.city} to {journey.destination.city}"
    return f"{names[journey.kind]} from {way}, {day}"


def label(journey: Journey) -> str:
    """What the button of an offer is called."""
    return journey.number if journey.kind == "stay" else words.clock(journey.departs)


def _line(offer: JourneyOffer, *, several: bool) -> str:
    journey = offer.journey
    if journey.kind == "stay":
        return journey.number
    who = f", {offer.merchant_name}" if several else ""
    late = words.plus_days(journey.departs, journey.arrives)
    times = f"{words.clock(journey.departs)}-{words.clock(journey.arrives)}{late}"
    return f"{times} {journey.number}{who}"


def _said(n: int, offer: JourneyOffer) -> str:
    journey, price = offer.journey, spoken(offer.price)
    order = _ORDINALS[n] if n < len(_ORDINALS) else f"Number {n + 1}"
    if journey.kind == "stay":
        return f"{order}, {journey.number}, from {price}."
    late = words.days_later(journey.departs, journey.arrives)
    times = f"at {words.clock(journey.departs)}, there at {words.clock(journey.arrives)}{late}"
    return f"{order}, {times}, from {price}."
