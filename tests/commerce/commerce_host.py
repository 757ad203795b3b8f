"""A process with many orders, each held fast at a touch of the world or of a disk of its own; then the process dies.

Every order has a user and a town of its own. One is held at its first touch, one at its second, and so
on: nothing that belongs to it goes on from there. Once all of them are held `kill -9` ends the process, so
that one death leaves an order between any two of its effects. A touch is told by its name and by how often
the order has come to one of that name: what an order does at the same time comes in any order.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import dbos._dbos
import sqlalchemy as sa
from commerce_market import Market
from commerce_scenarios import SCENARIOS, Scenario, Scene
from commerce_world import QUICK, add_users

from lapel.commerce import Orders
from lapel.commerce.consent import Vault
from lapel.commerce.driving import Driving
from lapel.commerce.engine import Engine
from lapel.commerce.steps import Steps
from lapel.store import Store, StoreFenced, Worker, schema

POLICY = replace(
    QUICK,
    approval_s=600.0,
    undo_s=0.1,
    undo_late_s=60.0,
    track_first_s=0.05,
    track_s=1.0,
    track_most_s=1.0,
)
FENCED = 7
"""The exit status of a host that noticed that another worker has taken over."""
HARM_S = 0.3
"""So long a worker that woke up and found itself lost may go on trying to act."""
PATIENCE_S = 150.0
STUCK = 75
"""The exit status of a host in which an order neither ended nor was held, in all that time."""
LOST = 70
"""The exit status of a host in which something was touched for nobody's order."""
WHOSE: ContextVar[str] = ContextVar("WHOSE", default="")
"""The order for which something is done."""


Touch = tuple[str, int]
"""Its name, and the how manyth of that name it is for its order."""


@dataclass(frozen=True)
class Cast:
    """Who orders what in a host: `held` says at which of its touches an order is held, if at any.

    As a worker it has a name and a lease. `how` is the signal that it gives itself once all are held.
    The `heir` of a worker does nothing before that one's life has ended. With `asks` the user is at
    another worker, and approves there. With `torn` a transaction of the record has a touch in its middle,
    where nobody else can change the record: only one order may be held there.
    """

    folder: str
    scenario: str
    held: Mapping[str, Touch | None]
    url: str | None = None
    worker: str = ""
    lease_s: float = 30.0
    how: int = signal.SIGKILL
    heir: str = ""
    asks: bool = False
    torn: bool = False
    name: str = "points"

    @property
    def points(self) -> Path:
        """The file with what each order has touched, and which of them were held."""
        return Path(self.folder, f"{self.name}.json")


def user_of(order_id: str) -> str:
    return f"u_{order_id.removeprefix('o_')}"


def town_of(folder: Path, order_id: str) -> Path:
    return folder / f"town.{order_id}.db"


