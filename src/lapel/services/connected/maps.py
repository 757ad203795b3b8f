"""Maps by an MCP server that has Amap's tools: by their names, in the shapes that are met.

Amap's own server trims what its web service says: places without coordinates, ways without lines.
A place is then looked up once more by its id. A way without lines can be told, not followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from lapel.commerce.ports import Nonsense, PortError, Unreachable
from lapel.services.connected.model import Server, ServerError
from lapel.services.connected.servers import Servers
from lapel.services.maps import (
    Mode,
    Place,
    Point,
    Step,
    Way,
    number,
    point_of,
    text_of,
    turn_of,
    written,
)
from lapel.services.navigation import distance_m

GEOCODE, REVERSE = "maps_geo", "maps_regeocode"
AROUND, FIND, DETAIL = "maps_around_search", "maps_text_search", "maps_search_detail"
WALK = "maps_direction_walking"
_WAYS = {Mode.WALK: WALK, Mode.RIDE: "maps_bicycling", Mode.DRIVE: "maps_direction_driving"}
NEEDED = frozenset({GEOCODE, AROUND, WALK})
"""A server with these is taken for a map; the others are used where they are."""
LOOKED_UP = 6
"""Places without coordinates that are looked up."""

T = TypeVar("T")


class _Geocode(msgspec.Struct):
    location: str
    formatted_address: str = ""
    city: str | list[str] = ""


class _Found(msgspec.Struct):
    """`return` is how Amap's own server calls the geocodes."""

    geocodes: list[_Geocode] = []
    returned: list[_Geocode] = msgspec.field(default_factory=list[_Geocode], name="return")


class _Poi(msgspec.Struct):
    name: str
    id: str = ""
    location: str = ""
    address: str | list[str] = ""
    distance: str | list[str] = ""


class _Pois(msgspec.Struct):
    pois: list[_Poi] = []


class _Regeocode(msgspec.Struct):
    formatted_address: str | list[str] = ""


class _Address(msgspec.Struct):
    regeocode: _Regeocode | None = None
    formatted_address: str | list[str] = ""


class _Step(msgspec.Struct):
    distance: str | float
    polyline: str = ""
    duration: str | float | list[str] = 0
    road: str | list[str] = ""
    action: str | list[str] = ""
    instruction: str | list[str] = ""


class _Path(msgspec.Struct):
    distance: str | float
    steps: list[_Step]
    duration: str | float = 0


class _Route(msgspec.Struct):
    paths: list[_Path] = []


class _Ways(msgspec.Struct):
    route: _Route | None = None
    data: _Route | None = None


class McpMaps:
    """Implements `Maps`. `ready` says whether there is such a server now."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    async def ready(self) -> bool:
        return await self._map() is not None

    async def geocode(self, address: str) -> Place | None:
        found = await self._use(GEOCODE, {"address": address}, _Found)
        places = found.geocodes or found.returned
        if not places:
            return None
        text = places[0].formatted_address or address
        return Place(text, text, point_of(places[0].location))

    async def reverse(self, point: Point) -> str:
        found = await self._use(REVERSE, {"location": written(point)}, _Address)
        if found.regeocode is not None:
            return text_of(found.regeocode.formatted_address)
        return text_of(found.formatted_address)

    async def near(self, point: Point, what: str, radius_m: int = 5000) -> list[Place]:
        wanted = {"location": written(point), "keywords": what, "radius": str(radius_m)}
        found = await self._places(AROUND, wanted)
        return sorted(
            (Place(x.name, x.address, x.point, distance_m(point, x.point)) for x in found),
            key=lambda place: place.distance_m or 0.0,
        )

    async def find(self, what: str) -> list[Place]:
        return await self._places(FIND, {"keywords": what})

    async def route(self, start: Point, end: Point, mode: Mode) -> Way | None:
        wanted = {"origin": written(start), "destination": written(end)}
        found = await self._use(_WAYS[mode], wanted, _Ways)
        paths = (found.route or found.data or _Route()).paths
        if not paths or not paths[0].steps:
            return None
        path = paths[0]
        drawn = all(step.polyline for step in path.steps)
        steps = tuple(_step(step, start, end, drawn=drawn) for step in path.steps)
        return Way(number(path.distance), number(path.duration), steps, drawn=drawn)

    async def _places(self, tool: str, wanted: Mapping[str, str]) -> list[Place]:
        found = (await self._use(tool, wanted, _Pois)).pois
        places: list[Place] = []
        for poi in found[: LOOKED_UP if any(not x.location for x in found) else 50]:
            full = poi
            if not poi.location and poi.id:
                full = await self._use(DETAIL, {"id": poi.id}, _Poi)
            if full.location:
                where = text_of(full.address) or text_of(poi.address)
                places.append(Place(poi.name, where, point_of(full.location)))
        return places

    async def _map(self) -> Server | None:
        for server in await self._servers.all():
            if {tool.name for tool in server.tools} >= NEEDED:
                return server
        return None

    async def _use(self, tool: str, wanted: Mapping[str, str], shape: type[T]) -> T:
        server = await self._map()
        if server is None:
            raise Unreachable("no map service is connected")
        try:
            text = await self._servers.read(server, tool, dict[str, Any](wanted))
        except ServerError as error:
            raise PortError(error.text, code=error.code) from error
        try:
            return msgspec.json.decode(text, type=shape)
        except msgspec.DecodeError as error:
            raise Nonsense(f"{server.name!r} answers with another shape: {error}") from error


def _step(step: _Step, start: Point, end: Point, *, drawn: bool) -> Step:
    """Without a line, the step says its road and its turn, and nothing of where it runs."""
    points = tuple(point_of(x) for x in step.polyline.split(";") if x) if drawn else (start, end)
    if not points:
        raise Nonsense("a step of a way has no points")
    duration = 0.0 if isinstance(step.duration, list) else number(step.duration)
    turn = turn_of(text_of(step.action) or text_of(step.instruction))
    return Step(text_of(step.road), turn, number(step.distance), duration, points)
