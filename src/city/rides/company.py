"""Lokki, the City's ride company: its classes and what they cost, its drivers and their cars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from city.faults import Fault, chance
from city.geometry import Point
from city.store import Transaction, put_fact, recall
from city.streets import Route, Streets
from city.world import World

SLUG = "lokki"
NAME = "Lokki Rides"
ALIASES = ("lokki",)

FREE_S = 120.0
"""City seconds after the order in which canceling costs nothing."""
CANCEL_FEE = 400
SURGE_PERCENT = 40
SURGE_S = 120.0
"""Real seconds that a surge lasts."""
PATIENCE_S = 900.0
"""A driver who is not free for longer than this takes no further ride."""
DRIVE_FASTER = 1.7
"""Cars take the ways of bicycles, and so much less time for them."""


@dataclass(frozen=True, slots=True)
class RideClass:
    """Prices in cents: to begin with, a kilometre and a minute. `least` is charged at least."""

    id: str
    title: str
    description: str
    seats: int
    base: int
    a_km: int
    a_minute: int
    least: int

    def fare(self, length_m: float, duration_s: float) -> int:
        """Without surge; in steps of ten cents."""
        exact = self.base + self.a_km * length_m / 1000 + self.a_minute * duration_s / 60
        return max(self.least, 10 * round(exact / 10))


CLASSES = (
    RideClass("economy", "Economy", "A small car for up to four.", 4, 390, 240, 90, 500),
    RideClass("comfort", "Comfort", "A large, quiet car for up to four.", 4, 590, 320, 110, 800),
    RideClass("van", "Van", "For up to seven, or for much luggage.", 7, 790, 360, 130, 1000),
)
BY_ID = {ride.id: ride for ride in CLASSES}

_DRIVERS = (
    ("Aada", "white Toyota Corolla", "KLU-482", "economy"),
    ("Eero", "blue Kia Niro", "MNS-205", "economy"),
    ("Kaisa", "red Skoda Fabia", "IJK-731", "economy"),
    ("Onni", "grey Nissan Leaf", "RTO-916", "economy"),
    ("Tuomas", "black Volvo S90", "XEB-350", "comfort"),
    ("Veera", "silver Mercedes E-Class", "FYP-664", "comfort"),
    ("Pekka", "black Volkswagen Caravelle", "LAV-118", "van"),
    ("Saara", "white Ford Transit", "GUH-573", "van"),
)


@dataclass(frozen=True, slots=True)
class Driver:
    id: int
    name: str
    car: str
    plate: str
    ride_class: str
    at: Point
    free_s: float


@dataclass(frozen=True, slots=True)
class Pickup:
    """The driver who can be there first, and the way; `due_s` is when, in city seconds."""

    driver: Driver
    approach: Route
    leave_s: float

    @property
    def due_s(self) -> float:
        return self.leave_s + self.approach.duration_s


def engage(tx: Transaction, streets: Streets, seed: int) -> None:
    """Put the drivers on the streets, once."""
    if tx.execute("SELECT 1 FROM drivers").fetchone() is not None:
        return
    for number, driver in enumerate(_DRIVERS, 1):
        at = streets.addresses[int(chance(seed, "driver", number) * len(streets.addresses))].point
        spot = at if streets.spot(at) else streets.nodes[number]
        tx.execute("INSERT INTO drivers VALUES (?, ?, ?, ?, ?, ?, ?, 0)", (number, *driver, *spot))


def drivers(tx: Transaction) -> list[Driver]:
    rows = tx.execute(
        "SELECT id, name, car, plate, class, latitude, longitude, free_s FROM drivers ORDER BY id"
    ).fetchall()
    return [Driver(*row[:5], at=(row[5], row[6]), free_s=row[7]) for row in rows]


def nearest(
    tx: Transaction,
    world: World,
    ride_class: str,
    pickup: Point,
    without: Sequence[int] = (),
    *,
    kept: int = 0,
) -> Pickup | None:
    """Who can pick up first; None when nobody of the class is free soon or can get there.

    As many as are `kept` for somebody else must be left.
    """
    now_s = world.clock.now_s()
    found: list[Pickup] = []
    for driver in drivers(tx):
        late = driver.free_s > now_s + PATIENCE_S
        if driver.ride_class != ride_class or driver.id in without or late:
            continue
        way = drive(world.streets, driver.at, pickup)
        if way is not None:
            found.append(Pickup(driver, way, max(now_s, driver.free_s)))
    if len(found) <= kept:
        return None
    return min(found, key=lambda each: (each.due_s, each.driver.id), default=None)


def drive(streets: Streets, start: Point, end: Point) -> Route | None:
    """The way of a car; None when either is off the map."""
    way = streets.route(start, end)
    if way is None:
        return None
    return replace(way, seconds=tuple(s / DRIVE_FASTER for s in way.seconds))


def surge(world: World, tx: Transaction) -> int:
    """Percent on top of the fare now. A surge that has begun lasts, so that quotes agree."""
    now_s = world.real_s()
    until = float(recall(tx, "surge_until_s") or 0.0)
    if until <= now_s and world.faults.strike(tx, Fault.SURGE, SLUG) is not None:
        until = now_s + SURGE_S
        put_fact(tx, "surge_until_s", repr(until))
    return SURGE_PERCENT if until > now_s else 0
