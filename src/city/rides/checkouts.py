"""Checkouts of rides, of changes of them, and of tips."""

from __future__ import annotations

import msgspec

from city.rides import rides
from city.rides.company import BY_ID
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
from city.store import Transaction
from city.ucp.counter import Counter
from city.ucp.one_line import OneLine
from city.ucp.order_book import Placing
from city.ucp.quote import Json, Note
from city.world import World


class RideCheckouts(OneLine[RideCheckoutRequest, Terms]):
    """Of Lokki."""

    def price(
        self,
        counter: Counter,
        request: RideCheckoutRequest,
        id: str,
        until_s: float,
        operation: str,
    ) -> Terms | Note:
        return _terms(counter, request, operation)

    def bought(self, quoted: Terms, fresh: Terms) -> Terms:
        """The fare that was quoted counts; what a change costs depends on the ride as it is now."""
        return quoted if quoted.kind in ("ride", "tip") else fresh

    def dearer(self, terms: Terms) -> Terms:
        return msgspec.structs.replace(terms, price=terms.price + 100)

    def shown(self, counter: Counter, terms: Terms, surplus: int) -> Json:
        return {
            "currency": CURRENCY,
            "line_items": [line_json(terms)],
            "totals": totals_json(terms, surplus),
            "trip": trip_json(terms),
        }

    def place(self, world: World, tx: Transaction, placing: Placing, terms: Terms) -> str:
        return rides.place(world, tx, placing, terms)


CHECKOUTS = RideCheckouts("ride_checkouts", RideCheckoutRequest, Terms)


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
