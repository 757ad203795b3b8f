"""GCJ-02, the shifted coordinates that map services in mainland China must use, and WGS 84.

Devices report WGS 84 (GPS). Amap takes and gives GCJ-02, some 100 to 700 m off; `Gcj02Maps` stands
between. The shift has no published standard: it is the polynomial and the sines that open-source
implementations agree on, on the ellipsoid of Krasovsky 1940; outside China it is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, pi, radians, sin, sqrt
from urllib.parse import urlsplit

from lapel.services.maps import Maps, Mode, Place, Point, Way

_AXIS_M = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347
"""The rectangle outside which nothing is shifted, in degrees."""


def to_gcj02(point: Point) -> Point:
    """From WGS 84."""
    if not _shifted(point):
        return point
    north_m, east_m = _shift(point[1] - 105.0, point[0] - 35.0)
    latitude = radians(point[0])
    bulge = 1 - _ECCENTRICITY_SQUARED * sin(latitude) ** 2
    meridian_m = _AXIS_M * (1 - _ECCENTRICITY_SQUARED) / (bulge * sqrt(bulge))
    parallel_m = _AXIS_M / sqrt(bulge) * cos(latitude)
    return (
        point[0] + north_m / meridian_m * 180 / pi,
        point[1] + east_m / parallel_m * 180 / pi,
    )


def to_wgs84(point: Point) -> Point:
    """From GCJ-02, to within a centimetre."""
    if not _shifted(point):
        return point
    guess = point
    for _ in range(5):  # each round divides the error by some thousands
        shifted = to_gcj02(guess)
        guess = guess[0] + point[0] - shifted[0], guess[1] + point[1] - shifted[1]
    return guess


def _shifted(point: Point) -> bool:
    return _SOUTH <= point[0] <= _NORTH and _WEST <= point[1] <= _EAST


def _shift(x: float, y: float) -> tuple[float, float]:
    """Metres to the north and to the east; `x`, `y` are degrees from 105 E, 35 N."""
    ripple = 20 * (sin(6 * x * pi) + sin(2 * x * pi))
    root = sqrt(abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (ripple + 20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y / 30 * pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (ripple + 20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    return north, east


def takes_gcj02(url: str, datum: str) -> bool:
    """Whether the service at `url` has shifted points; `datum` is the setting."""
    host = urlsplit(url).hostname or ""
    return datum == "gcj02" or (datum == "auto" and f".{host}".endswith(".amap.com"))


@dataclass(frozen=True, slots=True)
class Gcj02Maps:
    """A map service in GCJ-02 for callers in WGS 84; implements `Maps`."""

    inner: Maps

    async def geocode(self, address: str) -> Place | None:
        found = await self.inner.geocode(address)
        return None if found is None else _moved(found)

    async def reverse(self, point: Point) -> str:
        return await self.inner.reverse(to_gcj02(point))

    async def near(self, point: Point, what: str, radius_m: int = 5000) -> list[Place]:
        return [_moved(place) for place in await self.inner.near(to_gcj02(point), what, radius_m)]

    async def find(self, what: str) -> list[Place]:
        return [_moved(place) for place in await self.inner.find(what)]

    async def route(self, start: Point, end: Point, mode: Mode) -> Way | None:
        way = await self.inner.route(to_gcj02(start), to_gcj02(end), mode)
        if way is None:
            return None
        steps = tuple(
            replace(step, points=tuple(to_wgs84(point) for point in step.points))
            for step in way.steps
        )
        return replace(way, steps=steps)


def _moved(place: Place) -> Place:
    return replace(place, point=to_wgs84(place.point))
