"""Maps: where things are and how to get there, from a service that speaks Amap's web service.

The interface is `Maps`; the provider works with the City and, with a key, with Amap itself. Points
are (latitude, longitude) in degrees as the provider has them; `gcj02` stands before one that has
shifted ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode

import httpx
import msgspec

from lapel.commerce.ports import Nonsense, PortError
from lapel.services.fetch import decode, fetch

Point = tuple[float, float]


class Mode(StrEnum):
    WALK = "walk"
    RIDE = "ride"
    DRIVE = "drive"


class Turn(StrEnum):
    """What to do at the end of a step."""

    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"
    SLIGHT_LEFT = "slight_left"
    SLIGHT_RIGHT = "slight_right"
    BACK = "back"
    ARRIVE = "arrive"


@dataclass(frozen=True, slots=True)
class Place:
    """`distance_m` is in a straight line from where was asked, where that is known."""

    name: str
    address: str
    point: Point
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Along `road` (empty for a path without a name), then `turn`."""

    road: str
    turn: Turn
    distance_m: float
    duration_s: float
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Way:
    distance_m: float
    duration_s: float
    steps: tuple[Step, ...]
    drawn: bool = True
    """Whether the points are the way's; a service may tell roads and turns alone."""

    @property
    def points(self) -> tuple[Point, ...]:
        """The whole line, no point twice in a row; of a way that is not drawn, its two ends."""
        if not self.drawn:
            return (self.steps[0].points[0], self.steps[-1].points[-1])
        line: list[Point] = []
        for step in self.steps:
            line += step.points[1:] if line and line[-1] == step.points[0] else step.points
        return tuple(line)


class MapError(PortError):
    """The service refused; `its_code` is its own."""

    code = "maps_refused"

    def __init__(self, text: str, its_code: str = "") -> None:
        super().__init__(text)
        self.its_code = its_code


class Maps(Protocol):
    """All of it raises PortError when the service cannot be used."""

    async def geocode(self, address: str) -> Place | None: ...

    async def reverse(self, point: Point) -> str: ...

    async def near(self, point: Point, what: str, radius_m: int = 5000) -> list[Place]: ...

    async def find(self, what: str) -> list[Place]: ...

    async def route(self, start: Point, end: Point, mode: Mode) -> Way | None: ...


class _Geocode(msgspec.Struct):
    location: str
    formatted_address: str = ""


class _Poi(msgspec.Struct):
    name: str
    location: str
    address: str | list[str] = ""
    distance: str | list[str] = ""


class _Step(msgspec.Struct):
    distance: str | float
    polyline: str
    duration: str | float | list[str] = 0
    road: str | list[str] = ""
    action: str | list[str] = ""


class _Path(msgspec.Struct):
    distance: str | float
    steps: list[_Step]
    duration: str | float = 0


class _Route(msgspec.Struct):
    paths: list[_Path]


class _Regeocode(msgspec.Struct):
    formatted_address: str | list[str] = ""


class _Answer(msgspec.Struct):
    """Both versions of the service: v3 has `status`, v4 `errcode`."""

    status: str = ""
    info: str = ""
    infocode: str = ""
    errcode: int | None = None
    errmsg: str = ""
    geocodes: list[_Geocode] = []
    regeocode: _Regeocode | None = None
    pois: list[_Poi] = []
    route: _Route | None = None
    data: _Route | list[object] | None = None


_PATHS = {
    Mode.WALK: "/v3/direction/walking",
    Mode.RIDE: "/v4/direction/bicycling",
    Mode.DRIVE: "/v3/direction/driving",
}
_NO_WAY = {"20800", "20801", "20802", "20803"}


