from __future__ import annotations

import random
from itertools import pairwise

import pytest

from city.geometry import cut, distance_m, nearest_on_segment
from city.streets import RIDE_M_PER_S, helsinki

pytestmark = pytest.mark.unit

MIKONKATU, ANNANKATU = "Mikonkatu 15", "Annankatu 25"


def test_a_route_follows_streets_without_jumps():
    streets = helsinki()
    corners = {p for edge in streets.edges for p in edge.points}
    way = streets.route(streets.find(MIKONKATU).point, streets.find(ANNANKATU).point)
    assert sum(p in corners for p in way.points) >= len(way.points) - 4
    steps = [distance_m(a, b) for a, b in pairwise(way.points)]
    assert sum(steps) == pytest.approx(way.length_m, abs=1.0)
    assert list(way.seconds) == sorted(way.seconds)


def test_a_route_is_no_shorter_than_the_crow_flies_and_about_as_long_back():
    streets = helsinki()
    dice = random.Random(5)
    for _ in range(60):
        a, b = (address.point for address in dice.sample(streets.addresses, 2))
        there, back = streets.route(a, b), streets.route(b, a)
        if there is None:
            assert back is None
            continue
        assert there.duration_s >= (distance_m(a, b) - 120) / RIDE_M_PER_S
        assert there.duration_s == pytest.approx(back.duration_s, abs=1.0)


def test_the_way_is_the_quickest():
    """Against plain Dijkstra over junctions, which has no heuristic to be wrong."""
    streets = helsinki()
    dice = random.Random(11)
    for _ in range(8):
        a, b = (dice.choice(streets.nodes) for _ in range(2))
        found = streets.route(a, b)
        assert found.duration_s == pytest.approx(_dijkstra(streets, a, b), abs=0.6)


def test_on_the_same_street_the_way_is_a_piece_of_it():
    streets = helsinki()
    edge = max(streets.edges, key=lambda e: e.length_m if e.ride else 0)
    a = cut(edge.points, edge.length_m * 0.4, edge.length_m * 0.4)[0]
    b = cut(edge.points, edge.length_m * 0.6, edge.length_m * 0.6)[0]
    assert streets.route(a, b).length_m == pytest.approx(edge.length_m * 0.2, abs=1.0)
    assert streets.route(a, a).length_m == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("Mikonkatu 15", "Mikonkatu 15"),
        ("  mikonkatu 15 B 12", "Mikonkatu 15"),
        ("Toolonlahdenkatu 3", "Töölönlahdenkatu 3"),
        ("Liisankatu 22", "Liisankatu 21"),
        ("Mikonkatu 900", None),
        ("Downing Street 10", None),
        ("Mikonkatu", None),
        ("", None),
    ],
)
def test_addresses_as_people_write_them(written, known):
    found = helsinki().find(written)
    assert (None if found is None else str(found)) in {known, "Liisankatu 20" if known else None}


def test_off_the_map_there_is_no_way():
    streets = helsinki()
    assert streets.route(streets.find(MIKONKATU).point, (60.2, 25.1)) is None
    assert streets.spot((60.2, 25.1)) is None


def test_streets_near_a_line_are_bounded():
    streets = helsinki()
    way = streets.route(streets.find(MIKONKATU).point, streets.find(ANNANKATU).point)
    assert len(streets.near_line(way.points, 120)) == 120
    assert len(streets.near_line(way.points[:1], 5)) == 5


def test_cutting_a_line():
    line = [(60.0, 25.0), (60.001, 25.0), (60.002, 25.0)]
    whole = sum(distance_m(a, b) for a, b in pairwise(line))
    half = cut(line, 0, whole / 2)
    assert half[0] == line[0]
    assert half[-1] == pytest.approx(line[1], abs=1e-9)
    assert cut(line, whole / 2, 0) == half[::-1]
    away, share = nearest_on_segment((60.0005, 25.001), line[0], line[1])
    assert share == pytest.approx(0.5, abs=0.01)
    assert away == pytest.approx(55.6, abs=1.0)


def _dijkstra(streets, a, b) -> float:
    import heapq

    start, goal = streets.nodes.index(a), streets.nodes.index(b)
    leaving = {}
    for edge in streets.edges:
        cost = edge.length_m / edge.speed
        leaving.setdefault(edge.a, []).append((edge.b, cost))
        leaving.setdefault(edge.b, []).append((edge.a, cost))
    best, queue = {start: 0.0}, [(0.0, start)]
    while queue:
        spent, node = heapq.heappop(queue)
        if node == goal:
            return spent
        for other, cost in leaving[node]:
            if spent + cost < best.get(other, 1e9):
                best[other] = spent + cost
                heapq.heappush(queue, (spent + cost, other))
    raise AssertionError("not connected")
