"""What a ride, a change of its destination, or a tip costs now, and what is agreed to with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from city.faults import Fault
from city.geometry import Point
from city.rides import ahead, company
from city.rides.company import (
    BY_ID,
    CANCEL_FEE,
    CLASSES,
    FREE_S,
    Pickup,
    RideClass,
    drive,
    nearest,
    surge,
)
from city.rides.wire import EstimateRequest, Place, RideCheckoutRequest
from city.store import Transaction
from city.ucp.quote import Json, Note
from city.world import World

CHANGE, TIME, TIP = "destination_change", "pickup_change", "tip"
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
    pickup_at: str = ""
    """RFC 3339, of a ride for later."""

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
    at = ahead.check(world, asked.pickup_at) if asked.pickup_at else None
    if isinstance(at, Note):
        return {"classes": [], "messages": [at.json()]}
    percent = surge(world, tx) if at is None else ahead.surge_percent(at)
    nobody = world.faults.strike(tx, Fault.NOBODY_FREE, company.SLUG, "search") is not None
    shown: list[Json] = []
    for ride in CLASSES:
        minutes: int | None = None
        if at is None and not nobody:
            there = _first(world, tx, ride, asked.pickup)
            minutes = None if there is None else _minutes(there.due_s - world.clock.now_s())
        free = minutes is not None
        if at is not None:
            free = not nobody and has_driver(tx, ride, at, course.duration_s)
        fare = ride.fare(course.length_m, course.duration_s)
        entry: Json = {
            "id": ride.id,
            "title": ride.title,
            "description": ride.description,
            "seats": ride.seats,
            "price": {"amount": fare + _surge(fare, percent), "currency": CURRENCY},
            "surge_percent": percent,
            "available": free,
            "duration_minutes": _minutes(course.duration_s),
            "distance_m": round(course.length_m),
            "cancellation": cancellation(asked.pickup_at),
        }
        if minutes is not None:
            entry["pickup_minutes"] = minutes
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
    if trip.pickup_at:
        booked = operation == "complete"
        return _later(world, tx, ride, asked, course, booked=booked, nobody=nobody)
    there = None if nobody else _first(world, tx, ride, trip.pickup)
    if there is None:
        return _nobody(ride)
    percent = surge(world, tx)
    return msgspec.structs.replace(
        _terms(ride, asked, course, percent),
        pickup_minutes=_minutes(there.due_s - world.clock.now_s()),
    )


def _first(world: World, tx: Transaction, ride: RideClass, start: Place) -> Pickup | None:
    """The driver for a ride that begins at once."""
    kept = ahead.wanted(world, tx, ride.id)
    return nearest(tx, world, ride.id, point(start), kept=kept)


def _later(
    world: World,
    tx: Transaction,
    ride: RideClass,
    asked: RideCheckoutRequest,
    course: Course,
    *,
    booked: bool,
    nobody: bool,
) -> Terms | Note:
    at = ahead.check(world, asked.trip.pickup_at, booked=booked)
    if isinstance(at, Note):
        return at
    if nobody or not has_driver(tx, ride, at, course.duration_s):
        return _nobody(ride)
    terms = _terms(ride, asked, course, ahead.surge_percent(at))
    return msgspec.structs.replace(terms, pickup_at=asked.trip.pickup_at)


def _terms(ride: RideClass, asked: RideCheckoutRequest, course: Course, percent: int) -> Terms:
    fare = ride.fare(course.length_m, course.duration_s)
    return Terms(
        kind="ride",
        item_id=ride.id,
        title=f"{ride.title} ride",
        price=fare,
        surge=_surge(fare, percent),
        surge_percent=percent,
        pickup=asked.trip.pickup,
        destination=asked.trip.destination,
        duration_minutes=_minutes(course.duration_s),
        distance_m=round(course.length_m),
    )


def has_driver(
    tx: Transaction, ride: RideClass, at: datetime, duration_s: float, without: str = ""
) -> bool:
    """Whether a driver of the class can be kept for that time, besides those kept for others."""
    start_s = at.timestamp()
    kept = ahead.taken(tx, ride.id, start_s - ahead.LEAD_S, start_s + duration_s, without)
    return kept < sum(driver.ride_class == ride.id for driver in company.drivers(tx))


def at_another_time(
    world: World, tx: Transaction, ride_id: str, terms: Terms, pickup_at: str
) -> Terms | Note:
    """The terms of the same ride at another time, with the surge of that time."""
    at = ahead.check(world, pickup_at)
    if isinstance(at, Note):
        return at
    ride, percent = BY_ID[terms.item_id], ahead.surge_percent(at)
    if not has_driver(tx, ride, at, terms.duration_minutes * 60.0, without=ride_id):
        return _nobody(ride)
    return msgspec.structs.replace(
        terms, surge=_surge(terms.price, percent), surge_percent=percent, pickup_at=pickup_at
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


def cancellation(pickup_at: str = "") -> Json:
    """Of a ride for later, until when it is free; else for how long."""
    if pickup_at:
        return ahead.cancellation(pickup_at, CANCEL_FEE)
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
    if terms.pickup_at:
        shown["pickup_at"] = terms.pickup_at
    if terms.kind == "ride":
        shown["cancellation"] = cancellation(terms.pickup_at)
        if not terms.pickup_at:
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


def _nobody(ride: RideClass) -> Note:
    text = f"no driver of the class {ride.title} is free then"
    return Note("error", "no_driver_available", text, "$.line_items[0]")


def _no_way() -> Note:
    return Note("error", "trip_unavailable", "nobody drives from there to there", "$.trip")
