"""A typed order at the City's seller that speaks ACP: the user notices nothing of it."""

from __future__ import annotations

import asyncio

import pytest

from lapel.devices import Family
from town import Town
from wearer import Wearer

pytestmark = pytest.mark.net


async def test_candles_by_word_to_the_door(text_town: Town):
    await asyncio.to_thread(text_town.wait_for_menu, "Lumo Candles")
    shops = await asyncio.to_thread(text_town.api, "/api/merchants")
    [seller] = [row for row in shops if row["protocol"] == "acp"]
    assert (seller["name"], seller["version"]) == ("Lumo Candles", "2026-04-17")
    async with Wearer(
        text_town.device_url, text_town.token, Family.GLASSES, Family.RING, Family.PHONE
    ) as me:
        me.type("two beeswax candles and a scented candle in vanilla to my office")
        asked = await me[Family.GLASSES].asks()
        assert asked.card is not None
        assert [line.text for line in asked.card.lines] != []
        await asyncio.sleep(0.6)  # a press in the first moments is taken for an accident
        me.press()
        order = await asyncio.to_thread(text_town.wait_for_order, "delivered")
    assert order["merchant_name"] == "Lumo Candles"
    assert order["receipt"]
    payments = [entry for entry in text_town.bank_entries() if entry["kind"] == "payment"]
    assert [f"{-entry['amount'] / 100:.2f} EUR" for entry in payments] == [order["total"]]
