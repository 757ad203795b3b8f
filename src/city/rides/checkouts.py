"""Checkouts of rides, of changes of them, and of tips: made, replaced, read, completed.

Bank and company share one database: the money moves and the ride is placed in one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from city.bank import ledger
from city.errors import BankRefusal
from city.faults import Fault
from city.replay import Answer
from city.rides import rides
from city.rides.company import BY_ID, SLUG
from city.rides.quotes import (
    CHANGE,
    CURRENCY,
    TIME,
    TIP,
    Terms,
    at_another_time,
    line_json,
    longer,
    quote,
    totals_json,
    trip_json,
)
from city.rides.wire import RideCheckoutRequest
from city.ucp.counter import OPEN, Counter, Session, Sessions, session_json, token_of
from city.ucp.order_book import Placing
from city.ucp.quote import Json, Note
from city.ucp.wire import CompleteRequest
from city.world import payee

LIFE_S = 900.0
"""Real seconds that a quote can be completed."""


Stored = Session[RideCheckoutRequest, Terms]
SESSIONS = Sessions("ride_checkouts", RideCheckoutRequest, Terms)


def show(counter: Counter, stored: Stored, notes: Sequence[Note] = (), status: int = 200) -> Answer:
    wrong = stored.status == OPEN and not notes and counter.strikes(Fault.WRONG_TOTAL)
    shown: Json = {
        "currency": CURRENCY,
        "line_items": [line_json(stored.terms)],
        "totals": totals_json(stored.terms, 100 if wrong else 0),
        "trip": trip_json(stored.terms),
    }
    return counter.respond(session_json(counter, stored, notes, shown), status)


def create(counter: Counter, request: RideCheckoutRequest) -> Answer:
    """Price it. There is no checkout where nothing can be sold."""
    terms = _terms(counter, request, "create")
    if isinstance(terms, Note):
        return counter.refuse(replace(terms, severity="unrecoverable"))
    expires_s = counter.world.real_s() + LIFE_S
    stored = Session(f"chk_{secrets.token_hex(12)}", OPEN, request, terms, expires_s)
    SESSIONS.insert(counter, stored)
    return show(counter, stored, status=201)


def update(counter: Counter, id: str, request: RideCheckoutRequest) -> Answer:
    """Replace everything; a checkout that is settled comes back as it is."""
    stored = SESSIONS.open(counter, id, show)
    if isinstance(stored, Answer):
        return stored
    terms = _terms(counter, request, "update")
    if isinstance(terms, Note):
        return counter.refuse(terms)
    return show(counter, SESSIONS.requote(counter, replace(stored, request=request, terms=terms)))


def cancel(counter: Counter, id: str) -> Answer:
    return SESSIONS.drop(counter, id, show)


def read(counter: Counter, id: str) -> Answer:
    return SESSIONS.read(counter, id, show)


def complete(counter: Counter, id: str, request: CompleteRequest) -> Answer:
    """Take the money and place the ride, or do neither and say why."""
    stored = SESSIONS.open(counter, id, show)
    if isinstance(stored, Answer):
        return stored
    fresh = _terms(counter, stored.request, "complete")
    if isinstance(fresh, Note):
        return show(counter, stored, [fresh])
    raised = counter.strikes(Fault.PRICE_RAISE, "complete")
    if raised:
        fresh = msgspec.structs.replace(stored.terms, price=stored.terms.price + 100)
    if raised or (stored.terms.kind in ("change", "time") and not fresh.same_price(stored.terms)):
        text = "the price has changed; confirm the new total"
        changed = SESSIONS.requote(counter, replace(stored, terms=fresh))
        return show(counter, changed, [Note("error", "price_changed", text, "$.totals")])
    token = token_of(request)
    if isinstance(token, Note):
        return show(counter, stored, [token])
    return _order(counter, stored, token)


def ride_of(counter: Counter, id: str) -> rides.Ride | None:
    """The platform's own order of a ride, of a change, or of a tip."""
    ride = rides.find(counter.tx, "id", id)
    if ride is None or ride.platform != counter.platform.profile_url:
        return None
    return ride


