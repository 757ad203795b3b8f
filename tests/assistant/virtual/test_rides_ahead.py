"""Rides for later in virtual time: booked for a time, moved, given up, and never taken for the one under way.

It is Monday 24 November 2025, 18:00 in Helsinki.
"""

from __future__ import annotations

import pytest
from stage.cars import STATION, Company
from stage.loop import wall
from stage.shops import HOME, OFFICE
from stage.wearing import GLASSES, PHONE, RING, Worn, text_of
from stage.world import World

from lapel.assistant import RideSkill, SavedPlaces
from lapel.commerce import Order, OrderState, PutOff, verify
from lapel.devices import CardLine, CueKind
from lapel.devices.wire import Position

pytestmark = pytest.mark.unit

TEN = "2025-11-24T22:00:00+02:00"
HALF_PAST = "2025-11-24T22:30:00+02:00"
MORNING = "2025-11-25T06:30:00+02:00"


async def driven(world: World) -> Company:
    company = Company(world.street)
    world.street.set("fee", 0)
    for item, price in (("economy", 1240), ("van", 1890), ("pickup_change", 240)):
        world.street.set(f"price:{item}", price)
    await SavedPlaces(world.record, world.user_id).save(HOME, default=True)
    world.skills = lambda user_id: (
        RideSkill(user_id, world.orders, company, SavedPlaces(world.record, user_id), wall),
    )
    return company


async def answered(world: World, device: Worn, text: str) -> str:
    before = len(device.texts())
    device.type(text)
    await world.until(lambda: len(device.texts()) > before)
    return device.texts()[-1]


async def booked(world: World, phone: Worn, ring: Worn, words: str) -> Order:
    """Ask for an economy ride, and press the ring when its price is shown."""
    before = len(phone.questions)
    phone.type(words)
    await world.until(lambda: len(phone.questions) > before)
    await world.passes(1)
    ring.press()
    return await world.state(OrderState.PLACED)


async def test_a_taxi_at_ten_is_read_back_asked_and_proved_with_its_time() -> None:
    async with World() as world:
        company = await driven(world)
        phone, ring = await world.wear(PHONE, RING)
        said = await answered(world, phone, "a taxi to the station at ten")
        assert (
            said
            == "Lokki | Economy 12.40 EUR | Van 18.90 EUR | From home to Central Station, today at 22:00."
        )
        phone.type("economy")
        await world.asked()
        assert "to Central Station on Monday 24 November at 22:00" in text_of(phone.question)
        assert phone.question.lines[0] == CardLine("Pick-up", "Mon 24 Nov 22:00")
        await world.passes(1)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert company.times == [TEN]
        assert order.draft.trip.pickup_at == TEN
        assert verify(order.receipt).trip.pickup_at == TEN
        await world.until(
            lambda: any("booked for Monday 24 November at 22:00" in x for x in phone.texts())
        )


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("an economy ride to the station tomorrow at 6:30 am", MORNING),
        ("an economy ride to the station tomorrow at 06:30", MORNING),
        ("an economy ride to the station tomorrow morning at 6:30", MORNING),
        # As in reminders: who says six of another day without more means the evening.
        ("an economy ride to the station tomorrow at 6:30", "2025-11-25T18:30:00+02:00"),
        ("an economy ride to the station at seven", "2025-11-24T19:00:00+02:00"),
        ("an economy ride to the station at five", "2025-11-25T17:00:00+02:00"),
        ("an economy ride to the station in two hours", "2025-11-24T20:00:00+02:00"),
        ("an economy ride to the station by ten", "2025-11-24T21:35:00+02:00"),
    ],
)
async def test_times_mean_the_next_such_time_there(words: str, at: str) -> None:
    async with World() as world:
        company = await driven(world)
        (phone,) = await world.wear(PHONE)
        phone.type(words)
        await world.asked()
        assert company.times[-1][:16] == at[:16]


