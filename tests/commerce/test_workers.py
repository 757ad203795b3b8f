"""Two workers on one PostgreSQL: one is killed or paused anywhere, the other brings its orders to their end, once."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing import forkserver
from pathlib import Path

import pytest
import sqlalchemy as sa
import worker_host
from commerce_town import LATTES, TOTAL
from commerce_world import World, wrong_in

import postgres
from lapel.commerce import OrderState

pytestmark = pytest.mark.crash

FORKS = multiprocessing.get_context("forkserver")
LEASE_S = 1.0
"""Of those that are killed; this process, which must not be taken for dead, has a long one."""
ALL = os.environ.get("CRASH_POINTS") == "all"
KILLED = {"delivered": 1 if ALL else 6, "shop refuses": 1 if ALL else 8}
PAUSED = {"delivered": 1 if ALL else 9, "shop refuses": 1 if ALL else 12}
"""Every n-th point is tried; with CRASH_POINTS=all in the environment every point is."""
AT_ONCE = 2
ROUND = 5
"""Workers that are paused at once: each holds its connections to the database."""
START = ["quoted", "approval_needed", "approved", "paid"]
SCENARIOS = {
    "delivered": [*START, "placed", "delivered"],
    "shop refuses": [*START, "place_failed", "refunded"],
}


@pytest.fixture(scope="module", autouse=True)
def server():
    """Hosts are forked from a process that has loaded everything: a start costs no import."""
    before = os.environ.get("PYTHONPATH")
    tests = Path(__file__).parent
    os.environ["PYTHONPATH"] = os.pathsep.join([str(tests), str(tests.parent), before or ""])
    FORKS.set_forkserver_preload(["commerce_host", "worker_host"])
    forkserver.ensure_running()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@dataclass
class Other:
    """The other worker, a process of its own that drives one order."""

    process: multiprocessing.process.BaseProcess
    order_id: str
    points: Path

    def passed(self) -> list[str]:
        return self.points.read_text().splitlines() if self.points.exists() else []

    async def ended(self) -> int:
        async with asyncio.timeout(60):  # in this thread alone: two would read one status
            while (code := self.process.exitcode) is None:
                await asyncio.sleep(0.01)
        self.process.close()
        return code

    async def paused(self, at: int) -> bool:
        """Whether it has been stopped at its point; False when it ended without reaching it."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        while self.process.exitcode is None:
            if len(self.passed()) >= at and stat.read_text().rpartition(")")[2].split()[0] == "T":
                return True
            await asyncio.sleep(0.01)
        return False


@dataclass
class Pair:
    """This process as one worker, and others beside it."""

    world: World
    others: list[Other] = field(default_factory=list)

    def start(
        self,
        order_id: str,
        stop_at: int = 0,
        how: int = signal.SIGKILL,
        lease_s: float = LEASE_S,
        *,
        asks: bool = False,
    ) -> Other:
        folder = self.world.folder
        arguments = (str(folder), self.world.url, order_id, stop_at, how, lease_s, asks)
        process = FORKS.Process(target=worker_host.run, args=arguments)
        process.start()
        other = Other(process, order_id, folder / f"points.{order_id}")
        self.others.append(other)
        return other

    async def approving(self) -> None:
        while True:
            assert self.world.worker is not None
            # A server that others use may have no connection left for a moment.
            with contextlib.suppress(sa.exc.OperationalError):
                await worker_host.approve(
                    self.world.orders, self.world.store, self.world.worker.epoch
                )
            await asyncio.sleep(0.05)

    def calls(self) -> int:
        return self.world.town.db.execute("select count(*) from calls").fetchone()[0]

    async def check(self, order_id: str, scenario: str) -> None:
        """Placed and paid exactly once or refunded, and told exactly once."""
        kept = scenario == "delivered"
        wanted = OrderState.DELIVERED if kept else OrderState.REFUNDED
        order = await asyncio.wait_for(self.world.state(order_id, wanted), 30)
        told = [event.kind for event in await self.world.orders.history(order_id)]
        assert told == SCENARIOS[scenario]
        assert (order.receipt is not None) == kept

    async def check_money(self, placed: int) -> None:
        town = self.world.town
        assert sorted(total for _, total in town.placed()) == [TOTAL] * placed
        self.world.balanced(*[TOTAL] * placed)
        assert [hold for hold in town.holds() if hold[1] == "authorized"] == []
        moves = town.moves()
        assert await self.world.store.read(lambda c: wrong_in(c, moves)) == []


@pytest.fixture(scope="module")
def tables(database):
    """A database with all tables, for this file alone."""
    with postgres.database(like=database) as url:
        yield url


@asynccontextmanager
async def pair(folder: Path, url: str):
    world = World(folder, url)
    world.worker_name, world.lease_s = "here", 30.0
    await world.open()
    made = Pair(world)
    try:
        yield made
    finally:
        for other in made.others:
            try:
                other.process.kill()
            except ValueError:
                continue
        await world.close()


