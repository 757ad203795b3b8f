"""Where journeys begin and end: real airports, some stations, some hotels; found by words."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import airportsdata

EARTH_KM = 6371.0

HUBS = ("HEL", "LHR", "JFK", "NRT", "SYD", "AKL")
SERVED = (
    *HUBS, "AMS", "ARN", "ATH", "BCN", "BER", "BUD", "CDG", "CPH", "DEL", "DUB", "DXB", "EDI",
    "FCO", "FRA", "HAM", "HKG", "HNL", "ICN", "IST", "KEF", "LAX", "LIS", "MAD", "MUC", "ORD",
    "OSL", "OUL", "PRG", "RIX", "RVN", "SFO", "SIN", "TLL", "VIE", "WAW", "YYZ", "ZRH",
)  # fmt: skip
"""A flight goes between a hub and any other of these."""
_CITIES = {"IST": "Istanbul", "OUL": "Oulu", "YYZ": "Toronto", "FRA": "Frankfurt"}
"""What people call the city where the register of airports says something longer."""


@dataclass(frozen=True, slots=True)
class Stop:
    """An airport, a station or a hotel; `zone` is the IANA name of its time zone."""

    code: str
    name: str
    city: str
    country: str
    zone: str
    latitude: float
    longitude: float

    @property
    def clock(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def json(self) -> dict[str, object]:
        return {
            "code": self.code,
            "name": self.name,
            "city": self.city,
            "country": self.country,
            "time_zone": self.zone,
            "latitude": self.latitude,
            "longitude": self.longitude,
        }


@cache
def airports() -> Mapping[str, Stop]:
    """The airports that are flown to, by IATA code."""
    register = airportsdata.load("IATA")
    return {code: _airport(code, register[code]) for code in sorted(SERVED)}


def _airport(code: str, entry: airportsdata.Airport) -> Stop:
    return Stop(
        code,
        entry["name"],
        _CITIES.get(code, entry["city"]),
        entry["country"],
        entry["tz"],
        entry["lat"],
        entry["lon"],
    )


STATIONS: Mapping[str, Stop] = {
    stop.code: stop
    for stop in (
        Stop("HKI", "Helsinki Central", "Helsinki", "FI", "Europe/Helsinki", 60.1719, 24.9414),
        Stop("TPE", "Tampere", "Tampere", "FI", "Europe/Helsinki", 61.4985, 23.7731),
        Stop("TKU", "Turku", "Turku", "FI", "Europe/Helsinki", 60.4540, 22.2529),
        Stop("JY", "Jyväskylä", "Jyväskylä", "FI", "Europe/Helsinki", 62.2411, 25.7547),
        Stop("OL", "Oulu", "Oulu", "FI", "Europe/Helsinki", 65.0114, 25.4839),
        Stop("BLS", "Berlin Central", "Berlin", "DE", "Europe/Berlin", 52.5251, 13.3694),
        Stop("AH", "Hamburg Central", "Hamburg", "DE", "Europe/Berlin", 53.5530, 10.0067),
        Stop("MH", "Munich Central", "Munich", "DE", "Europe/Berlin", 48.1402, 11.5600),
        Stop("QQL", "London St Pancras", "London", "GB", "Europe/London", 51.5308, -0.1261),
        Stop("XPG", "Paris Nord", "Paris", "FR", "Europe/Paris", 48.8809, 2.3553),
    )
}
LINES: Mapping[tuple[str, str], tuple[int, int]] = {
    ("HKI", "TPE"): (98, 60),
    ("HKI", "TKU"): (117, 60),
    ("HKI", "JY"): (205, 120),
    ("HKI", "OL"): (365, 180),
    ("TPE", "JY"): (95, 120),
    ("TPE", "OL"): (265, 120),
    ("TPE", "TKU"): (106, 120),
    ("BLS", "AH"): (107, 60),
    ("BLS", "MH"): (240, 60),
    ("AH", "MH"): (345, 120),
    ("QQL", "XPG"): (138, 120),
}
"""Two stations -> minutes on the way, and minutes from one train to the next; both ways."""

HOTELS: Mapping[str, Stop] = {
    stop.code: stop
    for stop in (
        Stop("ber", "Lantern Berlin Mitte", "Berlin", "DE", "Europe/Berlin", 52.5230, 13.4020),
        Stop("hel", "Lantern Helsinki", "Helsinki", "FI", "Europe/Helsinki", 60.1680, 24.9390),
        Stop("tmp", "Lantern Tampere", "Tampere", "FI", "Europe/Helsinki", 61.4981, 23.7610),
        Stop("lon", "Lantern Bloomsbury", "London", "GB", "Europe/London", 51.5222, -0.1257),
        Stop("par", "Lantern Paris", "Paris", "FR", "Europe/Paris", 48.8700, 2.3320),
        Stop("nyc", "Lantern Manhattan", "New York", "US", "America/New_York", 40.7500, -73.98),
        Stop("tyo", "Lantern Tokyo", "Tokyo", "JP", "Asia/Tokyo", 35.6850, 139.7660),
        Stop("hnl", "Lantern Honolulu", "Honolulu", "US", "Pacific/Honolulu", 21.28, -157.83),
        Stop("syd", "Lantern Sydney", "Sydney", "AU", "Australia/Sydney", -33.8650, 151.2090),
    )
}


def found(said: str, stops: Iterable[Stop]) -> list[Stop]:
    """The stops that somebody means by a code, a city or a name: the best kind of match alone."""
    wanted = _plain(said)
    known = list(stops)
    by_code = [stop for stop in known if wanted == stop.code.lower()]
    by_city = [stop for stop in known if wanted == _plain(stop.city)]
    words = wanted.split()
    by_name = [
        stop
        for stop in known
        if words and set(words) <= set(_plain(f"{stop.city} {stop.name}").split())
    ]
    return by_city or by_code or by_name


def kilometres(start: Stop, end: Stop) -> float:
    """Along the great circle."""
    north, south = math.radians(start.latitude), math.radians(end.latitude)
    across = math.radians(end.longitude - start.longitude) / 2
    along = (south - north) / 2
    chord = math.sin(along) ** 2 + math.cos(north) * math.cos(south) * math.sin(across) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


def _plain(text: str) -> str:
    """Lower case without accents and marks, and without "airport" and the like."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    words = re.findall(r"[a-z0-9]+", "".join(c for c in bare if not unicodedata.combining(c)))
    return " ".join(w for w in words if w not in ("airport", "station", "hotel", "the"))
