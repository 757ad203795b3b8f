"""Rides: placed from a checkout, moved on by events, changed, canceled, shown as UCP's orders."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from city.bank import ledger
from city.clock import stamp
from city.errors import DataError
from city.faults import Fault
from city.geometry import Point
from city.rides import company, quotes
from city.rides.company import BY_ID, CANCEL_FEE, FREE_S, SLUG, drive, nearest
from city.rides.plan import RidePlan, make_plan, redirected
from city.rides.quotes import CURRENCY, Terms, line_json, point, totals_json, trip_json
from city.rides.wire import Place
from city.store import CITY_CLOCK, Transaction, put_fact
from city.ucp.checkout_json import order_label
from city.ucp.envelope import metadata
from city.ucp.quote import Json
from city.ucp.vocabulary import ORDER, Shared
from city.webhooks import enqueue
from city.world import World

OVER = frozenset({"dropped_off", "canceled", "tipped", "destination_changed"})

EVENT_TEXT: Mapping[str, str] = {
    "processing": "Lokki looks for a driver.",
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


class Paid(msgspec.Struct):
    """One payment towards the ride and what of it went back."""

    authorization_id: str
    amount: int
    refunded: int = 0


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


@dataclass(frozen=True, slots=True)
class Ride:
    """A ride, or (without a plan) a change of one or a tip."""

    id: str
    merchant: str
    platform: str
    shared: Shared
    webhook_url: str
    checkout_id: str
    tracking: str
    status: str
    contents: Contents
    plan: RidePlan | None
    placed_s: float

    @property
    def is_over(self) -> bool:
        return self.status in OVER


@dataclass(frozen=True, slots=True)
class Placing:
    """A paid checkout on its way to an order."""

    terms: Terms
    checkout_id: str
    platform: str
    shared: Shared
    webhook_url: str
    authorization_id: str


def place(world: World, tx: Transaction, placing: Placing) -> str:
    """Insert the order and what follows from it; gives the order's id."""
    terms = placing.terms
    id = f"ride_{secrets.token_hex(12)}"
    now_s = world.clock.now_s()
    contents = Contents(
        terms=terms,
        line_items=[line_json(terms)],
        totals=totals_json(terms),
        payments=[Paid(placing.authorization_id, terms.total)],
    )
    tx.execute(
        "INSERT INTO rides (id, merchant, platform, capabilities, webhook_url, checkout_id, "
        "tracking, status, contents, plan, placed_s) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'processing', ?, NULL, ?)",
        (
            id,
            SLUG,
            placing.platform,
            msgspec.json.encode(placing.shared).decode(),
            placing.webhook_url,
            placing.checkout_id,
            secrets.token_urlsafe(16),
            msgspec.json.encode(contents).decode(),
            now_s,
        ),
    )
    if terms.kind == "ride":
        happen(world, tx, id, "processing", now_s)
        if not _assign(world, tx, load(tx, id), now_s):
            raise DataError("a ride without a driver was completed")
    elif terms.kind == "change":
        ride = load(tx, terms.ride_id)
        ride.contents.payments.append(contents.payments[0])
        ride.contents.totals = _with_change(ride.contents.totals, terms)
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
    if plan is None or terms.pickup is None or terms.destination is None:
        raise DataError("only a ride can change its destination")
    boarded = now_s >= plan.picked_up_s
    start = plan.position(now_s) if boarded else point(terms.pickup)
    way = drive(world.streets, start, point(terms.destination))
    if way is None:
        raise DataError("no way to the new destination, which the quote has ruled out")
    plan = redirected(plan, way, now_s)
    ride.contents.terms = terms
    _write(tx, ride, plan)
    _occupy(tx, plan)
    if plan.gives_up_s is None:
        tx.execute(
            "UPDATE ride_steps SET due_s = ? WHERE ride_id = ? AND kind = 'dropped_off'",
            (plan.dropped_off_s, ride.id),
        )


def give_back(world: World, tx: Transaction, ride: Ride, amount: int) -> None:
    """Refund so much of what was paid, the latest payment first."""
    if amount > 0:
        ride.contents.given_back.append((amount, world.clock.now_s()))
    for paid in reversed(ride.contents.payments):
        part = min(amount, paid.amount - paid.refunded)
        if part > 0:
            ledger.refund(tx, paid.authorization_id, world.real_s(), part, ride.id)
            paid.refunded += part
            amount -= part


