"""Checkouts of rides, of changed destinations and of tips: made, replaced, read, completed.

Bank and company share one database: the money moves and the ride is placed in one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from city.bank import ledger
from city.clock import stamp_utc
from city.errors import BankRefusal
from city.faults import Fault
from city.replay import Answer
from city.rides import rides
from city.rides.company import BY_ID, SLUG
from city.rides.quotes import (
    CHANGE,
    CURRENCY,
    TIP,
    Terms,
    line_json,
    longer,
    quote,
    totals_json,
    trip_json,
)
from city.rides.wire import RideCheckoutRequest
from city.store import Transaction
from city.ucp.checkout_json import order_label
from city.ucp.envelope import answer, failure, metadata, not_found, payment_handlers
from city.ucp.platforms import Platform
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import CHECKOUT, HANDLER_ID
from city.ucp.wire import CompleteRequest
from city.world import World, payee

LIFE_S = 900.0
"""Real seconds that a quote can be completed."""


@dataclass(frozen=True, slots=True)
class Stored:
    id: str
    status: str
    request: RideCheckoutRequest
    terms: Terms
    expires_s: float
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """The company serving one platform at one moment, inside a transaction."""

    world: World
    platform: Platform
    tx: Transaction

    def respond(self, body: Json, status: int = 200) -> Answer:
        return answer(self.world.keys[SLUG], body, self.world.real_s(), status)

    def refuse(self, note: Note) -> Answer:
        shared = self.platform.shared
        return self.respond(failure(self.world, SLUG, shared, CHECKOUT, [note]))

    def missing(self, what: str) -> Answer:
        return self.respond(not_found(self.world, SLUG, self.platform.shared, CHECKOUT, what))

    def show(self, stored: Stored, notes: Sequence[Note] = (), status: int = 200) -> Answer:
        wrong = stored.status == "ready_for_complete" and not notes and self._misprints()
        return self.respond(self._body(stored, notes, 100 if wrong else 0), status)

    def _misprints(self) -> bool:
        return self.world.faults.strike(self.tx, Fault.WRONG_TOTAL, SLUG) is not None

    def _body(self, stored: Stored, notes: Sequence[Note], surplus: int) -> Json:
        base = self.world.urls[SLUG]
        body: Json = {
            "ucp": {
                **metadata(self.platform.shared, CHECKOUT),
                "payment_handlers": payment_handlers(self.world, SLUG),
            },
            "id": stored.id,
            "status": stored.status,
            "currency": CURRENCY,
            "line_items": [line_json(stored.terms)],
            "totals": totals_json(stored.terms, surplus),
            "trip": trip_json(stored.terms),
            "messages": [note.json() for note in notes],
            "payment": {"instruments": []},
            "expires_at": stamp_utc(stored.expires_s),
            "links": [
                {"type": "terms_of_service", "url": f"{base}/terms"},
                {"type": "privacy_policy", "url": f"{base}/privacy"},
            ],
        }
        if stored.order_id is not None:
            body["order"] = {
                "id": stored.order_id,
                "label": order_label(stored.order_id),
                "permalink_url": f"{base}/o/{stored.order_id}",
            }
        return body


def create(counter: Counter, request: RideCheckoutRequest) -> Answer:
    """Price it. There is no checkout where nothing can be sold."""
    terms = _terms(counter, request, "create")
    if isinstance(terms, Note):
        return counter.refuse(replace(terms, severity="unrecoverable"))
    expires_s = counter.world.real_s() + LIFE_S
    id = f"chk_{secrets.token_hex(12)}"
    stored = Stored(id, "ready_for_complete", request, terms, expires_s)
    counter.tx.execute(
        "INSERT INTO ride_checkouts VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            id,
            SLUG,
            counter.platform.profile_url,
            stored.status,
            msgspec.json.encode(request).decode(),
            msgspec.json.encode(terms).decode(),
            expires_s,
        ),
    )
    return counter.show(stored, status=201)


def update(counter: Counter, id: str, request: RideCheckoutRequest) -> Answer:
    """Replace everything; a checkout that is settled comes back as it is."""
    stored = load(counter, id)
    if stored is None:
        return counter.missing("Checkout")
    if (why := _settled(stored)) is not None:
        return counter.show(stored, [why])
    terms = _terms(counter, request, "update")
    if isinstance(terms, Note):
        return counter.refuse(terms)
    return counter.show(_requote(counter, stored, request, terms))


def cancel(counter: Counter, id: str) -> Answer:
    stored = load(counter, id)
    if stored is None:
        return counter.missing("Checkout")
    if (why := _settled(stored)) is not None:
        return counter.show(stored, [why])
    return counter.show(_status(counter, stored, "canceled"))


def read(counter: Counter, id: str) -> Answer:
    stored = load(counter, id)
    return counter.missing("Checkout") if stored is None else counter.show(stored)


def complete(counter: Counter, id: str, request: CompleteRequest) -> Answer:
    """Take the money and place the ride, or do neither and say why."""
    stored = load(counter, id)
    if stored is None:
        return counter.missing("Checkout")
    if (why := _settled(stored)) is not None:
        return counter.show(stored, [why])
    fresh = _terms(counter, stored.request, "complete")
    if isinstance(fresh, Note):
        return counter.show(stored, [fresh])
    raised = counter.world.faults.strike(counter.tx, Fault.PRICE_RAISE, SLUG, "complete")
    if raised is not None:
        fresh = msgspec.structs.replace(stored.terms, price=stored.terms.price + 100)
    if raised is not None or (stored.terms.kind == "change" and not fresh.same_price(stored.terms)):
        text = "the price has changed; confirm the new total"
        changed = _requote(counter, stored, stored.request, fresh)
        return counter.show(changed, [Note("error", "price_changed", text, "$.totals")])
    instrument = request.chosen()
    if instrument is None or instrument.handler_id != HANDLER_ID or instrument.credential is None:
        text = f"select one instrument of handler {HANDLER_ID!r} with a credential"
        return counter.show(stored, [Note("error", "payment_failed", text, "$.payment")])
    return _order(counter, stored, instrument.credential.token)


def load(counter: Counter, id: str) -> Stored | None:
    """The platform's own checkout; canceled when its time is over."""
    row = counter.tx.execute(
        "SELECT id, status, request, quote, expires_s, order_id FROM ride_checkouts "
        "WHERE id = ? AND platform = ?",
        (id, counter.platform.profile_url),
    ).fetchone()
    if row is None:
        return None
    stored = Stored(
        id=row[0],
        status=row[1],
        request=msgspec.json.decode(row[2], type=RideCheckoutRequest),
        terms=msgspec.json.decode(row[3], type=Terms),
        expires_s=row[4],
        order_id=row[5],
    )
    over = stored.expires_s <= counter.world.real_s()
    if over and stored.status == "ready_for_complete":
        return _status(counter, stored, "canceled")
    return stored


