"""Two Lapels on one PostgreSQL, with real programs: one is killed, the other brings its order to the door and tells of it."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
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
from wearer import Wearer, Worn

pytestmark = pytest.mark.net

LAPEL = str(Path(sys.executable).with_name("lapel"))


@pytest.fixture
def database() -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def town(tmp_path: Path, database: str) -> Iterator[Town]:
    """Its programs end before their database does."""
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


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_order_of_a_lapel_that_is_no_more_is_followed_to_the_door_by_the_other(
    town: Town, database: str, how: signal.Signals
):
    async with Relay("http://127.0.0.1:1") as relay:  # one address before both, for merchants
        first = start(town, "first", database, relay.url)
        one = await asyncio.to_thread(first.ready)
        relay.turn_to(one["url"])
        other = await asyncio.to_thread(start(town, "second", database, relay.url).ready)
        town.url, town.token = one["url"], one["token"]
        await asyncio.to_thread(town.wait_for_menus)
        async with (
            wearer(one, Family.GLASSES, Family.RING, Family.PHONE) as me,
            wearer(other, Family.GLASSES) as elsewhere,
        ):
            await _sent_away(elsewhere[Family.GLASSES], one["url"])
            town.speed(1)  # or it is at the door before anybody had to take it over
            me.type("a cappuccino from Blue Door to my office")
            await me[Family.GLASSES].asks(30)
            await asyncio.sleep(0.6)  # a press counts this long after its question
            me.press()
            await me[Family.GLASSES].placed()
            os.kill(first.pid, how)
            relay.turn_to(other["url"])
            await _adopted(database, other["url"])
            town.speed(120)
            # The glasses kept knocking: the assistant lives here now.
            await elsewhere[Family.GLASSES].says("was delivered", timeout_s=60)
            if how == signal.SIGSTOP:
                os.kill(first.pid, signal.SIGCONT)
                await _begins_anew(database)
                assert town.orders()[0]["state"] == "delivered"
    kinds = [kind for (kind,) in postgres.rows(database, "SELECT kind FROM order_events")]
    assert len(kinds) == len(set(kinds))
    assert kinds.count("placed") == kinds.count("delivered") == 1


async def _sent_away(glasses: Worn, url: str) -> None:
    """The assistant is at the first one for as long as that lives; glasses elsewhere are told so."""
    while not (told := [event for event in glasses.events if isinstance(event, Failed)]):
        await asyncio.sleep(0.05)
    assert told[0].code == "elsewhere"
    assert url in told[0].message


async def _adopted(database: str, url: str) -> None:
    """By whoever is at that address, in whichever of its lives."""
    owned = f"SELECT 1 FROM orders JOIN workers ON epoch = owner WHERE workers.url = '{url}'"
    since = time.monotonic()
    while not await asyncio.to_thread(postgres.rows, database, owned):
        # Six to eight seconds; a busy machine may take its time.
        assert time.monotonic() - since < 60
        await asyncio.sleep(0.1)


async def _begins_anew(database: str) -> None:
    """Its first life is over, by the second worker; now it has another, and changes nothing."""
    lives = "SELECT epoch, heir FROM workers ORDER BY epoch"
    while len(found := await asyncio.to_thread(postgres.rows, database, lives)) < 3:
        await asyncio.sleep(0.1)
    assert found == [(1, 2), (2, None), (3, None)]
    assert postgres.rows(database, "SELECT owner FROM orders") == [(2,)]
