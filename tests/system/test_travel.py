"""Travel with real programs: searched by text, approved on the ring, changed, given back, all by the fare's rules."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from lapel.commerce import verify
from lapel.devices import CueKind, Family
from town import Town, opened
from wearer import Wearer, text_of

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    for town in opened(tmp_path_factory.mktemp("travel"), "--text"):
        until = time.monotonic() + 30  # they are met one after the other, behind the start
        while "Lantern Hotels" not in [m["name"] for m in town.api("/api/merchants")]:
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


async def approve(me: Wearer) -> Any:
    """Press the ring when the question is shown."""
    asked = await me[Family.GLASSES].asks()
    await asyncio.sleep(0.6)  # longer than a gesture must come after the question
    me.press()
    return asked


async def test_a_flight_is_found_named_approved_changed_and_given_back(town: Town):
    async with wearer(town) as me:
        me.type("flights to Berlin on Friday")
        card = await me[Family.PHONE].says("Helsinki to Berlin")
        assert card.kind is CueKind.REPLY
        assert card.card is not None
        assert len(card.card.actions) == 5
        me.type("the cheapest flexible one")
        await me[Family.PHONE].says("Under which name?")
        me.type("Anna Virtanen")
        asked = await approve(me)
        shown = text_of(asked)
        assert "Anna Virtanen" in shown
        assert "Changes and a refund are free until" in shown
        await me[Family.GLASSES].says("Your flight is booked")
        paid = spent(town)
        assert paid > 0
        me.forget()
        me.type("when does my flight leave")
        await me[Family.PHONE].says("leaves Helsinki on Friday")
        me.forget()
        me.type("change it to Saturday")
        told = await me[Family.PHONE].cue(lambda cue: "Saturday" in text_of(cue))
        if told.kind is CueKind.APPROVAL:
            await asyncio.sleep(0.6)
            me.press()
        else:
            me.type("yes")
        await me[Family.GLASSES].says("Your booking is for flight")
        me.forget()
        me.type("when does my flight leave")
        await me[Family.PHONE].says("leaves Helsinki on Saturday")
        me.forget()
        me.type("cancel my flight")
        await me[Family.PHONE].says("back for your flight")
        me.type("yes")
        await me[Family.GLASSES].says("You got")
    until = asyncio.get_running_loop().time() + 20
    while spent(town):
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0.1)
    files = [row[0] for row in town.record("SELECT receipt FROM orders WHERE receipt IS NOT NULL")]
    journeys = [verify(file).journey for file in files]
    booked = next(x for x in journeys if x is not None and not x.is_change)
    assert str(booked.travellers[0]) == "Anna Virtanen"
    assert booked.fare.refund_fee == 0
    begins, ends = datetime.fromisoformat(booked.begins), datetime.fromisoformat(booked.ends)
    assert begins.utcoffset() is not None
    assert begins.utcoffset() > ends.utcoffset()


async def test_a_basic_fare_is_kept_by_the_rules_that_were_read_out(town: Town):
    before = spent(town)
    async with wearer(town) as me:
        me.type("a train to Tampere tomorrow at nine")
        await me[Family.PHONE].says("Trains from Helsinki to Tampere")
        me.type("the nine o'clock one")
        asked = await approve(me)
        assert "It cannot be changed or refunded." in text_of(asked)
        await me[Family.GLASSES].says("Your train is booked")
        fare = spent(town) - before
        assert fare > 0
        me.forget()
        me.type("cancel my train")
        await me[Family.PHONE].says("Nothing of")
        me.type("yes")
        await me[Family.GLASSES].says("nothing comes back")
        assert spent(town) - before == fare


async def test_a_hold_a_room_and_what_the_company_cancels(town: Town):
    before = spent(town)
    async with wearer(town) as me:
        me.type("a hotel in Tampere for one night from Friday")
        await me[Family.PHONE].says("1 night from Friday")
        me.type("hold it")
        await me[Family.PHONE].says("is held for")
        assert spent(town) == before
        town.fault("departure_canceled", merchant="lantern", seconds=1)
        me.type("book it")
        await approve(me)
        await me[Family.GLASSES].says("Your room is booked")
        await me[Family.GLASSES].says("is called off by the company", timeout_s=40)
        me.type("refund it")
        await me[Family.PHONE].says("You get all of")
        me.type("yes")
        await me[Family.GLASSES].says("You got")
    assert spent(town) == before
