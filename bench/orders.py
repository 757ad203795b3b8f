"""Orders beside what they stand on: a bare commit, and a bare workflow of four steps.

    python bench/orders.py [--engine sqlite postgresql] [--stored 0 10000 1000000]
                           [--seconds 6] [--at-once 32]

Merchant and bank answer at once, in this process. *Approval to durable* is how long `decide` takes:
it returns when the user's yes, the mandates signed for it and the order are on the disk. *Approval
to placed* goes on to the receipt. *Orders a second* counts orders placed with `--at-once` on their
way. `--stored` orders are written before, over 10,000 users, with their events, approvals and
entries; 200 of the users order again. Nothing is asserted: ratios within one run are what counts.
PostgreSQL is the server of TEST_POSTGRESQL, with a database made for the run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS

ROOT = Path(__file__).parent.parent
sys.path += [str(ROOT / "tests"), str(ROOT / "tests" / "commerce")]

from commerce_town import LATTES, Town  # noqa: E402
from commerce_world import TAP  # noqa: E402

import postgres  # noqa: E402  # the tests' town and databases, by the path above
from lapel.commerce import Orders, Policy  # noqa: E402
from lapel.commerce.consent import Vault  # noqa: E402
from lapel.commerce.engine import Engine  # noqa: E402
from lapel.store import Store, schema  # noqa: E402

USERS = 10_000
ORDERING = 200
ALONE = 100
"""Samples of what is done one after the other."""
CHUNK = 50_000
TABLES = ("orders", "approvals", "order_events", "ledger_entries", "ledger_postings")


@dataclass
class Times:
    """Seconds of one kind of wait."""

    seconds: list[float] = field(default_factory=list[float])

    def ms(self) -> dict[str, float]:
        ordered = sorted(self.seconds)
        last = len(ordered) - 1
        return {
            "p50": round(1000 * statistics.median(ordered), 2),
            "p99": round(1000 * ordered[round(0.99 * last)], 2),
        }


async def timed(times: Times, work: Awaitable[object]) -> None:
    began = time.perf_counter()
    await work
    times.seconds.append(time.perf_counter() - began)


async def many(make: Callable[[int], Awaitable[object]], at_once: int, seconds: float) -> float:
    """How many of them end a second with so many on their way."""
    until, count = time.perf_counter() + seconds, 0

    async def one_after_the_other(lane: int) -> None:
        nonlocal count
        number = 0
        while time.perf_counter() < until:
            await make(lane + number * at_once)
            count += 1
            number += 1

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other(lane) for lane in range(at_once)))
    return round(count / (time.perf_counter() - began), 1)


# What orders stand on. ---------------------------------------------------------------------------


def bare_commits(where: Path | str, seconds: float) -> tuple[dict[str, float], float]:
    """One connection, one row, one commit after the other, as durable as the record's."""
    url = f"sqlite:///{where}.bare" if isinstance(where, Path) else where
    engine = sa.create_engine(sa.make_url(url).set(**_driver(url)))
    times, until = Times(), time.perf_counter() + seconds
    with engine.connect() as connection:
        if isinstance(where, Path):
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("PRAGMA synchronous=FULL")
        connection.exec_driver_sql("CREATE TABLE bare (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO bare VALUES (0)")
        connection.commit()
        while time.perf_counter() < until:
            began = time.perf_counter()
            connection.exec_driver_sql("UPDATE bare SET n = n + 1")
            connection.commit()
            times.seconds.append(time.perf_counter() - began)
        connection.exec_driver_sql("DROP TABLE bare")
        connection.commit()
    engine.dispose()
    return times.ms(), round(len(times.seconds) / sum(times.seconds), 1)


def _driver(url: str) -> dict[str, str]:
    return {} if url.startswith("sqlite") else {"drivername": "postgresql+psycopg"}


@DBOS.workflow(name="bare")
async def bare(number: int) -> int:
    for step in range(4):
        await DBOS.run_step_async({"name": str(step)}, _nothing, number)
    return number


async def _nothing(number: int) -> int:
    return number


class NoOrders:
    """An engine's conduct with nothing to do."""

    @property
    def ended(self) -> Callable[[str], None]:
        return lambda _: None

    async def advance(self, order_id: str, attempt: int) -> object:
        raise NotImplementedError

    async def wait(self, order_id: str, until: float) -> None:
        raise NotImplementedError


