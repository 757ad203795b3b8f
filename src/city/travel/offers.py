"""What can be bought: a service at a fare, by an id that says all of it, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from city.faults import chance
from city.travel import schedule
from city.travel.places import HOTELS, STATIONS, airports, found, kilometres
from city.travel.schedule import Service

CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Fare:
    """`change_fee` and `refund_fee` are in cents; None means that it is not allowed at all.

    `capacity` is how many seats or rooms there are of it; `more` is its price beyond the cheapest.
    """

    id: str
    title: str
    more: int
    change_fee: int | None
    refund_fee: int | None
    capacity: int


@dataclass(frozen=True, slots=True)
class Company:
    """`kind` is what it sells; `closes` is how long before the beginning its rules end."""

    slug: str
    name: str
    aliases: tuple[str, ...]
    kind: str
    fares: tuple[Fare, ...]
    closes: timedelta


AIRLINE = Company(
    "tern",
    "Tern Air",
    ("tern",),
    "flight",
    (
        Fare("basic", "Basic", 0, None, None, 9),
        Fare("standard", "Standard", 1500, 2500, 4000, 12),
        Fare("flex", "Flex", 3800, 0, 0, 12),
    ),
    timedelta(hours=1),
)
RAILWAY = Company(
    "birch",
    "Birch Rail",
    ("birch",),
    "train",
    (
        Fare("saver", "Saver", 0, None, None, 20),
        Fare("flex", "Flex", 900, 0, 0, 30),
    ),
    timedelta(0),
)
INNS = Company(
    "lantern",
    "Lantern Hotels",
    ("lantern",),
    "stay",
    (
        Fare("saver", "Saver room", 0, None, None, 20),
        Fare("flex", "Flexible room", 1200, 0, 0, 30),
    ),
    timedelta(hours=21),
)
"""Rooms can be given back until six in the evening of the day before."""
COMPANIES = (AIRLINE, RAILWAY, INNS)
BY_SLUG = {company.slug: company for company in COMPANIES}


@dataclass(frozen=True, slots=True)
class Offer:
    service: Service
    fare: Fare
    price: int
    until: datetime
    """The last moment for changing and giving back."""

    @property
    def id(self) -> str:
        return f"{self.service.key}.{self.service.day.isoformat()}.{self.fare.id}"

    def json(self) -> dict[str, object]:
        """The journey, without price and id."""
        service = self.service
        fare: dict[str, object] = {"title": self.fare.title}
        for name, fee in (
            ("change_fee", self.fare.change_fee),
            ("refund_fee", self.fare.refund_fee),
        ):
            if fee is not None:
                fare[name] = fee
        if len(fare) > 1:
            fare["until"] = stamp(self.until)
        shown: dict[str, object] = {
            "kind": service.kind,
            "number": service.number,
            "to": service.destination.json(),
            "begins": stamp(service.begins),
            "ends": stamp(service.ends),
            "fare": fare,
        }
        if service.origin is not None:
            shown["from"] = service.origin.json()
        return shown


def stamp(moment: datetime) -> str:
    """RFC 3339 to the minute, with the local offset."""
    return moment.isoformat(timespec="seconds")


def priced(company: Company, service: Service) -> list[Offer]:
    """One offer a fare, the cheapest first."""
    until = service.begins - company.closes
    if company is INNS:
        until = schedule.local(service.day - timedelta(days=1), _EVENING, service.destination.clock)
    least = _least(service)
    nights = len(service.days)
    return [Offer(service, fare, least + fare.more * nights, until) for fare in company.fares]


_EVENING = schedule.CHECK_IN.replace(hour=18)


def by_id(company: Company, id: str) -> Offer | None:
    """The offer with this id, whether anything of it is left or not."""
    key, _, rest = id.partition(".")
    written, _, fare_id = rest.partition(".")
    try:
        day = date.fromisoformat(written)
        service = _service(company, key, day)
    except (ValueError, OverflowError):
        return None
    if service is None:
        return None
    return next((x for x in priced(company, service) if x.fare.id == fare_id), None)


def services(
    company: Company, start: str, end: str, day: date, nights: int
) -> tuple[list[Service], str]:
    """What goes there on that day; without any, the member of the request that is at fault."""
    stops = {"flight": airports(), "train": STATIONS, "stay": HOTELS}[company.kind]
    ends = found(end, stops.values())
    if not ends:
        return [], "to"
    if company.kind == "stay":
        stays = (schedule.stay(stop.code, day, nights) for stop in ends)
        return [each for each in stays if each is not None], ""
    starts = found(start, stops.values())
    if not starts:
        return [], "from"
    go = schedule.flights if company.kind == "flight" else schedule.trains
    found_ones = [each for one in starts for other in ends for each in go(one, other, day)]
    return sorted(found_ones, key=lambda each: (each.begins, each.number)), ""


def nearest_after(company: Company, service: Service, days: int = 3) -> Iterator[Service]:
    """Other departures on the same way that begin later, the soonest first."""
    origin = service.origin
    if origin is None:
        return
    go = schedule.flights if company.kind == "flight" else schedule.trains
    for ahead in range(days):
        day = service.day + timedelta(days=ahead)
        for other in sorted(go(origin, service.destination, day), key=lambda x: x.begins):
            if other.begins > service.begins:
                yield other


def _service(company: Company, key: str, day: date) -> Service | None:
    match company.kind:
        case "flight":
            number = key.removeprefix("TQ")
            return schedule.flight(int(number), day) if number.isdecimal() else None
        case "train":
            return schedule.train(key, day)
        case _:
            code, _, nights = key.rpartition("x")
            return schedule.stay(code, day, int(nights)) if nights.isdecimal() else None


def _least(service: Service) -> int:
    """The cheapest fare in cents, in whole euros: by the way, the date, and the number."""
    mood = 0.85 + 0.3 * chance(0, "fare", service.key.partition("x")[0], service.day)
    match service.kind:
        case "flight":
            assert service.origin is not None
            base = 2900 + 2.2 * kilometres(service.origin, service.destination)
        case "train":
            assert service.origin is not None
            base = 900 + 9.0 * kilometres(service.origin, service.destination)
        case _:
            nights = [5900 * (1.2 if day.weekday() in (4, 5) else 1.0) for day in service.days]
            base = sum(nights)
    return 100 * round(base * mood / 100)
