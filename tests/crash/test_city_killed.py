"""kill -9 of the City at every point that an order passes, started again: paid once or paid back, told once, books even."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from lapel.devices import CueKind, Family
from lapel.together import Program
from town import Town, free_ports
from wearer import Wearer, text_of

pytestmark = pytest.mark.crash

PORTS = 16
"""More than the City takes."""
WORN = (Family.GLASSES, Family.RING, Family.PHONE)
ENDS = {"delivered", "refunded", "failed", "refused", "canceled", "lapsed"}
CHECKOUT = ["before_checkout", "in_checkout", "after_checkout"]
PAYING = ["before_authorize", "in_authorize", "after_authorize"]
PLACING = [
    "before_attempt", "after_attempt", "before_capture", "in_capture", "after_capture",
    "before_order", "in_order", "after_order",
]  # fmt: skip
WAY = ["before_step", "in_step", "after_step", "before_webhook", "after_webhook"]
RELEASE = ["before_release", "in_release", "after_release"]


@dataclass(frozen=True)
class Bought:
    id: str
    state: str
    total: int


@dataclass(frozen=True)
class Failing:
    """`dish` differs where the fault takes it off the shelf, for a minute."""

    point: str
    fault: str
    dish: str = "a cappuccino"
    state: str = "refunded"
    words: str = "Nothing was charged"


FAILING = [
    *(Failing(p, "sold_out", d) for p, d in zip(RELEASE, ("a croissant", "an espresso", "a mocha"), strict=True)),
    Failing("after_attempt", "overcharge"),
    Failing("before_order", "overcharge"),
    Failing("in_order", "overcharge"),
    Failing("in_release", "overcharge"),
    Failing("before_authorize", "decline_payment", state="failed", words="declined"),
    Failing("after_authorize", "decline_payment", state="failed", words="declined"),
    Failing("before_step", "merchant_cancels", words="You got"),
    Failing("in_step", "merchant_cancels", words="You got"),
    Failing("after_step", "merchant_cancels", words="You got"),
]  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("killed-city"), speed=1200, port=free_ports(PORTS))
    try:
        town.open_gateway("--text")
        town.wait_for_menus()
        yield town
    finally:
        town.close()


async def revived(town: Town, dying: Program) -> None:
    """Start the City again as soon as it is dead: on its data, at its ports, without the kill point."""
    await asyncio.to_thread(dying.wait, 50)
    await asyncio.to_thread(town.restart_city)


async def ended(town: Town, me: Wearer, known: int) -> Bought:
    """Press for every question, until the order has ended."""
    pressed: set[str] = set()
    until = time.monotonic() + 45
    rows: list[tuple[str, str, int]] = []
    while time.monotonic() < until:
        asked = [s.cue.id for s in me[Family.PHONE].cues if s.cue.kind is CueKind.APPROVAL]
        if asked and asked[-1] not in pressed:
            await asyncio.sleep(0.5)
            me.press()
            pressed.add(asked[-1])
        rows = await asyncio.to_thread(
            town.record, "SELECT id, state, total_minor FROM orders ORDER BY created_at DESC"
        )
        if len(rows) > known and rows[0][1] in ENDS:
            return Bought(*rows[0])
        await asyncio.sleep(0.1)
    raise AssertionError(f"the order did not end: {rows[:1]}")


def movements(town: Town) -> list[int]:
    """What was paid (negative) and paid back, in the order in which it was."""
    return [entry["amount"] for entry in town.bank_entries() if entry["kind"] != "opening"]


def event_kinds(town: Town, order_id: str) -> list[str]:
    rows = town.record(f"SELECT kind FROM order_events WHERE order_id = '{order_id}' ORDER BY n")
    return [kind for (kind,) in rows]


async def killed_at(town: Town, point: str, dish: str, words: str, after: int = 0) -> Bought:
    """Order once while the City dies on the way; what must be true of any end. `words` tell it."""
    known, before, dying = len(town.orders()), movements(town), town.city_program
    async with Wearer(town.device_url, town.token, *WORN) as me:
        town.kill_at(point, after)
        reviving = asyncio.create_task(revived(town, dying))
        try:
            me.type(f"{dish} from Blue Door to my office")
            bought = await ended(town, me, known)
            glasses = me[Family.GLASSES]
            await glasses.says(words, timeout_s=10)
            async with asyncio.timeout(20):
                await reviving  # the last webhook may be on its way a moment after the end
        finally:
            reviving.cancel()
            await asyncio.gather(reviving, return_exceptions=True)
        told = [text_of(shown.cue) for shown in glasses.cues]
    assert dying.ended() == -signal.SIGKILL, f"{point} was never reached"

    assert len(town.orders()) == known + 1
    kinds = event_kinds(town, bought.id)
    assert len(kinds) == len(set(kinds)), kinds
    # Of what happens within a moment only the last is told; the receipt is a matter of its own.
    assert sum("is placed" in text for text in told) <= kinds.count("placed"), told
    assert sum("Receipt" in text for text in told) == kinds.count("placed"), told
    assert sum(words in text for text in told) == 1, told
    captured = "placed" in kinds
    returned = captured and bought.state != "delivered"
    expected = [-bought.total] * captured + [bought.total] * returned
    assert movements(town)[len(before) :] == expected
    return bought


def city_says(town: Town, query: str) -> list[tuple[object, ...]]:
    file = town.folder / "city" / "city.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def books_are_even(town: Town) -> None:
    """The City's own record after all of it, read from the outside."""
    assert (
        city_says(town, "SELECT transfer FROM entries GROUP BY transfer HAVING SUM(amount)") == []
    )
    assert city_says(town, "SELECT id FROM authorizations WHERE state = 'authorized'") == []
    assert city_says(town, "SELECT id FROM checkouts WHERE status = 'complete_in_progress'") == []
    assert (
        city_says(town, "SELECT id FROM orders WHERE status NOT IN ('delivered', 'canceled')") == []
    )
    # One payment an order, of its checkout's total, refunded exactly where the shop cancelled.
    paid = city_says(
        town,
        "SELECT o.status, a.state, a.amount - c.total, a.capture_reference = c.id, COUNT(*) "
        "FROM orders o JOIN checkouts c ON c.id = o.checkout_id "
        "LEFT JOIN authorizations a ON a.id = o.authorization_id GROUP BY o.id",
    )
    allowed = {("delivered", "captured", 0, 1, 1), ("canceled", "refunded", 0, 1, 1)}
    assert set(paid) <= allowed
    moved = "SELECT COUNT(*) FROM authorizations WHERE state IN ('captured', 'refunded')"
    assert city_says(town, moved) == [(len(paid),)]
    placed = town.record("SELECT COUNT(*) FROM orders WHERE merchant_order_id IS NOT NULL")
    assert placed == [(len(paid),)]
    sold = "SELECT COUNT(*) FROM entries e JOIN transfers t ON t.id = e.transfer WHERE kind = 'payment' AND amount > 0"
    assert city_says(town, sold) == [(len(paid),)]


@pytest.mark.parametrize("point", [*CHECKOUT, *PAYING, *PLACING, *WAY])
async def test_killed_on_the_way_to_the_door(town: Town, point: str):
    bought = await killed_at(town, point, "a cappuccino", "was delivered")
    assert bought.state == "delivered"
    books_are_even(town)


@pytest.mark.parametrize("failing", FAILING, ids=lambda f: f"{f.fault}-{f.point}")
async def test_killed_while_the_order_fails(town: Town, failing: Failing):
    town.fault(failing.fault)
    try:
        # The shop cancels with the second step of an order, after `preparing`.
        after = 1 if failing.fault == "merchant_cancels" else 0
        bought = await killed_at(town, failing.point, failing.dish, failing.words, after)
    finally:
        town.no_faults()
    assert bought.state == failing.state
    books_are_even(town)
