"""Rides with real programs: asked for by text, approved on the ring, followed to the door, paid once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
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
    yield from opened(tmp_path_factory.mktemp("rides"), "--text", speed=120)


@pytest.fixture(autouse=True)
def no_faults_left(town: Town) -> Iterator[None]:
    yield
    town.no_faults()


def wearer(town: Town) -> Wearer:
    families = (Family.GLASSES, Family.RING, Family.PHONE)
    return Wearer(town.device_url, town.token, *families)


async def book(me: Wearer, words: str) -> Any:
    """Ask for a ride of a named class, and press the ring when its price is shown."""
    me.forget()
    me.type(words)
    asked = await me[Family.GLASSES].asks()
    await asyncio.sleep(0.6)  # longer than a gesture must come after the question
    me.press()
    await me[Family.GLASSES].placed()
    return asked


def spent(town: Town) -> int:
    """Cents that left the user's account, less what came back."""
    return -sum(entry["amount"] for entry in town.bank_entries() if entry["kind"] != "opening")


def kinds(order: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in order["events"]]


async def test_a_ride_by_text_is_approved_on_the_ring_and_followed_to_the_door(town: Town):
    before = spent(town)
    async with wearer(town) as me:
        me.type("get me a ride home")
        card = await me[Family.PHONE].says("Economy", "Comfort", "Van")
        assert card.kind is CueKind.REPLY
        assert card.card is not None
        assert [action.label for action in card.card.actions] == ["Economy", "Comfort", "Van"]
        me.type("the comfort please")
        asked = await me[Family.GLASSES].asks()
        shown = text_of(asked)
        assert "Comfort ride" in shown
        assert "From your office to home" in shown
        assert "Cancelling is free for 2 minutes, then 4 euros" in shown
        me.type("where is my order?")
        await me[Family.PHONE].cue(
            lambda cue: cue.kind is CueKind.REPLY and "Press" in text_of(cue)
        )
        await asyncio.sleep(0.6)
        me.press()
        await me[Family.GLASSES].placed()
        await me[Family.GLASSES].says("comes for you in a")
        where = await me[Family.PHONE].cue(lambda cue: bool(cue.card and cue.card.map), 40)
        assert where.card is not None
        assert where.card.map is not None
        assert where.card.map.courier is not None
        assert where.card.progress is not None
        assert where.card.progress.steps[-1] == "Arrived"
        await me[Family.GLASSES].says("Your driver is here:")
        await me[Family.GLASSES].says("You are on your way")
        await me[Family.GLASSES].says("You have arrived", timeout_s=60)
    order = town.wait_for_order("delivered")
    assert len(kinds(order)) == len(set(kinds(order)))
    payments = [e for e in town.bank_entries() if e["kind"] == "payment"]
    assert len(payments) == 1
    assert spent(town) - before == -payments[0]["amount"] > 0
    [(file,)] = town.record("SELECT receipt FROM orders WHERE receipt IS NOT NULL")
    receipt = verify(file)
    assert receipt.trip is not None
    assert receipt.trip.pickup is not None
    assert (receipt.trip.pickup.label, receipt.trip.destination.label) == ("office", "home")
    assert receipt.total.minor == -payments[0]["amount"]


async def test_tip_afterwards_is_asked_and_paid_by_itself(town: Town):
    before = spent(town)
    async with wearer(town) as me:
        me.type("tip two euros")
        asked = await me[Family.GLASSES].asks()
        assert "Tip for" in text_of(asked)
        assert "2.00" in text_of(asked)
        assert spent(town) == before
        await asyncio.sleep(0.6)
        me.press()
        await me[Family.GLASSES].says("Your driver has the tip")
    assert spent(town) - before == 200


