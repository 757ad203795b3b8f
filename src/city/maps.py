"""The City's map service: places and ways, behind the paths and shapes of Amap's web service.

Ways follow the streets of the map that ships with the City; places are its shops, one real station
and some invented ones at real addresses. Points are `longitude,latitude`, as that service has them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from city.geometry import Point, distance_m
from city.shops import Shop
from city.streets import Edge, Streets, helsinki
from city.tables.houses import COMPANIES
from city.world import World

WALK_M_PER_S = 1.35
DRIVE_M_PER_S = 7.0
MOST = 25
LANDMARKS = (
    ("Central Station", "station", "Kaivokatu 1"),
    ("Kluuvi Pharmacy", "pharmacy", "Mikonkatu 7"),
    ("Kamppi Pharmacy", "pharmacy", "Eerikinkatu 14"),
    ("Station Café", "cafe", "Kaivokatu 8"),
    ("Esplanadi Café", "cafe", "Pohjoisesplanadi 21"),
    ("City Library", "library", "Töölönlahdenkatu 4"),
    ("Corner Grocery", "supermarket", "Aleksanterinkatu 9"),
)


_SAID_ANYWAY = frozenset({"the", "a", "railway", "train", "main", "near", "by", "at", "helsinki"})


class _Refusal(Exception):
    def __init__(self, info: str, code: str) -> None:
        super().__init__(info)
        self.info, self.code = info, code


@dataclass(frozen=True, slots=True)
class Poi:
    id: str
    name: str
    kind: str
    address: str
    point: Point


class MapService:
    """Read-only; needs a `key` of any value, as the real one does."""

    def __init__(self, world: World) -> None:
        self._streets = world.streets
        self._pois = _pois(world)

    def routes(self) -> list[Route]:
        return [
            Route("/v3/geocode/geo", _served(self._geocode)),
            Route("/v3/geocode/regeo", _served(self._reverse)),
            Route("/v3/place/around", _served(self._around)),
            Route("/v3/place/text", _served(self._text)),
            Route("/v3/direction/walking", _served(self._walk)),
            Route("/v3/direction/driving", _served(self._drive)),
            Route("/v4/direction/bicycling", _served(self._ride, version=4)),
        ]

    def _geocode(self, request: Request) -> dict[str, object]:
        found = self._streets.find(_wanted(request, "address"))
        codes = []
        if found is not None:
            codes = [
                {
                    "formatted_address": f"{found}, {found.postal_code} Helsinki",
                    "city": "Helsinki",
                    "street": found.street,
                    "number": found.number,
                    "location": _written(found.point),
                    "level": "门牌号",
                }
            ]
        return {"count": str(len(codes)), "geocodes": codes}

    def _reverse(self, request: Request) -> dict[str, object]:
        point = _point(_wanted(request, "location"))
        near = min(self._streets.addresses, key=lambda a: distance_m(a.point, point))
        if distance_m(near.point, point) > 1000:
            return {"regeocode": {"formatted_address": [], "addressComponent": {}}}
        street = {
            "street": near.street,
            "number": near.number,
            "location": _written(near.point),
            "distance": f"{distance_m(near.point, point):.1f}",
        }
        text = f"{near}, {near.postal_code} Helsinki"
        return {
            "regeocode": {
                "formatted_address": text,
                "addressComponent": {"city": "Helsinki", "streetNumber": street},
            }
        }

    def _around(self, request: Request) -> dict[str, object]:
        point = _point(_wanted(request, "location"))
        radius = min(50_000.0, float(_number(request, "radius", "5000")))
        found = sorted(
            ((distance_m(poi.point, point), poi) for poi in self._matching(request)),
            key=lambda entry: entry[0],
        )
        return _listed([(poi, away) for away, poi in found if away <= radius])

    def _text(self, request: Request) -> dict[str, object]:
        return _listed([(poi, None) for poi in self._matching(request)])

    def _matching(self, request: Request) -> list[Poi]:
        wanted = request.query_params.get("keywords", "").casefold()
        return [p for p in self._pois if wanted in p.name.casefold() or wanted in p.kind]

    def _walk(self, request: Request) -> dict[str, object]:
        origin, end, steps, metres, _ = self._way(request, _on_foot())
        return _path(origin, end, steps, metres, metres / WALK_M_PER_S, WALK_M_PER_S)

    def _drive(self, request: Request) -> dict[str, object]:
        origin, end, steps, metres, _ = self._way(request, self._streets)
        return _path(origin, end, steps, metres, metres / DRIVE_M_PER_S, DRIVE_M_PER_S)

    def _ride(self, request: Request) -> dict[str, object]:
        origin, end, steps, metres, seconds = self._way(request, self._streets)
        found = _path(origin, end, steps, metres, seconds, metres / max(1.0, seconds))
        return {"data": found["route"]}

    def _way(
        self, request: Request, streets: Streets
    ) -> tuple[str, str, list[_Step], float, float]:
        origin, end = _wanted(request, "origin"), _wanted(request, "destination")
        found = streets.way(_point(origin), _point(end))
        if found is None:
            raise _Refusal("OUT_OF_SERVICE", "20800")
        steps: list[_Step] = []
        seconds = 0.0
        for edge, line in found:
            points = list(line)
            metres = sum(distance_m(a, b) for a, b in pairwise(points))
            seconds += metres / edge.speed
            if steps and steps[-1].road == edge.name:
                steps[-1] = _Step(
                    edge.name, [*steps[-1].points, *points[1:]], steps[-1].metres + metres
                )
            elif metres > 0:
                steps.append(_Step(edge.name, points, metres))
        return origin, end, steps, sum(step.metres for step in steps), seconds


@dataclass(frozen=True, slots=True)
class _Step:
    road: str
    points: list[Point]
    metres: float


def _pois(world: World) -> list[Poi]:
    found = [
        Poi(f"shop-{slug}", shop.name, _kind(shop), str(world.address(slug)), world.door(slug))
        for slug, shop in world.shops.items()
    ]
    for house in (house for company in COMPANIES for house in company.houses):
        at = house.address(world.streets)
        found.append(Poi(f"house-{house.id}", house.name, "restaurant", str(at), at.point))
    for number, (name, kind, text) in enumerate(LANDMARKS):
        address = world.streets.find(text)
        if address is not None:
            found.append(Poi(f"poi-{number}", name, kind, str(address), address.point))
    return found


def landmark(world: World, text: str) -> Point | None:
    """Where a place is that somebody names: one of the landmarks, else a street or an address."""
    wanted = set(text.casefold().split()) - _SAID_ANYWAY
    for name, _, where in LANDMARKS:
        if wanted and wanted <= set(name.casefold().split()):
            found = world.streets.find(where)
            return None if found is None else found.point
    likely = world.streets.suggest(text, 1)
    return likely[0].point if likely else None


def _kind(shop: Shop) -> str:
    return "gift shop" if "gifts" in shop.tags else "cafe restaurant"


@cache
def _on_foot() -> Streets:
    """The same streets, all of them at one speed: the shortest way."""
    streets = helsinki()
    edges: list[Edge] = [replace(edge, ride=True) for edge in streets.edges]
    return Streets(streets.nodes, edges, streets.addresses, streets.areas)


def _path(
    origin: str, end: str, steps: list[_Step], metres: float, seconds: float, speed: float
) -> dict[str, object]:
    shown: list[dict[str, object]] = []
    for number, step in enumerate(steps):
        following = steps[number + 1] if number + 1 < len(steps) else None
        action = "到达目的地" if following is None else _turn(step.points, following.points)
        shown.append(
            {
                "instruction": f"{step.road or 'path'} {step.metres:.0f} m",
                "road": step.road or [],
                "distance": f"{step.metres:.0f}",
                "duration": f"{step.metres / speed:.0f}",
                "polyline": ";".join(_written(point) for point in step.points),
                "action": action,
                "assistant_action": [],
            }
        )
    path = {"distance": f"{metres:.0f}", "duration": f"{seconds:.0f}", "steps": shown}
    return {"count": "1", "route": {"origin": origin, "destination": end, "paths": [path]}}


def _turn(before: list[Point], after: list[Point]) -> str:
    """What to do at the end of a step, in the words of the service."""
    angle = (_bearing(after[0], after[1]) - _bearing(before[-2], before[-1]) + 180) % 360 - 180
    side = "右" if angle > 0 else "左"
    if abs(angle) < 25:
        return "直行"
    if abs(angle) < 60:
        return f"向{side}前方行驶"
    return f"{side}转" if abs(angle) < 150 else f"{side}转调头"


def _bearing(a: Point, b: Point) -> float:
    east = (b[1] - a[1]) * math.cos(math.radians(a[0]))
    return math.degrees(math.atan2(east, b[0] - a[0]))


def _listed(found: list[tuple[Poi, float | None]]) -> dict[str, object]:
    pois: list[dict[str, object]] = [
        {
            "id": poi.id,
            "name": poi.name,
            "type": poi.kind,
            "address": poi.address,
            "location": _written(poi.point),
            "distance": [] if away is None else f"{away:.0f}",
        }
        for poi, away in found[:MOST]
    ]
    return {"count": str(len(pois)), "pois": pois}


def _served(
    handler: Callable[[Request], dict[str, object]], version: int = 3
) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            _wanted(request, "key", "INVALID_USER_KEY", "10001")
            made = handler(request)
        except _Refusal as error:
            if version == 4:
                return JSONResponse({"errcode": int(error.code), "errmsg": error.info, "data": []})
            return JSONResponse({"status": "0", "info": error.info, "infocode": error.code})
        if version == 4:
            return JSONResponse({"errcode": 0, "errmsg": "OK", **made})
        return JSONResponse({"status": "1", "info": "OK", "infocode": "10000", **made})

    return serve


def _wanted(
    request: Request, name: str, info: str = "MISSING_REQUIRED_PARAMS", code: str = "20001"
) -> str:
    value = request.query_params.get(name, "").strip()
    if not value or len(value) > 200:
        raise _Refusal(info, code)
    return value


def _number(request: Request, name: str, default: str) -> str:
    value = request.query_params.get(name, default)
    if not re.fullmatch(r"[0-9]{1,6}", value):
        raise _Refusal("INVALID_PARAMS", "20000")
    return value


def _point(text: str) -> Point:
    match = re.fullmatch(r"(-?[0-9]{1,3}(?:\.[0-9]+)?),(-?[0-9]{1,2}(?:\.[0-9]+)?)", text)
    if match is None:
        raise _Refusal("INVALID_PARAMS", "20000")
    return float(match[2]), float(match[1])


def _written(point: Point) -> str:
    return f"{point[1]:.6f},{point[0]:.6f}"
