"""Two Lapels on one PostgreSQL, with real programs: one is killed, the other brings its order to the door and tells of it."""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import postgres
from callers.relay import Relay
from lapel.devices import Family
from lapel.devices.client_events import Failed
from lapel.together import Program
from lapel.together.programs import of_city
from town import Town, environment
from wearer import Wearer

pytestmark = pytest.mark.net

LAPEL = str(Path(sys.executable).with_name("lapel"))


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, speed=120)
    yield town
    town.close()


def start(town: Town, name: str, database: str, public: str) -> Program:
    folder = town.folder / name
    folder.mkdir()
    key = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
    settings = f'[consent]\nkey = "{key}"\n[server]\npublic_url = "{public}"\n'
    (folder / "lapel.toml").write_text(settings, "utf-8")
    command = [LAPEL, "up", *of_city(town.urls), "--data", str(folder), "--port", "0", "--json"]
    program = Program([*command, "--text", "--store", database], environment=environment())
    town.programs.append(program)
    return program


def wearer(found: dict[str, Any], *families: Family) -> Wearer:
    return Wearer(found["url"].replace("http", "ws", 1) + "/device", found["token"], *families)


async def test_an_order_whose_lapel_is_killed_is_followed_to_the_door_by_the_other(
    town: Town, database: str
):
    async with Relay("http://127.0.0.1:1") as relay:  # one address before both, for merchants
        await _killed(town, database, relay)

    (row,) = postgres.rows(database, "SELECT id, state, owner FROM orders")
    lives = postgres.rows(database, "SELECT epoch, ended_at IS NULL FROM workers ORDER BY epoch")
    assert row[1:] == ("delivered", lives[1][0])
    assert [alive for _, alive in lives] == [False, True]
    kinds = [kind for (kind,) in postgres.rows(database, "SELECT kind FROM order_events")]
    assert len(kinds) == len(set(kinds))
    assert kinds.count("placed") == kinds.count("delivered") == 1


async def _killed(town: Town, database: str, relay: Relay) -> None:
    first = start(town, "first", database, relay.url)
    one = await asyncio.to_thread(first.ready)
    relay.turn_to(one["url"])
    second = start(town, "second", database, relay.url)
    other = await asyncio.to_thread(second.ready)
    town.url, town.token = one["url"], one["token"]
    await asyncio.to_thread(town.wait_for_menus)

    async with wearer(one, Family.GLASSES, Family.RING, Family.PHONE) as me:
        me.type("a cappuccino from Blue Door to my office")
        await me[Family.GLASSES].asks(30)
        async with wearer(other, Family.GLASSES) as elsewhere:
            # The assistant is at the first one as long as it lives; the glasses knock again.
            while not (
                told := [e for e in elsewhere[Family.GLASSES].events if isinstance(e, Failed)]
            ):
                await asyncio.sleep(0.05)
            assert told[0].code == "elsewhere"
            assert one["url"] in told[0].message
            await asyncio.sleep(0.6)  # a press counts this long after its question
            me.press()
            await me[Family.GLASSES].says("placed")
            first.kill()
            relay.turn_to(other["url"])
            killed_at = time.monotonic()
            adopted = (
                "SELECT 1 FROM orders o JOIN workers w ON w.epoch = o.owner WHERE ended_at IS NULL"
            )
            while not await asyncio.to_thread(postgres.rows, database, adopted):
                assert time.monotonic() - killed_at < 10
                await asyncio.sleep(0.1)
            await elsewhere[Family.GLASSES].says("was delivered", timeout_s=60)
