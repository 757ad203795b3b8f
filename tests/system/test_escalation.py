"""Wine for a pizza: the shop wants to see the buyer, with real programs from the words to the bank."""

from __future__ import annotations

import asyncio

import pytest

from lapel.devices import Cue, Family
from town import Town
from wearer import Wearer

pytestmark = pytest.mark.net


def wearer(town: Town) -> Wearer:
    return Wearer(town.device_url, town.token, Family.GLASSES, Family.RING, Family.PHONE)


def page_of(cue: Cue) -> str:
    assert cue.card is not None
    assert cue.card.link is not None
    return cue.card.link.url


def links(cue: Cue) -> bool:
    return cue.card is not None and cue.card.link is not None


async def test_confirmed_on_the_shops_page_then_on_the_ring(text_town: Town):
    async with wearer(text_town) as me:
        me.type("a margherita and a red wine from Forno Nero to my office")
        page = page_of(await me[Family.PHONE].cue(links))
        assert "older" in (await me[Family.GLASSES].says("The shop says")).card.body  # type: ignore[union-attr]
        answer = await asyncio.to_thread(text_town.http.post, f"{page}/confirm")
        assert answer.status_code == 303
        question = await me[Family.GLASSES].asks()
        assert question.card is not None
        await asyncio.sleep(0.6)  # longer than a gesture must come after the question
        me.press()
        await me[Family.GLASSES].placed()
    kinds = [entry["kind"] for entry in text_town.bank_entries()]
    assert kinds.count("payment") == 1
    order = text_town.wait_for_order("placed", "delivered")
    kinds = [event["kind"] for event in order["events"]]
    assert kinds.index("escalated") < kinds.index("approval_needed") < kinds.index("placed")


async def test_bought_on_the_shops_page_costs_nothing_at_the_bank(text_town: Town):
    before = text_town.bank_entries()
    async with wearer(text_town) as me:
        me.type("a lager from Forno Nero to my office")
        page = page_of(await me[Family.PHONE].cue(links))
        answer = await asyncio.to_thread(text_town.http.post, f"{page}/finish")
        assert answer.status_code == 303
        await me[Family.GLASSES].says("I paid nothing")
        await me[Family.GLASSES].says("delivered", timeout_s=60)
    assert text_town.bank_entries() == before
    order = text_town.wait_for_order("delivered")
    assert order["receipt"] is False