async def bare_workflows(
    where: Path | str, at_once: int, seconds: float
) -> tuple[dict[str, float], float]:
    engine = Engine(where, NoOrders(), "bare")  # type: ignore[arg-type]
    await engine.start()

    async def run(number: int) -> None:
        await (await DBOS.start_workflow_async(bare, number)).get_result()

    async def alone() -> Times:
        times = Times()
        for number in range(ALONE):
            await timed(times, run(number))
        return times

    times = await engine._call(alone())
    rate = await engine._call(many(run, at_once, seconds))
    await engine.stop()
    return times.ms(), rate


# Orders. -----------------------------------------------------------------------------------------


class Shop:
    """Lapel's orders on a record, with users who buy at once."""

    def __init__(self, store: Store, folder: Path, workflows: Path | str) -> None:
        self.orders = Orders(
            store,
            (town := Town(":memory:")),
            town,
            Policy(),
            workflows,
            vault=Vault.open(folder),  # type: ignore[arg-type]
        )
        town.set("events", "delivered")
        self.decided, self.placed = Times(), Times()
        self._waits: dict[tuple[str, str], asyncio.Future[None]] = {}
        self.orders.subscribe(self._told)

    def _told(self, event: object) -> None:
        wait = self._waits.get((event.order_id, event.kind))  # type: ignore[attr-defined]
        if wait is not None and not wait.done():
            wait.set_result(None)

    def until(self, order_id: str, kind: str) -> asyncio.Future[None]:
        wait: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits[order_id, kind] = wait
        return wait

    async def buy(self, number: int, end: str = "placed") -> str:
        """One order, from its beginning until the event `end`."""
        order_id = f"o_{time.monotonic_ns()}_{number}"
        asked, ended = self.until(order_id, "approval_needed"), self.until(order_id, end)
        await self.orders.begin(f"u_{number % ORDERING}", LATTES, order_id)
        await asked
        order = await self.orders.get(order_id)
        assert order is not None
        assert order.approval is not None
        began = time.perf_counter()
        await self.orders.decide(
            order.approval.id, "approve", TAP, checkout_hash=order.approval.checkout_hash
        )
        self.decided.seconds.append(time.perf_counter() - began)
        await ended
        self.placed.seconds.append(time.perf_counter() - began)
        for kind in ("approval_needed", end):
            del self._waits[order_id, kind]
        return order_id


