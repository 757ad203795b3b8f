"""Rides as orders: what must agree with what was asked, and what the company reports of them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from msgspec.structs import replace

from lapel.commerce import fees, records, words
from lapel.commerce.booked import Cancellation, cancel, settle
from lapel.commerce.card import card, trip_data
from lapel.commerce.checkout import Checkout, OrderDraft, Trip
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.ports import MerchantEvent, MerchantOrder, RideStatus
from lapel.commerce.records import Told
from lapel.commerce.times import seconds

_KINDS = {
    "driver_assigned": "driver_assigned",
    "driver_arriving": "driver_arriving",
    "arrived": "driver_here",
    "picked_up": "on_trip",
    "dropped_off": "dropped_off",
    "driver_canceled": "driver_canceled",
    "delayed": "late",
    "destination_changed": "destination_changed",
    "tipped": "tipped",
    "pickup_soon": "pickup_soon",
    "pickup_changed": "time_changed",
}
_STAGES = ("driver_assigned", "driver_arriving", "driver_here", "on_trip", "dropped_off")
_PASSING = frozenset({"driver_assigned", "driver_arriving"})
_DONE = frozenset({"dropped_off", "destination_changed", "tipped", "time_changed"})
_OF_CHANGES = _DONE - {"dropped_off"}
ENDS = frozenset({*_DONE, "ride_canceled"})
"""Kinds of events after which nothing more happens to such an order."""
_HERE = _STAGES.index("driver_here")
_ROUNDS = 20
_DRIVEN = frozenset({*_STAGES, "driver_canceled"})
_LOOKED_AT = 50
FOLLOW_S = 24 * 3600.0
"""So long after its time a ride for later is still followed."""
NEAR_S = 2 * 3600.0
LOOK_S = 3600.0
"""How often a company is asked about a ride that begins later than `NEAR_S`."""


def same(trip: Trip, checkout: Checkout) -> bool:
    """Whether a checkout is for exactly this trip, and a tip for exactly this amount."""
    if checkout.trip is None or checkout.trip.trip != trip:
        return False
    return trip.kind != "tip" or checkout.total.minor == trip.tip


def apply(
    connection: sa.Connection, order: Order, report: MerchantOrder, keys: set[str], at: float
) -> list[OrderEvent]:
    """Write what is new in a report about a placed ride, a change or a tip."""
    news = [*_moved(connection, order, report, keys), *_progress(order, report, keys)]
    if report.canceled:
        kept = report.ride.fee_kept if report.ride else None
        over = Cancellation("ride_canceled", kept, words.RIDE_CANCELED, words.NO_DRIVER_LEFT)
        return cancel(over, connection, order, report, keys, news, at)
    news += fees.adjustments_told(order, report)
    return settle(connection, order, report, news, _DONE, at)


def followed_until(draft: OrderDraft) -> float:
    """Until when a ride for later is followed at least; 0 for orders of anything else."""
    trip = draft.trip
    return 0.0 if trip is None or not trip.pickup_at else seconds(trip.pickup_at) + FOLLOW_S


def patience_s(draft: OrderDraft, now: float, usual_s: float) -> float:
    """How long to wait before the company is asked again; long while the ride is far away."""
    trip = draft.trip
    far = trip is not None and trip.is_ahead(now + NEAR_S)
    return max(usual_s, LOOK_S) if far else usual_s


def is_here(keys: set[str]) -> bool:
    """Whether some driver of the ride was told to be at the pick-up, or the ride to be over."""
    return any(_reached(keys, round_) >= _HERE for round_ in range(_ROUNDS))


def is_waiting(draft: OrderDraft, kinds: Iterable[str]) -> bool:
    """Whether it is a ride for later that nobody drives yet, after events of these kinds."""
    trip = draft.trip
    later = trip is not None and trip.kind == "ride" and bool(trip.pickup_at)
    return later and not _DRIVEN.intersection(kinds)


def pickup_key(pickup_at: str, n: int) -> str:
    """The key of the event that the user asks for this pick-up time; `n` counts requests."""
    return f"{_asks_for(pickup_at)}{n}"


def _asks_for(pickup_at: str) -> str:
    return f"u:pickup:{seconds(pickup_at):.0f}:"


def _moved(
    connection: sa.Connection, order: Order, report: MerchantOrder, keys: set[str]
) -> list[Told]:
    """Another pick-up time. One that the user never asked for is told, and not agreed to."""
    trip, now = order.draft.trip, report.ride.pickup_at if report.ride else ""
    if trip is None or trip.kind != "ride" or not trip.pickup_at or not now:
        return []
    if seconds(now) == seconds(trip.pickup_at):
        return []
    number = sum(event.kind == "pickup_changed" for event in report.events)
    first = order.checkout.trip.trip.pickup_at if order.checkout and order.checkout.trip else ""
    asked = any(key.startswith(_asks_for(now)) for key in keys)
    agreed = asked or (first and seconds(now) == seconds(first)) or _bought(connection, order, now)
    if not agreed:
        key, said = f"m:shifted:{seconds(now):.0f}", words.pickup_shifted(trip.pickup_at, now)
        return [Told("pickup_shifted", key, said, {**card(order), "pickup_at": now})]
    if number <= _changes(keys):
        return []  # a report that was overtaken by a newer one
    draft = replace(order.draft, trip=replace(trip, pickup_at=now))
    records.redraft(connection, order, draft)
    data = {**card(order), "trip": trip_data(replace(trip, pickup_at=now))}
    key = f"m:pickup:{number}:{seconds(now):.0f}"
    return [Told("pickup_changed", key, words.pickup_changed(now), data)]


def _bought(connection: sa.Connection, order: Order, pickup_at: str) -> bool:
    """Whether the user has bought this time for the ride, as an order of its own."""
    bought = (OrderState.PLACING, OrderState.PLACED, OrderState.DELIVERED)
    return any(
        trip.kind == "time"
        and trip.ride_id == order.merchant_order_id
        and seconds(trip.pickup_at) == seconds(pickup_at)
        for other in records.of_user(connection, order.user_id, _LOOKED_AT)
        if other.state in bought and (trip := other.draft.trip) is not None
    )


def _changes(keys: set[str]) -> int:
    """How many changes of the time the newest report that was believed knew of."""
    return max((int(key.split(":")[2]) for key in keys if key.startswith("m:pickup:")), default=0)


def _progress(order: Order, report: MerchantOrder, keys: set[str]) -> list[Told]:
    """What was not told yet. Each driver who gives the ride up begins its stages anew.

    A driver who has gone again, or is already here, need not be announced as coming.
    """
    told: list[Told] = []
    stages: list[Told] = []
    is_ride = order.draft.trip is not None and order.draft.trip.kind == "ride"
    round_, reached = 0, _reached(keys, 0)
    for event in report.events:
        kind = _KINDS.get(event.kind)
        if is_ride and kind in _OF_CHANGES:
            continue  # it is not over with that; `_moved` tells of another time
        if kind == "driver_canceled":
            told.append(_told(order, kind, f"m:{round_}:{kind}", event, report))
            round_, stages = round_ + 1, []
            reached = _reached(keys, round_)
        elif kind in _STAGES:
            if _STAGES.index(kind) > reached:
                reached = _STAGES.index(kind)
                kept = [each for each in stages if each.kind not in _PASSING]
                stages = [*kept, _told(order, kind, f"m:{round_}:{kind}", event, report)]
        elif kind is not None:
            told.append(_told(order, kind, f"m:{kind}:{event.id}", event, report))
    if reached >= 0:
        told = [each for each in told if each.kind != "pickup_soon"]
    return [each for each in (*told, *stages) if each.key not in keys]


def _reached(keys: set[str], round_: int) -> int:
    """The furthest stage that was told of one driver."""
    return max((i for i, stage in enumerate(_STAGES) if f"m:{round_}:{stage}" in keys), default=-1)


def _told(order: Order, kind: str, key: str, event: MerchantEvent, report: MerchantOrder) -> Told:
    ride = report.ride or RideStatus("")
    data: dict[str, object] = {
        **card(order),
        "merchant_event": event.id,
        "merchant_at": event.at,
        "merchant_text": event.text,
        "tracking_url": event.tracking_url,
        "driver": {"name": ride.driver, "car": ride.car, "plate": ride.plate},
    }
    said = words.ride_step(kind, ride, order.draft)
    if kind == "time_changed" and order.draft.trip is not None:
        said = words.pickup_changed(order.draft.trip.pickup_at)
    return Told(kind, key, said, data)
