"""Maps by an MCP server with Amap's tools: the City's map behind it, whole and as Amap's trims it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.server.mcpserver import MCPServer

from lapel.commerce.ports import PortError
from lapel.services.connected import McpMaps, Servers
from lapel.services.maps import Mode
from lapel.services.navigation import Navigation
from lapel.store import Store
from services.test_maps import city_map
from serving import serving

pytestmark = pytest.mark.net
REST = {
    "maps_geo": "/v3/geocode/geo",
    "maps_around_search": "/v3/place/around",
    "maps_text_search": "/v3/place/text",
    "maps_direction_walking": "/v3/direction/walking",
}


class MapServer:
    """`trimmed`: in the shapes of Amap's own server."""

    def __init__(self, origin: str, http: httpx.AsyncClient, *, trimmed: bool) -> None:
        self._origin = origin
        self._http = http
        self._trimmed = trimmed
        self._seen: dict[str, dict[str, Any]] = {}

    def made(self) -> MCPServer:
        server = MCPServer("maps")
        server.add_tool(self.geo, name="maps_geo")
        server.add_tool(self.around, name="maps_around_search")
        server.add_tool(self.find, name="maps_text_search")
        server.add_tool(self.detail, name="maps_search_detail")
        server.add_tool(self.walk, name="maps_direction_walking")
        return server

    async def _get(self, tool: str, **wanted: str) -> dict[str, Any]:
        answer = await self._http.get(self._origin + REST[tool], params={**wanted, "key": "k"})
        return answer.json()

    async def geo(self, address: str) -> str:
        found = await self._get("maps_geo", address=address)
        if self._trimmed:
            found = {"return": [{"location": x["location"]} for x in found["geocodes"]]}
        return json.dumps(found)

    async def around(self, keywords: str, location: str, radius: str = "1000") -> str:
        found = await self._get(
            "maps_around_search", keywords=keywords, location=location, radius=radius
        )
        return json.dumps(self._pois(found))

    async def find(self, keywords: str) -> str:
        return json.dumps(self._pois(await self._get("maps_text_search", keywords=keywords)))

    def _pois(self, found: dict[str, Any]) -> dict[str, Any]:
        if not self._trimmed:
            return found
        self._seen |= {x["id"]: x for x in found["pois"]}
        kept = ("id", "name", "address")
        return {"pois": [{name: x[name] for name in kept} for x in found["pois"]]}

    async def detail(self, id: str) -> str:
        return json.dumps(self._seen[id])

    async def walk(self, origin: str, destination: str) -> str:
        found = await self._get("maps_direction_walking", origin=origin, destination=destination)
        if self._trimmed:
            for path in found["route"]["paths"]:
                for step in path["steps"]:
                    step["instruction"] = step.pop("action")
                    del step["polyline"]
        return json.dumps(found)


@pytest.fixture(params=[False, True], ids=["whole", "trimmed"])
async def maps(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[McpMaps]:
    store = await Store.open(tmp_path / "lapel.sqlite3")
    up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    down = asyncio.Event()

    async def host() -> None:
        async with httpx.AsyncClient(trust_env=False) as http, serving(city_map()) as city:
            app = MapServer(city, http, trimmed=request.param).made().streamable_http_app()
            async with app.router.lifespan_context(app), serving(app) as origin:
                up.set_result(origin)
                await down.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(host())
        servers = Servers(store, dict, lambda: 1.0)
        made = McpMaps(servers)
        assert not await made.ready()
        with pytest.raises(PortError):
            await made.geocode("Mikonkatu 15")
        await servers.add(url=f"{await up}/mcp")
        yield made
        await servers.close()
        down.set()
    await store.close()


async def test_places_and_ways(maps: McpMaps, request: pytest.FixtureRequest):
    assert await maps.ready()
    trimmed = "trimmed" in request.node.name
    home = await maps.geocode("Mikonkatu 15")
    assert home is not None
    pharmacies = await maps.near(home.point, "pharmacy")
    away = [place.distance_m or 0 for place in pharmacies]
    assert away
    assert away == sorted(away)
    assert away[0] > 0
    [station] = await maps.find("Central Station")
    way = await maps.route(home.point, station.point, Mode.WALK)
    assert way is not None
    assert (way.distance_m > 100, way.drawn) == (True, not trimmed)
    assert any(step.road for step in way.steps)
    assert len(way.points) > 2 or trimmed
    if not trimmed:
        assert not Navigation(way).at(way.points[0]).off
    with pytest.raises(PortError):
        await maps.route(home.point, station.point, Mode.DRIVE)  # it has no such tool
