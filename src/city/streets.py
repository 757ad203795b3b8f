"""The streets of the city: finding addresses, and the quickest way along them by bicycle."""

from __future__ import annotations

import difflib
import gzip
import heapq
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise

import msgspec

from city.geometry import Point, cut, distance_m, nearest_on_segment

RIDE_M_PER_S = 4.5
PUSH_M_PER_S = 1.4
REACH_M = 60.0
"""How far off the nearest street a door may be."""

ROUTES_KEPT = 1024
"""One order asks for the same way up to four times."""

_BIKE, _MAIN = 2, 4
_ALIKE = 0.74
"""Below this share of common letters two names of streets are not the same."""
_CELL = 0.001


class _Document(msgspec.Struct):
    names: list[str]
    nodes: list[int]
    edges: list[tuple[int, int, int, int, int, list[int]]]
    addresses: list[tuple[int, str, str, int, int]]
    areas: list[tuple[str, list[int]]]


@dataclass(frozen=True, slots=True)
class Address:
    street: str
    number: str
    postal_code: str
    point: Point

    def __str__(self) -> str:
        return f"{self.street} {self.number}"


@dataclass(frozen=True, slots=True)
class Edge:
    """A piece of street between two junctions. `ride` is false where the bicycle must be pushed."""

    a: int
    b: int
    name: str
    length_m: float
    ride: bool
    main: bool
    points: tuple[Point, ...]

    @property
    def speed(self) -> float:
        return RIDE_M_PER_S if self.ride else PUSH_M_PER_S


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the street graph: an edge and how far along it."""

    edge: int
    along_m: float


@dataclass(frozen=True, slots=True)
class Route:
    """A way along streets: points, and the seconds from the start at which each is passed."""

    points: tuple[Point, ...]
    seconds: tuple[float, ...]
    length_m: float

    @property
    def duration_s(self) -> float:
        return self.seconds[-1]


@dataclass(frozen=True, slots=True)
class Area:
    kind: str
    outline: tuple[Point, ...]


class Streets:
    """An immutable street graph with its addresses."""

    def __init__(
        self,
        nodes: Sequence[Point],
        edges: Sequence[Edge],
        addresses: Sequence[Address],
        areas: Sequence[Area],
    ) -> None:
        self.nodes = tuple(nodes)
        self.edges = tuple(edges)
        self.addresses = tuple(addresses)
        self.areas = tuple(areas)
        self._leaving: list[list[tuple[int, int, float]]] = [[] for _ in nodes]
        self._cells: dict[tuple[int, int], set[int]] = {}
        for index, edge in enumerate(edges):
            cost = edge.length_m / edge.speed
            self._leaving[edge.a].append((edge.b, index, cost))
            self._leaving[edge.b].append((edge.a, index, cost))
            for cell in _cells_of(edge.points):
                self._cells.setdefault(cell, set()).add(index)
        self._by_name: dict[str, list[Address]] = {}
        for address in addresses:
            self._by_name.setdefault(_plain(address.street), []).append(address)
        self.route = lru_cache(ROUTES_KEPT)(self._route)
        """The quickest way by bicycle between two points; None if either is off the map."""

    @property
    def bounds(self) -> tuple[Point, Point]:
        """South-west and north-east corner."""
        latitudes, longitudes = zip(*self.nodes, strict=True)
        return (min(latitudes), min(longitudes)), (max(latitudes), max(longitudes))

    def find(self, street_address: str) -> Address | None:
        """The known address nearest to "Mikonkatu 15 B 12"; None for a street not on the map."""
        match = re.match(r"\s*(.+?)\s+(\d+)\s*([A-Za-z]?)\b", street_address)
        if match is None:
            return None
        known = self._by_name.get(_plain(match[1]), [])
        wanted, letter = int(match[2]), match[3].lower()

        def far(address: Address) -> tuple[int, bool, str]:
            digits = re.match(r"\d+", address.number)
            number = int(digits[0]) if digits else 0
            return abs(number - wanted), letter not in address.number.lower(), address.number

        best = min(known, key=far, default=None)
        return best if best is not None and far(best)[0] <= 6 else None

    def suggest(self, text: str, limit: int) -> list[Address]:
        """Addresses that somebody may mean by "Mikonkatu 15" or "Mikonkatu", the likeliest first.

        A name may be spelled as it was heard; without a number the middle of the street is meant.
        """
        match = re.match(r"\s*(.+?)\s*(?:(\d+)\s*([A-Za-z]?))?\s*$", text)
        wanted = _plain(match[1]) if match else ""
        if match is None or not wanted:
            return []
        alike = {
            name: difflib.SequenceMatcher(None, wanted.replace(" ", ""), name.replace(" ", ""))
            .ratio()
            for name in self._by_name
        }  # fmt: skip
        found: list[Address] = []
        for name in sorted(alike, key=lambda name: (-alike[name], name)):
            if alike[name] < _ALIKE or len(found) == limit:
                break
            known = self._by_name[name]
            number = f" {match[2]}{match[3] or ''}" if match[2] else ""
            address = self.find(f"{known[0].street}{number}") if number else known[len(known) // 2]
            if address is not None:
                found.append(address)
        return found

    def spot(self, point: Point) -> Spot | None:
        """The nearest place on a street, or None when all are farther than `REACH_M`."""
        best: tuple[float, int, float] | None = None
        for index in sorted(self._near(point)):
            points = self.edges[index].points
            run = 0.0
            for a, b in pairwise(points):
                away, share = nearest_on_segment(point, a, b)
                length = distance_m(a, b)
                if best is None or away < best[0]:
                    best = (away, index, run + share * length)
                run += length
        if best is None or best[0] > REACH_M:
            return None
        return Spot(best[1], min(best[2], self.edges[best[1]].length_m))

    def _route(self, start: Point, end: Point) -> Route | None:
        pieces = self.way(start, end)
        return None if pieces is None else _timed(pieces)

    def way(self, start: Point, end: Point) -> list[tuple[Edge, Sequence[Point]]] | None:
        """The pieces of streets of the quickest way; None if either end is off the map."""
        here, there = self.spot(start), self.spot(end)
        if here is None or there is None:
            return None
        pieces = self._search(here, there)
        return [(self.edges[i], _piece(self.edges[i], p, q)) for i, p, q in pieces]

    def near_line(self, line: Sequence[Point], limit: int) -> list[tuple[Point, ...]]:
        """Polylines of streets on a map that shows the line, main and near ones first.

        The map is wider than high, as on a phone's card; at most `limit` polylines.
        """
        if not line:
            return []
        (south, west), (north, east) = _frame(line)
        middle = (south + north) / 2, (west + east) / 2
        wanted: set[int] = set()
        for row in range(int(south / _CELL), int(north / _CELL) + 1):
            for column in range(int(west / (2 * _CELL)), int(east / (2 * _CELL)) + 1):
                wanted |= self._cells.get((row, column), set())

        def rank(index: int) -> tuple[bool, bool, float]:
            edge = self.edges[index]
            lat, lon = edge.points[0]
            away = (lat - middle[0]) ** 2 + ((lon - middle[1]) / 2) ** 2
            return not edge.main, not edge.ride, away

        return [self.edges[i].points for i in sorted(wanted, key=rank)[:limit]]

    def _near(self, point: Point) -> set[int]:
        row, column = int(point[0] / _CELL), int(point[1] / (2 * _CELL))
        found: set[int] = set()
        for r in (row - 1, row, row + 1):
            for c in (column - 1, column, column + 1):
                found |= self._cells.get((r, c), set())
        return found

    def _search(self, here: Spot, there: Spot) -> list[tuple[int, float, float]]:
        """A* over junctions, from both ends of the first edge to both ends of the last."""
        first, last = self.edges[here.edge], self.edges[there.edge]
        straight = abs(there.along_m - here.along_m) / first.speed
        best = straight if here.edge == there.edge else float("inf")
        best_node = -1
        goal = self._point_at(there)
        ending = {last.a: there.along_m / last.speed}
        ending[last.b] = (last.length_m - there.along_m) / last.speed
        cost: dict[int, float] = {first.a: here.along_m / first.speed}
        cost[first.b] = (first.length_m - here.along_m) / first.speed
        came: dict[int, tuple[int, int]] = {}
        queue = [(c + self._least(n, goal), c, n) for n, c in cost.items()]
        heapq.heapify(queue)
        while queue and queue[0][0] < best:
            _, spent, node = heapq.heappop(queue)
            if spent > cost[node]:
                continue
            if node in ending and spent + ending[node] < best:
                best, best_node = spent + ending[node], node
            for other, edge, step in self._leaving[node]:
                total = spent + step
                if total < cost.get(other, float("inf")):
                    cost[other] = total
                    came[other] = (node, edge)
                    heapq.heappush(queue, (total + self._least(other, goal), total, other))
        return self._pieces(here, there, best_node, came)

    def _pieces(
        self, here: Spot, there: Spot, node: int, came: dict[int, tuple[int, int]]
    ) -> list[tuple[int, float, float]]:
        if node < 0:
            return [(here.edge, here.along_m, there.along_m)]
        first, last = self.edges[here.edge], self.edges[there.edge]
        pieces = [(there.edge, 0.0 if node == last.a else last.length_m, there.along_m)]
        while node in came:
            before, index = came[node]
            edge = self.edges[index]
            forward = edge.a == before
            span = (0.0, edge.length_m) if forward else (edge.length_m, 0.0)
            pieces.append((index, *span))
            node = before
        pieces.append((here.edge, here.along_m, 0.0 if node == first.a else first.length_m))
        return pieces[::-1]

    def _point_at(self, spot: Spot) -> Point:
        return cut(self.edges[spot.edge].points, spot.along_m, spot.along_m)[0]

    def _least(self, node: int, goal: Point) -> float:
        return distance_m(self.nodes[node], goal) / RIDE_M_PER_S


def _piece(edge: Edge, start_m: float, end_m: float) -> Sequence[Point]:
    """Part of an edge; the whole of it keeps its exact corners."""
    if (start_m, end_m) == (0.0, edge.length_m):
        return edge.points
    if (start_m, end_m) == (edge.length_m, 0.0):
        return edge.points[::-1]
    return cut(edge.points, start_m, end_m)


def _frame(line: Sequence[Point]) -> tuple[Point, Point]:
    """South-west and north-east of a map with the line in its middle, 1.6 times as wide as high.

    At this latitude a degree of longitude is half as long as one of latitude.
    """
    lats, lons = [lat for lat, _ in line], [lon for _, lon in line]
    middle = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
    high = max(max(lats) - min(lats), (max(lons) - min(lons)) / 2 / 1.6, 0.001) * 0.65
    wide = high * 1.6 * 2
    return (middle[0] - high, middle[1] - wide), (middle[0] + high, middle[1] + wide)


def _timed(pieces: Sequence[tuple[Edge, Sequence[Point]]]) -> Route:
    points: list[Point] = []
    seconds: list[float] = []
    length = 0.0
    for edge, line in pieces:
        for point in line:
            if not points:
                points.append(point)
                seconds.append(0.0)
                continue
            step = distance_m(points[-1], point)
            if step < 0.05:
                continue
            length += step
            points.append(point)
            seconds.append(seconds[-1] + step / edge.speed)
    return Route(tuple(points), tuple(seconds), length)


def _cells_of(points: Sequence[Point]) -> Iterator[tuple[int, int]]:
    for a, b in pairwise(points):
        steps = int(distance_m(a, b) / 50.0) + 1
        for i in range(steps + 1):
            share = i / steps
            lat = a[0] + (b[0] - a[0]) * share
            lon = a[1] + (b[1] - a[1]) * share
            yield int(lat / _CELL), int(lon / (2 * _CELL))


def _plain(name: str) -> str:
    """Lower case without accents, so that "Toolonlahdenkatu" finds Töölönlahdenkatu."""
    spread = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in spread if c.isalnum() or c == " ").strip()


@cache
def helsinki() -> Streets:
    """The map that ships with the City: © OpenStreetMap contributors, ODbL."""
    packed = resources.files("city").joinpath("data/helsinki.json.gz").read_bytes()
    document = msgspec.json.decode(gzip.decompress(packed), type=_Document)
    nodes = _points(document.nodes)
    edges = [
        Edge(
            a,
            b,
            document.names[name],
            length / 10.0,
            bool(flags & _BIKE),
            bool(flags & _MAIN),
            (nodes[a], *_inner(nodes[a], inner), nodes[b]),
        )
        for a, b, name, length, flags, inner in document.edges
    ]
    addresses = [
        Address(document.names[name], number, code, (y / 1e6, x / 1e6))
        for name, number, code, y, x in document.addresses
    ]
    areas = [Area(kind, tuple(_points(flat))) for kind, flat in document.areas]
    return Streets(nodes, edges, addresses, areas)


def _points(flat: Sequence[int]) -> list[Point]:
    return [(flat[i] / 1e6, flat[i + 1] / 1e6) for i in range(0, len(flat), 2)]


def _inner(start: Point, flat: Sequence[int]) -> list[Point]:
    lat, lon = round(start[0] * 1e6), round(start[1] * 1e6)
    points: list[Point] = []
    for i in range(0, len(flat), 2):
        lat, lon = lat + flat[i], lon + flat[i + 1]
        points.append((lat / 1e6, lon / 1e6))
    return points
