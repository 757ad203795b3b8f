"""Rides: placed from a checkout, moved on by events, changed, canceled, shown as UCP's orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from city.bank import ledger
from city.clock import stamp
from city.errors import DataError
from city.faults import Fault
from city.geometry import Point
from city.rides import ahead, company, quotes
from city.rides.company import BY_ID, CANCEL_FEE, FREE_S, SLUG, drive, nearest
from city.rides.plan import RidePlan, make_plan, redirected
from city.rides.quotes import CURRENCY, Terms, line_json, point, totals_json, trip_json
from city.rides.wire import Place
from city.store import CITY_CLOCK, Transaction, put_fact
from city.ucp.order_book import (
    OrderBook,
    Placed,
    Placing,
    entity_json,
)
from city.ucp.quote import Json
from city.world import World

OVER = frozenset({"dropped_off", "canceled", "tipped", "destination_changed", "pickup_changed"})
BOOKED = "booked"
"""The status of a ride for later until a driver is sent."""

EVENT_TEXT: Mapping[str, str] = {
    "processing": "Lokki looks for a driver.",
    "booked": "Lokki comes on {when}.",
    "pickup_soon": "Lokki comes on {when}.",
    "pickup_changed": "The pick-up is on {when} now.",
    "driver_assigned": "{driver} comes in a {car}, plate {plate}, in about {minutes} minutes.",
    "delayed": "{driver} is held up, now about {minutes} minutes.",
    "driver_arriving": "{driver} is almost there: {car}, plate {plate}.",
    "arrived": "{driver} waits for you: {car}, plate {plate}.",
    "picked_up": "On the way, about {minutes} minutes.",
    "dropped_off": "You have arrived.",
    "driver_canceled": "{driver} had to give up the ride. Lokki looks for somebody else.",
    "canceled": "The ride is canceled.",
    "destination_changed": "The driver knows the new destination.",
    "tipped": "The driver has the tip.",
}

_BESIDE = frozenset({"delayed", "pickup_soon", "pickup_changed"})
"""What happens to a ride without another status."""


class Paid(msgspec.Struct):
    """One payment towards the ride, by the order that it was made for, and what went back of it."""

    authorization_id: str
    amount: int
    order_id: str = ""
    """Empty in what was written before it was kept: then it is the ride's own."""
    refunded: int = 0

    @property
    def kept(self) -> int:
        return self.amount - self.refunded


class Contents(msgspec.Struct):
    """`terms` are of the ride as it is now; the totals are of all that was bought."""

    terms: Terms
    line_items: list[Json]
    totals: list[Json]
    payments: list[Paid]
    canceled_by: str = ""
    fee: int = 0
    gave_up: list[int] = []
    given_back: list[tuple[int, float]] = []
    """Amounts and when."""


Ride = Placed[Contents, RidePlan]
"""A ride, or (without a plan) a change of one or a tip."""
BOOK = OrderBook("rides", "ride_events", "ride_id", Contents, RidePlan)
load, find = BOOK.load, BOOK.find


def is_over(ride: Ride) -> bool:
    return ride.status in OVER


def place(world: World, tx: Transaction, placing: Placing, terms: Terms) -> str:
    """Insert the order and what follows from it; gives the order's id."""
    now_s = world.clock.now_s()
    contents = Contents(
        terms=terms,
        line_items=[line_json(terms)],
        totals=totals_json(terms),
        payments=[],
    )
    id = BOOK.insert(tx, "ride", placing, contents, now_s)
    payment = Paid(placing.authorization_id, terms.total, id)
    booked = load(tx, terms.ride_id if terms.kind in ("change", "time") else id)
    booked.contents.payments.append(payment)
    BOOK.write(tx, booked, booked.plan)
    if terms.kind == "ride" and terms.pickup_at:
        _keep_driver(world, tx, id, terms)
        happen(world, tx, id, BOOKED, now_s)
    elif terms.kind == "ride":
        happen(world, tx, id, "processing", now_s)
        if not _assign(world, tx, load(tx, id), now_s):
            raise DataError("a ride without a driver was completed")
    elif terms.kind in ("change", "time"):
        ride = booked
        ride.contents.totals = _with_change(ride.contents.totals, terms)
        if terms.kind == "time":
            put_off(world, tx, ride, _at_time(terms, ride))
            happen(world, tx, id, "pickup_changed", now_s)
        else:
            redirect(world, tx, ride, _of(terms, ride))
            happen(world, tx, id, "destination_changed", now_s)
    else:
        happen(world, tx, id, "tipped", now_s)
    put_fact(tx, CITY_CLOCK, repr(now_s))
    return id


