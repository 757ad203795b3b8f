"""Workers on one record: who lives, who is ended, what a life that is over may still do (nothing)."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

import pytest
import sqlalchemy as sa

import postgres
from lapel.store import Store, StoreFenced, Worker, schema

pytestmark = pytest.mark.net

SHORT_S = 0.5


class Estate:
    """An heir that notes what it takes over, in the record and on the loop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead: list[int] = []
        self.took = asyncio.Event()

    def inherit(self, connection: sa.Connection, dead: Sequence[int]) -> str:
        for epoch in dead:
            add_user(f"{self.name} after {epoch}")(connection)
        return self.name

    def inherited(self, dead: Sequence[int], what: str) -> None:
        assert what == self.name
        self.dead += dead
        self.took.set()


class Machine:
    """A process of the tests: a store and a worker of its own."""

    def __init__(self, store: Store, worker: Worker, name: str) -> None:
        self.store = store
        self.worker = worker
        self.estate = Estate(name)
        worker.add_heir(self.estate)

    def stop_beating(self) -> None:
        assert self.worker._living is not None
        self.worker._living.cancel()


def add_user(name: str):
    return lambda c: c.execute(schema.users.insert().values(id=name, name=name, created_at=1.0))


def names(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.select(schema.users.c.id).order_by(schema.users.c.id)))


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def url(database: str) -> str:
    if postgres.rows(database, "SELECT 1 FROM pg_tables WHERE tablename = 'workers'"):
        postgres.empty(database)
    return database


@pytest.fixture
async def machines(url: str):
    async with AsyncExitStack() as stack:

        async def make(name: str, lease_s: float = SHORT_S) -> Machine:
            store = await Store.open(url, lease_s=lease_s)
            stack.push_async_callback(store.close)
            worker = await Worker.join(store, name, f"http://{name}", lease_s)
            stack.push_async_callback(worker.leave)
            return Machine(store, worker, name)

        yield make


async def test_one_that_is_silent_is_ended_once_and_inherited_from_in_the_same_transaction(
    machines,
):
    one, other, third = await machines("one"), await machines("other"), await machines("third")
    one.stop_beating()
    heirs = [asyncio.create_task(m.estate.took.wait()) for m in (other, third)]
    done, _ = await asyncio.wait(heirs, return_when=asyncio.FIRST_COMPLETED)
    for task in heirs:
        task.cancel()
    heir = other if heirs[0] in done else third
    assert heir.estate.dead == [one.worker.epoch]
    assert other.estate.dead + third.estate.dead == [one.worker.epoch]
    assert await other.store.read(names) == [f"{heir.estate.name} after {one.worker.epoch}"]


async def test_a_life_that_is_over_writes_nothing_and_says_so(machines):
    one, other = await machines("one"), await machines("other")
    one.stop_beating()
    await other.estate.took.wait()
    with pytest.raises(StoreFenced, match="taken over"):
        await one.store.write(add_user("late"))
    await asyncio.wait_for(one.worker.lost.wait(), 5)
    with pytest.raises(StoreFenced):
        await one.worker.check()
    assert "late" not in await other.store.read(names)
    await other.worker.check()


async def test_before_an_effect_outside_a_worker_that_was_paused_asks_whether_it_still_lives(
    machines,
):
    one, other = await machines("one", 30.0), await machines("other", 30.0)
    for machine in (one, other):
        machine.stop_beating()
        machine.worker._sure_at -= 29.0  # as if it had been paused since
    await other.store.write(
        lambda c: c.execute(
            schema.workers.update()
            .where(schema.workers.c.epoch == one.worker.epoch)
            .values(ended_at=1.0, heir=other.worker.epoch)
        )
    )
    await other.worker.check()
    with pytest.raises(StoreFenced):
        await one.worker.check()
    assert one.worker.lost.is_set()


async def test_one_that_could_not_take_over_yet_ends_nobody(machines):
    one, other = await machines("one"), await machines("other", 300.0)
    other.worker._heirs.clear()
    one.stop_beating()
    await asyncio.sleep(2 * SHORT_S)
    await other.worker._beat()
    await one.store.write(add_user("still there"))
    other.worker.add_heir(other.estate)
    await other.worker._beat()
    assert other.estate.dead == [one.worker.epoch]


async def test_one_that_leaves_is_inherited_from_at_once(machines, url: str):
    one, other = await machines("one", 300.0), await machines("other", 300.0)
    await one.worker.leave()
    async with asyncio.timeout(10):
        await other.estate.took.wait()
    assert other.estate.dead == [one.worker.epoch]


async def test_the_next_life_of_a_worker_ends_its_last_one_and_takes_over_without_waiting(machines):
    first = await machines("one", 300.0)
    again = await machines("one", 300.0)
    assert again.worker.epoch > first.worker.epoch
    await again.worker.take_over()
    assert again.estate.dead == [first.worker.epoch]
    with pytest.raises(StoreFenced):
        await first.store.write(add_user("late"))


async def test_after_the_database_was_away_the_others_get_time_to_say_that_they_live(machines):
    one, other = await machines("one", 300.0), await machines("other", 300.0)
    other.stop_beating()
    one.stop_beating()
    await one.store.write(
        lambda c: c.execute(
            schema.workers.update()
            .where(schema.workers.c.epoch == other.worker.epoch)
            .values(beat_at=1.0)
        )
    )
    one.worker._sure_at -= 301.0
    await one.worker._beat()
    assert one.estate.dead == []
    one.worker._judges_at -= 301.0
    await one.worker._beat()
    assert one.estate.dead == [other.worker.epoch]


async def test_what_a_worker_announces_the_others_hear_and_it_does_not(machines):
    one, other = await machines("one", 300.0), await machines("other", 300.0)
    mine: list[str] = []
    theirs: asyncio.Queue[str] = asyncio.Queue()
    one.worker.hear("news", mine.append)
    other.worker.hear("news", theirs.put_nowait)
    other.worker.hear("weather", mine.append)

    def announced(connection: sa.Connection) -> None:
        one.worker.announce(connection, "news", "of an order")

    said = ""
    while not said:  # what is announced before the other listens it hears of as an empty text
        await one.store.write(announced)
        with contextlib.suppress(TimeoutError):
            said = await asyncio.wait_for(theirs.get(), 0.2)
    assert said == "of an order"
    assert not any(mine)
