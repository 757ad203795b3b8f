"""The ground on which hosts run, and what must be true of it in the end."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from commerce_host import Cast, Touch, town_of
from commerce_scenarios import SCENARIOS
from commerce_town import Town
from commerce_world import wrong_in

import postgres


def prepare(cast: Cast, like: Path) -> None:
    """A folder for a host, with the towns of its orders."""
    if cast.url is not None:
        postgres.empty(cast.url)
    shutil.copytree(like, cast.folder)
    for order_id in cast.held:
        town = Town(town_of(Path(cast.folder), order_id))
        for name, value in SCENARIOS[cast.scenario].knobs:
            town.set(name, value)
        town.db.close()


def record_of(cast: Cast) -> str:
    if cast.url is None:
        return f"sqlite:///{Path(cast.folder) / 'record.db'}"
    return cast.url.replace("postgresql:", "postgresql+psycopg:", 1)


def check(cast: Cast) -> None:
    """Each placed and paid exactly once or refunded, and told exactly once, as if nothing had been."""
    towns = {id: Town(town_of(Path(cast.folder), id)) for id in cast.held}
    engine = sa.create_engine(record_of(cast))
    try:
        with engine.connect() as record:
            for order_id, town in towns.items():
                check_order(record, cast.scenario, order_id, town)
            moves = [move for town in towns.values() for move in town.moves()]
            assert wrong_in(record, moves) == []
    finally:
        engine.dispose()
        for town in towns.values():
            town.db.close()


def check_order(record: sa.Connection, scenario: str, order_id: str, town: Town) -> None:
    due = SCENARIOS[scenario]
    ours = {"id": order_id}

    def ask(query: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in record.execute(sa.text(query), ours)]

    told = [kind for (kind,) in ask("SELECT kind FROM order_events WHERE order_id=:id ORDER BY n")]
    wanted = list(due.told)
    if due.any_order:
        told, wanted = sorted(told), sorted(wanted)
    assert told == wanted, order_id
    state = ask("SELECT state, receipt IS NOT NULL FROM orders WHERE id=:id")
    assert state == [(due.state, int("placed" in due.told))], order_id
    booked = ask("SELECT amount_minor FROM limit_bookings WHERE order_id=:id")
    assert booked == ([(due.kept,)] if due.booked else []), order_id
    placed = [total for _, total in town.placed()]
    assert placed == ([due.kept + due.given_back] if due.state == "delivered" else []), order_id
    assert town.money_kept() == due.kept, order_id
    holds = town.holds()
    assert len([hold for hold in holds if hold[2] > hold[3]]) == bool(due.kept), order_id
    assert [hold for hold in holds if hold[1] == "authorized"] == [], order_id
    assert town.violations() == [], order_id


def all_met(title: str, touches: list[Touch], met: list[Touch]) -> None:
    """Every touch of an order that nothing happened to was met.

    What it does again and again it may have done less often; and at the merchant's order it looks
    only while it waits.
    """
    times = Counter(name for name, _ in met)
    missed = sorted(set(touches) - set(met))
    print(f"\n{title}: {len(met)} touches; not met: {missed}")
    for name, n in sorted(times.items()):
        print(f"  {n:3} x {name}")
    assert all(n > 1 or name.endswith(" order") for name, n in missed)
    assert len(missed) * 5 <= len(touches)
