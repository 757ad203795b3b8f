"""Rides for later: when one may be booked, what its time costs, and the drivers kept for it.

Such a ride waits in real time, like a journey: whoever asks for a car tomorrow at six means their
own clock. Once a driver is sent it goes on in the City's time, like any other.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from city.store import Transaction
from city.ucp.quote import Json, Note
from city.world import World

TIME_ZONE = "Europe/Helsinki"
ZONE = ZoneInfo(TIME_ZONE)
MOST_DAYS = 30
LEAD_S = 900.0
"""City seconds before the pick-up in which a driver is found."""
FREE_BEFORE_S = 1800.0
"""Canceling and another time are free until so long before the pick-up."""
REMIND_BEFORE_S = 3600.0
KEPT_S = 3600.0
"""City seconds before the pick-up from which on its driver takes no ride that begins at once."""

_NIGHT, _RUSH = 30, 20
_RUSH_HOURS = frozenset({7, 8, 16, 17})


class Slot(NamedTuple):
    """A driver of a class is kept from the lead before `pickup_s` to `until_s`, in real seconds."""

    ride_id: str
    ride_class: str
    pickup_s: float
    until_s: float
    reminded: int


def config(world: World) -> Json:
    """What the profile says of it."""
    return {"least_minutes": least_minutes(world), "most_days": MOST_DAYS, "time_zone": TIME_ZONE}


def least_minutes(world: World) -> int:
    """A driver must be able to come; in a City that runs fast they are soon there."""
    return math.ceil(LEAD_S / world.clock.speed / 60)


def moment(text: str) -> datetime | None:
    """The moment of an RFC 3339 text; None where it is none or has no offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found


def check(world: World, text: str, *, booked: bool = False) -> datetime | Note:
    """The pick-up time, or why there can be none then; what is `booked` has time to be paid."""
    at = moment(text)
    if at is None:
        said = "pickup_at is no RFC 3339 time with an offset"
        return Note("error", "invalid", said, "$.trip.pickup_at")
    ahead_s = at.timestamp() - world.real_s()
    if ahead_s < lead_s(world) * (0.5 if booked else 1.0):
        said = f"a ride for later is booked {least_minutes(world)} minutes before at the latest"
        return Note("error", "pickup_too_soon", said, "$.trip.pickup_at")
    if ahead_s > timedelta(days=MOST_DAYS).total_seconds():
        said = f"a ride is booked {MOST_DAYS} days before at the earliest"
        return Note("error", "pickup_too_far", said, "$.trip.pickup_at")
    return at


def lead_s(world: World) -> float:
    """Real seconds before the pick-up in which a driver is found."""
    return LEAD_S / world.clock.speed


def surge_percent(at: datetime) -> int:
    """What is usual at that time of the week where the City is."""
    local = at.astimezone(ZONE)
    night = local.hour < 5 or local.hour >= 22
    weekend = (local - timedelta(hours=5)).weekday() in (4, 5)  # a night belongs to its evening
    if night and weekend:
        return _NIGHT
    return _RUSH if local.weekday() < 5 and local.hour in _RUSH_HOURS else 0


def cancellation(pickup_at: str, fee: int) -> Json:
    at = datetime.fromisoformat(pickup_at) - timedelta(seconds=FREE_BEFORE_S)
    return {"free_until": at.isoformat(timespec="seconds"), "fee": fee}


def spoken(pickup_at: str) -> str:
    """`Wednesday 25 November at 06:30`, where the City is."""
    local = datetime.fromisoformat(pickup_at).astimezone(ZONE)
    return f"{local:%A} {local.day} {local:%B} at {local:%H:%M}"


# The drivers that are kept. ------------------------------------------------------------------


def keep(tx: Transaction, slot: Slot) -> None:
    tx.execute("INSERT OR REPLACE INTO ride_slots VALUES (?, ?, ?, ?, ?)", slot)


def release(tx: Transaction, ride_id: str) -> None:
    tx.execute("DELETE FROM ride_slots WHERE ride_id = ?", (ride_id,))


def slot_of(tx: Transaction, ride_id: str) -> Slot | None:
    """None once a driver is sent, and for rides that begin at once."""
    row = tx.execute("SELECT * FROM ride_slots WHERE ride_id = ?", (ride_id,)).fetchone()
    return None if row is None else Slot(*row)


def taken(
    tx: Transaction, ride_class: str, from_s: float, until_s: float, without: str = ""
) -> int:
    """How many drivers of the class are kept in some part of that time, besides one ride's."""
    return tx.execute(
        "SELECT COUNT(*) FROM ride_slots WHERE class = ? AND pickup_s - ? < ? AND until_s > ? "
        "AND ride_id <> ?",
        (ride_class, LEAD_S, until_s, from_s, without),
    ).fetchone()[0]


def wanted(world: World, tx: Transaction, ride_class: str) -> int:
    """How many drivers of the class are needed soon, and so take nothing else."""
    soon_s = world.real_s() + KEPT_S / world.clock.speed
    return tx.execute(
        "SELECT COUNT(*) FROM ride_slots WHERE class = ? AND pickup_s <= ?", (ride_class, soon_s)
    ).fetchone()[0]


def due(world: World, tx: Transaction) -> tuple[Slot, str] | None:
    """The slot whose rider is to be reminded or gets a driver now, and which of them."""
    now_s, lead = world.real_s(), lead_s(world)
    row = tx.execute(
        "SELECT * FROM ride_slots WHERE pickup_s - ? <= ? OR (reminded = 0 AND pickup_s - ? <= ?) "
        "ORDER BY pickup_s, ride_id LIMIT 1",
        (lead, now_s, REMIND_BEFORE_S, now_s),
    ).fetchone()
    if row is None:
        return None
    slot = Slot(*row)
    return slot, "dispatch" if slot.pickup_s - lead <= now_s else "pickup_soon"


def bring_nearer(tx: Transaction, seconds: float) -> int:
    """Let what is booked come nearer by so much, for tests; gives how many rides that were."""
    sql = "UPDATE ride_slots SET pickup_s = pickup_s - ?, until_s = until_s - ?"
    return tx.execute(sql, (seconds, seconds)).rowcount