async def test_a_dearer_destination_is_asked_about_and_a_late_cancel_keeps_the_fee(town: Town):
    town.speed(20)
    town.fault("driver_late", merchant="lokki")  # so that the free minutes are over when it comes
    before = spent(town)
    async with wearer(town) as me:
        await book(me, "get me an economy ride to the station")
        fare = spent(town) - before
        me.forget()
        me.type("change the destination to home")
        asked = await me[Family.GLASSES].asks()
        assert "New destination: home" in text_of(asked)
        assert spent(town) - before == fare, "nothing more is paid before the press"
        await asyncio.sleep(0.6)
        me.press()
        await me[Family.GLASSES].says("Your driver goes to home now")
        dearer = spent(town) - before
        assert dearer > fare
        town.speed(120)
        await me[Family.GLASSES].says("almost there", timeout_s=40)
        town.speed(4)
        me.forget()
        me.type("cancel my ride")
        await me[Family.PHONE].says("Cancelling your ride costs 4 euros now")
        me.type("yes")
        await me[Family.GLASSES].says("Your ride is cancelled. It cost 4 euros")
    town.speed(120)
    assert spent(town) - before == 400


async def test_a_driver_who_gives_up_is_replaced_or_the_money_comes_back(town: Town):
    before = spent(town)
    town.fault("driver_cancels", merchant="lokki")
    async with wearer(town) as me:
        await book(me, "get me a comfort to the library")
        await me[Family.GLASSES].says("had to give up the ride", timeout_s=40)
        await me[Family.GLASSES].says("You have arrived", timeout_s=60)
        town.fault("driver_cancels", merchant="lokki")
        town.fault("nobody_free", merchant="lokki", operation="complete")
        town.fault("driver_cancels", merchant="lokki")
        between = spent(town)
        me.forget()
        me.type("get me a van to the gym")
        await me[Family.GLASSES].asks()
        await asyncio.sleep(0.6)
        me.press()
        await me[Family.GLASSES].says("no driver free", timeout_s=40)
        town.no_faults()
        town.fault("driver_cancels", merchant="lokki", times=2)
        await book(me, "get me a van to the gym")
        await me[Family.GLASSES].says("there is no driver for it", timeout_s=40)
        await me[Family.GLASSES].says("back", timeout_s=40)
    assert between > before
    assert spent(town) == between


def ahead_s(order: dict[str, Any]) -> float:
    """Seconds until the pick-up of a ride for later."""
    at = datetime.fromisoformat(order["pickup_at"])
    return (at - datetime.now(at.tzinfo)).total_seconds()


async def test_a_ride_for_later_is_booked_moved_reminded_of_and_driven_at_its_time(town: Town):
    town.speed(240)
    before = spent(town)
    async with wearer(town) as me:
        asked = await book(me, "an economy ride home from the office tomorrow at 1 pm")
        shown = text_of(asked)
        assert "at 13:00" in shown
        assert "From your office to home" in shown
        assert "Cancelling is free until 12:30, then 4 euros" in shown
        await me[Family.GLASSES].says("Your ride is booked for")
        order = town.wait_for_order("placed")
        zone = ZoneInfo("Europe/Helsinki")
        day = datetime.now(zone).date() + timedelta(days=1)
        at = datetime(day.year, day.month, day.day, 13, tzinfo=zone)
        assert order["pickup_at"] == at.isoformat()
        [(file,)] = town.record(
            "SELECT receipt FROM orders WHERE receipt IS NOT NULL ORDER BY created_at DESC LIMIT 1"
        )
        receipt = verify(file)
        assert receipt.trip is not None
        assert receipt.trip.pickup_at == at.isoformat()
        assert receipt.trip.free_until == (at - timedelta(minutes=30)).isoformat()
        fare = spent(town) - before
        me.forget()
        me.type("where is my driver")
        await me[Family.PHONE].says("Your ride home comes tomorrow at 13:00")
        me.forget()
        me.type("make it half past one")
        await me[Family.PHONE].says("at 13:30 now.")
        assert spent(town) - before == fare
        order = town.wait_for_order("placed")
        assert order["pickup_at"] == (at + timedelta(minutes=30)).isoformat()
        town.nearer(ahead_s(order) - 3000)
        await me[Family.GLASSES].says("Your ride comes at 13:30")
        town.nearer(2997)
        await me[Family.GLASSES].says("comes for you in a")
        await me[Family.GLASSES].says("Your driver is here:", timeout_s=40)
        await me[Family.GLASSES].says("You have arrived", timeout_s=60)
    order = town.wait_for_order("delivered")
    assert len(kinds(order)) == len(set(kinds(order)))
    assert "late" not in kinds(order)
    assert spent(town) - before == fare


