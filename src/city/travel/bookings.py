"""Bookings: placed, delayed or called off, changed, given back, travelled; shown as UCP's orders.

Journeys are on real dates: they happen in real time, whatever the City's own clock says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from city.bank import ledger
from city.clock import stamp_utc
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
from city.ucp.order_book import (
    OrderBook,
    Placed,
    Placing,
    cancellation_json,
    entity_json,
    refund_json,
)
from city.ucp.quote import Json
from city.world import World

OVER = frozenset({"ended", "canceled"})
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


class Paid(msgspec.Struct):
    """One payment for the booking, by the order that it was made for, and what went back of it."""

    order_id: str
    authorization_id: str
    amount: int
    refunded: int = 0

    @property
    def kept(self) -> int:
        return self.amount - self.refunded


class Contents(msgspec.Struct):
    """`terms` are of the booking as it is now; lines and totals as this order was bought."""

    terms: Terms
    line_items: list[Json]
    totals: list[Json]
    payments: list[Paid] = []
    canceled_by: str = ""
    given_back: list[tuple[int, float]] = []
    """Amounts that went back of this order's own payment, and when."""


class NoPlan(msgspec.Struct):
    """What becomes of a booking follows from the timetable."""


Booking = Placed[Contents, NoPlan]
"""A booking, or (its terms say so) the change of one that was paid for."""
BOOK = OrderBook("bookings", "booking_events", "booking_id", Contents, NoPlan)
load = BOOK.load


def place(world: World, tx: Transaction, placing: Placing, terms: Terms) -> str:
    """Insert the order and what follows from it; gives the order's id."""
    now_s = world.real_s()
    contents = Contents(terms, [line_json(terms)], totals_json(terms))
    id = BOOK.insert(tx, "trip", placing, contents, now_s)
    paid = Paid(id, placing.authorization_id, terms.total)
    if terms.action == "book":
        order = load(tx, id)
        order.contents.payments.append(paid)
        BOOK.write(tx, order, None)
        seats.sell(tx, terms.holder, id)
        _expect(world, tx, id, terms)
        _mishaps(world, tx, id, terms)
        happen(world, tx, id, "confirmed")
    else:
        booking = load(tx, terms.booking_id)
        booking.contents.payments.append(paid)
        _become(world, tx, booking, terms)
        happen(world, tx, id, "changed")
    return id


def apply_change(world: World, tx: Transaction, booking: Booking, terms: Terms) -> None:
    """A change that costs nothing: what the new journey is cheaper goes back."""
    give_back(world, tx, booking, -terms.total)
    _become(world, tx, booking, terms)


def _become(world: World, tx: Transaction, booking: Booking, terms: Terms) -> None:
    seats.sell(tx, terms.holder, booking.id)
    booking.contents.terms = msgspec.structs.replace(
        terms, action="book", booking_id="", holder="", difference=0, fee=0
    )
    BOOK.write(tx, booking, None)
    _expect(world, tx, booking.id, booking.contents.terms)
    happen(world, tx, booking.id, "changed")


def unrefunded(booking: Booking) -> int:
    """All that was paid for it and did not go back."""
    return sum(paid.kept for paid in booking.contents.payments)


def give_back(world: World, tx: Transaction, booking: Booking, amount: int) -> None:
    """Refund so much of what was paid, the first payment first; each order tells its own part."""
    for paid in booking.contents.payments:
        part = min(amount, paid.kept)
        if part <= 0:
            continue
        ledger.refund(tx, paid.authorization_id, world.real_s(), part, paid.order_id)
        paid.refunded += part
        amount -= part
        own = paid.order_id == booking.id
        order = booking if own else load(tx, paid.order_id)
        order.contents.given_back.append((part, world.real_s()))
        if not own:
            BOOK.write(tx, order, None)
            tell(world, tx, order.id)
    BOOK.write(tx, booking, None)


def cancel(world: World, tx: Transaction, booking: Booking, by: str, back: int) -> None:
    """End the booking and give so much of the money back."""
    give_back(world, tx, booking, back)
    booking.contents.canceled_by = by
    BOOK.write(tx, booking, None)
    seats.release(tx, booking.id)
    tx.execute("DELETE FROM booking_steps WHERE booking_id = ?", (booking.id,))
    happen(world, tx, booking.id, "canceled")


def due(world: World, tx: Transaction) -> tuple[str, str] | None:
    """The booking and the kind of the next thing that is due in real time."""
    return tx.execute(
        "SELECT booking_id, kind FROM booking_steps WHERE due_s <= ? "
        "ORDER BY due_s, booking_id LIMIT 1",
        (world.real_s(),),
    ).fetchone()


def step(world: World, tx: Transaction, id: str, kind: str) -> None:
    """What falls due happens."""
    tx.execute("DELETE FROM booking_steps WHERE booking_id = ? AND kind = ?", (id, kind))
    match kind:
        case "delayed" | "disrupted":
            _disrupt(world, tx, load(tx, id), kind)
        case "lapsed":  # nobody has chosen another departure
            booking = load(tx, id)
            cancel(world, tx, booking, "company", unrefunded(booking))
        case _:
            happen(world, tx, id, kind)


