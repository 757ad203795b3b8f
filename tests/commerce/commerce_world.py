"""A town, a record, and Orders running on both, with the shortcuts of a user."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from commerce_town import LATTES, Town

import postgres
from lapel.commerce import (
    ApprovalError,
    BankEntry,
    Evidence,
    Orders,
    OrderState,
    Policy,
    ledger,
)
from lapel.commerce.books import UNDER_WAY, Difference, compare, paid_by
from lapel.commerce.consent import Vault
from lapel.store import Store, Worker, insert, schema

QUICK = Policy(
    screen_over={"EUR": 20000},
    approval_s=30.0,
    retry_s=0.01,
    retry_most_s=0.02,
    long_retry_s=0.02,
    long_retry_most_s=0.05,
    track_first_s=0.01,
    track_s=0.02,
    track_most_s=0.05,
)
TAP = Evidence("d_ring", "Ring", "ring", "press", 1764000000.0, ("d_glasses",), ("d_buds",))
ON_SCREEN = Evidence("d_phone", "Phone", "phone", "approve", 1764000000.0, ("Phone",))
BUDS = Evidence("d_buds", "Buds", "earbuds", "tap", 1764000001.0)


class World:
    """A running Lapel commerce: `orders`, the `town` it buys in, and shortcuts of a user."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        """On SQLite in `folder`, or on the PostgreSQL database at `url`."""
        self.folder = folder
        self.url = url
        self.town = Town(folder / "town.db")
        self.skew = 0.0
        self.policy = QUICK
        self.heard = []
        self.worker_name = ""
        """Set before `open`: one of several workers on the database."""
        self.worker: Worker | None = None
        self.lease_s = 6.0

    def clock(self) -> float:
        return time.time() + self.skew

    async def open(self) -> None:
        self.store = await Store.open(self.url or self.folder / "record.db", lease_s=self.lease_s)
        if self.worker_name:
            self.worker = await Worker.join(self.store, self.worker_name, lease_s=self.lease_s)
        await self.store.write(_users)
        await self.start()

    async def start(self, policy: Policy | None = None) -> None:
        self.policy = policy or self.policy
        self.orders = Orders(
            self.store,
            self.town,
            self.town,
            self.policy,
            self.url or self.folder / "workflows.db",
            clock=self.clock,
            vault=Vault.open(self.folder),
            worker=self.worker,
        )
        self.orders.subscribe(self.heard.append)
        await self.orders.start()

    async def stop(self) -> None:
        await self.orders.stop()

    async def close(self) -> None:
        await self.orders.stop()
        if self.worker is not None:
            await self.worker.leave()
        await self.store.close()
        self.town.db.close()

    def forget_workflows(self) -> None:
        """Lose all that DBOS knows."""
        if self.url is not None:
            postgres.run(self.url, "DROP SCHEMA dbos CASCADE")
        for path in self.folder.glob("workflows.db*"):
            path.unlink()

    def workflow_history(self) -> bytes:
        """Everything that DBOS has written down."""
        if self.url is None:
            return b"".join(p.read_bytes() for p in self.folder.glob("workflows.db*"))
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'dbos'"
        return b"".join(
            repr(postgres.rows(self.url, f'SELECT * FROM dbos."{name}"')).encode()
            for (name,) in postgres.rows(self.url, tables)
        )

    async def kinds(self, order_id: str) -> list[str]:
        events = await self.orders.events(None, 0, 10000)
        return [event.kind for event in events if event.order_id == order_id]

    async def event(self, order_id: str, kind: str, count: int = 1):
        """The order's `count`th event of the kind, once it is there."""
        while True:
            events = await self.orders.events(None, 0, 10000)
            found = [e for e in events if e.order_id == order_id and e.kind == kind]
            if len(found) >= count:
                return found[count - 1]
            await _next_event(self.orders)

    async def state(self, order_id: str, *wanted: OrderState):
        while True:
            order = await self.orders.get(order_id)
            if order.state in wanted:
                return order
            await _next_event(self.orders)

    async def asked(self, wanted=LATTES, user: str = "u_0"):
        """A new order and the question about it."""
        order_id = await self.orders.begin(user, wanted)
        return order_id, await self.event(order_id, "approval_needed")

    async def placed(self, wanted=LATTES, user: str = "u_0"):
        order_id, _ = await self.asked(wanted, user)
        await self.approve(order_id)
        return await self.state(order_id, OrderState.PLACED)

    async def refused_decision(self, question, **changed) -> str:
        """The code with which a decision about the question is turned down."""
        given = {
            "approval_id": question.data["approval_id"],
            "decision": "approve",
            "evidence": TAP,
            "checkout_hash": question.data["checkout_hash"],
            **changed,
        }
        approval_id, decision, evidence = (
            given.pop(name) for name in ("approval_id", "decision", "evidence")
        )
        with pytest.raises(ApprovalError) as caught:
            await self.orders.decide(approval_id, decision, evidence, **given)
        return caught.value.code

    async def called(self, op: str) -> None:
        while self.town.calls(op) == 0:
            await _next_event(self.orders)

    async def approve(self, order_id: str, count: int = 1, evidence: Evidence = TAP):
        asked = await self.event(order_id, "approval_needed", count)
        return await self.orders.decide(
            asked.data["approval_id"],
            "approve",
            evidence,
            checkout_hash=asked.data["checkout_hash"],
        )

    def balanced(self, *placed_totals: int) -> None:
        """Nobody paid for what was not placed, and nobody twice."""
        assert self.town.money_kept() == sum(placed_totals)
        assert self.town.violations() == []