def _of(change: Terms, ride: Ride) -> Terms:
    """The ride's terms after a change that was paid for."""
    before = ride.contents.terms
    return msgspec.structs.replace(
        before,
        price=before.price + change.price,
        surge=before.surge + change.surge,
        destination=change.destination,
        duration_minutes=change.duration_minutes,
        distance_m=change.distance_m,
    )


def _at_time(change: Terms, ride: Ride) -> Terms:
    """The ride's terms at another time that was paid for: what it costs more is surge."""
    before = ride.contents.terms
    return msgspec.structs.replace(
        before,
        surge=before.surge + change.total,
        surge_percent=change.surge_percent,
        pickup_at=change.pickup_at,
    )


def _with_change(totals: list[Json], change: Terms) -> list[Json]:
    """The ride's totals with what another destination cost more."""
    parts = [entry for entry in totals if entry["type"] != "total"]
    extra: Json = {"type": "fee", "display_text": change.title, "amount": change.total}
    amounts = [part["amount"] for part in (*parts, extra)]
    whole = sum(amount for amount in amounts if isinstance(amount, int))
    return [*parts, extra, {"type": "total", "display_text": "Total", "amount": whole}]


def redirect(world: World, tx: Transaction, ride: Ride, terms: Terms) -> None:
    """Drive to another destination from now on."""
    now_s = world.clock.now_s()
    plan = ride.plan
    slot = ahead.slot_of(tx, ride.id)
    if slot is not None:
        ride.contents.terms = terms
        BOOK.write(tx, ride, None)
        ahead.keep(tx, slot._replace(until_s=slot.pickup_s + terms.duration_minutes * 60))
        return
    if plan is None or terms.pickup is None or terms.destination is None:
        raise DataError("only a ride can change its destination")
    boarded = now_s >= plan.picked_up_s
    start = plan.position(now_s) if boarded else point(terms.pickup)
    way = drive(world.streets, start, point(terms.destination))
    if way is None:
        raise DataError("no way to the new destination, which the quote has ruled out")
    plan = redirected(plan, way, now_s)
    ride.contents.terms = terms
    BOOK.write(tx, ride, plan)
    _occupy(tx, plan)
    if plan.gives_up_s is None:
        tx.execute(
            "UPDATE ride_steps SET due_s = ? WHERE ride_id = ? AND kind = 'dropped_off'",
            (plan.dropped_off_s, ride.id),
        )


def put_off(world: World, tx: Transaction, ride: Ride, terms: Terms) -> None:
    """Pick up at another time."""
    ride.contents.terms = terms
    BOOK.write(tx, ride, None)
    _keep_driver(world, tx, ride.id, terms)
    happen(world, tx, ride.id, "pickup_changed", world.clock.now_s())


def _keep_driver(world: World, tx: Transaction, id: str, terms: Terms) -> None:
    pickup_s = datetime.fromisoformat(terms.pickup_at).timestamp()
    until_s = pickup_s + terms.duration_minutes * 60
    # Who books within the hour knows it without being reminded.
    reminded = pickup_s - world.real_s() <= ahead.REMIND_BEFORE_S
    ahead.keep(tx, ahead.Slot(id, terms.item_id, pickup_s, until_s, int(reminded)))


def give_back(world: World, tx: Transaction, ride: Ride, amount: int) -> None:
    """Refund so much of what was paid, the latest payment first; each order tells its part."""
    now_s = world.clock.now_s()
    for paid in reversed(ride.contents.payments):
        part = min(amount, paid.kept)
        if part <= 0:
            continue
        ledger.refund(tx, paid.authorization_id, world.real_s(), part, paid.order_id or ride.id)
        paid.refunded += part
        amount -= part
        if _is_of(ride, paid):
            ride.contents.given_back.append((part, now_s))
        else:
            change = load(tx, paid.order_id)
            change.contents.given_back.append((part, now_s))
            BOOK.write(tx, change, None)
            BOOK.tell(world, tx, change.id, lambda placed: entity(world, tx, placed, now_s))


def _is_of(ride: Ride, paid: Paid) -> bool:
    """Whether it was paid by the ride's own order, and not by one that changed it."""
    return paid.order_id in ("", ride.id)


