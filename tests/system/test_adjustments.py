"""A shop that gives a part back, with real programs: told once each, and the bank says the same."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from lapel.devices import Family
from town import Town
from wearer import Wearer

pytestmark = pytest.mark.net


async def test_what_is_missing_and_what_is_given_for_the_trouble(text_town: Town):
    text_town.fault("item_missing", merchant="blue-door")
    text_town.fault("credit", merchant="blue-door")
    families = (Family.GLASSES, Family.RING, Family.PHONE)
    async with Wearer(text_town.device_url, text_town.token, *families) as me:
        me.type("two croissants to my office")
        hud = await me[Family.GLASSES].asks()
        assert hud.card is not None
        total = round(float(hud.card.total.split()[0]) * 100)
        await asyncio.sleep(0.6)  # longer than a gesture must come after the question
        me.press()
        await me[Family.PHONE].says("One was missing", timeout_s=60)
        await me[Family.PHONE].says("wants to give you", "For your trouble", timeout_s=60)
        until = time.monotonic() + 60
        while len(told(text_town)) < 3:
            assert time.monotonic() < until, told(text_town)
            await asyncio.sleep(0.1)
    kinds = [kind for kind, _ in told(text_town)]
    assert kinds == ["part_refunded", "refund_promised", "part_refunded"]
    given = [amount for kind, amount in told(text_town) if kind == "part_refunded"]
    assert given[1] == -(total * 10 // 100)
    entries = text_town.bank_entries()
    assert [x["amount"] for x in entries if x["kind"] == "payment"] == [-total]
    assert [-x["amount"] for x in entries if x["kind"] == "refund"] == given
    order = text_town.wait_for_order("delivered")
    assert "refunded" not in [event["kind"] for event in order["events"]]


def told(town: Town) -> list[tuple[str, int]]:
    rows = town.record("SELECT kind, data FROM order_events WHERE kind LIKE '%refund%' ORDER BY n")
    return [(kind, json.loads(data)["amount"]["minor"]) for kind, data in rows]
