"""What a merchant has right now: prices and stock that differ from its menu."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from city.faults import chance
from city.shops import Dish, Shop
from city.store import Transaction

RESTOCK_S = 3600.0
"""City seconds from the first sale of an item to its restocking."""

OUT_SHARE = 0.05
"""Of a grocer's goods that are out on a day."""

UPSET_S = 60.0
"""Real seconds for which a fault changes a price or empties a shelf."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A merchant at one moment. `remaining` lacks what is made to order."""

    shop: Shop
    prices: dict[str, int]
    remaining: dict[str, int]
    is_open: bool
    opens_text: str

    def price(self, dish: Dish) -> int:
        return self.prices.get(dish.id, dish.price)

    def left(self, dish: Dish) -> int | None:
        """How many there are, or None for any number."""
        return self.remaining.get(dish.id, dish.stock)


def look(tx: Transaction, shop: Shop, city_s: float, real_s: float, seed: int) -> Shelf:
    """The merchant now; what is due is restocked, and what went wrong long enough ago is over.

    A grocer is out of a few things each day; which follows from the seed.
    """
    tx.execute("DELETE FROM shelves WHERE merchant = ? AND restock_s <= ?", (shop.slug, city_s))
    tx.execute("DELETE FROM upsets WHERE merchant = ? AND until_s <= ?", (shop.slug, real_s))
    counted = tx.execute(
        "SELECT item, remaining FROM shelves WHERE merchant = ?", (shop.slug,)
    ).fetchall()
    changed = tx.execute(
        "SELECT item, price FROM upsets WHERE merchant = ?", (shop.slug,)
    ).fetchall()
    gone = {item: 0 for item, price in changed if price is None}
    if shop.kind == "groceries":
        gone |= {id: 0 for id in shop.dishes if is_out(seed, shop.slug, id, city_s)}
    return Shelf(
        shop=shop,
        prices={item: price for item, price in changed if price is not None},
        remaining={**dict(counted), **gone},
        is_open=shop.is_open(city_s),
        opens_text=shop.opens_text(city_s),
    )


def is_out(seed: int, slug: str, id: str, city_s: float) -> bool:
    """Whether a grocer has none of it on this day."""
    return chance(seed, "out", slug, id, int(city_s // 86400)) < OUT_SHARE


def sell(tx: Transaction, shelf: Shelf, sold: Iterable[tuple[Dish, int]], city_s: float) -> None:
    """Take things off the shelf; what is made to order is not counted."""
    counts: dict[str, int] = {}
    for dish, quantity in sold:
        counts[dish.id] = counts.get(dish.id, 0) + quantity
    for id, quantity in counts.items():
        left = shelf.left(shelf.shop.dishes[id])
        if left is not None:
            tx.execute(
                "INSERT INTO shelves VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET remaining = excluded.remaining",
                (shelf.shop.slug, id, max(0, left - quantity), city_s + RESTOCK_S),
            )


def upset(tx: Transaction, shop: Shop, item: str, price: int | None, real_s: float) -> None:
    """A sudden price, or with None a dish that is suddenly gone; over in `UPSET_S`."""
    tx.execute(
        "INSERT INTO upsets VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET price = excluded.price, until_s = excluded.until_s",
        (shop.slug, item, price, real_s + UPSET_S),
    )