async def _next_event(orders: Orders) -> None:
    """Until the next event, or for a moment: some waits are for things that tell nothing."""
    came = asyncio.Event()
    stop = orders.subscribe(lambda _: came.set())
    try:
        await asyncio.wait_for(came.wait(), 0.05)
    except TimeoutError:
        pass
    finally:
        stop()


def _users(connection: sa.Connection) -> None:
    add_users(connection, (f"u_{i}" for i in range(20)))


def add_users(connection: sa.Connection, ids: Iterable[str]) -> None:
    for id in ids:
        connection.execute(
            insert(connection, schema.users)
            .values(id=id, name=f"User {id.removeprefix('u_')}", created_at=0.0)
            .on_conflict_do_nothing()
        )


def books(record: str, town: Town) -> list[Difference | int | str]:
    """What is wrong in the record at a URL."""
    engine = sa.create_engine(record)
    with engine.connect() as connection:
        wrong = wrong_in(connection, town.moves())
    engine.dispose()
    return wrong


def wrong_in(
    connection: sa.Connection, moves: list[tuple[str, BankEntry]]
) -> list[Difference | int | str]:
    """Lopsided entries, differences from the bank, and what orders at rest left behind."""
    wrong: list[Difference | int | str] = []
    for (user_id,) in connection.execute(sa.select(schema.users.c.id)).all():
        entries = [entry for user, entry in moves if user == user_id]
        wrong += ledger.unbalanced(connection, user_id)
        wrong += [x for x in compare(paid_by(connection, user_id), entries) if not x.under_way]
    orders = schema.orders.c
    for order_id, state, has_receipt in connection.execute(
        sa.select(orders.id, orders.state, orders.receipt.is_not(None))
    ).all():
        now = ledger.standing(connection, order_id)
        left = {k: v for k, v in now.items() if v and not k.startswith(("spent:", "available"))}
        at_rest = OrderState(state) not in (*UNDER_WAY, OrderState.PLACED, OrderState.DELIVERED)
        fee_kept = state == OrderState.CANCELED and has_receipt
        if at_rest and any((left if fee_kept else now).values()):
            wrong.append(f"{order_id} {state} leaves {now}")
        if min(left.values(), default=0) < 0:
            wrong.append(f"{order_id} {state} is below zero: {now}")
    return wrong


@asynccontextmanager
async def running(folder: Path, url: str | None = None, policy: Policy = QUICK, worker: str = ""):
    world = World(folder, url)
    world.policy, world.worker_name = policy, worker
    await world.open()
    try:
        yield world
    finally:
        await world.close()
