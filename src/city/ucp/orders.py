"""Orders: placed from a checkout, moved on by events, shown as UCP's full order entity."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from city.clock import stamp
from city.deliveries import Errand, Mishaps, Plan, counter_plan, couriers, make_plan, occupy
from city.errors import DataError
from city.faults import Fault
from city.geometry import Point
from city.store import CITY_CLOCK, Transaction, put_fact
from city.ucp.adjusting import Adjusted, adjust, adjustments, plan_adjustments, removed
from city.ucp.checkout_json import CURRENCY, destination_json, order_label
from city.ucp.checkouts import Stored
from city.ucp.envelope import metadata
from city.ucp.groceries import questions
from city.ucp.quote import Json, Option, Quote
from city.ucp.return_terms import delivered_at, returns_of
from city.ucp.vocabulary import GROCERIES, ORDER, RETAIL, Shared
from city.ucp.wire import Destination
from city.webhooks import enqueue
from city.world import World

EVENT_TEXT: Mapping[str, str] = {
    "processing": "{shop} has accepted the order.",
    "preparing": "{shop} is preparing it.",
    "picked_up": "{courier} has picked it up.",
    "in_transit": "{courier} is on the way, about {minutes} minutes.",
    "late": "{courier} is held up, now about {minutes} minutes.",
    "failed_attempt": "Nobody opened; {courier} tries again in a moment.",
    "delivered": "{courier} has delivered it.",
    "substitution_asked": "{shop} has a question about the order.",
    "packed": "{shop} has picked and weighed it.",
    "ready_for_pickup": "{shop} has it ready for pick-up.",
    "collected": "It was picked up at {shop}.",
    "canceled": "{shop} had to cancel the order. The money goes back.",
}


_LOOKING_S = 60.0
"""City seconds after which a grocer knows what is not on the shelf."""
DONE = frozenset({"delivered", "collected"})


_WORK_S = 3600.0
"""City seconds that packing and bringing a parcel takes, about."""


class Contents(msgspec.Struct):
    """What was bought, as it is shown. Only a grocer changes it, once: when it is `packed`."""

    line_items: list[Json]
    totals: list[Json]
    destination: Json
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    merchant: str
    platform: str
    shared: Shared
    webhook_url: str
    checkout_id: str
    authorization_id: str
    tracking: str
    status: str
    contents: Contents
    plan: Plan
    placed_s: float

    def position(self, now_s: float) -> Point | None:
        """Where its courier is. A grocer calls one when all is packed; until then nobody rides."""
        waits = GROCERIES in self.shared and not self.contents.packed
        return None if waits else self.plan.position(now_s)


@dataclass(frozen=True, slots=True)
class Placing:
    """A paid checkout on its way to an order."""

    stored: Stored
    quote: Quote
    door: Point
    shared: Shared
    webhook_url: str
    authorization_id: str


def place(world: World, tx: Transaction, placing: Placing) -> str:
    """Insert the order, its plan and its first event; gives the order's id."""
    stored, quote = placing.stored, placing.quote
    if quote.delivery is None or quote.delivery.selected is None or quote.delivery.option is None:
        raise DataError("a cart without delivery cannot be ready")
    id = f"ord_{secrets.token_hex(12)}"
    now_s = world.clock.now_s()
    number = tx.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM orders").fetchone()[0]
    weighed, stored_up = GROCERIES in placing.shared, RETAIL in placing.shared
    errand = Errand(
        number=number,
        placed_s=now_s + _waits_s(quote.delivery.option, stored_up),
        shop=world.door(stored.merchant),
        door=placing.door,
        preparing_s=world.shops[stored.merchant].preparing_s,
        hurry=quote.delivery.option.id == "priority",
    )
    mishaps = _mishaps(world, tx, stored.merchant)
    if quote.is_fetched:
        plan = counter_plan(errand, world.seed, canceled=mishaps.canceled)
    else:
        plan = make_plan(errand, couriers(tx), world.streets, world.seed, mishaps)
    # Whoever brings a parcel is none of today's couriers.
    if not weighed and not stored_up and not quote.is_fetched:
        occupy(tx, plan)
    contents = Contents(
        line_items=stored.body.line_items,
        totals=stored.body.totals,
        destination=_shown(quote.delivery.selected, placing.shared),
    )
    tx.execute(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, ?)",
        (
            number,
            id,
            stored.merchant,
            stored.platform,
            msgspec.json.encode(placing.shared).decode(),
            placing.webhook_url,
            stored.id,
            placing.authorization_id,
            secrets.token_urlsafe(16),
            msgspec.json.encode(contents).decode(),
            msgspec.json.encode(plan).decode(),
            now_s,
        ),
    )
    steps = plan.steps()
    if not weighed:
        steps += plan_adjustments(world, tx, stored.merchant, plan).items()
    elif plan.cancel_s is None:
        steps = [("preparing", plan.preparing_s), ("picking", plan.preparing_s + _LOOKING_S)]
    for seq, (kind, due_s) in enumerate(steps, 1):
        tx.execute("INSERT INTO order_steps VALUES (?, ?, ?, ?)", (id, seq, kind, due_s))
    happen(world, tx, id, "processing", now_s)
    put_fact(tx, CITY_CLOCK, repr(now_s))
    return id