async def test_a_day_alone_is_asked_about_and_the_past_is_refused() -> None:
    async with World() as world:
        company = await driven(world)
        (phone,) = await world.wear(PHONE)
        said = await answered(world, phone, "a taxi to the station tomorrow")
        assert said.endswith("At what time?")
        assert company.asked == []
        assert "tomorrow at 18:30" in await answered(world, phone, "half past six")
        assert "tomorrow at 06:30" in await answered(world, phone, "make it half past six am")
        assert company.times[-1] == MORNING
        said = await answered(world, phone, "a taxi to the station today at nine am")
        assert "already passed" in said
        assert await world.orders.list(world.user_id) == []


async def test_a_ride_for_later_does_not_begin_where_the_user_is_now() -> None:
    async with World() as world:
        company = await driven(world)
        (phone,) = await world.wear(PHONE)
        phone._feed(Position(60.19, 24.95, 8.0))
        await world.passes(1)
        await answered(world, phone, "a taxi to the station at ten")
        assert company.asked[-1] == (HOME, STATION)
        await answered(world, phone, "a taxi to the station in twenty minutes")
        assert company.asked[-1][0].latitude == 60.19
        said = await answered(world, phone, "pick me up at the office at ten")
        assert said.endswith("Where to?")
        await answered(world, phone, "home")
        assert company.asked[-1] == (OFFICE, HOME)


async def test_it_can_be_half_past_ten_before_and_after_it_is_booked() -> None:
    async with World() as world:
        await driven(world)
        phone, ring = await world.wear(PHONE, RING)
        await answered(world, phone, "a taxi to the station at ten")
        assert "today at 22:30" in await answered(world, phone, "make it half past ten")
        phone.type("economy")
        await world.asked()
        phone.type("make it ten o'clock")
        await world.asked(2)
        assert "at 22:00" in text_of(phone.question)
        await world.passes(1)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert order.draft.trip.pickup_at == TEN
        await world.quiet()
        said = await answered(world, phone, "make it half an hour later")
        assert "I am telling the ride company." in said
        await world.until(lambda: world.of_kind("pickup_changed"))
        order = await world.state(OrderState.PLACED)
        assert order.draft.trip.pickup_at == HALF_PAST
        [(_, request, key)] = world.street.asked
        assert (request, key) == (PutOff(HALF_PAST), f"{order.id}:{order.revision}:ask:0")
        assert world.street.money_kept() == 1240


async def test_a_dearer_time_is_asked_about_before_anything_is_paid() -> None:
    async with World() as world:
        company = await driven(world)
        phone, ring = await world.wear(PHONE, RING)
        order = await booked(world, phone, ring, "an economy ride to the station at ten")
        company.dearer = 240
        phone.type("move my ride to half past ten")
        await world.asked(2)
        assert "New time: Monday 24 November at 22:30" in text_of(phone.question)
        assert world.street.money_kept() == 1240
        await world.passes(1)
        ring.press()
        await world.until(lambda: world.street.money_kept() == 1480)
        company.moved[order.merchant_order_id] = HALF_PAST
        report = company.happens(order.merchant_order_id, "pickup_changed")
        await world.orders.merchant_reports(report)
        assert (await world.orders.get(order.id)).draft.trip.pickup_at == HALF_PAST


