"""No statement of an order's life reads a whole table: a million stored orders cost what ten do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from commerce_town import LATTES
from commerce_world import TAP, running
from sqlalchemy import event

from lapel.commerce import OrderState
from lapel.services import stored_drafts

pytestmark = pytest.mark.net

GROW = (
    "orders",
    "order_events",
    "approvals",
    "closed_mandates",
    "ledger_entries",
    "ledger_postings",
)
"""Tables with rows for every order that ever was."""
SLOW = re.compile(rf"SCAN ({'|'.join(GROW)})( USING .*)?|SEARCH orders USING .* \(merchant_id=\?\)")
"""All rows, or all of one merchant."""
ALL_OF_A_USER = re.compile(
    r"SEARCH orders USING [^']*\(user_id=\?\)'.*'USE TEMP B-TREE FOR ORDER BY'"
)


@contextmanager
def statements(record: Path) -> Iterator[dict[str, tuple[object, ...]]]:
    """What is said to the record meanwhile, with one set of values each."""
    heard: dict[str, tuple[object, ...]] = {}

    def note(connection, cursor, text, values, context, many):
        if str(connection.engine.url.database) == str(record) and not many:
            heard.setdefault(text, values)

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield heard
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)


def scans(record: Path, heard: dict[str, tuple[object, ...]]) -> list[str]:
    """The statements whose plan goes through a growing table row by row."""
    found: list[str] = []
    with sa.create_engine(f"sqlite:///{record}").connect() as connection:
        for text, values in heard.items():
            if not re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT)", text):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
            steps = [step for *_, step in plan]
            found += [f"{steps}: {text}" for step in steps if SLOW.fullmatch(step)]
            if ALL_OF_A_USER.search(str(steps)):
                found.append(f"{steps}: {text}")
    return found


async def test_no_statement_of_an_order_reads_a_whole_table(untouched, tmp_path):
    shutil.copytree(untouched, tmp_path, dirs_exist_ok=True)
    record = tmp_path / "record.db"
    with statements(record) as heard:
        async with running(tmp_path) as world:
            orders = world.orders
            world.town.set("events", "processing picked_up")
            first = await world.placed()
            await world.stop()
            await world.start()
            await world.placed()  # the second receipt of a user is chained to the first
            await orders.merchant_reports(world.town.report(first.checkout_id, "delivered"))
            unknown = replace(world.town.report(first.checkout_id), id="m_unknown")
            await orders.merchant_reports(unknown)
            assert await stored_drafts(world.store)("blue", first.checkout_id) == LATTES
            refused, question = await world.asked()
            await world.orders.decide(
                question.data["approval_id"],
                "refuse",
                TAP,
                checkout_hash=question.data["checkout_hash"],
            )
            await world.state(refused, OrderState.REFUSED)
            revised, _ = await world.asked()
            await world.orders.revise(revised, LATTES)
            await world.event(revised, "approval_needed", 2)
            await world.orders.cancel(revised)
            await world.orders.list("u_0")
            await world.orders.pending_approvals("u_0")
            await world.orders.takes(first)
            await world.state(first.id, OrderState.DELIVERED)
    assert len(heard) > 40
    assert scans(record, heard) == []
