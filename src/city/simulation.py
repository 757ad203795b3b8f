"""The city's heartbeat: what falls due happens, each event in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from city.bank import ledger
from city.pay import requests
from city.rides import ahead, rides
from city.store import CITY_CLOCK, Database, Transaction, put_fact, recall
from city.tables import bookings as tables
from city.travel import bookings as journeys
from city.ucp import picking, returning
from city.ucp.adjusting import STEPS
from city.ucp.booked import BookedTerms, Bookings
from city.ucp.orders import adjust_order, happen, load
from city.world import World

T = TypeVar("T", bound=BookedTerms)


def advance(world: World, database: Database) -> int:
    """Let everything happen that is due in city time; gives how many events that were."""
    count = 0
    steps = (_step, _ride_step, _ride_ahead, _travel_step, _table_step, _unanswered, _answer)
    while any(step(world, database) for step in steps):
        count += 1
    with database.transaction() as tx:
        busy = any(
            tx.execute(f"SELECT 1 FROM {steps} LIMIT 1").fetchone() is not None
            for steps in ("order_steps", "ride_steps", "pay_requests WHERE due_s IS NOT NULL")
        )
    world.clock.set_busy(busy)
    return count


def save_clock(world: World, database: Database) -> None:
    """So that after a crash city time goes on from here."""
    with database.transaction() as tx:
        put_fact(tx, CITY_CLOCK, repr(world.clock.now_s()))


def saved_clock(tx: Transaction) -> float | None:
    text = recall(tx, CITY_CLOCK)
    return None if text is None else float(text)


def _step(world: World, database: Database) -> bool:
    now_s = world.clock.now_s()
    with database.transaction() as tx:
        row = tx.execute(
            "SELECT order_id, seq, kind, due_s FROM order_steps WHERE due_s <= ? "
            "ORDER BY due_s, order_id, seq LIMIT 1",
            (now_s,),
        ).fetchone()
        if row is None:
            return False
        order_id, seq, kind, due_s = row
        world.crash.passing("before_step")
        authorization = load(tx, order_id).authorization_id if kind == "canceled" else ""
        if authorization:  # who paid at the door has paid nothing yet
            ledger.give_back(tx, authorization, world.real_s())
        if kind == returning.RETURNED:
            returning.received(world, tx, order_id, due_s)
        elif kind in picking.STEPS:
            picking.step(world, tx, order_id, kind, due_s)
        elif kind in STEPS:
            adjust_order(world, tx, order_id, kind, due_s)
        else:
            happen(world, tx, order_id, kind, due_s)
        tx.execute("DELETE FROM order_steps WHERE order_id = ? AND seq = ?", (order_id, seq))
        put_fact(tx, CITY_CLOCK, repr(now_s))
        world.crash.passing("in_step")
    world.crash.passing("after_step")
    return True


def _unanswered(world: World, database: Database) -> bool:
    """What nobody answered in time is left out."""
    with database.transaction() as tx:
        order_id = picking.overdue(tx, world.real_s())
        if order_id is None:
            return False
        world.crash.passing("before_step")
        picking.leave_out(world, tx, order_id)
        world.crash.passing("in_step")
    world.crash.passing("after_step")
    return True


def _ride_step(world: World, database: Database) -> bool:
    now_s = world.clock.now_s()
    with database.transaction() as tx:
        row = tx.execute(
            "SELECT ride_id, kind, due_s FROM ride_steps WHERE due_s <= ? "
            "ORDER BY due_s, ride_id LIMIT 1",
            (now_s,),
        ).fetchone()
        if row is None:
            return False
        world.crash.passing("before_step")
        rides.step(world, tx, *row)
        put_fact(tx, CITY_CLOCK, repr(now_s))
        world.crash.passing("in_step")
    world.crash.passing("after_step")
    return True


def _ride_ahead(world: World, database: Database) -> bool:
    """In real time: a ride tomorrow must not make the City's clock run until then."""
    with database.transaction() as tx:
        found = ahead.due(world, tx)
        if found is None:
            return False
        world.crash.passing("before_step")
        rides.step_ahead(world, tx, *found)
        put_fact(tx, CITY_CLOCK, repr(world.clock.now_s()))
        world.crash.passing("in_step")
    world.crash.passing("after_step")
    return True


def _travel_step(world: World, database: Database) -> bool:
    return _booked_step(world, database, journeys.JOURNEYS, journeys.step)


def _table_step(world: World, database: Database) -> bool:
    return _booked_step(world, database, tables.TABLES, tables.step)


def _booked_step(
    world: World,
    database: Database,
    bookings: Bookings[T],
    step: Callable[[World, Transaction, str, str], None],
) -> bool:
    """In real time: a booking in a week must not make the City's clock run for a week."""
    with database.transaction() as tx:
        found = bookings.due(world, tx)
        if found is None:
            return False
        world.crash.passing("before_step")
        step(world, tx, *found)
        world.crash.passing("in_step")
    world.crash.passing("after_step")
    return True


def _answer(world: World, database: Database) -> bool:
    """One of the City's people answers a request for money."""
    with database.transaction() as tx:
        if not requests.step(world, tx):
            return False
        put_fact(tx, CITY_CLOCK, repr(world.clock.now_s()))
        world.crash.passing("in_step")
    world.crash.passing("after_step")
    return True