def cancel(world: World, tx: Transaction, ride: Ride, by: str, fee: int) -> None:
    """End the ride, keep the fee, and give the rest back."""
    paid = sum(each.kept for each in ride.contents.payments)
    give_back(world, tx, ride, paid - min(fee, paid))
    ride.contents.canceled_by = by
    ride.contents.fee = sum(each.kept for each in ride.contents.payments if _is_of(ride, each))
    now_s = world.clock.now_s()
    if ride.plan is not None:
        at = ride.plan.position(now_s)
        tx.execute(
            "UPDATE drivers SET latitude = ?, longitude = ?, free_s = ? WHERE id = ?",
            (*at, now_s, ride.plan.driver_id),
        )
    tx.execute("DELETE FROM ride_steps WHERE ride_id = ?", (ride.id,))
    ahead.release(tx, ride.id)
    BOOK.write(tx, ride, ride.plan)
    happen(world, tx, ride.id, "canceled", now_s)


def fee_now(world: World, tx: Transaction, ride: Ride) -> int:
    """What canceling costs now; whose driver gave up pays nothing."""
    if ride.status == "driver_canceled":
        return 0
    if ride.contents.terms.pickup_at:
        return 0 if is_changeable(world, tx, ride) else CANCEL_FEE
    return 0 if world.clock.now_s() <= ride.placed_s + FREE_S else CANCEL_FEE


def is_changeable(world: World, tx: Transaction, ride: Ride) -> bool:
    """Whether a ride for later can still get another time, or be given back, for nothing."""
    slot = ahead.slot_of(tx, ride.id)
    return slot is not None and world.real_s() <= slot.pickup_s - ahead.FREE_BEFORE_S


def step(world: World, tx: Transaction, ride_id: str, kind: str, due_s: float) -> None:
    """What falls due happens."""
    tx.execute("DELETE FROM ride_steps WHERE ride_id = ? AND kind = ?", (ride_id, kind))
    happen(world, tx, ride_id, kind, due_s)
    if kind != "driver_canceled":
        return
    ride = load(tx, ride_id)
    wanted_s = 0.0
    if ride.plan is not None:
        ride.contents.gave_up.append(ride.plan.driver_id)
        wanted_s = ride.plan.due_s
    if not _assign(world, tx, ride, due_s, wanted_s):
        cancel(world, tx, ride, "company", 0)


def step_ahead(world: World, tx: Transaction, slot: ahead.Slot, kind: str) -> None:
    """Remind of a ride for later, or send its driver; who cannot get one gets all money back."""
    now_s = world.clock.now_s()
    if kind == "pickup_soon":
        ahead.keep(tx, slot._replace(reminded=1))
        happen(world, tx, slot.ride_id, kind, now_s)
        return
    ride = load(tx, slot.ride_id)
    ahead.release(tx, slot.ride_id)
    # From here on it is a ride in the City's time, which now begins to run at its speed.
    due_s = now_s + max(0.0, slot.pickup_s - world.real_s()) * world.clock.speed
    nobody = world.faults.strike(tx, Fault.NOBODY_FREE, SLUG, "dispatch") is not None
    if nobody or not _assign(world, tx, ride, now_s, due_s):
        cancel(world, tx, ride, "company", 0)


def _assign(world: World, tx: Transaction, ride: Ride, at_s: float, due_s: float = 0.0) -> bool:
    """Give the ride to the nearest driver who has not given it up; false when there is none.

    No pick-up is before `due_s`.
    """
    terms = ride.contents.terms
    if terms.pickup is None or terms.destination is None:
        raise DataError("a ride without pick-up or destination")
    again = bool(ride.contents.gave_up)
    if again and world.faults.strike(tx, Fault.NOBODY_FREE, SLUG, None) is not None:
        return False
    pickup = nearest(tx, world, terms.item_id, point(terms.pickup), ride.contents.gave_up)
    way = drive(world.streets, point(terms.pickup), point(terms.destination))
    if pickup is None or way is None:
        return False

    def strikes(fault: Fault) -> bool:
        return world.faults.strike(tx, fault, SLUG) is not None

    plan = make_plan(
        world.seed,
        ride.id,
        pickup,
        way,
        at_s,
        late=strikes(Fault.DRIVER_LATE),
        quits=strikes(Fault.DRIVER_CANCELS),
        due_s=due_s,
    )
    _occupy(tx, plan)
    BOOK.write(tx, ride, plan)
    for kind, due_s in plan.steps():
        tx.execute("INSERT INTO ride_steps VALUES (?, ?, ?)", (ride.id, kind, due_s))
    return True


def happen(world: World, tx: Transaction, ride_id: str, kind: str, at_s: float) -> None:
    """Append an event and queue the webhook that tells it."""
    ride = load(tx, ride_id)
    plan, terms = ride.plan, ride.contents.terms
    text = EVENT_TEXT[kind].format(
        when=ahead.spoken(terms.pickup_at) if terms.pickup_at else "",
        driver=plan.driver if plan else "",
        car=plan.car if plan else "",
        plate=plan.plate if plan else "",
        minutes=_eta(ride, at_s, on_trip=kind == "picked_up") or 1,
    )
    beside = kind in _BESIDE and terms.kind == "ride"
    status = ride.status if beside else kind
    BOOK.happen(tx, ride_id, kind, text, at_s, status)
    BOOK.tell(world, tx, ride_id, lambda placed: entity(world, tx, placed, at_s))


