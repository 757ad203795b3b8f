"""Money between people with real programs: contacts, a transfer, requests both ways, a split, a scanned code."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lapel.commerce import verify
from lapel.devices import Cue, Family, Gesture
from town import Town, environment, opened
from wearer import Wearer, text_of

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    yield from opened(tmp_path_factory.mktemp("pay"), "--text", speed=600)


def lapel(town: Town, *arguments: str) -> str:
    """Run the command against this town's Lapel."""
    program = str(Path(sys.executable).with_name("lapel"))
    command = [program, *arguments, "--data", str(town.folder / "lapel")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def city(town: Town, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = town.http.post(f"{town.urls['city']}{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pgm(matrix: list[list[int]], scale: int = 4) -> bytes:
    """A photograph of a code, as a device sends it."""
    rows = [[0] * len(matrix[0]) for _ in range(4)]
    field = [*rows, *matrix, *rows]
    pixels = bytearray()
    for row in field:
        line = b"".join(bytes([0 if x else 255]) * scale for x in [0, 0, 0, 0, *row, 0, 0, 0, 0])
        pixels += line * scale
    width = (len(matrix[0]) + 8) * scale
    return b"P5\n%d %d\n255\n" % (width, len(field) * scale) + bytes(pixels)


def scan(town: Town, picture: bytes) -> httpx.Response:
    headers = {"authorization": f"Bearer {town.token}", "content-type": "image/x-portable-graymap"}
    return town.http.post(f"{town.url}/api/scan", content=picture, headers=headers)


async def tap(me: Wearer, asked: Cue, action: str = "approve") -> None:
    await asyncio.sleep(0.6)  # longer than a gesture must come after the question
    me[Family.PHONE].client.gesture("screen", Gesture.PRESS, action, asked.topic)


def moved(town: Town) -> list[int]:
    return [entry["amount"] for entry in town.bank_entries() if entry["kind"] == "payment"]


async def test_money_between_people(town: Town):
    assert "Anna Korhonen" in lapel(town, "contacts", "add", "Anna", "@anna")
    async with Wearer(town.device_url, town.token, Family.RING, Family.PHONE) as me:
        phone = me[Family.PHONE]
        me.type("send Anna twenty euros for lunch")
        asked = await phone.asks()
        assert "Anna Korhonen (@anna)" in text_of(asked)
        assert "20.00 EUR" in text_of(asked)
        await asyncio.sleep(0.6)
        me.press()
        await phone.says("You have not paid Anna Korhonen (@anna) before", "Look at your phone")
        assert moved(town) == []
        await tap(me, asked)
        await phone.says("20 euros are on the way to Anna Korhonen")
        assert moved(town) == [-2000]

        me.forget()
        me.type("save Ben as @ben")
        await phone.says("Saved Ben", "Ben Laine")
        city(town, "/city/people/@ben/ask", {"amount": 1250, "note": "the taxi"})
        wants = await phone.says("Ben Laine asks you for 12 euros 50 for the taxi")
        phone.client.gesture("screen", Gesture.PRESS, wants.card.actions[0].action, wants.topic)
        await tap(me, await phone.asks())
        await phone.says("12 euros 50 are on the way to Ben Laine")

        me.forget()
        me.type("split 30 euros with Anna and Ben for the tickets")
        await phone.says("Anna Korhonen (@anna) 10.00 EUR", "Ben Laine (@ben) 10.00", "You 10.00")
        me.type("yes")
        await phone.says("I ask Anna Korhonen for 10 euros and Ben Laine for 10 euros")
        await phone.says("Anna Korhonen paid you 10 euros", timeout_s=40)
        await phone.says("Ben Laine paid you 10 euros", timeout_s=40)
        assert sorted(moved(town)) == [-2000, -1250, 1000, 1000]
        me.forget()
        me.type("who owes me")
        await phone.says("Nobody owes you anything")
    [(file,)] = town.record(
        "SELECT receipt FROM orders WHERE receipt IS NOT NULL ORDER BY created_at LIMIT 1"
    )
    receipt = verify(file)
    assert receipt.transfer is not None
    assert (receipt.transfer.payee, receipt.transfer.amount.minor) == ("@anna", 2000)
    assert town.api("/api/ledger/check")["sound"]


async def test_a_scanned_code_is_paid_once_and_another_than_the_shops_not_at_all(town: Town):
    made = city(town, "/city/codes", {"shop": "blue-door", "amount": 890, "note": "coffee"})
    before = sum(moved(town))
    async with Wearer(town.device_url, town.token, Family.RING, Family.PHONE) as me:
        phone = me[Family.PHONE]
        found = scan(town, pgm(made["matrix"]))
        assert found.status_code == 202, found.text
        asked = await phone.asks()
        assert "8.90 EUR" in text_of(asked)
        assert "(@blue-door)" in text_of(asked)
        assert "From a code" in text_of(asked)
        await tap(me, asked)
        await phone.says("8 euros 90 are on the way")
    assert sum(moved(town)) - before == -890
    again = scan(town, pgm(made["matrix"]))
    assert again.json()["error"]["code"] == "already_paid"
    for text in ("https://evil.example/pay", "javascript:alert(1)", made["code"][:-4] + "AAAA"):
        answer = town.http.post(
            f"{town.url}/api/scan",
            json={"code": text},
            headers={"authorization": f"Bearer {town.token}"},
        )
        assert answer.json()["error"]["code"] == "bad_code"
    assert scan(town, b"P5\n9 9\n255\nshort").json()["error"]["code"] == "bad_picture"
    assert scan(town, b"P5\n90000 90000\n255\n").json()["error"]["code"] == "bad_picture"
    assert scan(town, pgm([[0] * 25] * 25)).json()["error"]["code"] == "no_code"
    assert sum(moved(town)) - before == -890


async def test_a_plan_is_one_question_and_each_part_is_bought_and_shared(town: Town):
    before = sum(moved(town))
    async with Wearer(town.device_url, town.token, Family.RING, Family.PHONE) as me:
        phone = me[Family.PHONE]
        me.type("order a flat white to my office, a taxi to the station and split it with Anna")
        asked = await phone.cue(lambda cue: cue.topic.startswith("plan:") and bool(cue.card))
        shown = text_of(asked)
        assert "Economy ride to your station" in shown
        assert "lat white from Blue Door" in shown
        assert "Split with Anna Korhonen" in shown
        assert sum(moved(town)) == before
        await tap(me, asked)
        await phone.says("All of your plan is bought.", timeout_s=60)
        orders = [order for order in town.orders() if order["id"].startswith("o_")][:2]
        assert {order["state"] for order in orders} <= {"placed", "delivered"}
        paid = before - sum(moved(town))
        assert asked.card is not None
        assert asked.card.total == f"{paid / 100:.2f} EUR"
        await phone.says("Anna Korhonen paid you", timeout_s=60)
    assert town.api("/api/ledger/check")["sound"]
