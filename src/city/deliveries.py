"""What will happen to an order, decided when it is placed: who carries it, which way, and when.

A plan is a pure function of its inputs, and a courier's position one of the plan and the time:
after a crash there is nothing to catch up with but the events that fell due.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from city.errors import DataError
from city.faults import chance
from city.geometry import Point, between, distance_m
from city.store import Transaction
from city.streets import RIDE_M_PER_S, Route, Streets

HANDOVER_S = 20.0
RETRY_S = 180.0
PICK_UP_PLANNED_S = 60.0
FETCHING_S = 600.0
"""How long after it is ready somebody comes for it."""
CONSIDERED = 3

_NAMES = ("Aino", "Elias", "Helmi", "Leo", "Noora", "Oskar", "Sofia", "Väinö")


class Leg(msgspec.Struct, frozen=True):
    """One ride: points and the city times at which they are passed."""

    points: tuple[Point, ...]
    at_s: tuple[float, ...]


class Plan(msgspec.Struct, frozen=True):
    """All times are city seconds. `late_s` is not known to anybody before `late_from_s`."""

    courier_id: int
    courier: str
    preparing_s: float
    ready_s: float
    pickup_s: float
    deliver_s: float
    legs: tuple[Leg, ...]
    late_from_s: float | None = None
    late_s: float = 0.0
    failed_s: float | None = None
    cancel_s: float | None = None

    def steps(self) -> list[tuple[str, float]]:
        """The events still to come when the order is placed, in order."""
        planned = [("preparing", self.preparing_s)]
        if self.cancel_s is not None:
            return [*planned, ("canceled", self.cancel_s)]
        if self.fetched:
            return [*planned, ("ready_for_pickup", self.ready_s), ("collected", self.deliver_s)]
        planned += [("picked_up", self.pickup_s), ("in_transit", self.pickup_s + HANDOVER_S)]
        if self.late_from_s is not None:
            planned.append(("late", self.late_from_s + 1.0))
        if self.failed_s is not None:
            planned.append(("failed_attempt", self.failed_s))
        return [*planned, ("delivered", self.deliver_s)]

    @property
    def fetched(self) -> bool:
        """Nobody carries it: who ordered it comes for it."""
        return self.courier_id == 0

    def promised_s(self, now_s: float) -> float:
        """When it will arrive, or be ready, as far as anybody can know now."""
        if self.fetched:
            return self.ready_s
        promise = self.deliver_s
        if self.late_from_s is not None and now_s < self.late_from_s:
            promise -= self.late_s
        if self.failed_s is not None and now_s < self.failed_s:
            promise -= RETRY_S
        return promise

    def position(self, now_s: float) -> Point | None:
        """Where the courier is, or None when not yet or no longer on this order."""
        if self.fetched or now_s < self.legs[0].at_s[0] or now_s >= self.deliver_s:
            return None
        leg = self.legs[0]
        for later in self.legs[1:]:
            if now_s >= later.at_s[0]:
                leg = later
        return along(leg, now_s)


@dataclass(frozen=True, slots=True)
class Courier:
    id: int
    name: str
    at: Point
    free_s: float


@dataclass(frozen=True, slots=True)
class Mishaps:
    """What goes wrong with one delivery."""

    late: bool = False
    failed_attempt: bool = False
    canceled: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """What a plan is made of. `number` seeds its chances."""

    number: int
    placed_s: float
    shop: Point
    door: Point
    preparing_s: tuple[float, float]
    hurry: bool


def hire(tx: Transaction, streets: Streets, seed: int) -> None:
    """Put the couriers on the streets, once."""
    if tx.execute("SELECT 1 FROM couriers").fetchone() is not None:
        return
    for number, name in enumerate(_NAMES):
        at = streets.addresses[int(chance(seed, "courier", number) * len(streets.addresses))].point
        spot = at if streets.spot(at) else streets.nodes[number]
        tx.execute("INSERT INTO couriers VALUES (?, ?, ?, ?, 0)", (number + 1, name, *spot))


def couriers(tx: Transaction) -> list[Courier]:
    rows = tx.execute("SELECT id, name, latitude, longitude, free_s FROM couriers ORDER BY id")
    return [Courier(id, name, (lat, lon), free) for id, name, lat, lon, free in rows.fetchall()]


def occupy(tx: Transaction, plan: Plan) -> None:
    """The plan's courier is busy until its end, and is where that leads."""
    free_s = plan.deliver_s if plan.cancel_s is None else plan.cancel_s
    leg = plan.legs[-1] if plan.cancel_s is None else plan.legs[0]
    tx.execute(
        "UPDATE couriers SET latitude = ?, longitude = ?, free_s = ? WHERE id = ?",
        (*leg.points[-1], free_s, plan.courier_id),
    )


