"""Groceries with real programs: from a spoken list to the door, weighed, with something else brought instead."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lapel.commerce import verify
from lapel.devices import Family, Gesture
from town import Town, opened
from wearer import Wearer, text_of

pytestmark = pytest.mark.net


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    yield from opened(tmp_path_factory.mktemp("groceries"), "--text", speed=240)


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
        asked = await glasses.asks()
        shown = text_of(asked)
        assert "Tori Market has no unicorn" in shown
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
    brought: dict[str, Any] = {line.item_id: line for line in receipt.bill}
    assert set(brought) == {"juice_apple", "eggs_10", "apples"}
    assert 0 < brought["apples"].grams <= 2200
    steps = [entry["step"] for entry in town.api("/api/ledger")["entries"]]
    assert steps == ["release", "capture", "hold"]
    assert town.api("/api/ledger/check")["sound"]
