"""GCJ-02: known points, there and back, and a map service behind it."""

from __future__ import annotations

from math import cos, dist, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.services.gcj02 import Gcj02Maps, takes_gcj02, to_gcj02, to_wgs84
from lapel.services.maps import Mode, Place, Point, Step, Turn, Way

pytestmark = pytest.mark.unit

KNOWN = [  # WGS 84, GCJ-02 as coord-convert 0.2.1 has it
    ((39.90734, 116.39089), (39.90874106939114, 116.39713094237537)),
    ((31.230416, 121.473701), (31.22847374224698, 121.47822405739267)),
    ((22.5431, 114.0579), (22.54038281422246, 114.06301399856547)),
    ((30.2741, 120.1551), (30.271771223200254, 120.15979447929637)),
    ((43.8256, 87.6168), (43.82680539311119, 87.61964994946926)),
    ((18.2528, 109.5119), (18.25109479173564, 109.51598429482667)),
    ((60.17, 24.94), (60.17, 24.94)),
]


def metres(one: Point, other: Point) -> float:
    scale = 111_320.0
    across = scale * cos(radians(one[0]))
    return dist((one[0] * scale, one[1] * across), (other[0] * scale, other[1] * across))


@pytest.mark.parametrize(("wgs84", "gcj02"), KNOWN)
def test_known_points(wgs84: Point, gcj02: Point):
    assert to_gcj02(wgs84) == pytest.approx(gcj02, abs=1e-9)
    assert metres(to_wgs84(gcj02), wgs84) < 0.01


@given(st.floats(4, 53), st.floats(74, 135))
def test_there_and_back(latitude: float, longitude: float):
    point = latitude, longitude
    assert metres(to_wgs84(to_gcj02(point)), point) < 0.01


@given(st.floats(-90, 90), st.floats(-180, 70))
def test_nothing_is_shifted_elsewhere(latitude: float, longitude: float):
    assert (
        to_gcj02((latitude, longitude)) == to_wgs84((latitude, longitude)) == (latitude, longitude)
    )


class Shanghai:
    """A map service in GCJ-02 that knows one place, and remembers where it was asked from."""

    def __init__(self) -> None:
        self.asked: list[Point] = []

    async def geocode(self, address: str) -> Place | None:
        return Place("People's Square", address, KNOWN[1][1]) if address else None

    async def reverse(self, point: Point) -> str:
        self.asked.append(point)
        return "People's Avenue"

    async def near(self, point: Point, what: str, radius_m: int = 5000) -> list[Place]:
        self.asked.append(point)
        return [Place(what, "", KNOWN[1][1], 120.0)]

    async def find(self, what: str) -> list[Place]:
        return [Place(what, "", KNOWN[1][1])]

    async def route(self, start: Point, end: Point, mode: Mode) -> Way | None:
        self.asked += [start, end]
        return Way(100, 80, (Step("", Turn.ARRIVE, 100, 80, (start, end)),))


async def test_a_caller_in_wgs84_never_sees_the_shift():
    city = Shanghai()
    maps = Gcj02Maps(city)
    here, there = KNOWN[1][0], KNOWN[3][0]
    for place in (
        await maps.geocode("x"),
        *await maps.near(here, "tea"),
        *await maps.find("tea"),
    ):
        assert place is not None
        assert metres(place.point, here) < 0.01
    assert await maps.geocode("") is None
    await maps.reverse(there)
    way = await maps.route(here, there, Mode.WALK)
    assert way is not None
    assert [metres(*pair) < 0.01 for pair in zip(way.steps[0].points, (here, there), strict=True)] == [True, True]  # fmt: skip
    for asked, real in zip(city.asked, (here, there, here, there), strict=True):
        assert asked == pytest.approx(to_gcj02(real))
        assert metres(asked, real) > 100


@pytest.mark.parametrize(
    ("url", "datum", "shifted"),
    [
        ("https://restapi.amap.com", "auto", True),
        ("https://restapi.amap.com", "wgs84", False),
        ("http://127.0.0.1:8700/maps", "auto", False),
        ("http://127.0.0.1:8700/maps", "gcj02", True),
        ("https://notamap.com", "auto", False),
    ],
)
def test_which_services_are_shifted(url: str, datum: str, shifted: bool):
    assert takes_gcj02(url, datum) is shifted
