"""Asking for a ride in virtual time: where it begins, what is asked, and what takes an answer back."""

from __future__ import annotations

import pytest
from stage.cars import STATION, Company
from stage.loop import wall
from stage.shops import HOME, OFFICE
from stage.wearing import GLASSES, PHONE, Worn
from stage.world import World

from lapel.assistant import RideSkill, SavedPlaces
from lapel.devices.wire import Position

pytestmark = pytest.mark.unit


async def driven(world: World) -> Company:
    company = Company()
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


async def test_a_ride_begins_at_the_usual_address_until_a_device_says_where_one_is() -> None:
    async with World() as world:
        company = await driven(world)
        (phone,) = await world.wear(PHONE)
        said = await answered(world, phone, "get me a ride to the station")
        assert "From home to Central Station" in said
        assert company.asked[-1] == (HOME, STATION)
        phone._feed(Position(60.19, 24.95, 8.0))
        await world.passes(1)
        said = await answered(world, phone, "get me a ride to the office")
        assert "From where you are to your office" in said
        pickup, destination = company.asked[-1]
        assert (pickup.latitude, pickup.longitude, destination) == (60.19, 24.95, OFFICE)
        phone._feed(Position(60.1, 24.8, 3000.0))  # a mast, not a street corner
        await world.passes(1)
        await answered(world, phone, "get me a ride to the station")
        assert company.asked[-1][0].latitude == 60.19
        await world.passes(20 * 60)
        said = await answered(world, phone, "get me a ride to the station")
        assert "From home" in said  # an old position is not where the user is


async def test_from_here_is_asked_about_where_nobody_knows_it() -> None:
    async with World() as world:
        company = await driven(world)
        (phone,) = await world.wear(PHONE)
        said = await answered(world, phone, "a taxi from here to the station")
        assert said.endswith("I do not know where you are. Where shall they pick you up?")
        assert company.asked == []
        assert "From home to Central Station" in await answered(world, phone, "home")


async def test_ends_that_are_missing_or_unknown_are_asked_for_one_by_one() -> None:
    async with World() as world:
        company = await driven(world)
        (phone,) = await world.wear(PHONE)
        assert (await answered(world, phone, "i need a taxi")).endswith("Where to?")
        assert company.asked == []
        assert "From home to your office" in await answered(world, phone, "the office")
        said = await answered(world, phone, "get me a ride home")
        assert said.endswith("Where shall they pick you up?")  # not at home
        assert "From your office to home" in await answered(world, phone, "my office")
        said = await answered(world, phone, "a taxi to xanadu")
        assert said.endswith("I do not know xanadu. Where do you want to go?")
        assert "Central Station" in await answered(world, phone, "to the station")


async def test_a_company_without_drivers_or_without_an_answer_is_said() -> None:
    async with World() as world:
        company = await driven(world)
        phone, _ = await world.wear(PHONE, GLASSES)
        company.drivers = False
        assert "no driver free" in await answered(world, phone, "get me a ride to the office")
        company.down = True
        said = await answered(world, phone, "get me a ride to the office")
        assert "does not answer. Nothing was booked." in said
        assert await world.orders.list(world.user_id) == []
