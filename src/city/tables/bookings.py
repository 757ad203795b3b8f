"""Bookings of tables: placed, reminded of, late, changed, sat at, missed, called off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from city.faults import Fault, chance
from city.store import Transaction
from city.tables import sittings
from city.tables.houses import BY_SLUG, CURRENCY
from city.tables.offers import Offer, later
from city.tables.terms import Terms, fee_now, line_json, offer_of, stamp, table_json, totals_json
from city.ucp.booked import Booking, Bookings, Contents
from city.ucp.order_book import Placing
from city.ucp.quote import Json
from city.world import World

REMIND_S = 7200.0
"""So long before it begins the guest is reminded."""
DELAYS_MIN = (15, 25, 45)

_TEXT: Mapping[str, str] = {
    "confirmed": "The table for {party} at {name} is yours: {when}.",
    "reminder": "{name} expects you at {time}.",
    "delayed": "The kitchen of {name} is late by {delay} minutes.",
    "changed": "It is a table for {party} on {when} now.",
    "seated": "Welcome to {name}.",
    "ended": "Thank you for coming to {name}.",
    "no_show": "Nobody came, so {name} has given the table away.",
    "canceled": "The booking at {name} is canceled.",
}


class TableBookings(Bookings[Terms]):
    """Of all houses."""

    def carrier(self, terms: Terms) -> str:
        return BY_SLUG[terms.company].name

    def text(self, tx: Transaction, terms: Terms, kind: str) -> str:
        offer = offer_of(terms)
        at = offer.begins
        return _TEXT[kind].format(
            name=offer.house.name,
            party=offer.party,
            when=f"{at:%A} {at.day} {at:%B} at {at:%H:%M}",
            time=f"{at:%H:%M}",
            delay=terms.delay,
        )

    def shown(self, world: World, tx: Transaction, booking: Booking[Terms]) -> Json:
        terms = booking.contents.terms
        shown = {**table_json(world.streets, terms), "status": booking.status}
        if terms.action == "change" or booking.status in self.over:
            return shown
        offer = offer_of(terms)
        if terms.delay:
            shown["expected_begins"] = stamp(later(offer.begins, timedelta(minutes=terms.delay)))
        if booking.status != "seated":
            fee = fee_now(world, terms, self.unrefunded(booking))
            agreed = {"free_until": stamp(offer.free_until), "fee": offer.fee}
            shown["cancellation"] = {**agreed, "fee_now": fee}
        return shown

    def release(self, tx: Transaction, id: str) -> None:
        sittings.release(tx, id)


TABLES = TableBookings(
    "table_bookings",
    "table_events",
    "table_steps",
    Contents[Terms],
    member="table",
    ends=("ended", "no_show"),
    currency=CURRENCY,
)


def place(world: World, tx: Transaction, placing: Placing, terms: Terms) -> str:
    """Insert the order and what follows from it; gives the order's id."""
    contents = Contents(terms, [line_json(terms)], totals_json(terms))
    id, booking = TABLES.insert(tx, "table", placing, contents, world.real_s())
    if terms.action == "book":
        sittings.sell(tx, terms.holder, id)
        _expect(world, tx, id, terms)
        _mishaps(world, tx, id, terms)
        TABLES.happen(world, tx, id, "confirmed")
    else:
        _become(world, tx, booking, terms)
        TABLES.happen(world, tx, id, "changed")
    return id


def apply_change(world: World, tx: Transaction, booking: Booking[Terms], terms: Terms) -> None:
    """A change for which nothing is owed: what it costs less goes back."""
    TABLES.give_back(world, tx, booking, -terms.total)
    _become(world, tx, booking, terms)


def _become(world: World, tx: Transaction, booking: Booking[Terms], terms: Terms) -> None:
    sittings.sell(tx, terms.holder, booking.id)
    booking.contents.terms = msgspec.structs.replace(
        terms, action="book", booking_id="", holder="", paid=0
    )
    TABLES.book.write(tx, booking, None)
    _expect(world, tx, booking.id, booking.contents.terms)
    TABLES.happen(world, tx, booking.id, "changed")


def step(world: World, tx: Transaction, id: str, kind: str) -> None:
    """What falls due happens."""
    TABLES.drop(tx, id, kind)
    booking = TABLES.load(tx, id)
    slug = booking.contents.terms.company
    match kind:
        case "called_off":
            TABLES.cancel(world, tx, booking, "restaurant", TABLES.unrefunded(booking))
        case "delayed":
            _delay(world, tx, booking)
        case "seated" if world.faults.strike(tx, Fault.NO_SHOW, slug) is not None:
            TABLES.drop(tx, id, "ended")
            TABLES.release(tx, id)
            TABLES.happen(world, tx, id, "no_show")
        case _:
            TABLES.happen(world, tx, id, kind)


def _delay(world: World, tx: Transaction, booking: Booking[Terms]) -> None:
    at = int(chance(world.seed, "kitchen", booking.id) * len(DELAYS_MIN))
    terms = msgspec.structs.replace(booking.contents.terms, delay=DELAYS_MIN[at])
    booking.contents.terms = terms
    TABLES.book.write(tx, booking, None)
    _expect(world, tx, booking.id, terms)
    TABLES.happen(world, tx, booking.id, "delayed")


def _expect(world: World, tx: Transaction, id: str, terms: Terms) -> None:
    """Write down when the guest is reminded, comes and leaves."""
    offer, late_s = offer_of(terms), 60.0 * terms.delay
    TABLES.expect(tx, id, "seated", offer.begins.timestamp() + late_s)
    TABLES.expect(tx, id, "ended", offer.ends.timestamp() + late_s)
    remind_s = offer.begins.timestamp() - REMIND_S
    if remind_s > world.real_s():
        TABLES.expect(tx, id, "reminder", remind_s)
    else:
        TABLES.drop(tx, id, "reminder")


def _mishaps(world: World, tx: Transaction, id: str, terms: Terms) -> None:
    """What will go wrong, and when that is found out: before it begins."""
    struck = ((Fault.TABLE_CANCELED, "called_off"), (Fault.KITCHEN_DELAYED, "delayed"))
    for fault, kind in struck:
        after_s = world.faults.strike(tx, fault, terms.company)
        if after_s is not None:
            TABLES.expect(tx, id, kind, _before(world, offer_of(terms), after_s))


def _before(world: World, offer: Offer, after_s: float) -> float:
    return min(world.real_s() + after_s, offer.begins.timestamp() - 1.0)