def _disrupt(world: World, tx: Transaction, booking: Booking, kind: str) -> None:
    """A departure is late or called off, which all who are booked on it are told."""
    terms = booking.contents.terms
    company, service = company_of(terms), offer_of(terms).service
    known = seats.delay(tx, company, service)
    if known is None or (known and kind == "delayed"):
        return
    at = int(chance(world.seed, "delay", service.key, service.day) * len(DELAYS_MIN))
    seats.disrupt(tx, company, service, DELAYS_MIN[at] if kind == "delayed" else None)
    for id in seats.on_board(tx, company, service):
        other = load(tx, id)
        if other.status in OVER or other.status == "begun":
            continue
        _expect(world, tx, id, other.contents.terms)
        happen(world, tx, id, kind)


def _expect(world: World, tx: Transaction, id: str, terms: Terms) -> None:
    """Write down when it begins and ends, or until when another departure may be chosen."""
    tx.execute(
        "DELETE FROM booking_steps WHERE booking_id = ? AND kind IN ('begun', 'ended', 'lapsed')",
        (id,),
    )
    service = offer_of(terms).service
    minutes = seats.delay(tx, company_of(terms), service)
    begins, ends = (x.timestamp() + 60.0 * (minutes or 0) for x in (service.begins, service.ends))
    steps = [("lapsed", begins)] if minutes is None else [("begun", begins), ("ended", ends)]
    for kind, due_s in steps:
        tx.execute("INSERT INTO booking_steps VALUES (?, ?, ?)", (id, kind, due_s))


def _mishaps(world: World, tx: Transaction, id: str, terms: Terms) -> None:
    """What will go wrong with the departure, and when that is found out."""
    struck = [(Fault.DEPARTURE_CANCELED, "disrupted")]
    if offer_of(terms).service.kind != "stay":
        struck.append((Fault.DEPARTURE_DELAYED, "delayed"))
    for fault, kind in struck:
        after_s = world.faults.strike(tx, fault, terms.company)
        if after_s is not None:
            step = (id, kind, world.real_s() + after_s)
            tx.execute("INSERT INTO booking_steps VALUES (?, ?, ?)", step)


def happen(world: World, tx: Transaction, id: str, kind: str) -> None:
    """Append an event and queue the webhook that tells it."""
    booking = load(tx, id)
    terms = booking.contents.terms
    service = offer_of(terms).service
    minutes = seats.delay(tx, company_of(terms), service)
    text = _TEXT[kind].format(number=service.number, minutes=minutes or 0)
    BOOK.happen(tx, id, kind, text, world.real_s(), kind)
    tell(world, tx, id)


def tell(world: World, tx: Transaction, id: str) -> None:
    BOOK.tell(world, tx, id, lambda order: entity(world, tx, order))


def entity(world: World, tx: Transaction, order: Booking) -> Json:
    """UCP's order with its `journey`: everything that is known of it now."""
    contents = order.contents
    over = order.status == "ended" or contents.terms.action == "change"
    shown: Json = {
        "currency": CURRENCY,
        "fulfillment": {"expectations": [], "events": _events(tx, order)},
        "adjustments": _adjustments(tx, order),
        "totals": contents.totals,
        "journey": _journey(world, tx, order),
    }
    return entity_json(world, order, contents.line_items, over=over, shown=shown)


def _journey(world: World, tx: Transaction, order: Booking) -> Json:
    terms = order.contents.terms
    shown: Json = {**journey_json(terms), "status": order.status}
    if terms.action == "change" or order.status in OVER:
        return shown
    offer = offer_of(terms)
    minutes = seats.delay(tx, company_of(terms), offer.service)
    if minutes:
        late = timedelta(minutes=minutes)
        shown["expected_begins"], shown["expected_ends"] = _shifted(offer, late)
    if order.status == "begun":
        return shown
    shown["refund_now"] = refund(world, tx, terms, unrefunded(order))
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


def _events(tx: Transaction, order: Booking) -> list[Json]:
    return [
        {
            "id": id,
            "occurred_at": stamp_utc(at_s),
            "type": kind,
            "line_items": [{"id": "li_1", "quantity": 1}],
            "carrier": company_of(order.contents.terms).name,
            "description": text,
        }
        for id, kind, text, at_s in BOOK.events(tx, order.id)
    ]


def _adjustments(tx: Transaction, order: Booking) -> list[Json]:
    made: list[Json] = []
    if order.status == "canceled":
        at_s = next(at for _, kind, _, at in BOOK.events(tx, order.id) if kind == "canceled")
        kept = sum(paid.kept for paid in order.contents.payments if paid.order_id == order.id)
        made.append(cancellation_json(order.id, order.contents.canceled_by, kept, at_s))
    for number, (amount, at_s) in enumerate(order.contents.given_back, 1):
        made.append(refund_json(order.id, number, amount, at_s))
    return made
