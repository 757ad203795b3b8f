"""What can be booked: a house at a time for a party, by an id that says all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from city.tables.houses import ZONE, Company, House, Menu

DEPOSIT = "deposit"
SLOT = timedelta(minutes=30)
LEAD_S = 900.0
"""A table is booked so long before at the latest."""
FARTHEST = timedelta(days=90)
"""And so long before at the earliest."""
_WRITTEN = "%Y%m%dT%H%M"


@dataclass(frozen=True, slots=True)
class Offer:
    """`menu` is None where a deposit is paid. `begins` carries the local offset."""

    house: House
    begins: datetime
    party: int
    menu: Menu | None

    @property
    def id(self) -> str:
        way = self.menu.id if self.menu else DEPOSIT
        return f"{self.house.id}.{self.begins.strftime(_WRITTEN)}.{self.party}.{way}"

    @property
    def per_person(self) -> int:
        return self.menu.price if self.menu else self.house.deposit

    @property
    def ends(self) -> datetime:
        return later(self.begins, stay(self.party, self.menu))

    @property
    def free_until(self) -> datetime:
        return later(self.begins, -timedelta(hours=self.house.free_hours))

    @property
    def fee(self) -> int:
        """What canceling costs after that, for the whole party."""
        return self.house.fee * self.party


def stay(party: int, menu: Menu | None) -> timedelta:
    """How long the table is theirs."""
    if menu is not None:
        return timedelta(minutes=150)
    return timedelta(minutes=90 if party <= 2 else 120)


def offers(house: House, wanted: datetime, tolerance: timedelta, party: int) -> Iterator[Offer]:
    """All that the house would have at that local time, give or take, the earliest first.

    `wanted` has no offset: it is what the clocks show there.
    """
    if party > house.largest:
        return
    days = {(wanted + delta).date() for delta in (-tolerance, timedelta(0), tolerance)}
    ways = (*((None,) if house.deposit else ()), *house.menus)
    for day in sorted(days):
        for at in _slots(house, day):
            if abs(datetime.combine(day, at) - wanted) > tolerance:
                continue
            for menu in ways:
                if _fits(house, day, at, stay(party, menu)):
                    yield Offer(house, _local(day, at), party, menu)


def by_id(company: Company, id: str) -> Offer | None:
    """The offer with this id, whether a table is left or not."""
    parts = id.split(".")
    if len(parts) != 4:
        return None
    house = company.house(parts[0])
    try:
        wall = datetime.strptime(parts[1], _WRITTEN)
        party = int(parts[2])
    except ValueError:
        return None
    if house is None or not 1 <= party <= house.largest:
        return None
    found = offers(house, wall, timedelta(0), party)
    return next((offer for offer in found if offer.id == id), None)


def _slots(house: House, day: date) -> Iterator[time]:
    for hours in house.hours(day):
        at = datetime.combine(day, hours.opens)
        while at.time() < hours.closes and at.date() == day:
            yield at.time()
            at += SLOT


def _fits(house: House, day: date, at: time, length: timedelta) -> bool:
    """Whether they have left before it closes."""
    begins = datetime.combine(day, at)
    return any(
        hours.opens <= at and begins + length <= datetime.combine(day, hours.closes)
        for hours in house.hours(day)
    )


def _local(day: date, at: time) -> datetime:
    """The moment of a local time; one that the clocks skip is moved on by as much as they skip."""
    return datetime.combine(day, at, ZONE).astimezone(UTC).astimezone(ZONE)


def later(moment: datetime, by: timedelta) -> datetime:
    """So much later in real time, told where the house is."""
    return (moment.astimezone(UTC) + by).astimezone(ZONE)