def _shown(to: Destination, shared: Shared) -> Json:
    """Where it goes as a postal address."""
    return destination_json(to, shared) if to.address is None else msgspec.to_builtins(to.address)


def _waits_s(option: Option, stored_up: bool) -> float:
    """City seconds before anybody begins with what a store has promised for later."""
    return max(0.0, option.earliest_s - _WORK_S) if stored_up else 0.0


def happen(world: World, tx: Transaction, order_id: str, kind: str, at_s: float) -> None:
    """Append an event and queue the webhook that tells it."""
    order = load(tx, order_id)
    minutes = max(1, round((order.plan.promised_s(at_s) - at_s) / 60))
    text = EVENT_TEXT[kind].format(
        shop=world.shops[order.merchant].name, courier=order.plan.courier, minutes=minutes
    )
    shown = "in_transit" if kind == "late" else kind
    seq = tx.execute(
        "SELECT COUNT(*) FROM order_events WHERE order_id = ?", (order_id,)
    ).fetchone()[0]
    tx.execute(
        "INSERT INTO order_events VALUES (?, ?, ?, ?, ?, ?)",
        (order_id, seq, f"evt_{secrets.token_hex(8)}", shown, text, at_s),
    )
    tx.execute("UPDATE orders SET status = ? WHERE id = ?", (shown, order_id))
    tell(world, tx, order, at_s)


def adjust_order(world: World, tx: Transaction, order_id: str, step: str, at_s: float) -> None:
    """Something is given back; the webhook tells it, no event of the delivery does."""
    order = load(tx, order_id)
    adjusted = Adjusted(
        order.id,
        order.merchant,
        order.authorization_id,
        order.contents.line_items,
        order.contents.totals,
    )
    adjust(world, tx, adjusted, step, at_s)
    tell(world, tx, order, at_s)


def tell(world: World, tx: Transaction, order: Order, at_s: float) -> None:
    """Queue the webhook with the whole order as it is now."""
    if order.webhook_url:
        order_id = order.id
        body = msgspec.json.encode(entity(world, tx, load(tx, order_id), at_s))
        enqueue(world, tx, order_id, order.merchant, order.webhook_url, body)


def load(tx: Transaction, id: str) -> Order:
    order = find(tx, "id", id)
    if order is None:
        raise DataError(f"order {id!r} is gone")
    return order


def find(tx: Transaction, column: str, value: str) -> Order | None:
    """By `id` or `tracking`."""
    row = tx.execute(
        "SELECT id, merchant, platform, capabilities, webhook_url, checkout_id, authorization_id, "
        f"tracking, status, contents, plan, placed_s FROM orders WHERE {column} = ?",
        (value,),
    ).fetchone()
    if row is None:
        return None
    return Order(
        id=row[0],
        merchant=row[1],
        platform=row[2],
        shared=msgspec.json.decode(row[3], type=dict[str, str]),
        webhook_url=row[4],
        checkout_id=row[5],
        authorization_id=row[6],
        tracking=row[7],
        status=row[8],
        contents=msgspec.json.decode(row[9], type=Contents),
        plan=msgspec.json.decode(row[10], type=Plan),
        placed_s=row[11],
    )


def entity(world: World, tx: Transaction, order: Order, now_s: float) -> Json:
    """UCP's order: everything that is known of it now."""
    base = world.urls[order.merchant]
    gone = removed(tx, order.id)
    shown: Json = {
        "ucp": metadata(order.shared, ORDER),
        "id": order.id,
        "label": order_label(order.id),
        "checkout_id": order.checkout_id,
        "permalink_url": f"{base}/o/{order.id}",
        "currency": CURRENCY,
        "line_items": [
            _order_line(line, order.status, gone.get(str(line["id"]), 0))
            for line in order.contents.line_items
        ],
        "fulfillment": {
            "expectations": _expectations(order, now_s),
            "events": _events(tx, order, base),
        },
        "adjustments": _adjustments(tx, order),
        "totals": order.contents.totals,
    }
    if GROCERIES in order.shared:
        lines, shop = order.contents.line_items, world.shops[order.merchant]
        shown["groceries"] = {
            "status": "packed" if order.contents.packed else "picking",
            "questions": questions(tx, order.id, lines, shop),
        }
    if RETAIL in order.shared:
        delivered_s = delivered_at(tx, order.id)
        shown["retail"] = {"returns": returns_of(world.shops[order.merchant], delivered_s)}
    return shown


