"""The shop in docs/connect-a-service.md, as it is printed there: Lapel buys at it."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lapel.devices import Family
from town import Town
from wearer import Wearer

pytestmark = pytest.mark.net

PAGE = Path(__file__).parents[2] / "docs" / "connect-a-service.md"


def printed() -> list[str]:
    """The programs of the page: the shop, and the MCP server."""
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(found) == 2
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def shop(text_town: Town, tmp_path: Path) -> Iterator[str]:
    """The printed program, running."""
    file = tmp_path / "shop.py"
    file.write_text(printed()[0], "utf-8")
    port = free_port()
    running = subprocess.Popen([sys.executable, str(file), str(port), text_town.urls["bank"]])
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 30
    try:
        while True:
            assert running.poll() is None, "the shop ended"
            assert time.monotonic() < until, "the shop does not answer"
            try:
                if text_town.http.get(f"{url}/.well-known/ucp").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        running.terminate()
        running.wait(10)


async def test_lapel_buys_at_the_shop_of_the_page(text_town: Town, shop: str):
    added = await asyncio.to_thread(text_town.api, "/api/merchants", "POST", {"url": shop})
    assert added["name"] == "Flower Corner"
    await asyncio.to_thread(text_town.wait_for_menu, "Flower Corner")
    async with Wearer(
        text_town.device_url, text_town.token, Family.GLASSES, Family.RING, Family.PHONE
    ) as me:
        me.type("red roses and two tulips from flower corner to my office")
        asked = await me[Family.GLASSES].asks()
        assert asked.card is not None
        assert asked.card.total == "39.00 EUR"
        await asyncio.sleep(0.6)  # a press in the first moments is taken for an accident
        me.press()
        order = await asyncio.to_thread(text_town.wait_for_order, "delivered")
    assert order["merchant_name"] == "Flower Corner"
    assert order["receipt"]
    payments = [entry for entry in text_town.bank_entries() if entry["kind"] == "payment"]
    assert [entry["amount"] for entry in payments] == [-3900]


async def test_lapel_asks_the_mcp_server_of_the_page(text_town: Town, tmp_path: Path):
    file = tmp_path / "rooms.py"
    file.write_text(printed()[1], "utf-8")
    lapel = Path(sys.executable).with_name("lapel")
    data = ["--data", str(text_town.folder / "lapel")]
    added = await asyncio.to_thread(
        subprocess.run,
        [lapel, "services", *data, "add", "--name", "rooms", "--", sys.executable, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "ask rooms book (asks you first)" in added.stdout
    async with Wearer(
        text_town.device_url, text_town.token, Family.GLASSES, Family.RING, Family.PHONE
    ) as me:
        me.type("ask rooms free for tomorrow")
        assert await me[Family.PHONE].says("Aino, Lumi, Otso on tomorrow.")
        me.type("ask rooms to book Aino")
        assert await me[Family.PHONE].says("Which people?")
        me.type("four")
        asked = await me[Family.GLASSES].asks()
        assert asked.card is not None
        assert [(x.text, x.value) for x in asked.card.lines] == [("room", "Aino"), ("people", "4")]
        await asyncio.sleep(0.6)  # a press in the first moments is taken for an accident
        me.press()
        assert await me[Family.PHONE].says("Aino is yours, for 4.")
    [booked, read] = await asyncio.to_thread(text_town.api, "/api/services/calls")
    assert (booked["tool"], booked["state"], booked["evidence"][1]["family"]) == (
        "book", "done", "ring",
    )  # fmt: skip
    assert (read["tool"], read["evidence"]) == ("free", None)
    for command, says in (("check", "book"), ("remove", "Removed rooms.")):
        done = await asyncio.to_thread(
            subprocess.run,
            [lapel, "services", *data, command, "rooms"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert says in done.stdout
    assert await asyncio.to_thread(text_town.api, "/api/services") == []
