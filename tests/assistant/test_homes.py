"""Where a user's assistant lives among several workers: at one of them, until it leaves or is no more."""

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

import postgres
from lapel.assistant import Homes
from lapel.store import Store, Worker, schema

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
async def workers(database: str):
    stores = [await Store.open(database) for _ in range(2)]
    await stores[0].write(
        lambda c: c.execute(
            sa.insert(schema.users),
            [{"id": f"u_{i}", "name": "", "created_at": 0.0} for i in (1, 2)],
        )
    )
    made = [
        await Worker.join(store, f"w{n}", f"http://w{n}", 60.0) for n, store in enumerate(stores)
    ]
    yield list(zip(stores, made, strict=True))
    for store, worker in zip(stores, made, strict=True):
        await worker.leave()
        await store.close()


async def test_a_user_lives_with_one_worker_until_it_lets_them_go_or_dies(workers):
    (store, first), (other_store, second) = workers
    here, there = Homes(store, first), Homes(other_store, second)
    settled = await asyncio.gather(here.settle("u_1"), there.settle("u_1"))
    assert sorted(where is None for where in settled) == [False, True]
    if settled[0] is not None:
        here, there, first = there, here, second
    assert here.is_here("u_1")
    assert not there.is_here("u_1")
    assert await here.settle("u_1") is None

    heard: asyncio.Queue[str] = asyncio.Queue()
    here.hear_kept(heard.put_nowait)
    while True:  # what is announced before the other listens it hears of as an empty text
        await there.tell_kept("u_1")
        if await heard.get() == "u_1":
            break

    await here.leave("u_1")
    assert not here.is_here("u_1")
    assert await there.settle("u_1") is None
    assert str(await here.settle("u_1")).startswith("http://w")

    assert await here.settle("u_2") is None
    assert await there.settle("u_2") is not None
    await first.leave()
    assert await there.settle("u_2") is None


async def test_alone_everybody_lives_here(tmp_path):
    store = await Store.open(tmp_path / "lapel.db")
    homes = Homes(store)
    assert homes.alone
    assert homes.is_here("u_1")
    assert await homes.settle("u_1") is None
    await homes.leave("u_1")
    assert homes.is_here("u_1")
    await store.close()
