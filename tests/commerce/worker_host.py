"""A worker among others that dies, or is paused, at its n-th touch of the world or of a disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from pathlib import Path

import sqlalchemy as sa
from commerce_host import DeadlyStore, DeadlyTown, Killer
from commerce_town import LATTES
from commerce_world import QUICK, TAP
from sqlalchemy import event

from lapel.commerce import Orders, OrderState
from lapel.commerce.consent import Vault
from lapel.store import Store, StoreFenced, Worker, schema

ENDS = (OrderState.DELIVERED, OrderState.REFUNDED, OrderState.FAILED)
FENCED = 7
"""The exit status of a host that noticed that another worker has taken over."""


class TornStore(DeadlyStore):
    """With a point inside each transaction too: the database holds locks for this process there."""

    async def write(self, work):
        def torn(connection: sa.Connection):
            answer = work(connection)
            self._killer.point("in record commit")
            return answer

        return await super().write(torn)


def run(
    folder: str, url: str, order_id: str, stop_at: int, how: int, lease_s: float, asks: bool
) -> None:
    """Take one order to its end as the worker of that name, unless `how` ends it at `stop_at`.

    With `asks` the user is at another worker, and approves there.
    """
    status = asyncio.run(_run(Path(folder), url, order_id, stop_at, how, lease_s, asks))
    os._exit(status)


async def _run(
    folder: Path, url: str, order_id: str, stop_at: int, how: int, lease_s: float, asks: bool
) -> int:
    killer = Killer(folder / f"points.{order_id}", stop_at, how)
    town = DeadlyTown(folder / "town.db", killer)
    store = await Store.open(url, lease_s=lease_s)
    worker = await Worker.join(store, f"worker of {order_id}", lease_s=lease_s)
    torn = TornStore(store, killer)
    vault = Vault.open(folder)
    orders = Orders(torn, town, town, QUICK, url, vault=vault, worker=worker)  # type: ignore[arg-type]

    def on_commit(_: sa.Connection) -> None:
        if not threading.current_thread().name.startswith("store-"):
            killer.point("before DBOS commit")

    with contextlib.suppress(StoreFenced):
        await orders.start()
        event.listen(sa.Engine, "commit", on_commit)
        await _to_the_end(orders, store, worker, order_id, asks)
    if event.contains(sa.Engine, "commit", on_commit):
        event.remove(sa.Engine, "commit", on_commit)
    if killer.reached:
        # It was paused. The order may have been brought to its end by the other worker: this one must notice.
        async with asyncio.timeout(20):
            await worker.lost.wait()
    await orders.stop()
    await worker.leave()
    await store.close()
    return FENCED if worker.lost.is_set() else 0


async def _to_the_end(
    orders: Orders, store: Store, worker: Worker, order_id: str, asks: bool
) -> None:
    news = asyncio.Event()
    orders.subscribe(lambda _: news.set())
    await orders.begin("u_0", LATTES, order_id)
    while not worker.lost.is_set():
        news.clear()
        order = await orders.get(order_id)
        if order is not None and order.state in ENDS:
            return
        if not asks:
            await approve(orders, store, worker.epoch)
        try:
            await asyncio.wait_for(news.wait(), 0.1)
        except TimeoutError:
            continue


async def approve(orders: Orders, store: Store, owner: int) -> None:
    """The user approves what is asked, at the worker that drives the order."""
    for approval in await orders.pending_approvals("u_0"):
        driver = sa.select(schema.orders.c.owner).where(schema.orders.c.id == approval.order_id)
        if await store.read(lambda c, driver=driver: c.scalar(driver)) == owner:
            await orders.decide(approval.id, "approve", TAP, checkout_hash=approval.checkout_hash)