async def test_with_two_booked_it_is_asked_which_one_is_meant() -> None:
    async with World() as world:
        await driven(world)
        phone, ring = await world.wear(PHONE, RING)
        ten = await booked(world, phone, ring, "an economy ride to the station at ten")
        early = await booked(world, phone, ring, "an economy ride to the office tomorrow at 06:30")
        await world.quiet()
        said = await answered(world, phone, "cancel my ride")
        assert "Ride to Central Station today at 22:00" in said
        assert "Ride to your office tomorrow at 06:30" in said
        said = await answered(world, phone, "the second one")
        assert "Cancelling your ride to your office tomorrow at 06:30 is free now" in said
        assert "stays as it is" in await answered(world, phone, "no")
        await answered(world, phone, "cancel my ride")
        said = await answered(world, phone, "the ride to the office")  # no new ride is asked for
        assert "Cancelling your ride to your office" in said
        assert "stays as it is" in await answered(world, phone, "no")
        await answered(world, phone, "cancel my ride")
        said = await answered(world, phone, "a taxi to the office")
        assert "Economy" in said
        await answered(world, phone, "cancel my ride to the office")
        phone.type("yes")
        await world.until(lambda: world.of_kind("refunded"))
        assert (await world.orders.get(early.id)).state is OrderState.REFUNDED
        assert (await world.orders.get(ten.id)).state is OrderState.PLACED
        assert world.street.money_kept() == 1240
        await world.quiet()
        said = await answered(world, phone, "when is my ride")
        assert "Your ride to Central Station comes today at 22:00." in said


async def test_a_card_of_two_rides_has_a_button_for_each() -> None:
    async with World() as world:
        await driven(world)
        phone, ring = await world.wear(PHONE, RING)
        await booked(world, phone, ring, "an economy ride to the station at ten")
        await booked(world, phone, ring, "an economy ride to the office tomorrow at 06:30")
        await world.quiet()
        await answered(world, phone, "cancel my ride")
        card = phone.cards["reply"]
        assert [action.label for action in card.actions] == ["1", "2"]
        before = len(phone.texts())
        phone.tap(card.actions[0].action, "reply")
        await world.until(lambda: len(phone.texts()) > before)
        assert "Cancelling your ride to Central Station today at 22:00" in phone.texts()[-1]


async def test_where_my_driver_is_is_asked_of_the_ride_under_way_alone() -> None:
    async with World() as world:
        company = await driven(world)
        phone, ring = await world.wear(PHONE, RING)
        await booked(world, phone, ring, "an economy ride to the station at ten")
        await world.quiet()
        said = await answered(world, phone, "where is my driver")
        assert "Your ride to Central Station comes today at 22:00." in said
        assert "There is no driver to tip." in await answered(world, phone, "tip two euros")
        now = await booked(world, phone, ring, "an economy ride to the office")
        await world.orders.merchant_reports(
            company.happens(now.merchant_order_id, "driver_assigned")
        )
        await world.quiet()
        said = await answered(world, phone, "where is my driver")
        assert "Aada is about 4 minutes away" in said
        assert "22:00" not in said
        said = await answered(world, phone, "what rides do I have")
        assert "Aada" in said
        assert "today at 22:00" in said


async def test_a_ride_for_later_is_late_after_its_own_time_and_not_when_the_driver_is_there() -> (
    None
):
    async with World() as world:
        company = await driven(world)
        phone, ring = await world.wear(PHONE, RING)
        await booked(world, phone, ring, "an economy ride to the station at seven")
        order = await booked(world, phone, ring, "an economy ride to the office at half past seven")
        await world.passes(62 * 60)
        assert world.of_kind("late") == []
        await world.orders.merchant_reports(
            company.happens(order.merchant_order_id, "driver_assigned", "arrived")
        )
        await world.passes(40 * 60)
        [late] = world.of_kind("late")
        assert late.order_id != order.id
        assert "Your driver should be here by now" in late.text


async def test_a_device_that_comes_back_does_not_show_a_ride_for_later_as_under_way() -> None:
    async with World() as world:
        company = await driven(world)
        phone, ring, glasses = await world.wear(PHONE, RING, GLASSES)
        order = await booked(world, phone, ring, "an economy ride to the station at ten")
        await world.quiet()
        since = len(glasses.told())
        glasses.drop()
        await world.back(glasses)
        await world.passes(2)
        assert [cue for cue in glasses.told()[since:] if cue.topic == f"order:{order.id}"] == []
        await world.orders.merchant_reports(
            company.happens(order.merchant_order_id, "driver_assigned")
        )
        await world.until(lambda: glasses.told(CueKind.ORDER))
        assert any("Aada comes for you" in text_of(c.card) for c in glasses.told() if c.card)