def tracking(world: World, order: Order, now_s: float) -> Json:
    """Where the courier is, for a map."""
    plan = order.plan
    at = order.position(now_s) if order.status not in {*DONE, "canceled"} else None
    ride = plan.legs[-1].points
    coming = order.status not in {*DONE, "canceled"}
    minutes = max(0, -int(-(plan.promised_s(now_s) - now_s) // 60))
    return {
        "status": order.status,
        "courier": None if at is None else {"lat": at[0], "lon": at[1], "name": plan.courier},
        "origin": world.door(order.merchant),
        "destination": ride[-1],
        "route": ride,
        "eta_minutes": minutes if coming else None,
        "streets": world.streets.near_line(ride, 240),
        "updated_at": stamp(now_s),
    }


def _mishaps(world: World, tx: Transaction, merchant: str) -> Mishaps:
    def strikes(fault: Fault) -> bool:
        return world.faults.strike(tx, fault, merchant) is not None

    return Mishaps(
        late=strikes(Fault.COURIER_LATE),
        failed_attempt=strikes(Fault.FAILED_ATTEMPT),
        canceled=strikes(Fault.MERCHANT_CANCELS),
    )


def _quantities(order: Order) -> list[Json]:
    return [{"id": line["id"], "quantity": line["quantity"]} for line in order.contents.line_items]


class _Missing(msgspec.Struct):
    missing: bool = False


def _order_line(line: Json, status: str, gone: int) -> Json:
    original = msgspec.convert(line["quantity"], int)
    if msgspec.convert(line.get("groceries", {}), _Missing).missing:
        gone = original
    total = 0 if status == "canceled" else original - gone
    fulfilled = total if status in DONE else 0
    derived = "fulfilled" if status in DONE else "processing"
    derived = "removed" if status == "canceled" else derived
    if not total:
        derived = "removed"
    quantity = {"original": original, "total": total, "fulfilled": fulfilled}
    return {**line, "quantity": quantity, "status": derived}


def _expectations(order: Order, now_s: float) -> list[Json]:
    if order.status == "canceled":
        return []
    promise = order.plan.promised_s(now_s)
    fetched = order.plan.fetched
    done = "Picked up" if fetched else "Delivered"
    soon = f"{'Ready' if fetched else 'Arrives'} at about {stamp(promise)[11:16]}"
    text = done if order.status in DONE else soon
    return [
        {
            "id": "exp_1",
            "line_items": _quantities(order),
            "method_type": "pickup" if fetched else "shipping",
            "destination": order.contents.destination,
            "description": text,
            "fulfillable_on": "now",
        }
    ]


def _events(tx: Transaction, order: Order, base: str) -> list[Json]:
    rows = tx.execute(
        "SELECT id, kind, description, at_s FROM order_events WHERE order_id = ? ORDER BY seq",
        (order.id,),
    ).fetchall()
    carried: Json = {"tracking_url": f"{base}/track/{order.tracking}", "carrier": "City Couriers"}
    return [
        {
            "id": id,
            "occurred_at": stamp(at_s),
            "type": kind,
            "line_items": _quantities(order),
            "tracking_number": order_label(order.id),
            **({} if order.plan.fetched else carried),
            "description": description,
        }
        for id, kind, description, at_s in rows
    ]


def _adjustments(tx: Transaction, order: Order) -> list[Json]:
    if order.status != "canceled":
        return adjustments(tx, order.id)
    at_s = tx.execute(
        "SELECT at_s FROM order_events WHERE order_id = ? AND kind = 'canceled'", (order.id,)
    ).fetchone()[0]
    paid = next(t["amount"] for t in order.contents.totals if t["type"] == "total")
    taken = [
        {"id": line["id"], "quantity": -quantity}
        for line in order.contents.line_items
        if isinstance(quantity := line["quantity"], int)
    ]
    common: Json = {"occurred_at": stamp(at_s), "status": "completed"}
    return [
        {
            "id": f"adj_{order.id[4:12]}_1",
            "type": "cancellation",
            **common,
            "line_items": taken,
            "description": "The merchant canceled the order.",
        },
        {
            "id": f"adj_{order.id[4:12]}_2",
            "type": "refund",
            **common,
            "totals": [{"type": "total", "amount": -paid if isinstance(paid, int) else 0}],
            "description": "The whole payment goes back.",
        },
    ]
