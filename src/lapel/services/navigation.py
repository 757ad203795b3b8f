"""Following a way: where on it somebody is, what comes next, and whether they have left it.

Sans-IO: `at(point)` for every position that a device reports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from lapel.services.maps import Point, Step, Way

ARRIVED_M = 15.0
OFF_M = 40.0
"""Farther from the way than this, or than twice the position's own error, counts as off it."""
_BACK_M = 30.0
_METRES_A_DEGREE = 6_371_000.0 * math.pi / 180.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` is being followed; its turn comes in `to_turn_m`, the end in `left_m`."""

    step: int
    to_turn_m: float
    left_m: float
    off_m: float
    off: bool
    arrived: bool


class Navigation:
    """One way being followed; it never goes back far along it."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self._along_m = 0.0
        self._legs: list[tuple[Point, Point, float, int]] = []
        """Segments with the metres before them and the step they belong to."""
        self._ends: list[float] = []
        run = 0.0
        for number, step in enumerate(way.steps):
            for a, b in pairwise(step.points):
                self._legs.append((a, b, run, number))
                run += distance_m(a, b)
            self._ends.append(run)
        self.length_m = run

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.way.steps

    def at(self, point: Point, accuracy_m: float = 0.0) -> Progress:
        """Where `point` is on the way."""
        best = (math.inf, self._along_m, 0)
        for a, b, before, step in self._legs:
            away, share = _nearest(point, a, b)
            along = before + share * distance_m(a, b)
            if along >= self._along_m - _BACK_M and away < best[0]:
                best = (away, along, step)
        off_m, along, step = best
        off = off_m > max(OFF_M, 2 * accuracy_m)
        if not off:
            self._along_m = along
        left = self.length_m - along
        to_turn = self._ends[step] - along
        return Progress(step, to_turn, left, off_m, off, not off and left <= ARRIVED_M)


def distance_m(a: Point, b: Point) -> float:
    """Metres between two points that are at most some kilometres apart."""
    east = (b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return _METRES_A_DEGREE * math.hypot(east, b[0] - a[0])


def _nearest(point: Point, a: Point, b: Point) -> tuple[float, float]:
    """Metres from `point` to the segment, and the share of it where that is."""
    shrink = math.cos(math.radians(point[0]))
    east, north = (b[1] - a[1]) * shrink, b[0] - a[0]
    length = east * east + north * north
    share = 0.0
    if length > 0:
        along = (point[1] - a[1]) * shrink * east + (point[0] - a[0]) * north
        share = min(1.0, max(0.0, along / length))
    there = (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
    return distance_m(point, there), share