def ride_of(counter: Counter, id: str) -> rides.Ride | None:
    """The platform's own ride."""
    ride = rides.find(counter.tx, "id", id)
    if ride is None or ride.platform != counter.platform.profile_url:
        return None
    return ride


def _terms(counter: Counter, request: RideCheckoutRequest, operation: str) -> Terms | Note:
    item = request.line_items[0].item.id
    if item not in (CHANGE, TIP):
        return quote(counter.world, counter.tx, request, operation)
    ride = ride_of(counter, request.trip.ride_id or "")
    if ride is None or ride.plan is None:
        return Note("error", "ride_not_found", "there is no such ride", "$.trip.ride_id")
    if item == TIP:
        if request.trip.tip is None or ride.status == "canceled":
            return Note("error", "missing", "a tip needs an amount and a ride", "$.trip.tip")
        title = f"Tip for {ride.plan.driver}"
        return Terms("tip", TIP, title, request.trip.tip, ride_id=ride.id)
    return _change(counter, request, ride)


def _change(counter: Counter, request: RideCheckoutRequest, ride: rides.Ride) -> Terms | Note:
    """The difference, which is more than nothing: what is not dearer needs no checkout."""
    if ride.is_over:
        return Note("error", "ride_over", "the ride is over", "$.trip.ride_id")
    if request.trip.destination is None:
        return Note("error", "missing", "where to?", "$.trip.destination")
    before = ride.contents.terms
    after = longer(counter.world, BY_ID[before.item_id], before, request.trip.destination)
    if isinstance(after, Note):
        return after
    if after.total <= before.total:
        text = "this is not dearer; change it without a checkout"
        return Note("error", "nothing_to_pay", text, "$.trip.destination")
    # Price and surge may move in opposite directions only by rounding: the sum is what is owed.
    return msgspec.structs.replace(
        after,
        kind="change",
        item_id=CHANGE,
        title="Change of destination",
        price=after.total - before.total,
        surge=0,
        pickup=before.pickup,
        ride_id=ride.id,
        pickup_minutes=0,
    )


def _order(counter: Counter, stored: Stored, token: str) -> Answer:
    world, tx, platform = counter.world, counter.tx, counter.platform
    over = world.faults.strike(tx, Fault.OVERCHARGE, SLUG, "complete")
    amount = stored.terms.total + (stored.terms.total // 10 if over is not None else 0)
    try:
        paid = ledger.capture(tx, token, amount, payee(SLUG), stored.id, world.real_s())
    except BankRefusal as error:
        text = f"the bank refused the payment ({error.code}): {error.text}"
        return counter.show(stored, [Note("error", "payment_failed", text, "$.payment")])
    placing = rides.Placing(
        terms=stored.terms,
        checkout_id=stored.id,
        platform=platform.profile_url,
        shared=platform.shared,
        webhook_url=platform.webhook_url,
        authorization_id=paid.id,
    )
    order_id = rides.place(world, tx, placing)
    tx.execute(
        "UPDATE ride_checkouts SET status = 'completed', order_id = ? WHERE id = ?",
        (order_id, stored.id),
    )
    return counter.show(replace(stored, status="completed", order_id=order_id))


def _requote(
    counter: Counter, stored: Stored, request: RideCheckoutRequest, terms: Terms
) -> Stored:
    counter.tx.execute(
        "UPDATE ride_checkouts SET request = ?, quote = ? WHERE id = ?",
        (
            msgspec.json.encode(request).decode(),
            msgspec.json.encode(terms).decode(),
            stored.id,
        ),
    )
    return replace(stored, request=request, terms=terms)


def _status(counter: Counter, stored: Stored, status: str) -> Stored:
    counter.tx.execute("UPDATE ride_checkouts SET status = ? WHERE id = ?", (status, stored.id))
    return replace(stored, status=status)


def _settled(stored: Stored) -> Note | None:
    match stored.status:
        case "completed":
            text = f"checkout is completed; ride {stored.order_id} was placed"
            return Note("error", "checkout_completed", text)
        case "canceled":
            text = "checkout is canceled or expired; make a new one"
            return Note("error", "checkout_canceled", text)
        case _:
            return None