def cancel(world: World, tx: Transaction, ride: Ride, by: str, fee: int) -> None:
    """End the ride, keep the fee, and give the rest back."""
    paid = sum(p.amount - p.refunded for p in ride.contents.payments)
    ride.contents.canceled_by, ride.contents.fee = by, min(fee, paid)
    give_back(world, tx, ride, paid - ride.contents.fee)
    now_s = world.clock.now_s()
    if ride.plan is not None:
        at = ride.plan.position(now_s)
        tx.execute(
            "UPDATE drivers SET latitude = ?, longitude = ?, free_s = ? WHERE id = ?",
            (*at, now_s, ride.plan.driver_id),
        )
    tx.execute("DELETE FROM ride_steps WHERE ride_id = ?", (ride.id,))
    _write(tx, ride, ride.plan)
    happen(world, tx, ride.id, "canceled", now_s)


def fee_now(ride: Ride, now_s: float) -> int:
    """What canceling costs now; who has no driver pays nothing."""
    free = now_s <= ride.placed_s + FREE_S or ride.status == "driver_canceled"
    return 0 if free else CANCEL_FEE


def step(world: World, tx: Transaction, ride_id: str, kind: str, due_s: float) -> None:
    """What falls due happens."""
    tx.execute("DELETE FROM ride_steps WHERE ride_id = ? AND kind = ?", (ride_id, kind))
    happen(world, tx, ride_id, kind, due_s)
    if kind != "driver_canceled":
        return
    ride = load(tx, ride_id)
    if ride.plan is not None:
        ride.contents.gave_up.append(ride.plan.driver_id)
    if not _assign(world, tx, ride, due_s):
        cancel(world, tx, ride, "company", 0)


def _assign(world: World, tx: Transaction, ride: Ride, at_s: float) -> bool:
    """Give the ride to the nearest driver who has not given it up; false when there is none."""
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
    )
    _occupy(tx, plan)
    _write(tx, ride, plan)
    for kind, due_s in plan.steps():
        tx.execute("INSERT INTO ride_steps VALUES (?, ?, ?)", (ride.id, kind, due_s))
    return True


def happen(world: World, tx: Transaction, ride_id: str, kind: str, at_s: float) -> None:
    """Append an event and queue the webhook that tells it."""
    ride = load(tx, ride_id)
    plan = ride.plan
    text = EVENT_TEXT[kind].format(
        driver=plan.driver if plan else "",
        car=plan.car if plan else "",
        plate=plan.plate if plan else "",
        minutes=_eta(ride, at_s, on_trip=kind == "picked_up") or 1,
    )
    seq = tx.execute("SELECT COUNT(*) FROM ride_events WHERE ride_id = ?", (ride_id,)).fetchone()[0]
    tx.execute(
        "INSERT INTO ride_events VALUES (?, ?, ?, ?, ?, ?)",
        (ride_id, seq, f"evt_{secrets.token_hex(8)}", kind, text, at_s),
    )
    status = ride.status if kind == "delayed" else kind
    tx.execute("UPDATE rides SET status = ? WHERE id = ?", (status, ride_id))
    if ride.webhook_url:
        body = msgspec.json.encode(entity(world, tx, load(tx, ride_id), at_s))
        enqueue(world, tx, ride_id, SLUG, ride.webhook_url, body)


def load(tx: Transaction, id: str) -> Ride:
    ride = find(tx, "id", id)
    if ride is None:
        raise DataError(f"ride {id!r} is gone")
    return ride


def find(tx: Transaction, column: str, value: str) -> Ride | None:
    """By `id` or `tracking`."""
    row = tx.execute(
        "SELECT id, merchant, platform, capabilities, webhook_url, checkout_id, tracking, status, "
        f"contents, plan, placed_s FROM rides WHERE {column} = ?",
        (value,),
    ).fetchone()
    if row is None:
        return None
    return Ride(
        id=row[0],
        merchant=row[1],
        platform=row[2],
        shared=msgspec.json.decode(row[3], type=dict[str, str]),
        webhook_url=row[4],
        checkout_id=row[5],
        tracking=row[6],
        status=row[7],
        contents=msgspec.json.decode(row[8], type=Contents),
        plan=None if row[9] is None else msgspec.json.decode(row[9], type=RidePlan),
        placed_s=row[10],
    )


def under_way(tx: Transaction) -> list[Ride]:
    rows = tx.execute(
        "SELECT id FROM rides WHERE status NOT IN ('dropped_off', 'canceled', 'tipped', "
        "'destination_changed') ORDER BY number"
    ).fetchall()
    return [load(tx, id) for (id,) in rows]