@asynccontextmanager
async def busy(folder: Path, url: str, scenario: str):
    """A pair whose own worker approves what it drives."""
    postgres.empty(url)
    async with pair(folder, url) as two:
        if scenario == "shop refuses":
            two.world.town.set("refuse:complete", "We are out of milk.")
        else:
            two.world.town.set("events", "delivered")
        approving = asyncio.create_task(two.approving())
        try:
            yield two
        finally:
            assert not approving.done()
            approving.cancel()


async def points(two: Pair) -> list[str]:
    """The points that an order passes when nothing happens."""
    whole = two.start("o_whole")
    assert await whole.ended() == 0
    return whole.passed()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_orders_of_a_worker_killed_anywhere_end_well_at_the_other(
    scenario, tables, tmp_path
):
    killed: list[str] = []
    async with busy(tmp_path, tables, scenario) as two:
        tried = range(1, len(await points(two)) + 1, KILLED[scenario])
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(at: int) -> None:
            async with slots:
                other = two.start(f"o_{at}", at)
                code = await other.ended()
            assert code in (0, -signal.SIGKILL)
            if code:
                killed.append(other.passed()[-1])
            # What the user had asked of the dead worker and never heard of is asked again.
            await two.world.orders.begin("u_0", LATTES, other.order_id)
            await two.check(other.order_id, scenario)

        async with asyncio.TaskGroup() as group:
            for at in tried:
                group.create_task(one(at))
        await two.check("o_whole", scenario)
        await two.check_money((len(tried) + 1) * (scenario == "delivered"))
    print(f"\n{scenario}: killed at {len(killed)} points: {sorted(set(killed))}")
    assert len(killed) >= len(tried) - 2


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_worker_paused_anywhere_does_nothing_more_when_it_wakes_up(
    scenario, tables, tmp_path
):
    async with busy(tmp_path, tables, scenario) as two:
        tried = list(range(1, len(await points(two)) + 1, PAUSED[scenario]))
        paused: list[str] = []
        for first in range(0, len(tried), ROUND):
            paused += await a_round(two, tried[first : first + ROUND], scenario)
        await two.check("o_whole", scenario)
        await two.check_money((len(tried) + 1) * (scenario == "delivered"))
    print(f"\n{scenario}: paused at {len(paused)} points: {sorted(set(paused))}")
    assert len(paused) >= len(tried) - 2


async def a_round(two: Pair, tried: list[int], scenario: str) -> list[str]:
    """Workers paused at these points, woken up when all is done; the names of the points."""
    paused: list[Other] = []

    async def one(at: int) -> None:
        other = two.start(f"o_{at}", at, signal.SIGSTOP)
        if await other.paused(at):
            paused.append(other)
        else:
            assert await other.ended() in (0, worker_host.FENCED)
        await two.world.orders.begin("u_0", LATTES, other.order_id)
        await two.check(other.order_id, scenario)

    async with asyncio.TaskGroup() as group:
        for at in tried:
            group.create_task(one(at))
    while two.world.orders._engine.following:  # an order at its end still frees the cart
        await asyncio.sleep(0.02)
    url, calls = str(two.world.url), two.calls()
    for other in paused:  # one that was about to begin had no order to be taken over
        ended = f"SELECT 1 FROM workers WHERE id = 'worker of {other.order_id}' AND heir > 0"
        while not await asyncio.to_thread(postgres.rows, url, ended):
            await asyncio.sleep(0.05)
    before = await asyncio.to_thread(record, url)
    labels = [other.passed()[-1] for other in paused]
    for other in paused:
        assert other.process.pid is not None
        os.kill(other.process.pid, signal.SIGCONT)
    for other in paused:
        assert await other.ended() == worker_host.FENCED
    # A call that had passed the fence still arrives; the merchant and the bank know its key.
    assert two.calls() - calls <= len(paused)
    assert await asyncio.to_thread(record, url) == before
    return labels


def record(url: str) -> list[object]:
    """Everything in the record that an order is or brings about."""
    tables = ("orders", "approvals", "order_events", "closed_mandates", "ledger_postings")
    return [sorted(postgres.rows(url, f"SELECT * FROM {name}"), key=repr) for name in tables]


async def test_what_the_user_says_at_one_worker_the_other_does_and_both_hear_of_it(
    tables, tmp_path
):
    postgres.empty(tables)
    async with pair(tmp_path, tables) as two:
        two.world.town.set("events", "delivered")
        other = two.start("o_there", lease_s=30.0, asks=True)
        async with asyncio.timeout(30):
            await two.world.approve("o_there")
            await two.world.event("o_there", "delivered")
        assert await other.ended() == 0
        assert [event.kind for event in two.world.heard] == SCENARIOS["delivered"]
        assert two.world.town.calls("complete") == 1
