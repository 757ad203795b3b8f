"""The ground on which hosts run, and what must be true of it in the end."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from commerce_forks import noted
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


ROUNDS, COPIES = 3, 4
AGAIN_AND_AGAIN = ("order", "state", "record commit", "DBOS commit")
"""What an order does more often or less often, as it happens to wait for others."""


def dies_everywhere(
    title: str, cast: Cast, touches: Collection[Touch], dies: Callable[[Cast], None]
) -> None:
    """Let orders die held at each of the touches; `dies` is one death of a cast, and what must be true after it.

    An order that came to its end without coming to its touch, because under load something else came first, is
    followed by some fresh ones in the next round.
    """
    left = list(touches)
    for number in range(ROUNDS):
        tried = left * (COPIES if number else 1)
        held = {f"o_{n}": touch for n, touch in enumerate(tried)}
        once = replace(cast, folder=f"{cast.folder}{number}", held=held)
        dies(once)
        met = {held[id] for id in noted(once).held}
        left = [touch for touch in left if touch not in met]
        if not left:
            break
    print(f"\n{title}: {len(touches)} touches; not met: {left}")
    for name, n in sorted(Counter(name for name, _ in touches).items()):
        print(f"  {n:3} x {name}")
    assert all(n > 1 and name.endswith(AGAIN_AND_AGAIN) for name, n in left), left
    assert len(left) * 20 <= len(touches), left


def ended(cast: Cast, code: int) -> None:
    """It died if any of its orders was held."""
    assert code == (-cast.how if noted(cast).held else 0)
