"""What will happen to a ride, decided when it is placed, and again when a driver gives it up.

A plan is a pure function of its inputs, and the car's position one of the plan and the time.
"""

from __future__ import annotations

import msgspec

from city.deliveries import Leg, along, ride_leg
from city.faults import chance
from city.geometry import Point
from city.rides.company import Pickup
from city.streets import Route

ARRIVING_S = 60.0
"""So long before the pick-up the driver is `driver_arriving`."""
BOARD_S = (30.0, 75.0)
SEARCH_S = (5.0, 15.0)


class RidePlan(msgspec.Struct, frozen=True):
    """All times are city seconds. `late_s` is not known to anybody before `late_from_s`."""

    driver_id: int
    driver: str
    car: str
    plate: str
    assigned_s: float
    arrived_s: float
    picked_up_s: float
    dropped_off_s: float
    approach: Leg
    ride: Leg
    late_from_s: float | None = None
    late_s: float = 0.0
    gives_up_s: float | None = None
    due_s: float = 0.0
    """No pick-up is before this: the agreed time of a ride for later."""

    def steps(self) -> list[tuple[str, float]]:
        """The events still to come when the plan is made, in order."""
        planned = [("driver_assigned", self.assigned_s)]
        if self.gives_up_s is not None:
            return [*planned, ("driver_canceled", self.gives_up_s)]
        if self.late_from_s is not None:
            planned.append(("delayed", self.late_from_s + 1.0))
        arriving_s = max(self.assigned_s + 1.0, self.arrived_s - ARRIVING_S)
        return [
            *planned,
            ("driver_arriving", arriving_s),
            ("arrived", self.arrived_s),
            ("picked_up", self.picked_up_s),
            ("dropped_off", self.dropped_off_s),
        ]

    def pickup_due_s(self, now_s: float) -> float:
        """When the driver will be there, as far as anybody can know now."""
        hidden = self.late_from_s is not None and now_s < self.late_from_s
        return self.arrived_s - (self.late_s if hidden else 0.0)

    def position(self, now_s: float) -> Point:
        """Where the car is."""
        return along(self.ride if now_s >= self.ride.at_s[0] else self.approach, now_s)


def make_plan(
    seed: int,
    ride_id: str,
    pickup: Pickup,
    ride: Route,
    placed_s: float,
    *,
    late: bool,
    quits: bool,
    due_s: float = 0.0,
) -> RidePlan:
    """`late` holds the driver up on the way, `quits` makes them give the ride up half way.

    A driver who is not wanted before `due_s` leaves so as to be there then.
    """

    def roll(what: str, low: float, high: float) -> float:
        return low + chance(seed, what, ride_id, pickup.driver.id) * (high - low)

    late_s = roll("late", 240.0, 480.0) if late else 0.0
    leave_s = max(pickup.leave_s, placed_s, due_s - pickup.approach.duration_s)
    assigned_s = placed_s + roll("search", *SEARCH_S)
    approach = ride_leg(pickup.approach, leave_s, late_s)
    arrived_s = max(approach.at_s[-1], assigned_s + 5.0)
    picked_up_s = arrived_s + roll("board", *BOARD_S)
    trip = ride_leg(ride, picked_up_s)
    middle_s = leave_s + pickup.approach.duration_s / 2
    driver = pickup.driver
    return RidePlan(
        driver_id=driver.id,
        driver=driver.name,
        car=driver.car,
        plate=driver.plate,
        assigned_s=assigned_s,
        arrived_s=arrived_s,
        picked_up_s=picked_up_s,
        dropped_off_s=trip.at_s[-1] + 10.0,
        approach=approach,
        ride=trip,
        late_from_s=max(middle_s, assigned_s + 1.0) if late else None,
        late_s=late_s,
        gives_up_s=max(middle_s, assigned_s + 20.0) if quits else None,
        due_s=due_s,
    )


def redirected(plan: RidePlan, ride: Route, now_s: float) -> RidePlan:
    """The same ride to another destination; `ride` begins at the pick-up, or where the car is."""
    start_s = max(plan.picked_up_s, now_s)
    trip = ride_leg(ride, start_s)
    return msgspec.structs.replace(plan, ride=trip, dropped_off_s=trip.at_s[-1] + 10.0)
