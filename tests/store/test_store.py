"""The record: durable groups, isolated failures, migrations that match the schema."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import postgres
from lapel.store import Store, StoreClosed, StoreTooNew, schema
from lapel.store.migrations import HEAD, alembic_config

pytestmark = pytest.mark.net


def add_user(name: str):
    def add(connection: sa.Connection) -> str:
        connection.execute(schema.users.insert().values(id=name, name=name, created_at=1.0))
        return name

    return add


def names(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.select(schema.users.c.id).order_by(schema.users.c.id)))


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where a record may stand: each test here runs on both engines."""
    if request.param == "sqlite":
        yield tmp_path / "lapel.db"
        return
    with postgres.database() as url:  # each its own: some leave no record behind that opens
        yield url


@pytest.fixture
async def store(where: Path | str):
    store = await Store.open(where)
    yield store
    await store.close()


async def test_a_read_sees_every_returned_write(store: Store):
    for index in range(20):
        await store.write(add_user(f"u{index:02}"))
        assert len(await store.read(names)) == index + 1


async def test_many_writers_at_once_all_land(store: Store):
    await asyncio.gather(*(store.write(add_user(f"u{index:03}")) for index in range(300)))
    assert len(await store.read(names)) == 300


async def test_an_error_undoes_its_own_change_only(store: Store):
    def half(connection: sa.Connection) -> None:
        add_user("half")(connection)
        raise ValueError("no")

    results = await asyncio.gather(
        store.write(add_user("a")),
        store.write(half),
        store.write(add_user("a")),
        store.write(add_user("b")),
        return_exceptions=True,
    )
    assert (results[0], results[3]) == ("a", "b")
    assert isinstance(results[1], ValueError)
    assert isinstance(results[2], sa.exc.IntegrityError)
    assert await store.read(names) == ["a", "b"]


async def test_foreign_keys_are_held(store: Store):
    with pytest.raises(sa.exc.IntegrityError):
        await store.write(
            lambda c: c.execute(
                schema.sign_in_tokens.insert().values(hash="h", user_id="nobody", created_at=1.0)
            )
        )


async def test_a_cancelled_caller_does_not_lose_the_change(store: Store):
    task = asyncio.create_task(store.write(add_user("late")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.write(add_user("next"))
    assert await store.read(names) == ["late", "next"]


async def test_a_closed_store_says_so(where: Path | str):
    store = await Store.open(where)
    await store.write(add_user("a"))
    await store.close()
    await store.close()
    with pytest.raises(StoreClosed):
        await store.write(add_user("b"))
    with pytest.raises(StoreClosed):
        await store.read(names)
    again = await Store.open(where)
    assert await again.read(names) == ["a"]
    await again.close()


async def test_a_newer_record_is_refused(where: Path | str):
    store = await Store.open(where)
    await store.write(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num='9999'"))
    await store.close()
    with pytest.raises(StoreTooNew, match="9999"):
        await Store.open(where)


async def test_the_file_is_private_and_the_settings_are_durable(tmp_path: Path):
    path = tmp_path / "lapel.db"
    store = await Store.open(path)
    assert path.stat().st_mode & 0o077 == 0
    assert await store.read(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar()) == 2
    assert await store.read(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar()) == "wal"
    await store.close()


async def test_migrations_make_exactly_the_schema(store: Store):
    def difference(connection: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), schema.metadata)

    assert await store.read(difference) == []
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


WRITER = """
import asyncio, sys
from pathlib import Path
from lapel.store import Store, schema
async def main():
    where = sys.argv[1]
    store = await Store.open(where if "://" in where else Path(where))
    for index in range(100000):
        await store.write(lambda c: c.execute(schema.users.insert().values(id=f"{index:06}", name="", created_at=0.0)))
        print(index, flush=True)
asyncio.run(main())
"""


async def test_kill_keeps_every_acknowledged_write(where: Path | str):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(where)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = -1
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 60:
            os.kill(process.pid, signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in process.stdout if line.strip())])
    process.stdout.close()
    process.wait()
    store = await Store.open(where)
    found = await store.read(names)
    assert found == [f"{index:06}" for index in range(len(found))]
    assert len(found) > acknowledged
    if not store.shared:
        check = await store.read(lambda c: c.exec_driver_sql("PRAGMA integrity_check").scalar())
        assert check == "ok"
    await store.close()
