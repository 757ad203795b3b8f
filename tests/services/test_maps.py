"""The City's map service through Lapel's provider; a walk along a way, and off it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from city.maps import MapService
from city.shops import city_shops
from city.streets import helsinki
from lapel.commerce.ports import PortError
from lapel.services.maps import AmapMaps, Mode, Turn
from lapel.services.navigation import Navigation, distance_m
from serving import serving

pytestmark = pytest.mark.net


def city_map() -> Starlette:
    streets = helsinki()

    def address(slug: str) -> Any:
        return streets.find(city_shops()[slug].street_address)

    world: Any = SimpleNamespace(
        streets=streets, shops=city_shops(), address=address, door=lambda slug: address(slug).point
    )
    return Starlette(routes=MapService(world).routes())


@pytest.fixture
async def maps() -> AsyncIterator[AmapMaps]:
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        serving(city_map()) as origin,
    ):
        yield AmapMaps(http, origin, "any")


async def test_places_and_ways_of_the_city(maps: AmapMaps):
    home = await maps.geocode("Mikonkatu 15")
    assert home is not None
    assert "Mikonkatu" in await maps.reverse(home.point)
    assert await maps.geocode("Nowhere Street 1") is None
    pharmacies = await maps.near(home.point, "pharmacy")
    assert pharmacies
    away = [place.distance_m or 0 for place in pharmacies]
    assert away == sorted(away)
    (station,) = await maps.find("Central Station")
    walk = await maps.route(home.point, station.point, Mode.WALK)
    ride = await maps.route(home.point, station.point, Mode.RIDE)
    drive = await maps.route(home.point, station.point, Mode.DRIVE)
    assert walk is not None
    assert ride is not None
    assert drive is not None
    straight = distance_m(home.point, station.point)
    assert straight * 0.8 < walk.distance_m < straight * 3
    assert walk.distance_m <= ride.distance_m + 30
    assert ride.duration_s < walk.duration_s
    assert walk.steps[-1].turn is Turn.ARRIVE
    assert any(step.road for step in walk.steps)
    assert sum(step.distance_m for step in walk.steps) == pytest.approx(walk.distance_m, abs=10)
    assert distance_m(walk.points[0], home.point) < 80
    assert distance_m(walk.points[-1], station.point) < 80
    assert await maps.route(home.point, (10.0, 10.0), Mode.WALK) is None
    assert await maps.route(home.point, (10.0, 10.0), Mode.RIDE) is None


async def test_a_walk_along_the_way_arrives_and_straying_is_seen(maps: AmapMaps):
    home = await maps.geocode("Mikonkatu 15")
    (station,) = await maps.find("Central Station")
    assert home is not None
    way = await maps.route(home.point, station.point, Mode.WALK)
    assert way is not None
    navigation = Navigation(way)
    left = [navigation.at(point) for point in way.points]
    assert [entry.left_m for entry in left] == sorted((e.left_m for e in left), reverse=True)
    assert [entry.step for entry in left] == sorted(entry.step for entry in left)
    assert not any(entry.off for entry in left)
    assert left[-1].arrived
    fresh = Navigation(way)
    north = (way.points[0][0] + 0.003, way.points[0][1])
    assert fresh.at(north).off
    assert not fresh.at(north, accuracy_m=500).off


BROKEN: list[Any] = [
    {"status": "0", "info": "INVALID_USER_KEY", "infocode": "10001"},
    {"status": "1", "geocodes": [{"location": "here"}]},
    {"status": "1", "geocodes": [{"location": "900,10"}]},
    {"status": "1", "geocodes": 4},
    [],
]


@pytest.mark.parametrize("body", BROKEN)
async def test_a_service_that_talks_nonsense_is_not_believed(body: Any):
    async def answer(_: Any) -> JSONResponse:
        return JSONResponse(body)

    app = Starlette(routes=[Route("/v3/geocode/geo", answer)])
    async with httpx.AsyncClient(trust_env=False) as http, serving(app) as origin:
        with pytest.raises(PortError):
            await AmapMaps(http, origin, "any").geocode("Mikonkatu 15")


@pytest.mark.parametrize(
    "query",
    ["", "?key=x", "?key=x&origin=1,2&destination=here", "?key=x&origin=1,2&destination=3,4"],
)
async def test_a_wrong_question_is_refused_in_the_services_own_words(query: str):
    async with httpx.AsyncClient(trust_env=False) as http, serving(city_map()) as origin:
        walk = (await http.get(f"{origin}/v3/direction/walking{query}")).json()
        ride = (await http.get(f"{origin}/v4/direction/bicycling{query}")).json()
    assert walk["status"] == "0"
    assert walk["infocode"]
    assert ride["errcode"] != 0