async def orders(
    where: Path | str, folder: Path, stored: int, at_once: int, seconds: float
) -> dict[str, object]:
    workflows = folder / "workflows.db" if isinstance(where, Path) else where
    store = await Store.open(where)
    await store.write(_users)
    if stored:
        shop = Shop(store, folder, workflows)
        await shop.orders.start()
        template = await shop.buy(ORDERING + 1, "delivered")
        await shop.orders.stop()
        began = time.perf_counter()
        for first in range(0, stored, CHUNK):
            last = min(first + CHUNK, stored)
            await store.write(lambda c, a=first, b=last: copy(c, template, a, b))
        await asyncio.to_thread(_settle, where)
        print(f"  {stored} orders stored in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    shop = Shop(store, folder, workflows)
    await shop.orders.start()
    for number in range(ALONE):
        await shop.buy(number)
    found: dict[str, object] = {
        "approval to durable": shop.decided.ms(),
        "approval to placed": shop.placed.ms(),
    }
    shop.decided, shop.placed = Times(), Times()
    found["orders a second"] = await many(shop.buy, at_once, seconds)
    found["approval to durable, at once"] = shop.decided.ms()
    await shop.orders.stop()
    await store.close()
    return found


def _users(connection: sa.Connection) -> None:
    rows = [{"id": f"u_{i}", "name": f"User {i}", "created_at": 0.0} for i in range(USERS)]
    connection.execute(schema.users.insert(), rows)


def _settle(where: Path | str) -> None:
    """As after a while: statistics are taken, and what was written in bulk is on the disk."""
    if isinstance(where, Path):
        with sa.create_engine(f"sqlite:///{where}").connect() as connection:
            connection.exec_driver_sql("ANALYZE")
            connection.commit()
        return
    engine = sa.create_engine(sa.make_url(where).set(**_driver(where)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")
    engine.dispose()


def copy(connection: sa.Connection, template: str, first: int, last: int) -> None:
    """Orders like the template, of all users in turn; few keep a whole receipt, to save space."""
    user = f"'u_' || (i - i / {USERS} * {USERS})"  # `%` would be a parameter of the driver
    whole = f"i - i / {USERS} * {USERS} < {ORDERING}"
    changed = {
        "orders": {
            "id": "'h_' || i",
            "user_id": user,
            "merchant_id": "'shop_' || (i - i / 50 * 50)",
            "checkout_id": "'c_h_' || i",
            "merchant_order_id": "'m_h_' || i",
            "authorization_id": "'h_a_' || i",
            "receipt": f"CASE WHEN {whole} THEN receipt ELSE substr(receipt, 1, 200) END",
            "created_at": "created_at - 1000000 + i * 0.5",
        },
        "approvals": {
            "id": "'a_h_' || i || '_0'",
            "order_id": "'h_' || i",
            "user_id": user,
        },
        "order_events": {"order_id": "'h_' || i", "user_id": user},
        "ledger_entries": {
            "key": "'h_' || i || ':' || step",
            "order_id": "'h_' || i",
            "user_id": user,
        },
    }
    where = {
        "orders": f"id = '{template}'",
        "approvals": f"order_id = '{template}'",
        "order_events": f"order_id = '{template}' AND kind IN ('placed', 'delivered')",
        "ledger_entries": f"order_id = '{template}'",
    }
    for name, values in changed.items():
        columns = [c.name for c in schema.metadata.tables[name].columns if c.name != "n"]
        picked = ", ".join(values.get(column, column) for column in columns)
        connection.exec_driver_sql(
            f"INSERT INTO {name} ({', '.join(columns)}) {_series(connection, first, last)} "
            f"SELECT {picked} FROM (SELECT * FROM {name} WHERE {where[name]}) t CROSS JOIN series"
            if connection.dialect.name == "sqlite"
            else f"INSERT INTO {name} ({', '.join(columns)}) SELECT {picked} "
            f"FROM (SELECT * FROM {name} WHERE {where[name]}) t "
            f"CROSS JOIN generate_series({first}, {last - 1}) AS series (i)"
        )
    connection.exec_driver_sql(
        "INSERT INTO ledger_postings (entry, account, currency, user_id, amount_minor) "
        "SELECT e.n, p.account, p.currency, e.user_id, p.amount_minor FROM ledger_entries e "
        f"JOIN ledger_entries t ON t.order_id = '{template}' AND t.step = e.step "
        "JOIN ledger_postings p ON p.entry = t.n "
        "WHERE e.order_id > 'h_' AND e.order_id < 'h`' AND e.n > "
        "(SELECT COALESCE(MAX(entry), 0) FROM ledger_postings)"
    )


def _series(connection: sa.Connection, first: int, last: int) -> str:
    if connection.dialect.name != "sqlite":
        return ""
    return (
        f"WITH RECURSIVE series (i) AS (SELECT {first} UNION ALL "
        f"SELECT i + 1 FROM series WHERE i + 1 < {last})"
    )


# The run. ----------------------------------------------------------------------------------------


@contextmanager
def places(engine: str) -> Iterator[tuple[Path | str, Path]]:
    """Where a fresh record stands, and a folder."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as name:
        folder = Path(name)
        if engine == "sqlite":
            yield folder / "record.db", folder
            return
        with postgres.database() as url:
            yield url, folder


async def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for engine in arguments.engine:
        with places(engine) as (where, folder):
            commit, commits = bare_commits(where, arguments.seconds)
            workflows = folder / "bare.db" if isinstance(where, Path) else where
            alone, rate = await bare_workflows(workflows, arguments.at_once, arguments.seconds)
        base = {
            "bare commit": commit,
            "commits a second": commits,
            "bare workflow": alone,
            "bare workflows a second": rate,
        }
        print(engine, base, file=sys.stderr)
        for stored in arguments.stored:
            with places(engine) as (where, folder):
                ours = await orders(where, folder, stored, arguments.at_once, arguments.seconds)
            print(f"  {stored} stored", ours, file=sys.stderr)
            found.append({"engine": engine, "stored": stored, **base, **ours})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--stored", nargs="+", type=int, default=[0, 10_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--at-once", type=int, default=32)
    found = asyncio.run(run(parser.parse_args()))
    print(
        json.dumps({"machine": platform.machine(), "cpus": os.cpu_count(), "runs": found}, indent=1)
    )


if __name__ == "__main__":
    main()
