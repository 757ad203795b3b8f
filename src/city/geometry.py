"""Points on the map and lines through them; over so small an area the ground is flat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]
"""Latitude and longitude in degrees."""

_METRES_A_DEGREE = 6_371_000.0 * math.pi / 180.0


def distance_m(a: Point, b: Point) -> float:
    """Metres between two points that are at most some kilometres apart."""
    east = (b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return _METRES_A_DEGREE * math.hypot(east, b[0] - a[0])


def between(a: Point, b: Point, share: float) -> Point:
    """The point that lies at `share` (0..1) of the way from a to b."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)


def nearest_on_segment(point: Point, a: Point, b: Point) -> tuple[float, float]:
    """Metres from `point` to the segment, and at which share of the segment it is closest."""
    shrink = math.cos(math.radians(point[0]))
    east, north = (b[1] - a[1]) * shrink, b[0] - a[0]
    length = east * east + north * north
    share = 0.0
    if length > 0.0:
        along = (point[1] - a[1]) * shrink * east + (point[0] - a[0]) * north
        share = min(1.0, max(0.0, along / length))
    return distance_m(point, between(a, b, share)), share


def cut(points: Sequence[Point], start_m: float, end_m: float) -> list[Point]:
    """The piece of a polyline between two distances from its beginning, in either direction."""
    if end_m < start_m:
        return cut(points, end_m, start_m)[::-1]
    piece: list[Point] = []
    run = 0.0
    for a, b in pairwise(points):
        length = distance_m(a, b)
        if run + length >= start_m and run <= end_m and length > 0.0:
            first = between(a, b, max(0.0, (start_m - run) / length))
            last = between(a, b, min(1.0, (end_m - run) / length))
            if not piece or piece[-1] != first:
                piece.append(first)
            if last != first:
                piece.append(last)
        run += length
    return piece or [points[0]]
