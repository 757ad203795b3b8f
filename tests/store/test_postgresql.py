"""What only a shared record can suffer: lost connections, commits in doubt, a process that stops."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import event

import postgres
from lapel.store import (
    Store,
    StoreError,
    StoreFenced,
    notify,
    schema,
)

pytestmark = pytest.mark.net

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid}"


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
async def two(url: str):
    """Two processes' doors to one record; the second waits 0.3 s for a change that has stopped."""
    one, other = await Store.open(url, lease_s=0.9), await Store.open(url, lease_s=0.9)
    yield one, other
    await one.close()
    await other.close()


def add_user(name: str):
    def add(connection: sa.Connection) -> str:
        connection.execute(schema.users.insert().values(id=name, name=name, created_at=1.0))
        return name

    return add


def names(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.select(schema.users.c.id).order_by(schema.users.c.id)))


def say(user: str, text: str):
    return lambda c: c.execute(
        schema.utterances.insert()
        .values(user_id=user, device_id="", source="", text=text, reply="", at=0.0)
        .returning(schema.utterances.c.n)
    ).scalar_one()


def numbers_after(after: int):
    n = schema.utterances.c.n
    return lambda c: list(c.scalars(sa.select(n).where(n > after).order_by(n)))


async def test_a_reader_that_has_seen_a_number_never_misses_a_smaller_one(two):
    one, other = two
    await one.write(add_user("u"))
    seen: list[int] = []
    writing = asyncio.gather(
        *(store.write(say("u", str(i))) for i in range(150) for store in (one, other))
    )
    done = False
    while not done:
        done = writing.done()  # before the read: what it does not find then will never come
        seen += await other.read(numbers_after(seen[-1] if seen else 0))
    assert sorted(await writing) == seen


async def test_a_change_whose_connection_breaks_is_carried_out_once(two, url: str):
    one, _ = two
    runs: list[int] = []

    def broken_once(connection: sa.Connection) -> None:
        runs.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        add_user("a")(connection)
        if len(runs) == 1:
            assert postgres.rows(url, KILL.format(pid=runs[0])) == [(True,)]
        add_user("b")(connection)

    await one.write(broken_once)
    assert len(runs) == 2
    assert await one.read(names) == ["a", "b"]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_commit_whose_answer_is_lost_is_looked_up(two, url: str, kept: bool):
    one, other = two
    runs: list[int] = []

    def work(connection: sa.Connection) -> str:
        runs.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        return add_user("a")(connection)

    def at_commit(connection: sa.Connection) -> None:
        if len(runs) == 1:
            if kept:
                connection.connection.driver_connection.commit()
            postgres.rows(url, KILL.format(pid=runs[0]))

    event.listen(sa.Engine, "commit", at_commit)
    try:
        assert await one.write(work) == "a"
    finally:
        event.remove(sa.Engine, "commit", at_commit)
    assert len(runs) == (1 if kept else 2)
    assert await other.read(names) == ["a"]


async def test_a_process_that_stops_within_a_change_holds_nobody_up(two):
    one, other = two
    began, woken, runs = asyncio.Event(), asyncio.Event(), []
    loop = asyncio.get_running_loop()

    def stops(connection: sa.Connection) -> list[str]:
        found = names(connection)
        runs.append(found)
        if len(runs) == 1:
            loop.call_soon_threadsafe(began.set)
            asyncio.run_coroutine_threadsafe(woken.wait(), loop).result()
        add_user("late")(connection)
        return found

    late = asyncio.create_task(one.write(stops))
    await began.wait()
    await other.write(add_user("meanwhile"))
    woken.set()
    assert await late == ["meanwhile"]
    assert runs == [[], ["meanwhile"]]
    assert await one.read(names) == ["late", "meanwhile"]


async def test_a_guard_refuses_every_change_but_free_ones(two):
    one, _ = two

    def fenced(_: sa.Connection) -> None:
        raise StoreFenced("another process has taken over")

    one.guard = fenced
    refused, free = await asyncio.gather(
        one.write(add_user("a")), one.write(add_user("b"), free=True), return_exceptions=True
    )
    assert isinstance(refused, StoreFenced)
    assert free == "b"
    assert await one.read(names) == ["b"]


async def test_what_one_announces_the_other_hears_after_the_commit(two):
    one, other = two
    heard: asyncio.Queue[str] = asyncio.Queue()
    stop = await other.listen(heard.put_nowait)
    assert await heard.get() == ""

    def announced(connection: sa.Connection) -> None:
        notify(connection, "news")
        add_user("a")(connection)

    await one.write(announced)
    assert await heard.get() == "news"
    assert await other.read(names) == ["a"]
    await asyncio.to_thread(stop)


async def test_a_read_writes_nothing(two):
    one, _ = two
    with pytest.raises(sa.exc.InternalError, match="read-only"):
        await one.read(add_user("a"))
    assert await one.read(names) == []


async def test_records_opened_at_once_are_migrated_once(url: str):
    stores = await asyncio.gather(*(Store.open(url) for _ in range(3)))
    for store in stores:
        assert await store.read(names) == []
        await store.close()


async def test_a_server_that_does_not_answer_is_told_in_a_line_without_its_password():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(StoreError, match="cannot open the record") as caught:
        await Store.open(f"postgresql://ada:hunter2@127.0.0.1:{port}/lapel")
    assert "hunter2" not in str(caught.value)
    assert "refused" in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://h/d", "postgresql://h", "nonsense", "sqlite:///x.db"])
async def test_other_records_are_refused(url: str):
    with pytest.raises(StoreError, match="record"):
        await Store.open(url)