class AmapMaps:
    """Implements `Maps` over HTTP."""

    def __init__(self, http: httpx.AsyncClient, url: str, key: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._key = key

    async def geocode(self, address: str) -> Place | None:
        """The first place that has this address."""
        found = (await self._get("/v3/geocode/geo", {"address": address})).geocodes
        if not found:
            return None
        text = found[0].formatted_address
        return Place(text, text, point_of(found[0].location))

    async def reverse(self, point: Point) -> str:
        """The address at a point; empty where there is none."""
        answer = await self._get("/v3/geocode/regeo", {"location": written(point)})
        return "" if answer.regeocode is None else text_of(answer.regeocode.formatted_address)

    async def near(self, point: Point, what: str, radius_m: int = 5000) -> list[Place]:
        """What is called so, or is of that kind, the nearest first."""
        wanted = {"location": written(point), "keywords": what, "radius": str(radius_m)}
        answer = await self._get("/v3/place/around", {**wanted, "sortrule": "distance"})
        return [_place(poi) for poi in answer.pois]

    async def find(self, what: str) -> list[Place]:
        return [_place(poi) for poi in (await self._get("/v3/place/text", {"keywords": what})).pois]

    async def route(self, start: Point, end: Point, mode: Mode) -> Way | None:
        """The way that the service likes best; None where there is none."""
        wanted = {"origin": written(start), "destination": written(end)}
        try:
            answer = await self._get(_PATHS[mode], wanted)
        except MapError as error:
            if error.its_code in _NO_WAY:
                return None
            raise
        found = answer.route if mode is not Mode.RIDE else answer.data
        if not isinstance(found, _Route) or not found.paths:
            return None
        path = found.paths[0]
        steps = tuple(_step(step) for step in path.steps)
        if not steps:
            return None
        return Way(number(path.distance), number(path.duration), steps)

    async def _get(self, path: str, wanted: Mapping[str, str]) -> _Answer:
        url = f"{self._url}{path}?{urlencode({**wanted, 'key': self._key})}"
        got = await fetch(self._http, "GET", url)
        if got.status != 200:
            raise MapError(f"the map service answers {got.status}")
        answer = decode(got.body, _Answer, "the map service")
        if answer.errcode not in (None, 0):
            raise MapError(f"the map service refuses: {answer.errmsg}", str(answer.errcode))
        if answer.errcode is None and answer.status != "1":
            raise MapError(f"the map service refuses: {answer.info}", answer.infocode)
        return answer


def _place(poi: _Poi) -> Place:
    away = text_of(poi.distance)
    address = text_of(poi.address)
    return Place(poi.name, address, point_of(poi.location), number(away) if away else None)


def _step(step: _Step) -> Step:
    points = tuple(point_of(text) for text in step.polyline.split(";") if text)
    if not points:
        raise Nonsense("a step of a way has no points")
    duration = 0.0 if isinstance(step.duration, list) else number(step.duration)
    return Step(
        text_of(step.road), turn_of(text_of(step.action)), number(step.distance), duration, points
    )


def turn_of(action: str) -> Turn:
    """The service's own words for what to do."""
    if "调头" in action:
        return Turn.BACK
    slight = "前方" in action or "靠" in action
    if "左" in action:
        return Turn.SLIGHT_LEFT if slight else Turn.LEFT
    if "右" in action:
        return Turn.SLIGHT_RIGHT if slight else Turn.RIGHT
    return Turn.ARRIVE if "到达" in action else Turn.STRAIGHT


def text_of(value: str | list[str]) -> str:
    """The service writes an empty list where it has no text."""
    return value if isinstance(value, str) else ""


def number(value: str | float) -> float:
    """A number as the service writes it; Nonsense for what is none."""
    try:
        number = float(value or 0)
    except ValueError as error:
        raise Nonsense(f"the map service gives {value!r} for a number") from error
    if not 0 <= number < 1e9:
        raise Nonsense(f"the map service gives {value!r} for a number")
    return number


def point_of(text: str) -> Point:
    """From "longitude,latitude"; Nonsense for what is no place on Earth."""
    longitude, _, latitude = text.partition(",")
    try:
        point = float(latitude), float(longitude)
    except ValueError as error:
        raise Nonsense(f"the map service gives {text!r} for a point") from error
    if not (-90 <= point[0] <= 90 and -180 <= point[1] <= 180):
        raise Nonsense(f"the map service gives {text!r} for a point")
    return point


def written(point: Point) -> str:
    """As "longitude,latitude"."""
    return f"{point[1]:.6f},{point[0]:.6f}"