def drive_of(counter: Counter, id: str) -> rides.Ride | None:
    """The platform's own ride, whether it begins now or later."""
    ride = ride_of(counter, id)
    return ride if ride is not None and ride.contents.terms.kind == "ride" else None


def _terms(counter: Counter, request: RideCheckoutRequest, operation: str) -> Terms | Note:
    item = request.line_items[0].item.id
    if item not in (CHANGE, TIME, TIP):
        return quote(counter.world, counter.tx, request, operation)
    ride = drive_of(counter, request.trip.ride_id or "")
    if ride is None:
        return Note("error", "ride_not_found", "there is no such ride", "$.trip.ride_id")
    if item == TIP:
        if request.trip.tip is None or ride.plan is None or ride.status == "canceled":
            return Note("error", "missing", "a tip needs an amount and a driver", "$.trip.tip")
        title = f"Tip for {ride.plan.driver}"
        return Terms("tip", TIP, title, request.trip.tip, ride_id=ride.id)
    if item == TIME:
        return _put_off(counter, request, ride)
    return _change(counter, request, ride)


def _change(counter: Counter, request: RideCheckoutRequest, ride: rides.Ride) -> Terms | Note:
    """The difference, which is more than nothing: what is not dearer needs no checkout."""
    if rides.is_over(ride):
        return Note("error", "ride_over", "the ride is over", "$.trip.ride_id")
    if request.trip.destination is None:
        return Note("error", "missing", "where to?", "$.trip.destination")
    before = ride.contents.terms
    after = longer(counter.world, BY_ID[before.item_id], before, request.trip.destination)
    if isinstance(after, Note):
        return after
    if after.total <= before.total:
        return _nothing_to_pay("$.trip.destination")
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


def _put_off(counter: Counter, request: RideCheckoutRequest, ride: rides.Ride) -> Terms | Note:
    """The difference to another time."""
    before = ride.contents.terms
    after = another_time(counter, ride, request.trip.pickup_at)
    if isinstance(after, Note):
        return after
    if after.total <= before.total:
        return _nothing_to_pay("$.trip.pickup_at")
    return msgspec.structs.replace(
        after,
        kind="time",
        item_id=TIME,
        title="Change of time",
        price=after.total - before.total,
        surge=0,
        ride_id=ride.id,
    )


def another_time(counter: Counter, ride: rides.Ride, pickup_at: str) -> Terms | Note:
    """The ride's terms at another time, as long as it can have one."""
    if rides.is_over(ride):
        return Note("error", "ride_over", "the ride is over", "$.trip.ride_id")
    if not rides.is_changeable(counter.world, counter.tx, ride):
        return Note("error", "pickup_fixed", "the time cannot be changed any more", "$.trip")
    return at_another_time(counter.world, counter.tx, ride.id, ride.contents.terms, pickup_at)


def _nothing_to_pay(path: str) -> Note:
    return Note("error", "nothing_to_pay", "this is not dearer; change it without paying", path)


def _order(counter: Counter, stored: Stored, token: str) -> Answer:
    world, tx, platform = counter.world, counter.tx, counter.platform
    over = counter.strikes(Fault.OVERCHARGE, "complete")
    amount = stored.terms.total + (stored.terms.total // 10 if over else 0)
    try:
        paid = ledger.capture(tx, token, amount, payee(SLUG), stored.id, world.real_s())
    except BankRefusal as error:
        text = f"the bank refused the payment ({error.code}): {error.text}"
        return show(counter, stored, [Note("error", "payment_failed", text, "$.payment")])
    placing = Placing(
        SLUG, stored.id, platform.profile_url, platform.shared, platform.webhook_url, paid.id
    )
    order_id = rides.place(world, tx, placing, stored.terms)
    return show(counter, SESSIONS.complete(counter, stored, order_id))