async def test_a_ride_for_later_is_given_up_or_given_back_when_nobody_can_drive_it(town: Town):
    town.speed(120)
    before = spent(town)
    async with wearer(town) as me:
        await book(me, "an economy ride home from the office tomorrow at 1 pm")
        town.wait_for_order("placed")
        await book(me, "a comfort to the library from the office tomorrow at 2 pm")
        until = asyncio.get_running_loop().time() + 20
        while [order["state"] for order in town.orders()[:2]] != ["placed", "placed"]:
            assert asyncio.get_running_loop().time() < until
            await asyncio.sleep(0.1)
        me.forget()
        me.type("cancel my ride")
        card = await me[Family.PHONE].says("Ride home tomorrow at 13:00", "tomorrow at 14:00")
        assert card.card is not None
        assert [action.label for action in card.card.actions] == ["1", "2"]
        me.type("the ride home")
        await me[Family.PHONE].says("Cancelling your ride home tomorrow at 13:00 is free now")
        me.type("yes")
        await me[Family.GLASSES].says("Your ride is cancelled")
        await me[Family.GLASSES].says("back", timeout_s=40)
        order = town.wait_for_order("placed")
        assert "14:00" in order["pickup_at"]
        town.fault("nobody_free", merchant="lokki", operation="dispatch")
        town.nearer(ahead_s(order) - 5)
        await me[Family.GLASSES].says("there is no driver for it", timeout_s=40)
        await me[Family.GLASSES].says("back", timeout_s=40)
    until = asyncio.get_running_loop().time() + 20
    while spent(town) != before:
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0.1)


def waiting(town: Town) -> list[dict[str, Any]]:
    return [o for o in town.orders()[:2] if o["state"] == "awaiting_approval"]


async def test_coffee_and_a_ride_wait_for_their_presses_side_by_side(town: Town):
    async with wearer(town) as me:
        me.type("get me an economy ride to the gym")
        ride = await me[Family.GLASSES].asks()
        me.type("a latte to my office")
        coffee = await me[Family.GLASSES].cue(
            lambda cue: cue.kind is CueKind.APPROVAL and cue.topic != ride.topic
        )
        states = {order["state"] for order in town.orders()[:2]}
        assert states == {"awaiting_approval"}
        me.type("cancel")
        await me[Family.GLASSES].says("cancelled")
        until = asyncio.get_running_loop().time() + 20
        while [o["merchant_name"] for o in waiting(town)] != ["Lokki Rides"]:
            assert asyncio.get_running_loop().time() < until
            await asyncio.sleep(0.1)
        assert "latte" in text_of(coffee).lower()
        me.type("never mind")
        until = asyncio.get_running_loop().time() + 20
        while any(o["state"] == "awaiting_approval" for o in town.orders()[:2]):
            assert asyncio.get_running_loop().time() < until
            await asyncio.sleep(0.1)


def test_lapel_ask_gets_a_ride(town: Town):
    command = [str(Path(sys.executable).with_name("lapel")), "ask", "get me a ride home", "--json"]
    told = subprocess.run(
        [*command, "--data", str(town.folder / "lapel")], capture_output=True, text=True, check=True
    )
    cards = [json.loads(line).get("card", {}) for line in told.stdout.splitlines()]
    assert any(card["title"] == "Lokki Rides" for card in cards)
