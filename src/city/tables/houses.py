"""The restaurants: where they are, what they cook, when they are open, their tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from types import MappingProxyType
from zoneinfo import ZoneInfo

from city.errors import DataError
from city.geometry import Point
from city.streets import Address, Streets

TIME_ZONE = "Europe/Helsinki"
ZONE = ZoneInfo(TIME_ZONE)
CURRENCY = "EUR"
_SAID_ANYWAY = frozenset({"restaurant", "restaurants", "food", "cuisine", "place", "something"})


@dataclass(frozen=True, slots=True)
class Menu:
    """A set menu that is paid for in advance; `price` is for one person, in cents."""

    id: str
    title: str
    price: int


@dataclass(frozen=True, slots=True)
class Hours:
    """Guests come from `opens` on; the last of them have left by `closes`."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class House:
    """A restaurant. `week` has its hours by weekday, Monday first; `tables` how many by size.

    `deposit` is for one person, in cents; 0 where only menus are sold. Canceling is free until
    `free_hours` before, then costs `fee` for one person.
    """

    id: str
    name: str
    street: str
    cuisines: tuple[str, ...]
    week: tuple[tuple[Hours, ...], ...]
    tables: Mapping[int, int]
    deposit: int
    free_hours: int
    fee: int
    menus: tuple[Menu, ...] = ()

    @property
    def largest(self) -> int:
        return max(self.tables)

    def hours(self, day: date) -> tuple[Hours, ...]:
        return self.week[day.weekday()]

    def fits(self, words: str) -> bool:
        """Whether all that was said is about its kitchen or its name."""
        own = set(_plain(f"{self.name} {' '.join(self.cuisines)}").split())
        return set(_plain(words).split()) - _SAID_ANYWAY <= own

    def address(self, streets: Streets) -> Address:
        found = streets.find(self.street)
        if found is None:
            raise DataError(f"restaurant {self.id!r}: {self.street!r} is not on the map")
        return found

    def point(self, streets: Streets) -> Point:
        return self.address(streets).point


@dataclass(frozen=True, slots=True)
class Company:
    """Who takes the bookings and the money for its houses."""

    slug: str
    name: str
    aliases: tuple[str, ...]
    houses: tuple[House, ...]

    def house(self, id: str) -> House | None:
        return next((house for house in self.houses if house.id == id), None)


def _evenings(
    opens: str = "17:00", closes: str = "23:00", lunch: str = "", rest: tuple[int, ...] = ()
) -> tuple[tuple[Hours, ...], ...]:
    """The same each day: an evening, and from `lunch` until 15:00; closed on the days `rest`."""
    evening = Hours(time.fromisoformat(opens), time.fromisoformat(closes))
    noon = (Hours(time.fromisoformat(lunch), time(15)),) if lunch else ()
    return tuple(() if day in rest else (*noon, evening) for day in range(7))


def _room(twos: int, fours: int, sixes: int, tens: int = 0) -> Mapping[int, int]:
    counts = {2: twos, 4: fours, 6: sixes, 10: tens}
    return MappingProxyType({size: count for size, count in counts.items() if count})


_SUNDAY, _MONDAY = 6, 0

SATAMA = Company(
    "satama",
    "Satama Tables",
    ("satama",),
    (
        House(
            "juniper",
            "Juniper Room",
            "Mikonkatu 8",
            ("finnish", "nordic", "local", "fish"),
            _evenings(lunch="11:30", rest=(_SUNDAY,)),
            _room(8, 6, 3, 1),
            deposit=1000,
            free_hours=4,
            fee=1000,
            menus=(Menu("harvest", "Harvest menu, four courses", 4900),),
        ),
        House(
            "lume",
            "Trattoria Lume",
            "Aleksanterinkatu 13",
            ("italian", "pizza", "pasta"),
            _evenings(opens="16:00", lunch="11:00"),
            _room(10, 8, 2),
            deposit=500,
            free_hours=2,
            fee=500,
        ),
        House(
            "saffron",
            "Saffron House",
            "Vilhonkatu 4",
            ("indian", "curry", "vegetarian", "vegan"),
            _evenings(lunch="11:00", closes="22:30"),
            _room(6, 6, 2),
            deposit=500,
            free_hours=2,
            fee=500,
            menus=(Menu("thali", "Thali evening, six dishes", 3200),),
        ),
        House(
            "kumo",
            "Kumo",
            "Elielinaukio 3",
            ("japanese", "sushi", "ramen", "fish"),
            _evenings(rest=(_MONDAY,)),
            _room(8, 4, 1),
            deposit=1000,
            free_hours=6,
            fee=800,
            menus=(Menu("omakase", "Omakase at the counter", 7500),),
        ),
        House(
            "ourse",
            "Petite Ourse",
            "Uudenmaankatu 15",
            ("french", "bistro", "wine"),
            _evenings(opens="16:30", closes="23:30", rest=(_SUNDAY, _MONDAY)),
            _room(6, 4, 2),
            deposit=1500,
            free_hours=12,
            fee=1500,
        ),
        House(
            "bao",
            "Bao Lane",
            "Simonkatu 8",
            ("chinese", "dumplings", "noodles"),
            _evenings(opens="15:30", lunch="11:00"),
            _room(8, 8, 2, 1),
            deposit=500,
            free_hours=2,
            fee=300,
        ),
    ),
)
HILLA = Company(
    "hilla",
    "Hilla",
    ("hilla",),
    (
        House(
            "hilla",
            "Hilla",
            "Pohjoisesplanadi 21",
            ("finnish", "nordic", "tasting"),
            _evenings(opens="18:00", closes="23:30", rest=(_SUNDAY, _MONDAY)),
            _room(5, 4, 1),
            deposit=0,
            free_hours=96,
            fee=6000,
            menus=(
                Menu("forest", "Forest menu, seven courses", 9800),
                Menu("archipelago", "Archipelago menu, ten courses", 12900),
            ),
        ),
    ),
)
COMPANIES = (SATAMA, HILLA)
BY_SLUG = {company.slug: company for company in COMPANIES}


def _plain(text: str) -> str:
    """Lower case without accents and marks."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in bare if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", kept))
