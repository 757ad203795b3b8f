"""Goods with real programs: groceries from a list to the door, weighed; a charger compared, brought and sent back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lapel.commerce import verify
from lapel.devices import Family, Gesture
from town import Town, in_the_morning, opened
from wearer import Wearer, text_of

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("goods")
    yield from opened(folder, "--text", *in_the_morning(folder), speed=240)


async def test_a_list_is_ordered_picked_asked_about_weighed_and_delivered(town: Town):
    town.fault("shelf_empty", merchant="tori")
    families = (Family.GLASSES, Family.RING, Family.PHONE)
    async with Wearer(town.device_url, town.token, *families) as me:
        glasses, phone = me[Family.GLASSES], me[Family.PHONE]
        me.type("add orange juice, eggs and two kilos of apples to my shopping list")
        await glasses.says("Added orange juice, eggs and 2 kilos of apples")
        me.type("add a unicorn to the shopping list")
        await glasses.says("There are 4 things on your list")
        me.type("order my shopping list")
        assert "Tori Market has no unicorn" in text_of(await glasses.asks())
        me.type("a replacement for the eggs, at most nine euros")
        asked = await glasses.says("at most 9 euros")
        shown = text_of(asked)
        assert "Red apples, about 2 kilos about 4.98 EUR" in shown
        assert asked.card is not None
        about, most = (
            round(float(amount) * 100) for amount in re.findall(r"\d+\.\d\d", asked.card.total)
        )
        assert most - about == 548 - 498
        await asyncio.sleep(0.6)
        me.press()
        await glasses.says("is placed")
        question = await phone.says("There is no Orange juice. Take Apple juice")
        assert question.card is not None
        assert [action.label for action in question.card.actions] == ["Take it", "Leave it out"]
        assert town.bank_entries()[-1]["kind"] == "opening"
        me.type("what is on my shopping list")
        await glasses.says("Shopping list", "unicorn")
        phone.client.gesture("screen", Gesture.PRESS, "take", question.topic)
        await glasses.says("All right, Apple juice instead of Orange juice")
        told = await glasses.says("has packed your groceries", timeout_s=40)
        assert "You get Apple juice instead of Orange juice" in text_of(told)
        await glasses.says("Your order was delivered", timeout_s=60)
    town.wait_for_order("delivered")
    [payment] = [entry for entry in town.bank_entries() if entry["kind"] == "payment"]
    paid = -payment["amount"]
    assert paid < most
    assert [row[0] for row in town.record("SELECT total_minor FROM orders")] == [paid]
    assert paid != about
    [(file,)] = town.record("SELECT receipt FROM orders")
    receipt = verify(file)
    assert receipt.payment.amount.minor == most
    assert receipt.payment.paid is not None
    assert receipt.payment.paid.minor == paid
    assert {x.item_id: x.substitution_max for x in receipt.lines if x.substitution_max} == {
        "eggs_10": 900
    }
    brought: dict[str, Any] = {line.item_id: line for line in receipt.bill}
    assert set(brought) == {"juice_apple", "eggs_10", "apples"}
    assert 0 < brought["apples"].grams <= 2200
    steps = [entry["step"] for entry in town.api("/api/ledger")["entries"]]
    assert steps == ["release", "capture", "hold"]
    assert town.api("/api/ledger/check")["sound"]


async def test_the_one_that_comes_today_is_ordered_and_sent_back(town: Town):
    before = len(town.bank_entries())
    town.speed(6000)
    async with Wearer(town.device_url, town.token, Family.GLASSES, Family.RING, Family.PHONE) as me:
        glasses, phone = me[Family.GLASSES], me[Family.PHONE]
        me.type("find me a phone charger")
        await glasses.says(
            "USB-C charger 20 W at Pohjola Books and More is the cheapest: 21.80 EUR"
        )
        me.type("the one that comes today")
        asked = text_of(await glasses.asks())
        assert "Car charger" in asked
        assert "24.80 EUR" in asked
        await asyncio.sleep(0.6)
        me.press()
        await glasses.says("Your order was delivered", timeout_s=60)
        me.type("i want to return the charger")
        question = await phone.says("Volt Electronics takes", "It keeps 4 euros 90", "Shall I?")
        phone.client.gesture("screen", Gesture.PRESS, "return:yes", question.topic)
        await glasses.says("expects something back")
        await glasses.says("The shop gives you 13 euros back", timeout_s=60)
        me.type("who has the cheapest margherita")
        await glasses.says("Forno Nero", "is the cheapest", "before delivery")
    entries = [x for x in town.bank_entries()[before:] if x["kind"] != "opening"]
    assert [(x["kind"], x["amount"]) for x in entries] == [("payment", -2480), ("refund", 1300)]
    assert town.api("/api/ledger/check")["sound"]