def make_plan(
    errand: Errand, crew: Sequence[Courier], streets: Streets, seed: int, mishaps: Mishaps
) -> Plan:
    """Who carries it and when. Raises DataError without a way, which the quote has ruled out."""

    def roll(what: str, low: float, high: float) -> float:
        return low + chance(seed, what, errand.number) * (high - low)

    courier, approach = _best_courier(errand, crew, streets)
    ride = streets.route(errand.shop, errand.door)
    if ride is None:
        raise DataError("no way from the shop to the door")
    begin_s = errand.placed_s + roll("begin", 15.0, 45.0)
    ready_s = begin_s + roll("prepare", *errand.preparing_s) * (0.7 if errand.hurry else 1.0)
    leave_s = max(errand.placed_s + 5.0, courier.free_s)
    pickup_s = max(ready_s, leave_s + approach.duration_s) + HANDOVER_S
    ride_s = pickup_s + HANDOVER_S
    late_s = roll("late", 600.0, 1200.0) if mishaps.late else 0.0
    second = ride_leg(ride, ride_s, late_s)
    arrived_s = second.at_s[-1] + HANDOVER_S
    return Plan(
        courier_id=courier.id,
        courier=courier.name,
        preparing_s=begin_s,
        ready_s=ready_s,
        pickup_s=pickup_s,
        deliver_s=arrived_s + (RETRY_S if mishaps.failed_attempt else 0.0),
        legs=(ride_leg(approach, leave_s, 0.0), second),
        late_from_s=ride_s + ride.duration_s / 2 if mishaps.late else None,
        late_s=late_s,
        failed_s=arrived_s if mishaps.failed_attempt else None,
        cancel_s=begin_s + 60.0 if mishaps.canceled else None,
    )


def counter_plan(errand: Errand, seed: int, *, canceled: bool = False) -> Plan:
    """When it is ready at the counter; no courier has a part in it."""

    def roll(what: str, low: float, high: float) -> float:
        return low + chance(seed, what, errand.number) * (high - low)

    begin_s = errand.placed_s + roll("begin", 15.0, 45.0)
    ready_s = begin_s + roll("prepare", *errand.preparing_s)
    return Plan(
        courier_id=0,
        courier="",
        preparing_s=begin_s,
        ready_s=ready_s,
        pickup_s=ready_s,
        deliver_s=ready_s + FETCHING_S,
        legs=(Leg((errand.shop, errand.shop), (errand.placed_s, errand.placed_s)),),
        cancel_s=begin_s + 60.0 if canceled else None,
    )


def _best_courier(
    errand: Errand, crew: Sequence[Courier], streets: Streets
) -> tuple[Courier, Route]:
    """Whoever can be at the shop first, of the `CONSIDERED` who look best on the map."""

    def crow_s(courier: Courier) -> float:
        away_s = distance_m(courier.at, errand.shop) / RIDE_M_PER_S
        return max(errand.placed_s, courier.free_s) + away_s

    nearest = sorted(crew, key=crow_s)[:CONSIDERED]
    ways = [(c, streets.route(c.at, errand.shop)) for c in nearest]
    able = [(c, way) for c, way in ways if way is not None]
    if not able:
        raise DataError("no courier can reach the shop")
    return min(able, key=lambda pair: max(errand.placed_s, pair[0].free_s) + pair[1].duration_s)


def ride_leg(route: Route, start_s: float, stop_s: float = 0.0) -> Leg:
    """Timed points; `stop_s` is a stand-still half way."""
    half = route.duration_s / 2
    points: list[Point] = []
    times: list[float] = []
    stopped = False
    for point, after in zip(route.points, route.seconds, strict=True):
        if stop_s and not stopped and after >= half:
            stopped = True
            before = points[-1] if points else point
            points += [before, before]
            times += [start_s + half, start_s + half + stop_s]
        points.append(point)
        times.append(start_s + after + (stop_s if stopped else 0.0))
    return Leg(tuple(points), tuple(times))


def along(leg: Leg, now_s: float) -> Point:
    """Where somebody who rides this leg is."""
    index = bisect_right(leg.at_s, now_s)
    if index == 0:
        return leg.points[0]
    if index == len(leg.points):
        return leg.points[-1]
    start, end = leg.at_s[index - 1], leg.at_s[index]
    share = (now_s - start) / (end - start) if end > start else 1.0
    return between(leg.points[index - 1], leg.points[index], share)
