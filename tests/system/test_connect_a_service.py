"""The shop in docs/connect-a-service.md, as it is printed there: Lapel buys at it."""

from __future__ import annotations

import asyncio
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from lapel import cli
from lapel.devices import Family
from town import Town, opened
from wearer import Wearer

pytestmark = pytest.mark.net

PAGE = Path(__file__).parents[2] / "docs" / "connect-a-service.md"


def printed() -> list[str]:
    """The programs of the page: the shop, and the MCP server."""
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(found) == 2
    return found


def commands() -> dict[str, list[list[str]]]:
    """What is typed for each kind, by its heading in the section of all kinds."""
    section = PAGE.read_text("utf-8").partition("## Connect one of every kind\n")[2]
    section = section.partition("\n## ")[0]
    found = re.findall(r"\*\*(.+?)\*\*.*?```\n(.*?)```", section, re.DOTALL)
    lines = {kind: block.strip().splitlines() for kind, block in found}
    assert all(line.startswith(".venv/bin/lapel ") for block in lines.values() for line in block)
    return {kind: [shlex.split(line)[1:] for line in block] for kind, block in lines.items()}


def ports(town: Town) -> dict[str, str]:
    """The addresses of a City with its usual ports -> those of this one."""
    kinds = ("merchants", "rides", "travel", "pay", "stores", "acp", "tables", "older")
    urls = [url for kind in kinds for url in town.urls[kind]]
    return {f"http://127.0.0.1:{8701 + at}": url for at, url in enumerate(urls)}


ORDERED = {
    "A shop": "Blue Door Coffee",
    "A ride company": "Lokki Rides",
    "An airline, a railway, a hotel": "Tern Air",
    "Restaurants that keep tables": "Satama Tables",
    "A seller that speaks ACP": "Lumo Candles",
    "A shop of UCP 2026-01-11": "Anchor Chandlers",
    "A map service": "Pharmacy",
}
"""Heading -> from whom something is ordered; of the map, what is answered."""


@pytest.fixture(scope="module")
def own_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    for town in opened(tmp_path_factory.mktemp("kinds"), "--text", speed=600):
        town.wait_for_menu("Anchor Chandlers")
        yield town


@pytest.mark.parametrize("kind", ORDERED)
def test_every_kind_is_connected_as_the_page_says(
    own_town: Town, kind: str, monkeypatch: pytest.MonkeyPatch
):
    assert list(commands()) == list(ORDERED)
    there, orders = ports(own_town), kind != "A map service"
    runner = CliRunner()  # the same program without starting one for every line
    data = ["--data", str(own_town.folder / "lapel")]
    before, said = len(own_town.orders()), ""
    # News of the orders before may come first; who leaves then has not been shown the question.
    monkeypatch.setattr(cli.ask, "QUIET_S", 2.0)
    for words in commands()[kind]:
        typed = [there[word] if word.startswith("http://") else word for word in words]
        if typed[0] == "press":
            own_town.wait_for_order("awaiting_approval")
            time.sleep(0.6)  # a press in the first moments is taken for an accident
        done = runner.invoke(cli.app, [*typed, *data])
        assert done.exit_code == 0, (words, done.output)
        said += done.output
    if not orders:
        assert ORDERED[kind] in said
        return
    order = own_town.wait_for_order("placed", "delivered")
    assert (len(own_town.orders()), order["merchant_name"]) == (before + 1, ORDERED[kind])


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
