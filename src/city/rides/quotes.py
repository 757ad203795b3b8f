"""What a ride, a change of its destination, or a tip costs now, and what is agreed to with it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from city.faults import Fault
from city.geometry import Point
from city.rides import company
from city.rides.company import BY_ID, CANCEL_FEE, CLASSES, FREE_S, RideClass, drive, nearest, surge
from city.rides.wire import EstimateRequest, Place, RideCheckoutRequest
from city.store import Transaction
from city.ucp.quote import Json, Note
from city.world import World

CHANGE, TIP = "destination_change", "tip"
CURRENCY = "EUR"


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a ride checkout says, and an order repeats. Amounts are in cents."""

    kind: str
    item_id: str
    title: str
    price: int
    surge: int = 0
    surge_percent: int = 0
    pickup: Place | None = None
    destination: Place | None = None
    ride_id: str = ""
    pickup_minutes: int = 0
    duration_minutes: int = 0
    distance_m: int = 0

    @property
    def total(self) -> int:
        return self.price + self.surge

    def same_price(self, other: Terms) -> bool:
        return (self.item_id, self.price, self.surge) == (other.item_id, other.price, other.surge)


@dataclass(frozen=True, slots=True)
class Course:
    """A way from door to door."""

    length_m: float
    duration_s: float


def point(place: Place) -> Point:
    return (place.latitude, place.longitude)


def estimate(world: World, tx: Transaction, asked: EstimateRequest) -> Json:
    """Every class with its price; `available` is false where no driver is free."""
    course = _course(world, asked.pickup, asked.destination)
    if course is None:
        return {"classes": [], "messages": [_no_way().json()]}
    percent = surge(world, tx)
    nobody = world.faults.strike(tx, Fault.NOBODY_FREE, company.SLUG, "search") is not None
    shown: list[Json] = []
    for ride in CLASSES:
        there = None if nobody else nearest(tx, world, ride.id, point(asked.pickup))
        fare = ride.fare(course.length_m, course.duration_s)
        entry: Json = {
            "id": ride.id,
            "title": ride.title,
            "description": ride.description,
            "seats": ride.seats,
            "price": {"amount": fare + _surge(fare, percent), "currency": CURRENCY},
            "surge_percent": percent,
            "available": there is not None,
            "duration_minutes": _minutes(course.duration_s),
            "distance_m": round(course.length_m),
            "cancellation": cancellation(),
        }
        if there is not None:
            entry["pickup_minutes"] = _minutes(there.due_s - world.clock.now_s())
        shown.append(entry)
    return {"classes": shown, "messages": []}


def quote(
    world: World, tx: Transaction, asked: RideCheckoutRequest, operation: str
) -> Terms | Note:
    """The terms of a ride, or why there are none."""
    ride = BY_ID.get(asked.line_items[0].item.id)
    trip = asked.trip
    if ride is None or asked.line_items[0].quantity != 1:
        return Note("error", "item_unavailable", "there is no such class of rides", "$.line_items")
    if trip.pickup is None or trip.destination is None:
        return Note("error", "missing", "a ride needs pickup and destination", "$.trip")
    course = _course(world, trip.pickup, trip.destination)
    if course is None:
        return _no_way()
    nobody = world.faults.strike(tx, Fault.NOBODY_FREE, company.SLUG, operation) is not None
    there = None if nobody else nearest(tx, world, ride.id, point(trip.pickup))
    if there is None:
        text = f"no driver of the class {ride.title} is free; try again in some minutes"
        return Note("error", "no_driver_available", text, "$.line_items[0]")
    percent = surge(world, tx)
    fare = ride.fare(course.length_m, course.duration_s)
    return Terms(
        kind="ride",
        item_id=ride.id,
        title=f"{ride.title} ride",
        price=fare,
        surge=_surge(fare, percent),
        surge_percent=percent,
        pickup=trip.pickup,
        destination=trip.destination,
        pickup_minutes=_minutes(there.due_s - world.clock.now_s()),
        duration_minutes=_minutes(course.duration_s),
        distance_m=round(course.length_m),
    )


def longer(world: World, ride: RideClass, terms: Terms, to: Place) -> Terms | Note:
    """The terms of the same ride to another place, at the surge that was agreed."""
    course = _course(world, terms.pickup, to)
    if course is None:
        return _no_way()
    fare = ride.fare(course.length_m, course.duration_s)
    return msgspec.structs.replace(
        terms,
        price=fare,
        surge=_surge(fare, terms.surge_percent),
        destination=to,
        duration_minutes=_minutes(course.duration_s),
        distance_m=round(course.length_m),
    )


def cancellation() -> Json:
    return {"free_minutes": round(FREE_S / 60), "fee": CANCEL_FEE}


def trip_json(terms: Terms) -> Json:
    """The member `trip` of checkouts and orders."""
    shown: Json = {"kind": terms.kind}
    for name in ("pickup", "destination"):
        place: Place | None = getattr(terms, name)
        if place is not None:
            shown[name] = msgspec.to_builtins(place)
    if terms.ride_id:
        shown["ride_id"] = terms.ride_id
    if terms.kind == "ride":
        shown["cancellation"] = cancellation()
        shown["pickup_minutes"] = terms.pickup_minutes
    if terms.kind != "tip":
        shown["surge_percent"] = terms.surge_percent
        shown["duration_minutes"] = terms.duration_minutes
        shown["distance_m"] = terms.distance_m
    return shown


def line_json(terms: Terms) -> Json:
    return {
        "id": "li_1",
        "item": {"id": terms.item_id, "title": terms.title, "price": terms.price},
        "quantity": 1,
        "totals": [
            {"type": "subtotal", "amount": terms.price},
            {"type": "total", "amount": terms.price},
        ],
    }


def totals_json(terms: Terms, surplus: int = 0) -> list[Json]:
    """`surplus` makes the total wrong on purpose."""
    shown: list[Json] = [{"type": "subtotal", "display_text": "Fare", "amount": terms.price}]
    if terms.surge:
        text = f"Surge, {terms.surge_percent} %"
        shown.append({"type": "fee", "display_text": text, "amount": terms.surge})
    shown.append({"type": "total", "display_text": "Total", "amount": terms.total + surplus})
    return shown


def _course(world: World, start: Place | None, end: Place | None) -> Course | None:
    if start is None or end is None:
        return None
    way = drive(world.streets, point(start), point(end))
    return None if way is None or way.length_m < 1 else Course(way.length_m, way.duration_s)


def _surge(fare: int, percent: int) -> int:
    return 10 * round(fare * percent / 1000)


def _minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))


def _no_way() -> Note:
    return Note("error", "trip_unavailable", "nobody drives from there to there", "$.trip")