def under_way(tx: Transaction) -> list[Ride]:
    rows = tx.execute(
        "SELECT id FROM rides WHERE status NOT IN ('dropped_off', 'canceled', 'tipped', "
        "'destination_changed', 'pickup_changed', 'booked') ORDER BY number"
    ).fetchall()
    return [load(tx, id) for (id,) in rows]


def entity(world: World, tx: Transaction, ride: Ride, now_s: float) -> Json:
    """UCP's order with the ride's `trip`: everything that is known of it now."""
    over = is_over(ride) and ride.status != "canceled"
    contents = ride.contents
    url = f"{world.urls[SLUG]}/track/{ride.tracking}"
    events = BOOK.events_json(tx, ride.id, stamp, tracking_url=url, carrier=company.NAME)
    shown: Json = {
        "currency": CURRENCY,
        "fulfillment": {"expectations": [], "events": events},
        "adjustments": BOOK.adjustments_json(
            tx, ride, contents.canceled_by, contents.fee, contents.given_back
        ),
        "totals": ride.contents.totals,
        "trip": _trip(world, tx, ride, now_s),
    }
    return entity_json(world, ride, ride.contents.line_items, over=over, shown=shown)


def tracking(world: World, ride: Ride, now_s: float) -> Json:
    """Where the car is, for a map."""
    plan, terms = ride.plan, ride.contents.terms
    shown: Json = {"status": ride.status, "updated_at": stamp(now_s), "courier": None}
    if plan is None or terms.pickup is None or terms.destination is None:
        return {**shown, "route": [], "streets": []}
    boarded = ride.status in {"picked_up", "dropped_off"}
    leg = plan.ride if boarded else plan.approach
    if not is_over(ride) and now_s >= plan.assigned_s:
        at = plan.position(now_s)
        who = f"{plan.driver}, {plan.car}, {plan.plate}"
        shown["courier"] = {"lat": at[0], "lon": at[1], "name": who}
    return {
        **shown,
        "origin": point(terms.pickup),
        "destination": point(terms.destination) if boarded else point(terms.pickup),
        "route": leg.points,
        "eta_minutes": None if is_over(ride) else _eta(ride, now_s, on_trip=boarded),
        "streets": world.streets.near_line(leg.points, 240),
    }


def _trip(world: World, tx: Transaction, ride: Ride, now_s: float) -> Json:
    terms, plan = ride.contents.terms, ride.plan
    shown = {**trip_json(terms), "status": ride.status}
    if terms.kind != "ride":
        return shown
    shown.pop("pickup_minutes", None)
    if is_over(ride):
        return shown
    agreed = quotes.cancellation(terms.pickup_at)
    shown["cancellation"] = {**agreed, "fee_now": fee_now(world, tx, ride)}
    if plan is not None and ride.status not in {"processing", "driver_canceled"}:
        at = plan.position(now_s)
        shown["driver"] = {
            "name": plan.driver,
            "car": plan.car,
            "plate": plan.plate,
            "latitude": at[0],
            "longitude": at[1],
        }
        shown["eta_minutes"] = _eta(ride, now_s, on_trip=ride.status == "picked_up")
    return shown


def _eta(ride: Ride, now_s: float, *, on_trip: bool) -> int:
    """Minutes to the pick-up, or on the trip to the destination."""
    if ride.plan is None:
        return 0
    due_s = ride.plan.dropped_off_s if on_trip else ride.plan.pickup_due_s(now_s)
    return max(1, round((due_s - now_s) / 60))


def _occupy(tx: Transaction, plan: RidePlan) -> None:
    """The driver is busy until the plan's end, and is where that leads."""
    end: Point = plan.ride.points[-1] if plan.gives_up_s is None else plan.approach.points[0]
    free_s = plan.dropped_off_s if plan.gives_up_s is None else plan.gives_up_s
    tx.execute(
        "UPDATE drivers SET latitude = ?, longitude = ?, free_s = ? WHERE id = ?",
        (*end, free_s, plan.driver_id),
    )


def class_of(ride: Ride) -> company.RideClass:
    return BY_ID[ride.contents.terms.item_id]


def place_of(ride: Ride) -> Place | None:
    return ride.contents.terms.destination
