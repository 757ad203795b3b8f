"""What the tests of orders share: a town, a record, and Orders running on both."""

from __future__ import annotations

import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent))

from commerce_town import Town  # noqa: E402

from lapel.commerce import Evidence, Orders, OrderState, Policy  # noqa: E402
from lapel.store import Store, schema  # noqa: E402

QUICK = Policy(
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


class World:
    """A running Lapel commerce: `orders`, the `town` it buys in, and shortcuts of a user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.town = Town(folder / "town.db")
        self.skew = 0.0
        self.policy = QUICK
        self.heard = []

    def clock(self) -> float:
        return time.time() + self.skew

    async def open(self) -> None:
        self.store = await Store.open(self.folder / "record.db")
        await self.store.write(_users)
        await self.start()

    async def start(self, policy: Policy | None = None) -> None:
        self.policy = policy or self.policy
        self.orders = Orders(
            self.store,
            self.town,
            self.town,
            self.policy,
            self.folder / "workflows.db",
            clock=self.clock,
        )
        self.orders.subscribe(self.heard.append)
        await self.orders.start()

    async def stop(self) -> None:
        await self.orders.stop()

    async def close(self) -> None:
        await self.orders.stop()
        await self.store.close()
        self.town.db.close()

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
    import asyncio

    came = asyncio.Event()
    stop = orders.subscribe(lambda _: came.set())
    try:
        await asyncio.wait_for(came.wait(), 0.05)
    except TimeoutError:
        pass
    finally:
        stop()


def _users(connection: sa.Connection) -> None:
    for i in range(20):
        connection.execute(
            sa.insert(schema.users)
            .prefix_with("OR IGNORE")
            .values(id=f"u_{i}", name=f"User {i}", created_at=0.0)
        )


@asynccontextmanager
async def running(folder: Path):
    world = World(folder)
    await world.open()
    try:
        yield world
    finally:
        await world.close()


@pytest.fixture
async def world(tmp_path):
    async with running(tmp_path) as made:
        yield made
