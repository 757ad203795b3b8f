"""Tables with real programs: chosen by word, approved on the ring, changed, given back for what was said; the money stands in both books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lapel.commerce import verify
from lapel.devices import CueKind, Family
from town import Town, opened
from wearer import Wearer, text_of

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    for town in opened(tmp_path_factory.mktemp("tables"), "--text"):
        until = time.monotonic() + 30  # they are met one after the other, behind the start
        while "Satama Tables" not in [m["name"] for m in town.api("/api/merchants")]:
            assert time.monotonic() < until
            time.sleep(0.1)
        yield town


@pytest.fixture(autouse=True)
def no_faults_left(town: Town) -> Iterator[None]:
    yield
    town.no_faults()


def wearer(town: Town) -> Wearer:
    families = (Family.GLASSES, Family.RING, Family.PHONE)
    return Wearer(town.device_url, town.token, *families)


def spent(town: Town) -> int:
    """Cents that left the user's account, less what came back."""
    return -sum(entry["amount"] for entry in town.bank_entries() if entry["kind"] != "opening")


async def until_spent(town: Town, amount: int) -> None:
    until = asyncio.get_running_loop().time() + 20
    while spent(town) != amount:
        assert asyncio.get_running_loop().time() < until, spent(town)
        await asyncio.sleep(0.1)


async def approve(me: Wearer) -> Any:
    """Press the ring when the question is shown."""
    asked = await me[Family.GLASSES].asks()
    await asyncio.sleep(0.6)  # longer than a gesture must come after the question
    me.press()
    return asked


async def test_a_table_is_chosen_named_changed_and_given_back(town: Town):
    async with wearer(town) as me:
        me.type("dinner for two the day after tomorrow near the station")
        await me[Family.PHONE].says("At what time?")
        me.type("half past seven")
        listed = await me[Family.PHONE].says("Table for 2", "on foot")
        assert listed.kind is CueKind.REPLY
        assert listed.card is not None
        assert len(listed.card.actions) > 1
        me.type("the cheapest one")
        await me[Family.PHONE].says("Under which name?")
        me.type("Anna Virtanen")
        asked = await approve(me)
        shown = text_of(asked)
        assert "2 people, Anna Virtanen" in shown
        assert "19:30" in shown
        assert "counts towards the bill" in shown
        await me[Family.GLASSES].says("Your table is booked", "half past seven in the evening")
        deposit = spent(town)
        assert deposit > 0
        me.forget()
        me.type("when is my table")
        await me[Family.PHONE].says("half past seven in the evening", "Anna Virtanen")
        me.forget()
        me.type("make it for three")
        question = await me[Family.GLASSES].asks()
        assert "Change of your table" in text_of(question)
        await asyncio.sleep(0.6)
        me.press()
        await me[Family.GLASSES].says("Your booking is for a table for 3 people")
        await until_spent(town, deposit + deposit // 2)
        me.forget()
        me.type("cancel my table")
        await me[Family.PHONE].says("costs nothing")
        me.type("yes")
        await me[Family.GLASSES].says("You got")
    await until_spent(town, 0)
    files = [row[0] for row in town.record("SELECT receipt FROM orders WHERE receipt IS NOT NULL")]
    tables = [verify(file).table for file in files]
    booked = next(x for x in tables if x is not None and not x.is_change)
    assert booked.guest == "Anna Virtanen"
    assert booked.starts.utcoffset() is not None


def soon() -> str:
    """A day on which Hilla cooks, within the four days in which canceling there costs something."""
    today = datetime.now(ZoneInfo("Europe/Helsinki"))
    days = (today + timedelta(days=ahead) for ahead in (1, 2, 3))
    return next(f"{day:%A}" for day in days if day.weekday() not in (6, 0))


async def test_a_late_cancellation_keeps_what_was_said_and_no_more(town: Town):
    before = spent(town)
    async with wearer(town) as me:
        me.type(f"a table for one on {soon()} at Hilla at seven")
        asked = await approve(me)
        assert "one person" in text_of(asked)
        await me[Family.GLASSES].says("Your table is booked")
        assert spent(town) - before == 9800
        me.forget()
        me.type("cancel my table")
        await me[Family.PHONE].says("costs 60 euros, 38 euros comes back. Shall I cancel it?")
        me.type("no")
        await me[Family.PHONE].says("stays as it is")
        assert spent(town) - before == 9800
        me.forget()
        me.type("cancel my table")
        await me[Family.PHONE].says("Shall I cancel it?")
        me.type("yes")
        await me[Family.GLASSES].says("It cost 60 euros; you get 38 euros back.")
    await until_spent(town, before + 6000)


async def test_what_the_restaurant_calls_off_is_told_and_paid_back(town: Town):
    before = spent(town)
    town.fault("table_canceled", merchant="satama", seconds=2)
    async with wearer(town) as me:
        me.type("a table for two the day after tomorrow at Bao Lane at seven")
        await approve(me)
        await me[Family.GLASSES].says("Your table is booked")
        await me[Family.GLASSES].says("The restaurant cancelled your booking", timeout_s=40)
    await until_spent(town, before)


async def test_words_that_book_nothing(town: Town):
    async with wearer(town) as me:
        for words in ("I might book a table", "did you book a table?", "don't book a table"):
            me.forget()
            me.type(words)
            await me[Family.PHONE].says("did not understand")
    assert town.record("SELECT COUNT(*) FROM orders WHERE state = 'quoting'")[0][0] == 0
