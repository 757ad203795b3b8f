"""Seats and rooms: how many are left, who holds them until when, what was called off.

A stay takes a room of each of its nights, and is to be had where there is one in all of them.
"""

from __future__ import annotations

from city.faults import chance
from city.store import Transaction
from city.travel.offers import Company, Offer
from city.travel.schedule import Service
from city.world import World

OTHERS = "others"
"""Who holds what somebody else has snatched away."""
SNATCHED_S = 3600.0
_OTHERS_SHARE = {"flight": 1.05, "train": 1.02, "stay": 0.8}
"""What others have booked is between nothing and so much of the capacity."""


def left(world: World, tx: Transaction, company: Company, offer: Offer, besides: str = "") -> int:
    """How many are to be had now; 0 of what is called off. What `besides` holds counts as free."""
    service = offer.service
    if delay(tx, company, service) is None:
        return 0
    key = _key(service)
    rest = offer.fare.capacity
    for day in service.days:
        taken = tx.execute(
            "SELECT COALESCE(SUM(taken), 0) FROM travel_seats WHERE company = ? AND service = ? "
            "AND day = ? AND fare = ? AND holder <> ? AND (until_s IS NULL OR until_s > ?)",
            (company.slug, key, day.isoformat(), offer.fare.id, besides, world.real_s()),
        ).fetchone()[0]
        roll = chance(world.seed, "seats", company.slug, key, day, offer.fare.id)
        share = _OTHERS_SHARE[service.kind] * roll
        rest = min(rest, int((1 - share) * offer.fare.capacity) - taken)
    return max(0, rest)


def take(
    world: World, tx: Transaction, company: Company, offer: Offer, holder: str, until_s: float
) -> bool:
    """Hold one until then, in place of anything that `holder` held; False when none is left."""
    if left(world, tx, company, offer, besides=holder) < 1:
        return False
    release(tx, holder)
    _insert(tx, company, offer, holder, 1, until_s)
    return True


def snatch(world: World, tx: Transaction, company: Company, offer: Offer) -> None:
    """Somebody else takes all that are left."""
    rest = left(world, tx, company, offer)
    if rest:
        _insert(tx, company, offer, OTHERS, rest, world.real_s() + SNATCHED_S)


def _insert(
    tx: Transaction, company: Company, offer: Offer, holder: str, taken: int, until_s: float
) -> None:
    key = _key(offer.service)
    for day in offer.service.days:
        tx.execute(
            "INSERT INTO travel_seats VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
            "SET taken = taken + excluded.taken, until_s = excluded.until_s",
            (company.slug, key, day.isoformat(), offer.fare.id, holder, taken, until_s),
        )


def extend(tx: Transaction, holder: str, until_s: float) -> None:
    """Hold it until then, if that is longer."""
    sql = "UPDATE travel_seats SET until_s = MAX(until_s, ?) WHERE holder = ?"
    tx.execute(sql, (until_s, holder))


def sell(tx: Transaction, holder: str, booking_id: str) -> None:
    """What was held is the booking's for good, in place of what the booking had."""
    release(tx, booking_id)
    tx.execute(
        "UPDATE travel_seats SET holder = ?, until_s = NULL WHERE holder = ?", (booking_id, holder)
    )


def release(tx: Transaction, holder: str) -> None:
    tx.execute("DELETE FROM travel_seats WHERE holder = ?", (holder,))


def on_board(tx: Transaction, company: Company, service: Service) -> list[str]:
    """The bookings of a departure, the oldest first."""
    rows = tx.execute(
        "SELECT DISTINCT b.number, b.id FROM travel_seats s JOIN bookings b ON b.id = s.holder "
        "WHERE s.company = ? AND s.service = ? AND s.day = ? ORDER BY b.number",
        (company.slug, _key(service), service.day.isoformat()),
    ).fetchall()
    return [id for _, id in rows]


def delay(tx: Transaction, company: Company, service: Service) -> int | None:
    """Minutes that a departure is late; None when it is called off."""
    row = tx.execute(
        "SELECT delay_minutes, canceled FROM travel_departures "
        "WHERE company = ? AND service = ? AND day = ?",
        (company.slug, _key(service), service.day.isoformat()),
    ).fetchone()
    if row is None:
        return 0
    return None if row[1] else int(row[0])


def disrupt(tx: Transaction, company: Company, service: Service, minutes: int | None) -> None:
    """A departure is late by so much, or (None) called off."""
    tx.execute(
        "INSERT OR REPLACE INTO travel_departures VALUES (?, ?, ?, ?, ?)",
        (
            company.slug,
            _key(service),
            service.day.isoformat(),
            minutes or 0,
            int(minutes is None),
        ),
    )


def _key(service: Service) -> str:
    """All stays of a hotel share its rooms, however many nights they are."""
    return service.destination.code if service.kind == "stay" else service.key
