"""Guidance in virtual time: a walk along the way, off it, and a map that does not answer."""

from __future__ import annotations

import pytest
from stage.loop import wall
from stage.wearing import EARBUDS, GLASSES, PHONE, Worn
from stage.world import World

from lapel.assistant import SavedPlaces
from lapel.assistant.guide import GuideSkill
from lapel.commerce.ports import Unreachable
from lapel.devices.wire import Position
from lapel.services.maps import Mode, Place, Point, Step, Turn, Way

pytestmark = pytest.mark.unit

CORNER, END = (60.1710, 24.9400), (60.1710, 24.9440)


class Town:
    """One corner: north along Kaivokatu, then right into Mikonkatu to the station."""

    def __init__(self) -> None:
        self.asked: list[Point] = []
        self.down = False

    async def geocode(self, address: str) -> Place | None:
        return None

    async def reverse(self, point: Point) -> str:
        return ""

    async def find(self, what: str) -> list[Place]:
        return []

    async def near(self, point: Point, what: str, radius_m: int = 5000) -> list[Place]:
        if self.down:
            raise Unreachable("no answer")
        return [Place("Central Station", "Kaivokatu 1", END, 300.0)] if what == "station" else []

    async def route(self, start: Point, end: Point, mode: Mode) -> Way | None:
        self.asked.append(start)
        first = Step("Kaivokatu", Turn.RIGHT, 222, 165, (start, CORNER))
        last = Step("Mikonkatu", Turn.ARRIVE, 222, 165, (CORNER, END))
        return Way(444, 330, (first, last))


def guided(world: World) -> Town:
    town = Town()
    world.skills = lambda user_id: (
        GuideSkill(user_id, town, SavedPlaces(world.record, user_id), wall),
    )
    return town


async def answered(world: World, device: Worn, text: str) -> str:
    before = len(device.texts())
    device.type(text)
    await world.until(lambda: len(device.texts()) > before)
    return device.texts()[-1]


async def walk(world: World, device: Worn, start: Point, end: Point, steps: int) -> None:
    for n in range(steps + 1):
        share = n / steps
        lat = start[0] + (end[0] - start[0]) * share
        lon = start[1] + (end[1] - start[1]) * share
        device._feed(Position(lat, lon, 5.0))
        await world.passes(5)


def huds(device: Worn) -> list[str]:
    return [cue.card.title for cue in device.told() if cue.topic == "navigation" and cue.card]


async def test_a_walk_is_guided_turn_by_turn_and_ends() -> None:
    async with World() as world:
        town = guided(world)
        phone, glasses, earbuds = await world.wear(PHONE, GLASSES, EARBUDS)
        start = (60.1690, 24.9400)
        phone._feed(Position(*start, 5.0))
        await world.passes(1)
        said = await answered(world, phone, "navigate to the station")
        assert "Central Station" in said
        assert town.asked == [start]
        assert next(cue.card.map for cue in phone.told() if cue.card and cue.card.map)
        await walk(world, phone, start, CORNER, 10)
        assert huds(glasses)[0].startswith("→ 2")
        assert "Turn right into Mikonkatu." in earbuds.spoken()
        assert "Mikonkatu" in await answered(world, phone, "what is my next turn")
        await walk(world, phone, CORNER, END, 10)
        assert earbuds.spoken()[-1] == "You are there."
        assert huds(glasses)[-1] == "●"
        assert earbuds.spoken().count("Turn right into Mikonkatu.") == 1
        count = len(huds(glasses))
        await walk(world, phone, END, CORNER, 3)
        assert len(huds(glasses)) == count


async def test_off_the_way_a_new_one_is_sought() -> None:
    async with World() as world:
        town = guided(world)
        phone, glasses = await world.wear(PHONE, GLASSES)
        phone._feed(Position(60.1690, 24.9400, 5.0))
        await world.passes(1)
        await answered(world, phone, "navigate to the station")
        lost = (60.1690, 24.9450)
        phone._feed(Position(*lost, 5.0))
        await world.passes(2)
        assert len(town.asked) == 1
        phone._feed(Position(*lost, 5.0))
        await world.passes(2)
        assert town.asked[-1] == lost
        assert huds(glasses)[-1] == "↑ Kaivokatu"
        assert "over" in await answered(world, phone, "stop navigation")
        await world.until(lambda: "navigation" not in glasses.cards)
        phone._feed(Position(60.1700, 24.9400, 5.0))
        await world.passes(2)
        assert huds(glasses)[-1] == "↑ Kaivokatu"


async def test_distances_unknown_places_and_a_map_that_is_down() -> None:
    async with World() as world:
        town = guided(world)
        (phone,) = await world.wear(PHONE)
        assert "where you are" in await answered(world, phone, "how far is it to the station")
        phone._feed(Position(60.1690, 24.9400, 5.0))
        await world.passes(1)
        assert "440 m" in await answered(world, phone, "how far is it to the station")
        assert "The office" in await answered(world, phone, "how far is the office")
        assert "do not know where the" not in phone.texts()[-1]
        assert (
            "do not know where xanadu"
            in (await answered(world, phone, "navigate to xanadu")).lower()
        )
        assert "no pharmacy" in await answered(world, phone, "where is the nearest pharmacy")
        town.down = True
        assert "does not answer" in await answered(world, phone, "navigate to the station")
        assert "not guiding" in await answered(world, phone, "stop navigation")
