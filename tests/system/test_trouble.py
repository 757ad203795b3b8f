"""What goes wrong out there ends in a clear word to the user and in a correct state."""

from __future__ import annotations

import asyncio

import pytest

from lapel.devices import Family
from town import Town, with_settings
from wearer import Wearer

pytestmark = pytest.mark.net

CAFE = "blue-door"


async def ordered(town: Town, me: Wearer, text: str = "a cappuccino to my office") -> None:
    """Ask, see the price, press the ring."""
    me.type(text)
    await me[Family.GLASSES].asks()
    await asyncio.sleep(0.6)
    me.press()


def wearer(town: Town) -> Wearer:
    return Wearer(town.device_url, town.token, Family.GLASSES, Family.RING, Family.PHONE)


def paid(town: Town) -> int:
    """What the user has paid in all, in minor units."""
    return -sum(entry["amount"] for entry in town.bank_entries() if entry["kind"] != "opening")


@pytest.fixture(autouse=True)
def calm(text_town: Town):
    text_town.no_faults()
    yield
    text_town.no_faults()


async def test_a_declined_card(text_town: Town):
    before = paid(text_town)
    text_town.fault("decline_payment")
    async with wearer(text_town) as me:
        await ordered(text_town, me)
        await me[Family.GLASSES].says("declined", "Nothing was charged")
    text_town.wait_for_order("failed", "refunded", "canceled")
    assert paid(text_town) == before


async def test_a_price_that_rose_is_asked_again_and_costs_nothing_until_then(text_town: Town):
    before = paid(text_town)
    async with wearer(text_town) as me:
        me.type("a cappuccino to my office")
        glasses = me[Family.GLASSES]
        first = await glasses.asks()
        text_town.fault("price_raise")
        await asyncio.sleep(0.6)
        glasses.forget()
        me.press()
        second = await glasses.asks()
        assert second.topic != first.topic
        assert second.card is not None
        assert first.card is not None
        assert second.card.total != first.card.total
        assert paid(text_town) == before
        await asyncio.sleep(0.6)
        me.press()
        await glasses.placed()
    assert paid(text_town) > before


async def test_a_shop_that_takes_more_than_it_quoted_is_not_paid(text_town: Town):
    before = paid(text_town)
    text_town.fault("overcharge")
    async with wearer(text_town) as me:
        await ordered(text_town, me)
        # Not "awaiting_approval": so it stands until the press arrives, and it would be approved later.
        await asyncio.to_thread(text_town.wait_for_order, "failed", "refunded")
        await me[Family.GLASSES].says("Nothing was charged")
    assert paid(text_town) == before


async def test_a_shop_that_answers_nonsense(text_town: Town):
    text_town.fault("nonsense", times=8)
    async with wearer(text_town) as me:
        me.type("a cappuccino to my office")
        await me[Family.GLASSES].says("Nothing was ordered")
    assert text_town.orders()[0]["state"] == "failed"


async def test_a_shop_that_loses_its_answer_delivers_once(text_town: Town):
    before = paid(text_town)
    async with wearer(text_town) as me:
        me.type("a cappuccino to my office")
        asked = await me[Family.GLASSES].asks()
        text_town.fault("http_500_after", operation="complete")
        await asyncio.sleep(0.6)
        me.press()
        await asyncio.to_thread(text_town.wait_for_order, "placed", "delivered")
        await me[Family.GLASSES].says("is placed", timeout_s=40)
    assert asked.card is not None
    assert paid(text_town) - before == round(float(asked.card.total.split()[0]) * 100)


async def test_a_closed_shop(text_town: Town):
    text_town.fault("closed", times=5, merchant=CAFE)
    async with wearer(text_town) as me:
        me.type("a cappuccino from Blue Door to my office")
        await me[Family.GLASSES].says("closed")
    assert text_town.orders()[0]["state"] == "failed"


async def test_a_shop_that_sold_out_meanwhile(text_town: Town):
    async with wearer(text_town) as me:
        me.type("a cappuccino to my office")
        await me[Family.GLASSES].asks()
        text_town.fault("sold_out")
        await asyncio.sleep(0.6)
        me.press()
        found = await asyncio.to_thread(text_town.wait_for_order, "failed", "refunded", "canceled")
        assert found["state"] in ("failed", "refunded")
        await me[Family.GLASSES].says("Nothing was charged")


async def test_an_unknown_dish_is_named(text_town: Town):
    before = len(text_town.orders())
    async with wearer(text_town) as me:
        me.type("I would like a unicorn frappe to my office please")
        await me[Family.GLASSES].says("unicorn")
    assert len(text_town.orders()) == before


async def test_an_amount_above_the_limit(text_town: Town):
    async with wearer(text_town) as me:
        me.type("fifty cappuccinos to my office")
        await me[Family.GLASSES].says("limit")
    assert text_town.orders()[0]["state"] in ("failed", "refused", "canceled")


async def test_silence_lapses_with_a_word(tmp_path_factory: pytest.TempPathFactory):
    town = Town(tmp_path_factory.mktemp("lapse"))
    try:
        soon = with_settings(town.folder, "[commerce]\napproval_s = 3.0\n")
        town.open_gateway("--text", *soon)
        town.wait_for_menus()
        async with wearer(town) as me:
            me.type("a cappuccino to my office")
            await me[Family.GLASSES].asks()
            await me[Family.GLASSES].says("Nobody confirmed")
        assert town.orders()[0]["state"] == "lapsed"
        assert paid(town) == 0
    finally:
        town.close()
