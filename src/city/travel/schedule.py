"""The timetables: which flights, trains and nights there are, and when in which time zone.

Nothing here is chance of the moment: a date and a number give the same journey for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import combinations
from zoneinfo import ZoneInfo

from city.faults import chance
from city.travel.places import HOTELS, HUBS, LINES, SERVED, STATIONS, Stop, airports, kilometres

CRUISE_KMH = 840.0
ON_THE_GROUND_MIN = 35
"""Taxiing, climbing and approach, beyond the time that cruising takes."""
FIRST_MIN, LAST_MIN = 6 * 60, 21 * 60 + 30
"""Flights leave between these, in minutes of the local day."""
FIRST_TRAIN_MIN, LAST_TRAIN_MIN = 6 * 60 + 3, 22 * 60
CHECK_IN, CHECK_OUT = time(15), time(11)
LONGEST_STAY = 14
_A_PAIR = 8
"""Numbers that are set aside for the flights of a pair of airports, each way."""


@dataclass(frozen=True, slots=True)
class Service:
    """One flight, train or stay on one date. `begins` and `ends` carry the local offsets.

    `key` names it on all its dates, `days` are those whose seats or rooms it takes.
    """

    kind: str
    key: str
    number: str
    origin: Stop | None
    destination: Stop
    begins: datetime
    ends: datetime
    days: tuple[date, ...]

    @property
    def day(self) -> date:
        return self.days[0]


def local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment of a local time; one that the clocks skip is moved on by as much as they skip."""
    moment = datetime.combine(day, at, zone)
    return moment.astimezone(UTC).astimezone(zone)


def later(moment: datetime, by: timedelta, zone: ZoneInfo) -> datetime:
    """So much later in real time, told in `zone`."""
    return (moment.astimezone(UTC) + by).astimezone(zone)


def block_minutes(origin: Stop, destination: Stop) -> int:
    """From gate to gate, in steps of five minutes."""
    exact = ON_THE_GROUND_MIN + kilometres(origin, destination) / CRUISE_KMH * 60
    return 5 * round(exact / 5)


@cache
def _pairs() -> Mapping[tuple[str, str], int]:
    """Both ways of each pair of airports that has flights -> its first flight number."""
    joined = [pair for pair in combinations(sorted(SERVED), 2) if set(pair) & set(HUBS)]
    ways = [way for one, other in joined for way in ((one, other), (other, one))]
    return {way: 100 + _A_PAIR * index for index, way in enumerate(ways)}


@cache
def _by_number() -> Mapping[int, tuple[str, str]]:
    return {first: way for way, first in _pairs().items()}


def _daily(km: float) -> int:
    return 5 if km < 1500 else 3 if km < 4000 else 2


def flights(origin: Stop, destination: Stop, day: date) -> Iterator[Service]:
    """All direct ones that leave on the local date `day`, in the order of their numbers."""
    first = _pairs().get((origin.code, destination.code))
    if first is None:
        return
    for index in range(_daily(kilometres(origin, destination))):
        yield _flight(first + index, index, origin, destination, day)


def flight(number: int, day: date) -> Service | None:
    """The flight with this number on that date; None where there is none."""
    index = (number - 100) % _A_PAIR
    way = _by_number().get(number - index)
    if way is None:
        return None
    origin, destination = (airports()[code] for code in way)
    if index >= _daily(kilometres(origin, destination)):
        return None
    return _flight(number, index, origin, destination, day)


def _flight(number: int, index: int, origin: Stop, destination: Stop, day: date) -> Service:
    slot = (LAST_MIN - FIRST_MIN) / _daily(kilometres(origin, destination))
    minute = FIRST_MIN + 5 * int((index + chance(0, "flight", number)) * slot / 5)
    begins = local(day, time(minute // 60, minute % 60), origin.clock)
    block = timedelta(minutes=block_minutes(origin, destination))
    ends = later(begins, block, destination.clock)
    name = f"TQ {number}"
    return Service("flight", f"TQ{number}", name, origin, destination, begins, ends, (day,))


def trains(origin: Stop, destination: Stop, day: date) -> Iterator[Service]:
    """All of that local date, the earliest first."""
    line = _line(origin.code, destination.code)
    if line is None:
        return
    _, every = LINES[line]
    for index in range((LAST_TRAIN_MIN - FIRST_TRAIN_MIN) // every + 1):
        yield _train(line, origin, destination, index, day)


def train(key: str, day: date) -> Service | None:
    """By its key, such as `HKI-TPE-3`."""
    start, _, rest = key.partition("-")
    end, _, index = rest.partition("-")
    line = _line(start, end)
    if line is None or not index.isdecimal():
        return None
    if FIRST_TRAIN_MIN + int(index) * LINES[line][1] > LAST_TRAIN_MIN:
        return None
    return _train(line, STATIONS[start], STATIONS[end], int(index), day)


def _line(start: str, end: str) -> tuple[str, str] | None:
    return next((line for line in ((start, end), (end, start)) if line in LINES), None)


def _train(
    line: tuple[str, str], origin: Stop, destination: Stop, index: int, day: date
) -> Service:
    minutes, every = LINES[line]
    minute = FIRST_TRAIN_MIN + index * every + (10 if origin.code == line[1] else 0)
    begins = local(day, time(minute // 60, minute % 60), origin.clock)
    ends = later(begins, timedelta(minutes=minutes), destination.clock)
    number = 10 * (list(LINES).index(line) + 1) * 10 + 2 * index + (origin.code == line[1])
    key = f"{origin.code}-{destination.code}-{index}"
    return Service("train", key, f"IC {number}", origin, destination, begins, ends, (day,))


def stay(code: str, day: date, nights: int) -> Service | None:
    """A room from the afternoon of `day`, for so many nights."""
    hotel = HOTELS.get(code)
    if hotel is None or not 1 <= nights <= LONGEST_STAY:
        return None
    begins = local(day, CHECK_IN, hotel.clock)
    ends = local(day + timedelta(days=nights), CHECK_OUT, hotel.clock)
    days = tuple(day + timedelta(days=n) for n in range(nights))
    return Service("stay", f"{code}x{nights}", hotel.name, None, hotel, begins, ends, days)
