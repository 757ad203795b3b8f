"""Checkouts of journeys and of their changes, and holds."""

from __future__ import annotations

import secrets
from dataclasses import replace

import msgspec

from city.clock import stamp_utc
from city.replay import Answer
from city.store import Transaction
from city.travel import bookings, seats
from city.travel.bookings import JOURNEYS
from city.travel.offers import BY_SLUG, CURRENCY, Company, Offer
from city.travel.terms import (
    Terms,
    change,
    journey_json,
    line_json,
    offer_json,
    offered,
    snatched,
    sold_out,
    totals_json,
)
from city.travel.wire import HoldRequest, TravelCheckoutRequest
from city.ucp.booked import Booking
from city.ucp.counter import Counter
from city.ucp.envelope import metadata
from city.ucp.one_line import OneLine
from city.ucp.order_book import Placing
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import CHECKOUT
from city.world import World

HOLD_S = 1800.0


def company_of(counter: Counter) -> Company:
    return BY_SLUG[counter.slug]


def hold(counter: Counter, request: HoldRequest) -> Answer:
    """Keep one for a while, at the price of now, for nothing."""
    company, tx = company_of(counter), counter.tx
    offer = offered(counter.world, tx, company, request.offer)
    if isinstance(offer, Note):
        return counter.refuse(replace(offer, path="$.offer"))
    snatched(counter.world, tx, company, offer, "create")
    id, until_s = f"hold_{secrets.token_hex(12)}", counter.world.real_s() + HOLD_S
    if not seats.take(counter.world, tx, company, offer, id, until_s):
        return counter.refuse(replace(sold_out(offer), path="$.offer"))
    tx.execute(
        "INSERT INTO travel_holds VALUES (?, ?, ?, ?, ?, ?)",
        (id, counter.slug, counter.platform.profile_url, offer.id, offer.price, until_s),
    )
    held: Json = {
        "id": id,
        "expires_at": stamp_utc(until_s),
        "offer": offer_json(offer, seats.left(counter.world, tx, company, offer, besides=id)),
    }
    shared = counter.platform.shared
    return counter.respond({"ucp": metadata(shared, CHECKOUT), "hold": held, "messages": []}, 201)


class TravelCheckouts(OneLine[TravelCheckoutRequest, Terms]):
    """Of all travel companies."""

    def price(
        self,
        counter: Counter,
        request: TravelCheckoutRequest,
        id: str,
        until_s: float,
        operation: str,
    ) -> Terms | Note:
        return _kept(counter, request, id, until_s, operation)

    def bought(self, quoted: Terms, fresh: Terms) -> Terms:
        """What was quoted counts; only a change depends on how the booking stands by now."""
        if fresh.action == "change":
            return fresh
        return msgspec.structs.replace(quoted, holder=fresh.holder)

    def dearer(self, terms: Terms) -> Terms:
        if terms.action == "book":
            return msgspec.structs.replace(terms, price=terms.price + 100)
        return msgspec.structs.replace(terms, difference=terms.difference + 100)

    def shown(self, counter: Counter, terms: Terms, surplus: int) -> Json:
        return {
            "currency": CURRENCY,
            "line_items": [line_json(terms)],
            "totals": totals_json(terms, surplus),
            "journey": journey_json(terms),
        }

    def place(self, world: World, tx: Transaction, placing: Placing, terms: Terms) -> str:
        return bookings.place(world, tx, placing, terms)

    def lapsed(self, counter: Counter, id: str) -> None:
        seats.release(counter.tx, id)


CHECKOUTS = TravelCheckouts("travel_checkouts", TravelCheckoutRequest, Terms)


def changed(
    counter: Counter, booking_id: str, offer_id: str
) -> tuple[Booking[Terms], Terms, Offer] | Note:
    """What it would be to change that booking, or why it cannot be."""
    booking = JOURNEYS.booking(counter, booking_id)
    if booking is None:
        return Note("error", "booking_not_found", "there is no such booking", "$.journey")
    if booking.status in JOURNEYS.over or booking.status == "begun":
        return Note("error", "booking_over", "the journey has begun or is over", "$.journey")
    offer = offered(counter.world, counter.tx, company_of(counter), offer_id)
    if isinstance(offer, Note):
        return offer
    terms = change(counter.world, counter.tx, booking.contents.terms, offer)
    return terms if isinstance(terms, Note) else (booking, terms, offer)


def _kept(
    counter: Counter, request: TravelCheckoutRequest, id: str, until_s: float, operation: str
) -> Terms | Note:
    """The terms, with a seat kept under the session's or the hold's name."""
    item = request.line_items[0]
    if item.quantity != 1:
        return Note("error", "item_unavailable", "one traveller a booking", "$.line_items[0]")
    if request.journey.action == "change":
        found = changed(counter, request.journey.booking_id or "", item.item.id)
        if isinstance(found, Note):
            return found
        booking, terms, offer = found
        if terms.total <= 0:
            text = "this costs nothing; change it without a checkout"
            return Note("error", "nothing_to_pay", text, "$.line_items[0]")
        terms = msgspec.structs.replace(terms, booking_id=booking.id)
    else:
        quoted = _booked(counter, request, item.item.id)
        if isinstance(quoted, Note):
            return quoted
        terms, offer = quoted
    return _seated(counter, request, terms, offer, (id, until_s), operation)


def _booked(
    counter: Counter, request: TravelCheckoutRequest, offer_id: str
) -> tuple[Terms, Offer] | Note:
    offer = offered(counter.world, counter.tx, company_of(counter), offer_id)
    if isinstance(offer, Note):
        return offer
    if not request.journey.travellers:
        return Note("error", "missing", "who travels?", "$.journey.travellers")
    terms = Terms(
        counter.slug, offer.id, "book", offer.price, travellers=request.journey.travellers
    )
    return terms, offer


def _seated(
    counter: Counter,
    request: TravelCheckoutRequest,
    terms: Terms,
    offer: Offer,
    name: tuple[str, float],
    operation: str,
) -> Terms | Note:
    id, until_s = name
    company, world, tx = company_of(counter), counter.world, counter.tx
    hold_id = request.journey.hold_id or ""
    price = _held(counter, hold_id, terms.offer)
    if price is not None:
        sql = "UPDATE travel_holds SET expires_s = MAX(expires_s, ?) WHERE id = ?"
        tx.execute(sql, (until_s, hold_id))
        seats.extend(tx, hold_id, until_s)
        return msgspec.structs.replace(terms, price=price, holder=hold_id)
    snatched(world, tx, company, offer, operation)
    if not seats.take(world, tx, company, offer, id, until_s):
        return sold_out(offer)
    return msgspec.structs.replace(terms, holder=id)


def _held(counter: Counter, hold_id: str, offer: str) -> int | None:
    """The price that was promised with a hold; None where there is no such hold any more."""
    row = counter.tx.execute(
        "SELECT price FROM travel_holds WHERE id = ? AND company = ? AND platform = ? "
        "AND offer = ? AND expires_s > ?",
        (
            hold_id,
            counter.slug,
            counter.platform.profile_url,
            offer,
            counter.world.real_s(),
        ),
    ).fetchone()
    return None if row is None else int(row[0])
