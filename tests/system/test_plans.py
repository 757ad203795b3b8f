"""A plan of several things with real programs: a table, rides booked ahead, a shared bill; whole, or undone."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lapel.commerce import verify
from lapel.devices import Cue, Family, Gesture
from town import Town, environment, opened, with_settings
from wearer import Wearer, Worn, text_of

pytestmark = pytest.mark.net

DINNER = "dinner for two tomorrow at seven near the station, a car there and back, and split it with Anna"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("plans")
    # Where the restaurants are: elsewhere "tomorrow" is another day for some hours.
    there = with_settings(folder, '[personal]\ntime_zone = "Europe/Helsinki"\n')
    yield from opened(folder, "--text", *there, speed=600)


def lapel(town: Town, *arguments: str) -> str:
    program = str(Path(sys.executable).with_name("lapel"))
    command = [program, *arguments, "--data", str(town.folder / "lapel")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def plans(town: Town) -> list[dict[str, Any]]:
    rows = town.record("SELECT body FROM plans ORDER BY created_at")
    return [json.loads(body) for (body,) in rows]


async def tap(phone: Worn, asked: Cue, action: str = "approve") -> None:
    await asyncio.sleep(0.6)  # longer than a gesture must come after the question
    phone.client.gesture("screen", Gesture.PRESS, action, asked.topic)


async def asked(phone: Worn) -> Cue:
    return await phone.says("One plan", "Bought one after the other", timeout_s=30)


def moved(town: Town) -> list[int]:
    return [entry["amount"] for entry in town.bank_entries() if entry["kind"] == "payment"]


async def test_dinner_a_car_there_and_back_and_the_bill_shared(town: Town):
    lapel(town, "contacts", "add", "Anna", "@anna")
    async with Wearer(town.device_url, town.token, Family.RING, Family.PHONE) as me:
        phone = me[Family.PHONE]
        me.type(DINNER)
        await phone.says("Under which name is the table?")
        me.type("Ada Lind")
        question = await asked(phone)
        lines = [line.text for line in question.card.lines]
        assert [line.partition(" ")[0] for line in lines] == ["Table", "Economy", "Economy"]
        assert lines[0].endswith("tomorrow at 19:00")
        assert "tomorrow at 18:" in lines[1]
        assert "free to undo until" in question.card.body
        assert "Split with Anna Korhonen" in question.card.body
        me.press()
        await asyncio.sleep(1)
        assert moved(town) == []
        await tap(phone, question)
        await phone.says("All of your plan is bought.", timeout_s=60)
        await phone.says("Anna Korhonen paid you", timeout_s=60)
    [plan] = plans(town)
    assert plan["state"] == "done"
    assert [part["needs"] for part in plan["parts"][1:]] == [plan["parts"][0]["order_id"]] * 2
    total = sum(part["total"]["minor"] for part in plan["parts"])
    receipts = [
        verify(file)
        for (file,) in town.record(
            "SELECT receipt FROM orders WHERE receipt IS NOT NULL ORDER BY id"
        )
    ]
    assert sum(receipt.total.minor for receipt in receipts) == total
    table, there, back = receipts
    assert table.consent.plan == there.consent.plan == back.consent.plan
    assert there.trip.pickup_at < table.table.begins < back.trip.pickup_at == table.table.ends
    assert there.trip.destination.street == back.trip.pickup.street
    share = total // 2
    assert sorted(moved(town)) == sorted([share, *(-receipt.total.minor for receipt in receipts)])


async def test_a_ride_that_is_gone_is_told_and_the_table_given_back(town: Town):
    before = sum(moved(town))
    async with Wearer(town.device_url, town.token, Family.PHONE) as me:
        phone = me[Family.PHONE]
        me.type("a table for three tomorrow at eight near the station and bring us home at ten")
        question = await asked(phone)
        assert "22:00" in question.card.lines[1].text
        town.fault("nobody_free", merchant="lokki", times=5)
        await tap(phone, question)
        told = await phone.says("Keep the rest, or undo all?", timeout_s=60)
        assert "Undoing Table for 3" in text_of(told)
        me.type("undo all")
        await phone.says("is undone", timeout_s=60)
    plan = await _over(town)
    assert plan["state"] == "undone"
    assert [part["outcome"] for part in plan["parts"]] == ["undone", "failed"]
    town.no_faults()
    await _settled(town, before)


async def _over(town: Town) -> dict[str, Any]:
    """The newest plan, once nothing of it is on its way."""
    async with asyncio.timeout(30):
        while (plan := plans(town)[-1])["state"] in ("buying", "undoing", "billing"):
            await asyncio.sleep(0.2)
    return plan


async def _settled(town: Town, before: int) -> None:
    """What was paid for the table has come back."""
    async with asyncio.timeout(30):
        while (
            sum(
                entry["amount"]
                for entry in town.bank_entries()
                if entry["kind"] in ("payment", "refund")
            )
            != before
        ):
            await asyncio.sleep(0.2)


async def test_a_full_restaurant_and_an_unknown_place_buy_nothing(town: Town):
    before = len(moved(town))
    async with Wearer(town.device_url, town.token, Family.PHONE) as me:
        phone = me[Family.PHONE]
        me.type("dinner for two tomorrow at seven near Atlantis and a taxi there")
        await phone.says("Nothing was", timeout_s=30)
        me.type("a taxi there and dinner for ninety tomorrow at seven near the station")
        await phone.says("Nothing was", timeout_s=30)
    assert len(plans(town)) == 2
    assert len(moved(town)) == before
