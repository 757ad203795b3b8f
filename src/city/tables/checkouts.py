"""Checkouts of tables and of their changes."""

from __future__ import annotations

import msgspec

from city.store import Transaction
from city.tables import bookings, sittings
from city.tables.bookings import TABLES
from city.tables.houses import BY_SLUG, CURRENCY
from city.tables.offers import Offer
from city.tables.terms import (
    Terms,
    fee_now,
    line_json,
    offer_of,
    offered,
    snatched,
    sold_out,
    table_json,
    totals_json,
)
from city.tables.wire import TableCheckoutRequest
from city.ucp.booked import Booking
from city.ucp.counter import Counter
from city.ucp.one_line import OneLine
from city.ucp.order_book import Placing
from city.ucp.quote import Json, Note
from city.world import World


class TableCheckouts(OneLine[TableCheckoutRequest, Terms]):
    """Of all houses."""

    def price(
        self,
        counter: Counter,
        request: TableCheckoutRequest,
        id: str,
        until_s: float,
        operation: str,
    ) -> Terms | Note:
        found = _found(counter, request)
        if isinstance(found, Note):
            return found
        terms, offer = found
        snatched(counter.world, counter.tx, counter.slug, offer, operation)
        if not sittings.take(counter.world, counter.tx, offer, id, until_s, terms.booking_id):
            return sold_out(offer)
        return msgspec.structs.replace(terms, holder=id)

    def bought(self, quoted: Terms, fresh: Terms) -> Terms:
        """What was quoted counts; only a change depends on how the booking stands by now."""
        return fresh if fresh.action == "change" else quoted

    def dearer(self, terms: Terms) -> Terms:
        return msgspec.structs.replace(terms, per_person=terms.per_person + 100)

    def shown(self, counter: Counter, terms: Terms, surplus: int) -> Json:
        return {
            "currency": CURRENCY,
            "line_items": [line_json(terms)],
            "totals": totals_json(terms, surplus),
            "table": table_json(counter.world.streets, terms),
        }

    def place(self, world: World, tx: Transaction, placing: Placing, terms: Terms) -> str:
        return bookings.place(world, tx, placing, terms)

    def lapsed(self, counter: Counter, id: str) -> None:
        sittings.release(counter.tx, id)


CHECKOUTS = TableCheckouts("table_checkouts", TableCheckoutRequest, Terms)


def changed(
    counter: Counter, booking_id: str, offer_id: str
) -> tuple[Booking[Terms], Terms, Offer] | Note:
    """What it would be to change that booking, or why it cannot be."""
    booking = TABLES.booking(counter, booking_id)
    if booking is None:
        return Note("error", "booking_not_found", "there is no such booking", "$.table")
    if booking.status in TABLES.over or booking.status == "seated":
        return Note("error", "booking_over", "the table is taken or given away", "$.table")
    before = booking.contents.terms
    offer = offered(counter.world, BY_SLUG[counter.slug], offer_id)
    if isinstance(offer, Note):
        return offer
    if offer.house != offer_of(before).house:
        return Note("error", "item_unavailable", "that is another restaurant", "$.line_items[0]")
    if offer.id == before.offer:
        return Note("error", "nothing_to_change", "that is what is booked already")
    kept = TABLES.unrefunded(booking)
    if fee_now(counter.world, before, kept):
        text = "it is too late to change this booking"
        return Note("error", "change_not_allowed", text)
    terms = Terms(
        company=counter.slug,
        offer=offer.id,
        action="change",
        guest=before.guest,
        party=offer.party,
        per_person=offer.per_person,
        booking_id=booking.id,
        paid=kept,
    )
    return booking, terms, offer


def _found(counter: Counter, request: TableCheckoutRequest) -> tuple[Terms, Offer] | Note:
    item, asked = request.line_items[0], request.table
    if item.quantity != 1:
        return Note("error", "item_unavailable", "one table a booking", "$.line_items[0]")
    if asked.action == "change":
        found = changed(counter, asked.booking_id or "", item.item.id)
        if isinstance(found, Note):
            return found
        _, terms, offer = found
        if terms.total <= 0:
            text = "this costs nothing more; change it without a checkout"
            return Note("error", "nothing_to_pay", text, "$.line_items[0]")
        return terms, offer
    offer = offered(counter.world, BY_SLUG[counter.slug], item.item.id)
    if isinstance(offer, Note):
        return offer
    guest = " ".join(asked.guest.split())
    if not guest:
        return Note("error", "missing", "under which name?", "$.table.guest")
    terms = Terms(counter.slug, offer.id, "book", guest, offer.party, offer.per_person)
    return terms, offer