def entity(world: World, tx: Transaction, ride: Ride, now_s: float) -> Json:
    """UCP's order with the ride's `trip`: everything that is known of it now."""
    base = world.urls[SLUG]
    over = ride.status in {"dropped_off", "tipped", "destination_changed"}
    quantity = {
        "original": 1,
        "total": 0 if ride.status == "canceled" else 1,
        "fulfilled": 1 if over else 0,
    }
    derived = "removed" if ride.status == "canceled" else "fulfilled" if over else "processing"
    return {
        "ucp": metadata(ride.shared, ORDER),
        "id": ride.id,
        "label": order_label(ride.id),
        "checkout_id": ride.checkout_id,
        "permalink_url": f"{base}/o/{ride.id}",
        "currency": CURRENCY,
        "line_items": [
            {**line, "quantity": quantity, "status": derived} for line in ride.contents.line_items
        ],
        "fulfillment": {"expectations": [], "events": _events(tx, ride, base)},
        "adjustments": _adjustments(tx, ride),
        "totals": ride.contents.totals,
        "trip": _trip(ride, now_s),
    }


def tracking(world: World, ride: Ride, now_s: float) -> Json:
    """Where the car is, for a map."""
    plan, terms = ride.plan, ride.contents.terms
    shown: Json = {"status": ride.status, "updated_at": stamp(now_s), "courier": None}
    if plan is None or terms.pickup is None or terms.destination is None:
        return {**shown, "route": [], "streets": []}
    boarded = ride.status in {"picked_up", "dropped_off"}
    leg = plan.ride if boarded else plan.approach
    if not ride.is_over and now_s >= plan.assigned_s:
        at = plan.position(now_s)
        who = f"{plan.driver}, {plan.car}, {plan.plate}"
        shown["courier"] = {"lat": at[0], "lon": at[1], "name": who}
    return {
        **shown,
        "origin": point(terms.pickup),
        "destination": point(terms.destination) if boarded else point(terms.pickup),
        "route": leg.points,
        "eta_minutes": None if ride.is_over else _eta(ride, now_s, on_trip=boarded),
        "streets": world.streets.near_line(leg.points, 240),
    }


def _trip(ride: Ride, now_s: float) -> Json:
    shown = {**trip_json(ride.contents.terms), "status": ride.status}
    plan = ride.plan
    if plan is None:
        return shown
    shown.pop("pickup_minutes", None)
    if ride.is_over:
        return shown
    shown["cancellation"] = {**quotes.cancellation(), "fee_now": fee_now(ride, now_s)}
    if ride.status not in {"processing", "driver_canceled"}:
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


def _events(tx: Transaction, ride: Ride, base: str) -> list[Json]:
    rows = tx.execute(
        "SELECT id, kind, description, at_s FROM ride_events WHERE ride_id = ? ORDER BY seq",
        (ride.id,),
    ).fetchall()
    return [
        {
            "id": id,
            "occurred_at": stamp(at_s),
            "type": kind,
            "line_items": [{"id": "li_1", "quantity": 1}],
            "tracking_url": f"{base}/track/{ride.tracking}",
            "carrier": company.NAME,
            "description": text,
        }
        for id, kind, text, at_s in rows
    ]


def _adjustments(tx: Transaction, ride: Ride) -> list[Json]:
    made: list[Json] = []
    if ride.status == "canceled":
        at_s = tx.execute(
            "SELECT at_s FROM ride_events WHERE ride_id = ? AND kind = 'canceled'", (ride.id,)
        ).fetchone()[0]
        made.append(
            {
                "id": f"adj_{ride.id[5:13]}_c",
                "type": "cancellation",
                "occurred_at": stamp(at_s),
                "status": "completed",
                "line_items": [{"id": "li_1", "quantity": -1}],
                "description": f"Canceled by the {ride.contents.canceled_by}.",
                "fee": ride.contents.fee,
            }
        )
    for number, (amount, at_s) in enumerate(ride.contents.given_back, 1):
        made.append(
            {
                "id": f"adj_{ride.id[5:13]}_{number}",
                "type": "refund",
                "occurred_at": stamp(at_s),
                "status": "completed",
                "totals": [{"type": "total", "amount": -amount}],
            }
        )
    return made


def _occupy(tx: Transaction, plan: RidePlan) -> None:
    """The driver is busy until the plan's end, and is where that leads."""
    end: Point = plan.ride.points[-1] if plan.gives_up_s is None else plan.approach.points[0]
    free_s = plan.dropped_off_s if plan.gives_up_s is None else plan.gives_up_s
    tx.execute(
        "UPDATE drivers SET latitude = ?, longitude = ?, free_s = ? WHERE id = ?",
        (*end, free_s, plan.driver_id),
    )


def _write(tx: Transaction, ride: Ride, plan: RidePlan | None) -> None:
    tx.execute(
        "UPDATE rides SET contents = ?, plan = ? WHERE id = ?",
        (
            msgspec.json.encode(ride.contents).decode(),
            None if plan is None else msgspec.json.encode(plan).decode(),
            ride.id,
        ),
    )


def class_of(ride: Ride) -> company.RideClass:
    return BY_ID[ride.contents.terms.item_id]


def place_of(ride: Ride) -> Place | None:
    return ride.contents.terms.destination
