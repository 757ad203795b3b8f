"""The whole road by typing, with real programs: ask, confirm on another device, follow to the door, keep the proof."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lapel.devices import CueKind, Family, Gesture
from town import Town
from wearer import Wearer, text_of

pytestmark = pytest.mark.net

ORDER = "two iced lattes and a blueberry muffin to my office"


async def settle() -> None:
    """Longer than a gesture must come after the question."""
    await asyncio.sleep(0.6)


def wearer(town: Town, *families: Family) -> Wearer:
    return Wearer(
        town.device_url,
        town.token,
        *(families or tuple(Family(f) for f in ("glasses", "ring", "phone"))),
    )


async def test_ordered_on_the_phone_confirmed_on_the_ring_followed_on_the_glasses(text_town: Town):
    async with wearer(text_town) as me:
        me.type(ORDER)
        hud = await me[Family.GLASSES].asks()
        assert "2 x Iced latte" in text_of(hud)
        assert "1 x Blueberry muffin" in text_of(hud)
        assert "Delivery" in text_of(hud)
        assert hud.card is not None
        assert hud.card.total.endswith("EUR")
        pulse = await me[Family.RING].asks()
        assert pulse.haptic == "pulse"
        assert pulse.card is None
        await settle()
        me.press()
        await me[Family.GLASSES].placed()
        receipt = await me[Family.PHONE].cue(lambda cue: cue.kind is CueKind.RECEIPT)
        assert receipt.card is not None
        assert receipt.card.total == hud.card.total
        await me[Family.PHONE].cue(
            lambda cue: cue.card is not None and cue.card.map is not None, 40
        )
        await me[Family.GLASSES].says("delivered", timeout_s=60)
    order = text_town.wait_for_order("delivered")
    kinds = [event["kind"] for event in order["events"]]
    assert len(kinds) == len(set(kinds))
    assert [k for k in kinds if k in ("approved", "paid", "placed", "delivered")] == [
        "approved", "paid", "placed", "delivered",
    ]  # fmt: skip


async def test_a_long_press_refuses_and_nothing_is_paid(text_town: Town):
    before = text_town.bank_entries()
    async with wearer(text_town) as me:
        me.type("a croissant to my office")
        await me[Family.GLASSES].asks()
        me.press(long=True)
        await me[Family.GLASSES].says("did not order")
    assert text_town.orders()[0]["state"] == "refused"
    assert text_town.bank_entries() == before


async def test_the_phone_button_confirms_and_an_old_card_does_not(text_town: Town):
    async with wearer(text_town) as me:
        phone = me[Family.PHONE]
        me.type("a cappuccino to my office")
        first = await phone.asks()
        phone.forget()
        me.type("make it two")
        second = await phone.asks()
        assert second.topic != first.topic
        assert "2 x Cappuccino" in text_of(second)
        await settle()
        phone.client.gesture("screen", Gesture.PRESS, "approve", first.topic)
        await phone.says("out of date")
        assert text_town.orders()[0]["state"] == "awaiting_approval"
        phone.client.gesture("screen", Gesture.PRESS, "approve", second.topic)
        await phone.placed()


async def test_a_device_that_joins_later_finds_what_is_pending(text_town: Town):
    async with wearer(text_town, Family.PHONE) as me:
        me.type("an americano to my office")
        asked = await me[Family.PHONE].asks()
        glasses = await me.put_on(Family.GLASSES)
        assert (await glasses.asks()).id == asked.id
        await me.put_on(Family.RING)
        await settle()
        me.press()
        await glasses.placed()


async def test_the_cart_is_changed_over_turns(text_town: Town):
    async with wearer(text_town) as me:
        glasses = me[Family.GLASSES]
        me.type("two lattes and a croissant to my office")
        await glasses.asks()
        glasses.forget()
        me.type("no croissant")
        assert "Croissant" not in text_of(await glasses.asks())
        glasses.forget()
        me.type("make it three")
        assert "3 x Latte" in text_of(await glasses.asks())
        me.type("cancel that")
        await me[Family.PHONE].says("cancelled")
    assert text_town.orders()[0]["state"] == "canceled"


async def test_chatter_orders_nothing(text_town: Town):
    before = len(text_town.orders())
    async with wearer(text_town) as me:
        for text in ("I don't want a latte", "yesterday I had two lattes", "do you like muffins?"):
            me[Family.PHONE].forget()
            me.type(text)
            await me[Family.PHONE].cue(lambda cue: cue.kind is CueKind.REPLY)
    assert len(text_town.orders()) == before


def lapel(town: Town, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("lapel"))
    command = [program, *arguments, "--data", str(town.folder / "lapel")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def lapel_alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Away from any data and any running Lapel."""
    program = str(Path(sys.executable).with_name("lapel"))
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_same_from_a_terminal(text_town: Town, tmp_path: Path):
    asked = lapel(text_town, "ask", "a flat white to my office", "--json")
    assert asked.returncode == 0, asked.stderr
    # An earlier order that is still on its way may have its say in between.
    cues = [json.loads(line) for line in asked.stdout.splitlines()]
    cue = next(cue for cue in cues if cue["kind"] == "approval")
    assert cue["card"]["lines"][0]["text"].startswith("1 x Flat white")
    assert lapel(text_town, "press", "--device", "ring").returncode == 0
    order = text_town.wait_for_order("placed", "delivered")
    listed = json.loads(lapel(text_town, "orders", "--json").stdout)
    assert listed[0]["id"] == order["id"]
    assert "Flat white" in lapel(text_town, "orders", order["id"]).stdout

    everything = tmp_path / "receipts.jsonl"
    assert lapel(text_town, "receipts", "export", str(everything)).returncode == 0
    whole = lapel_alone("receipts", "verify", str(everything))
    assert whole.returncode == 0, whole.stderr
    assert "Valid and complete" in whole.stdout
    everything.write_text("".join(everything.read_text("utf-8").splitlines(True)[1:]), "utf-8")
    cut = lapel_alone("receipts", "verify", str(everything))
    assert (cut.returncode, "broken_chain" in cut.stderr) == (1, True)
    checked = json.loads(lapel(text_town, "ledger", "check", "--json").stdout)
    assert checked["sound"] is True, checked
    assert checked["payments"] >= 1
    shown = json.loads(lapel(text_town, "ledger", "--json", "--limit", "1000").stdout)
    mine = [x for x in shown["entries"] if x["order_id"] == order["id"]]
    assert [x["step"] for x in mine] == ["capture", "hold"]
    assert sum(line["minor"] for x in mine for line in x["postings"]) == 0
    assert [line["text"] for line in mine[0]["postings"]][-1] == order["total"]
    assert order["id"] in lapel(text_town, "ledger", "--order", order["id"]).stdout
    assert "the ledger and the bank agree" in lapel(text_town, "ledger", "check").stdout
    assert lapel(text_town, "ledger", "--limit", "0").returncode == 1

    file = tmp_path / "receipt.json"
    assert lapel(text_town, "receipt", "save", order["id"], str(file)).returncode == 0
    valid = lapel_alone("receipt", "verify", str(file))
    assert valid.returncode == 0, valid.stderr
    assert "Approved by press on Terminal ring" in valid.stdout
    file.write_text(file.read_text("utf-8").replace("Flat white", "Fiat white"), "utf-8")
    forged = lapel_alone("receipt", "verify", str(file))
    assert forged.returncode == 1
    assert "NOT valid" in forged.stderr
