"""Bookings of journeys: placed, delayed or called off, changed, travelled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from city.faults import Fault, chance
from city.store import Transaction
from city.travel import schedule, seats
from city.travel.offers import CURRENCY, Offer, stamp
from city.travel.terms import (
    Terms,
    alternatives,
    change_fee,
    company_of,
    journey_json,
    line_json,
    offer_json,
    offer_of,
    refund,
    totals_json,
)
from city.ucp.booked import Booking, Bookings, Contents
from city.ucp.order_book import Placing
from city.ucp.quote import Json
from city.world import World

DELAYS_MIN = (40, 75, 190)

_TEXT: Mapping[str, str] = {
    "confirmed": "{number} is booked.",
    "delayed": "{number} is delayed by {minutes} minutes.",
    "disrupted": "{number} is called off. Take another one, or all your money back.",
    "changed": "The booking is for {number} now.",
    "begun": "{number} has begun.",
    "ended": "{number} is over.",
    "canceled": "The booking is canceled.",
}


class Journeys(Bookings[Terms]):
    """Of all travel companies."""

    def carrier(self, terms: Terms) -> str:
        return company_of(terms).name

    def text(self, tx: Transaction, terms: Terms, kind: str) -> str:
        service = offer_of(terms).service
        minutes = seats.delay(tx, company_of(terms), service)
        return _TEXT[kind].format(number=service.number, minutes=minutes or 0)

    def shown(self, world: World, tx: Transaction, booking: Booking[Terms]) -> Json:
        return _journey(world, tx, booking)

    def release(self, tx: Transaction, id: str) -> None:
        seats.release(tx, id)


JOURNEYS = Journeys(
    "bookings",
    "booking_events",
    "booking_steps",
    Contents[Terms],
    member="journey",
    ends=("ended",),
    currency=CURRENCY,
)


def place(world: World, tx: Transaction, placing: Placing, terms: Terms) -> str:
    """Insert the order and what follows from it; gives the order's id."""
    contents = Contents(terms, [line_json(terms)], totals_json(terms))
    id, booking = JOURNEYS.insert(tx, "trip", placing, contents, world.real_s())
    if terms.action == "book":
        seats.sell(tx, terms.holder, id)
        _expect(world, tx, id, terms)
        _mishaps(world, tx, id, terms)
        JOURNEYS.happen(world, tx, id, "confirmed")
    else:
        _become(world, tx, booking, terms)
        JOURNEYS.happen(world, tx, id, "changed")
    return id


def apply_change(world: World, tx: Transaction, booking: Booking[Terms], terms: Terms) -> None:
    """A change that costs nothing: what the new journey is cheaper goes back."""
    JOURNEYS.give_back(world, tx, booking, -terms.total)
    _become(world, tx, booking, terms)


def _become(world: World, tx: Transaction, booking: Booking[Terms], terms: Terms) -> None:
    seats.sell(tx, terms.holder, booking.id)
    booking.contents.terms = msgspec.structs.replace(
        terms, action="book", booking_id="", holder="", difference=0, fee=0
    )
    JOURNEYS.book.write(tx, booking, None)
    _expect(world, tx, booking.id, booking.contents.terms)
    JOURNEYS.happen(world, tx, booking.id, "changed")


def step(world: World, tx: Transaction, id: str, kind: str) -> None:
    """What falls due happens."""
    JOURNEYS.drop(tx, id, kind)
    match kind:
        case "delayed" | "disrupted":
            _disrupt(world, tx, JOURNEYS.load(tx, id), kind)
        case "lapsed":  # nobody has chosen another departure
            booking = JOURNEYS.load(tx, id)
            JOURNEYS.cancel(world, tx, booking, "company", JOURNEYS.unrefunded(booking))
        case _:
            JOURNEYS.happen(world, tx, id, kind)


def _disrupt(world: World, tx: Transaction, booking: Booking[Terms], kind: str) -> None:
    """A departure is late or called off, which all who are booked on it are told."""
    terms = booking.contents.terms
    company, service = company_of(terms), offer_of(terms).service
    known = seats.delay(tx, company, service)
    if known is None or (known and kind == "delayed"):
        return
    at = int(chance(world.seed, "delay", service.key, service.day) * len(DELAYS_MIN))
    seats.disrupt(tx, company, service, DELAYS_MIN[at] if kind == "delayed" else None)
    for id in seats.on_board(tx, company, service):
        other = JOURNEYS.load(tx, id)
        if other.status in JOURNEYS.over or other.status == "begun":
            continue
        _expect(world, tx, id, other.contents.terms)
        JOURNEYS.happen(world, tx, id, kind)


def _expect(world: World, tx: Transaction, id: str, terms: Terms) -> None:
    """Write down when it begins and ends, or until when another departure may be chosen."""
    JOURNEYS.drop(tx, id, "begun", "ended", "lapsed")
    service = offer_of(terms).service
    minutes = seats.delay(tx, company_of(terms), service)
    begins, ends = (x.timestamp() + 60.0 * (minutes or 0) for x in (service.begins, service.ends))
    steps = [("lapsed", begins)] if minutes is None else [("begun", begins), ("ended", ends)]
    for kind, due_s in steps:
        JOURNEYS.expect(tx, id, kind, due_s)


def _mishaps(world: World, tx: Transaction, id: str, terms: Terms) -> None:
    """What will go wrong with the departure, and when that is found out."""
    struck = [(Fault.DEPARTURE_CANCELED, "disrupted")]
    if offer_of(terms).service.kind != "stay":
        struck.append((Fault.DEPARTURE_DELAYED, "delayed"))
    for fault, kind in struck:
        after_s = world.faults.strike(tx, fault, terms.company)
        if after_s is not None:
            JOURNEYS.expect(tx, id, kind, world.real_s() + after_s)


def _journey(world: World, tx: Transaction, order: Booking[Terms]) -> Json:
    terms = order.contents.terms
    shown: Json = {**journey_json(terms), "status": order.status}
    if terms.action == "change" or order.status in JOURNEYS.over:
        return shown
    offer = offer_of(terms)
    minutes = seats.delay(tx, company_of(terms), offer.service)
    if minutes:
        late = timedelta(minutes=minutes)
        shown["expected_begins"], shown["expected_ends"] = _shifted(offer, late)
    if order.status == "begun":
        return shown
    shown["refund_now"] = refund(world, tx, terms, JOURNEYS.unrefunded(order))
    fee = change_fee(world, tx, terms)
    if fee is not None:
        shown["change_fee_now"] = fee
    if minutes is None:
        shown["choices"] = [
            offer_json(each, 1, price=terms.price) for each in alternatives(world, tx, terms)
        ]
    return shown


def _shifted(offer: Offer, late: timedelta) -> tuple[str, str]:
    service = offer.service
    origin = service.origin or service.destination
    return (
        stamp(schedule.later(service.begins, late, origin.clock)),
        stamp(schedule.later(service.ends, late, service.destination.clock)),
    )