class Touches:
    """Of all orders of this process."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self.orders = len(cast.held)
        self._lock = threading.Lock()
        self._passed: dict[str, list[Touch]] = {order_id: [] for order_id in cast.held}
        self._times: Counter[tuple[str, str]] = Counter()
        self._waiting = {order_id for order_id, at in cast.held.items() if at}
        """Those that are to be held, and neither are yet nor have come to their end."""
        self._fast: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self.all_held = asyncio.Event()
        self._freed = threading.Event()
        self._freed_here = asyncio.Event()

    async def touch(self, label: str) -> None:
        if not self._passes(label):
            await self._freed_here.wait()

    def touch_in_thread(self, label: str, order_id: str = "") -> None:
        if not self._passes(label, order_id):
            self._freed.wait()

    def ended(self, order_id: str) -> None:
        with self._lock:
            self._no_longer(order_id)

    def free(self) -> None:
        """Let everything go on; nothing is held any more."""
        self._freed.set()
        self._freed_here.set()

    def note(self, held: bool = True) -> None:
        with self._lock:
            fast = sorted(self._fast) if held else []
            self._cast.points.write_text(json.dumps([self._passed, fast]))

    def _passes(self, label: str, order_id: str = "") -> bool:
        order_id = order_id or WHOSE.get()
        if not order_id or self._freed.is_set():
            return True
        with self._lock:
            if order_id in self._fast:
                return False
            self._times[order_id, label] += 1
            touch = (label, self._times[order_id, label])
            self._passed[order_id].append(touch)
            if touch != self._cast.held[order_id]:
                return True
            self._fast.add(order_id)
            self._no_longer(order_id)
            return False

    def _no_longer(self, order_id: str) -> None:
        self._waiting.discard(order_id)
        if not self._waiting and self._fast:
            self._loop.call_soon_threadsafe(self.all_held.set)


class TouchedTown(Market):
    def __init__(self, path: Path, touches: Touches) -> None:
        super().__init__(path)
        self._touches = touches

    async def _read(self, op, work):
        await self._touches.touch(f"before {op}")
        answer = await super()._read(op, work)
        await self._touches.touch(f"after {op}")
        return answer

    async def _write(self, op, key, body, work, kind):
        await self._touches.touch(f"before {op}")
        try:
            return await super()._write(op, key, body, work, kind)
        finally:
            await self._touches.touch(f"after {op}")


class Towns:
    """The merchants and the bank of whoever asks."""

    def __init__(self, folder: Path, order_ids: list[str], touches: Touches) -> None:
        self.of = {id: TouchedTown(town_of(folder, id), touches) for id in order_ids}

    def __getattr__(self, name: str) -> Any:
        order_id = WHOSE.get()
        if not order_id:
            print(f"{name} was called for nobody's order", flush=True)
            os._exit(LOST)
        return getattr(self.of[order_id], name)


class TouchedStore:
    """The real store, with a touch before and after each commit, and within where it is `torn`."""

    def __init__(self, store: Store, touches: Touches, torn: bool) -> None:
        self._store = store
        self._touches = touches
        self._torn = torn

    async def read(self, work):
        return await self._store.read(work)

    async def write(self, work):
        await self._touches.touch("before record commit")
        answer = await self._store.write(self._tearing(work) if self._torn else work)
        await self._touches.touch("after record commit")
        return answer

    def _tearing(self, work):
        order_id = WHOSE.get()

        def torn(connection: sa.Connection):
            answer = work(connection)
            if order_id:
                self._touches.touch_in_thread("in record commit", order_id)
            return answer

        return torn


def attribute(whose: Callable[[str], str] = str) -> None:
    """Let everything that is done for an order know for which; `whose` makes the name of its id."""

    def named(real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @wraps(real)
        async def call(self: object, order_id: str, *arguments: Any, **more: Any) -> Any:
            WHOSE.set(whose(order_id))
            return await real(self, order_id, *arguments, **more)

        return call

    for owner, name in (
        (Steps, "advance"),
        (Steps, "wait"),
        (Engine, "follow"),
        (Engine, "_begin"),
        (Engine, "run"),
        (Driving, "_take_up"),
        (Driving, "_settle"),
    ):
        setattr(owner, name, named(getattr(owner, name)))


def touch_transactions(touches: Touches) -> None:
    """Each transaction of DBOS is a touch: before it begins, so that an order held there holds no lock."""
    real = sa.Engine.begin

    def begin(engine: sa.Engine) -> Any:
        touches.touch_in_thread("before DBOS commit")
        return real(engine)

    sa.Engine.begin = begin  # type: ignore[method-assign]


def give_threads(more: int) -> None:
    """One for each order that may be held in a thread of DBOS, beside those that it uses."""
    real = dbos._dbos.ThreadPoolExecutor

    def pool(max_workers: int, thread_name_prefix: str) -> ThreadPoolExecutor:
        return real(max_workers + more, thread_name_prefix)

    dbos._dbos.ThreadPoolExecutor = pool  # type: ignore[assignment,misc]


def run(cast: Cast) -> None:
    """Bring the orders to their end, or die on the way."""
    attribute()
    os._exit(asyncio.run(_run(cast)))


async def _run(cast: Cast) -> int:
    folder, touches = Path(cast.folder), Touches(cast)
    towns = Towns(folder, list(cast.held), touches)
    store = await Store.open(cast.url or folder / "record.db", lease_s=cast.lease_s)
    worker = None
    if cast.worker:
        worker = await Worker.join(store, cast.worker, lease_s=cast.lease_s)
    await store.write(lambda c: add_users(c, map(user_of, cast.held)))
    orders = Orders(
        TouchedStore(store, touches, cast.torn),  # type: ignore[arg-type]
        towns,  # type: ignore[arg-type]
        towns,  # type: ignore[arg-type]
        POLICY,
        cast.url or folder / "workflows.db",
        vault=Vault.open(folder),
        worker=worker,
    )
    give_threads(len(cast.held))
    await orders.start()
    # Only now: what DBOS writes while it launches happens before any order is touched.
    touch_transactions(touches)
    scenario = SCENARIOS[cast.scenario]
    scenes = [Scene(orders, store, town, user_of(id), id) for id, town in towns.of.items()]
    if cast.heir:
        await _ended(store, cast.heir)
    lives = asyncio.gather(*(_live(scene, scenario, touches, cast.asks) for scene in scenes))
    held = asyncio.create_task(touches.all_held.wait())
    done, _ = await asyncio.wait(
        {held, lives}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
    )
    if not done:
        print("not at their end:", await asyncio.gather(*(_stands(scene) for scene in scenes)))
        return STUCK
    touches.note()
    if held.done():
        os.kill(os.getpid(), cast.how)
        return await _wakes_up(touches, worker, lives)
    # No farewell: what is not durable now would be lost in a crash, too.
    try:
        lives.result()
    except StoreFenced:  # too busy to say that it lives, so that nothing was held to the end
        touches.note(held=False)
        return FENCED
    return 0


async def _stands(scene: Scene) -> str:
    order = await scene.orders.get(scene.order_id)
    state = order.state if order else "unknown"
    running = runs(scene.orders, scene.order_id)
    return f"{scene.order_id} {state}, {running=}: {await scene.told()}"


async def _ended(store: Store, worker: str) -> None:
    """Until somebody has taken over from that worker."""
    w = schema.workers.c
    over = sa.select(w.epoch).where(w.id == worker, w.heir.is_not(None))
    while await store.read(lambda c: c.execute(over).first()) is None:
        await asyncio.sleep(0.02)


async def _live(scene: Scene, scenario: Scenario, touches: Touches, asks: bool) -> None:
    """The order from its beginning to its end, and whoever has a part in it."""
    WHOSE.set(scene.order_id)
    news = asyncio.Event()
    patience_s = max(0.2, touches.orders / 100)  # many that look often have time for nothing else
    scene.orders.subscribe(lambda e: news.set() if e.order_id == scene.order_id else None)
    await scenario.before(scene)
    await scene.orders.begin(scene.user, scenario.wanted, scene.order_id)
    while True:
        news.clear()
        order = await scene.orders.get(scene.order_id)
        assert order is not None
        if await scenario.is_over(scene, order) and not runs(scene.orders, scene.order_id):
            touches.ended(scene.order_id)
            return
        if not asks:
            await scenario.behave(scene, order)
        try:
            await asyncio.wait_for(news.wait(), patience_s)
        except TimeoutError:
            continue


def runs(orders: Orders, key: str, whose: Callable[[str], str] = str) -> bool:
    """Whether something is left to do: an order that came to its end may still be closed at the merchant."""
    return any(whose(each) == key for each in orders._driving.running().following)


async def _wakes_up(
    touches: Touches, worker: Worker | None, lives: asyncio.Future[list[None]]
) -> int:
    """Of a worker that was paused: everything that was held goes on, and must come to nothing."""
    touches.free()
    lives.add_done_callback(lambda done: done.cancelled() or done.exception())
    if worker is None:
        return 0
    async with asyncio.timeout(30):
        await worker.lost.wait()
    await asyncio.sleep(HARM_S)
    return FENCED
