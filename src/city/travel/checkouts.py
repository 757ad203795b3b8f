"""Checkouts of journeys and of their changes, and holds: made, replaced, read, completed.

Bank and company share one database: the money moves and the booking is made in one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from city.bank import ledger
from city.clock import stamp_utc
from city.errors import BankRefusal
from city.faults import Fault
from city.replay import Answer
from city.travel import bookings, seats
from city.travel.bookings import BOOK, Booking
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
from city.ucp.counter import OPEN, Counter, Session, Sessions, session_json, token_of
from city.ucp.envelope import metadata
from city.ucp.order_book import Placing
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import CHECKOUT
from city.ucp.wire import CompleteRequest
from city.world import payee

LIFE_S = 900.0
"""Seconds that a quote can be completed, and its seat is kept."""
HOLD_S = 1800.0

Stored = Session[TravelCheckoutRequest, Terms]
SESSIONS = Sessions(
    "travel_checkouts",
    TravelCheckoutRequest,
    Terms,
    lambda counter, id: seats.release(counter.tx, id),
)


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


def show(counter: Counter, stored: Stored, notes: Sequence[Note] = (), status: int = 200) -> Answer:
    wrong = stored.status == OPEN and not notes and counter.strikes(Fault.WRONG_TOTAL)
    shown: Json = {
        "currency": CURRENCY,
        "line_items": [line_json(stored.terms)],
        "totals": totals_json(stored.terms, 100 if wrong else 0),
        "journey": journey_json(stored.terms),
    }
    return counter.respond(session_json(counter, stored, notes, shown), status)


def create(counter: Counter, request: TravelCheckoutRequest) -> Answer:
    """Price it and keep a seat. There is no checkout where nothing can be sold."""
    id, expires_s = f"chk_{secrets.token_hex(12)}", counter.world.real_s() + LIFE_S
    terms = _kept(counter, request, id, expires_s, "create")
    if isinstance(terms, Note):
        return counter.refuse(replace(terms, severity="unrecoverable"))
    stored = Session(id, OPEN, request, terms, expires_s)
    SESSIONS.insert(counter, stored)
    return show(counter, stored, status=201)


def update(counter: Counter, id: str, request: TravelCheckoutRequest) -> Answer:
    """Replace everything; a checkout that is settled comes back as it is."""
    stored = SESSIONS.open(counter, id, show)
    if isinstance(stored, Answer):
        return stored
    terms = _kept(counter, request, id, stored.expires_s, "update")
    if isinstance(terms, Note):
        return counter.refuse(terms)
    return show(counter, SESSIONS.requote(counter, replace(stored, request=request, terms=terms)))


def cancel(counter: Counter, id: str) -> Answer:
    return SESSIONS.drop(counter, id, show)


def read(counter: Counter, id: str) -> Answer:
    return SESSIONS.read(counter, id, show)


def complete(counter: Counter, id: str, request: CompleteRequest) -> Answer:
    """Take the money and make the booking, or do neither and say why."""
    stored = SESSIONS.open(counter, id, show)
    if isinstance(stored, Answer):
        return stored
    fresh = _kept(counter, stored.request, id, stored.expires_s, "complete")
    if isinstance(fresh, Note):
        return show(counter, stored, [fresh])
    # What was quoted is kept; only a change depends on how the booking stands by now.
    if fresh.action == "book":
        fresh = msgspec.structs.replace(stored.terms, holder=fresh.holder)
    if counter.strikes(Fault.PRICE_RAISE, "complete"):
        fresh = _dearer(fresh)
    if not fresh.same_price(stored.terms):
        text = "the price has changed; confirm the new total"
        changed = SESSIONS.requote(counter, replace(stored, terms=fresh))
        return show(counter, changed, [Note("error", "price_changed", text, "$.totals")])
    token = token_of(request)
    if isinstance(token, Note):
        return show(counter, stored, [token])
    return _order(counter, replace(stored, terms=fresh), token)


def booking_of(counter: Counter, id: str) -> Booking | None:
    """The platform's own booking at this company; None for the order of a change, too."""
    order = order_of(counter, id)
    return None if order is None or order.contents.terms.action == "change" else order


def order_of(counter: Counter, id: str) -> Booking | None:
    order = BOOK.find(counter.tx, "id", id)
    if order is None or order.merchant != counter.slug:
        return None
    return order if order.platform == counter.platform.profile_url else None


def changed(
    counter: Counter, booking_id: str, offer_id: str
) -> tuple[Booking, Terms, Offer] | Note:
    """What it would be to change that booking, or why it cannot be."""
    booking = booking_of(counter, booking_id)
    if booking is None:
        return Note("error", "booking_not_found", "there is no such booking", "$.journey")
    if booking.status in bookings.OVER or booking.status == "begun":
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


def _dearer(terms: Terms) -> Terms:
    if terms.action == "book":
        return msgspec.structs.replace(terms, price=terms.price + 100)
    return msgspec.structs.replace(terms, difference=terms.difference + 100)


def _order(counter: Counter, stored: Stored, token: str) -> Answer:
    world, tx, platform, slug = counter.world, counter.tx, counter.platform, counter.slug
    over = counter.strikes(Fault.OVERCHARGE, "complete")
    amount = stored.terms.total + (stored.terms.total // 10 if over else 0)
    try:
        paid = ledger.capture(tx, token, amount, payee(slug), stored.id, world.real_s())
    except BankRefusal as error:
        text = f"the bank refused the payment ({error.code}): {error.text}"
        return show(counter, stored, [Note("error", "payment_failed", text, "$.payment")])
    placing = Placing(
        slug, stored.id, platform.profile_url, platform.shared, platform.webhook_url, paid.id
    )
    order_id = bookings.place(world, tx, placing, stored.terms)
    return show(counter, SESSIONS.complete(counter, stored, order_id))
