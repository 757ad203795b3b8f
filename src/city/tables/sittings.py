"""Tables: how many are left at a time, and who has them until when.

So many tables are enough for all sittings as are taken at the same moment at most; which one it is
the house decides on the day.
"""

from __future__ import annotations

import secrets

from city.faults import chance
from city.store import Transaction
from city.tables.houses import House
from city.tables.offers import Offer
from city.world import World

SNATCHED_S = 3600.0
_OTHERS_SHARE = 0.75
"""Others have taken between none and so many of the tables of a size at an evening or noon."""
_SIZES = 2
"""A party gets a table of the smallest size that holds it, or of the next."""


def left(world: World, tx: Transaction, offer: Offer, *besides: str) -> int:
    """How many are to be had now. What `besides` have counts as free."""
    return sum(_free(world, tx, offer, size, besides) for size in _sizes(offer.house, offer.party))


def take(
    world: World, tx: Transaction, offer: Offer, holder: str, until_s: float, *besides: str
) -> bool:
    """Hold one until then, in place of anything that `holder` held; False when none is left."""
    for size in _sizes(offer.house, offer.party):
        if _free(world, tx, offer, size, (holder, *besides)):
            release(tx, holder)
            _insert(tx, offer, size, holder, until_s)
            return True
    return False


def snatch(world: World, tx: Transaction, offer: Offer) -> None:
    """Somebody else takes all that are left."""
    until_s = world.real_s() + SNATCHED_S
    for size in _sizes(offer.house, offer.party):
        for _ in range(_free(world, tx, offer, size, ())):
            _insert(tx, offer, size, f"others_{secrets.token_hex(6)}", until_s)


def sell(tx: Transaction, holder: str, booking_id: str) -> None:
    """What was held is the booking's for good, in place of what the booking had."""
    release(tx, booking_id)
    tx.execute(
        "UPDATE table_sittings SET holder = ?, until_s = NULL WHERE holder = ?",
        (booking_id, holder),
    )


def release(tx: Transaction, holder: str) -> None:
    tx.execute("DELETE FROM table_sittings WHERE holder = ?", (holder,))


def _sizes(house: House, party: int) -> list[int]:
    return [size for size in sorted(house.tables) if size >= party][:_SIZES]


def _free(world: World, tx: Transaction, offer: Offer, size: int, besides: tuple[str, ...]) -> int:
    house, begins_s, ends_s = offer.house, offer.begins.timestamp(), offer.ends.timestamp()
    rows: list[tuple[str, float, float]] = tx.execute(
        "SELECT holder, begins_s, ends_s FROM table_sittings WHERE house = ? AND size = ? "
        "AND begins_s < ? AND ends_s > ? AND (until_s IS NULL OR until_s > ?)",
        (house.id, size, ends_s, begins_s, world.real_s()),
    ).fetchall()
    theirs = [(start, end) for holder, start, end in rows if holder not in besides]
    moments = [begins_s, *(start for start, _ in theirs if start > begins_s)]
    most = max(sum(start <= at < end for start, end in theirs) for at in moments)
    noon = offer.begins.hour < 15
    roll = chance(world.seed, "tables", house.id, offer.begins.date(), size, noon)
    return max(0, house.tables[size] - int(_OTHERS_SHARE * roll * house.tables[size]) - most)


def _insert(tx: Transaction, offer: Offer, size: int, holder: str, until_s: float) -> None:
    tx.execute(
        "INSERT INTO table_sittings VALUES (?, ?, ?, ?, ?, ?)",
        (
            holder,
            offer.house.id,
            size,
            offer.begins.timestamp(),
            offer.ends.timestamp(),
            until_s,
        ),
    )
