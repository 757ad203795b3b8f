"""How long the orders of a worker that is killed wait for the other one, beside what bounds it.

    .venv/bin/python bench/workers.py --store postgresql://127.0.0.1:5432/test

Makes a database of its own on that server and drops it. Workers, each with an order, are killed by
`kill -9` at chance moments; an order is adopted when another worker owns it, and is driven there
from then on.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import secrets
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event

import sqlalchemy as sa

from lapel.commerce import Address, DraftLine, OrderDraft, records
from lapel.store import Store, Worker, insert, schema
from lapel.store.workers import BEATS

KILLS = 32
LEASE_S = 5.0
SPREAD_S = 0.4
"""Between two kills on the average: chance against the beats of both workers."""
LIMIT_S = 10.0
NOWHERE = Address("", "", "", "", "", 0.0, 0.0)
DRAFT = OrderDraft("blue", (DraftLine("latte", "Latte", 1),), NOWHERE)


@dataclass
class Heir:
    epoch: int
    adopted: dict[str, float] = field(default_factory=dict)
    has_all: asyncio.Event = field(default_factory=asyncio.Event)

    def inherit(self, connection: sa.Connection, dead: Sequence[int]) -> list[str]:
        records.inherit(connection, 0.0, self.epoch)
        return records.open_orders(connection, 0.0, self.epoch)

    def inherited(self, dead: Sequence[int], what: list[str]) -> None:
        now = time.monotonic()
        for order_id in what:
            self.adopted.setdefault(order_id, now)
        if len(self.adopted) == KILLS:
            self.has_all.set()


def work(url: str, number: int, ready: Event) -> None:
    """A worker that drives one order, until it is killed."""

    async def live() -> None:
        store = await Store.open(url, lease_s=LEASE_S)
        worker = await Worker.join(store, f"w_{number}", lease_s=LEASE_S)
        await store.write(
            lambda c: records.new_order(c, f"o_{number}", "u_0", DRAFT, time.time(), worker.epoch)
        )
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(live())


async def measure(url: str) -> list[float]:
    store = await Store.open(url, lease_s=LEASE_S)
    await store.write(
        lambda c: c.execute(insert(c, schema.users).values(id="u_0", name="U", created_at=0.0))
    )
    worker = await Worker.join(store, "here", lease_s=LEASE_S)
    heir = Heir(worker.epoch)
    worker.add_heir(heir)
    killed: dict[str, float] = {}
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["lapel.commerce", "lapel.store.postgresql", "alembic"])
    for number in range(KILLS):
        ready = forks.Event()
        process = forks.Process(target=work, args=(url, number, ready))
        process.start()
        await asyncio.to_thread(ready.wait, 60)
        await asyncio.sleep(random.uniform(0, 2 * SPREAD_S))
        killed[f"o_{number}"] = time.monotonic()
        process.kill()
        await asyncio.to_thread(process.join)
    await heir.has_all.wait()
    await worker.leave()
    await store.close()
    return sorted(heir.adopted[id] - at for id, at in killed.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="postgresql://127.0.0.1:5432/test")
    server = sa.make_url(parser.parse_args().store)
    name = f"lapel_bench_{secrets.token_hex(4)}"
    engine = sa.create_engine(
        server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as at:
        at.exec_driver_sql(f'CREATE DATABASE "{name}"')
    try:
        waited = asyncio.run(measure(server.set(database=name).render_as_string(False)))
    finally:
        with engine.connect() as at:
            at.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        engine.dispose()
    p95 = waited[int(0.95 * (len(waited) - 1))]
    bound = LEASE_S * (1 + 1 / BEATS)
    print(f"{KILLS} workers killed, lease {LEASE_S} s, a beat each {LEASE_S / BEATS} s")
    print(
        f"adopted after p50 {statistics.median(waited):.2f} s, p95 {p95:.2f}, max {waited[-1]:.2f}"
    )
    print(f"lease and beat: {bound:.2f} s; the limit: {LIMIT_S:.0f} s; {os.cpu_count()} cores")
    assert waited[-1] < LIMIT_S


if __name__ == "__main__":
    main()
