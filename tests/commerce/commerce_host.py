"""A process that hosts Orders and dies by `kill -9` at its n-th touch of the world or of a disk."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from commerce_market import Market
from commerce_users import ORDER, behave, is_over, wanted
from commerce_world import QUICK, TAP, _users
from sqlalchemy import event

from lapel.commerce import LimitTerms, Orders, Party, engine
from lapel.commerce.consent import Vault
from lapel.store import Store

SHOP = (Party("blue", "Blue"),)
SCREEN = replace(TAP, gesture="approve", device_name="Phone", shown_on=("Phone",))
POLICY = replace(QUICK, undo_s=0.1)
assert engine  # loaded here, so that a forked host starts in a moment


class Killer:
    """Counts the points at which this process may die, and dies (or is paused) at one of them."""

    def __init__(self, points: Path, kill_at: int, how: int = signal.SIGKILL) -> None:
        """`points` is the file into which the names of the points that were passed go."""
        self._labels = points.open("a", buffering=1)
        self._kill_at = kill_at
        self._how = how
        self._count = 0
        self.lock = threading.Lock()
        """Held by what must not be cut in two, because others wait for its end."""

    @property
    def reached(self) -> bool:
        """Whether the point was passed, and this process lives on."""
        return 0 < self._kill_at <= self._count

    def point(self, label: str) -> None:
        with self.lock:
            self._count += 1
            self._labels.write(f"{label}\n")
            if self._count == self._kill_at:
                os.kill(os.getpid(), self._how)


class DeadlyTown(Market):
    def __init__(self, path: Path, killer: Killer) -> None:
        super().__init__(path)
        self._killer = killer

    async def _read(self, op, work):
        self._killer.point(f"before {op}")
        answer = await super()._read(op, work)
        self._killer.point(f"after {op}")
        return answer

    async def _write(self, op, key, body, work, kind):
        self._killer.point(f"before {op}")
        try:
            return await super()._write(op, key, body, work, kind)
        finally:
            self._killer.point(f"after {op}")

    def _at_once(self, op, key, body, work):
        with self._killer.lock:
            return super()._at_once(op, key, body, work)


class DeadlyStore:
    """The real store, with a point before and after each commit."""

    def __init__(self, store: Store, killer: Killer) -> None:
        self._store = store
        self._killer = killer

    async def read(self, work):
        return await self._store.read(work)

    async def write(self, work):
        self._killer.point("before record commit")
        answer = await self._store.write(work)
        self._killer.point("after record commit")
        return answer


def run(folder: str, kill_at: int, scenario: str, url: str | None = None) -> None:
    """Take one order to its end, or die on the way; on PostgreSQL when there is a `url`."""
    asyncio.run(_run(Path(folder), kill_at, scenario, url))


async def _run(folder: Path, kill_at: int, scenario: str, url: str | None) -> None:
    killer = Killer(folder / f"points.{kill_at}", kill_at)
    town = DeadlyTown(folder / "town.db", killer)
    store = await Store.open(url or folder / "record.db")
    await store.write(_users)
    workflows, vault = url or folder / "workflows.db", Vault.open(folder)
    orders = Orders(DeadlyStore(store, killer), town, town, POLICY, workflows, vault=vault)  # type: ignore[arg-type]

    def on_commit(_: sa.Connection) -> None:
        if not threading.current_thread().name.startswith("store-"):
            killer.point("before DBOS commit")

    news = asyncio.Event()
    orders.subscribe(lambda _: news.set())
    await orders.start()
    # Only now: what DBOS writes while it launches happens before any order is touched.
    event.listen(sa.Engine, "commit", on_commit)
    if scenario == "within a limit":
        await _allow(orders)
    await orders.begin("u_0", wanted(scenario), ORDER)
    while True:
        news.clear()
        if await is_over(store, orders, scenario):
            break
        await behave(orders, town, scenario)
        try:
            await asyncio.wait_for(news.wait(), 0.1)
        except TimeoutError:
            continue
    # No farewell: what is not durable now would be lost in a crash, too.
    os._exit(0)


async def _allow(orders: Orders) -> None:
    """The user sets a standing limit, unless it stands already."""
    if await orders.standing.live("u_0"):
        return
    until = int(time.time()) + 3600
    limit = await orders.standing.propose("u_0", LimitTerms("EUR", 2000, 2000, "day", until, SHOP))
    await orders.standing.decide(limit.id, "approve", SCREEN, terms_hash=limit.terms.hash())
