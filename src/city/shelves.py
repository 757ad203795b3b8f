"""What a merchant has right now: prices and stock that differ from its menu."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from city.shops import Dish, Shop
from city.store import Transaction

RESTOCK_S = 3600.0
"""City seconds from the first change of an item to its restocking."""


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


def look(tx: Transaction, shop: Shop, city_s: float) -> Shelf:
    """The merchant now; what is due goes back to the menu's prices and a full shelf."""
    tx.execute("DELETE FROM shelves WHERE merchant = ? AND restock_s <= ?", (shop.slug, city_s))
    rows = tx.execute(
        "SELECT item, price, remaining FROM shelves WHERE merchant = ?", (shop.slug,)
    ).fetchall()
    return Shelf(
        shop=shop,
        prices={item: price for item, price, _ in rows if price is not None},
        remaining={item: left for item, _, left in rows if left is not None},
        is_open=shop.is_open(city_s),
        opens_text=shop.opens_text(city_s),
    )


def sell(tx: Transaction, shelf: Shelf, sold: Iterable[tuple[Dish, int]], city_s: float) -> None:
    """Take things off the shelf; what is made to order is not counted."""
    counts: dict[str, int] = {}
    for dish, quantity in sold:
        counts[dish.id] = counts.get(dish.id, 0) + quantity
    for id, quantity in counts.items():
        left = shelf.left(shelf.shop.dishes[id])
        if left is not None:
            set_remaining(tx, shelf.shop, id, max(0, left - quantity), city_s)


def set_remaining(tx: Transaction, shop: Shop, item: str, left: int, city_s: float) -> None:
    """Until the next restocking."""
    tx.execute(
        "INSERT INTO shelves (merchant, item, remaining, restock_s) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET remaining = excluded.remaining",
        (shop.slug, item, left, city_s + RESTOCK_S),
    )


def set_price(tx: Transaction, shop: Shop, item: str, price: int, city_s: float) -> None:
    """Until the next restocking."""
    tx.execute(
        "INSERT INTO shelves (merchant, item, price, restock_s) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET price = excluded.price",
        (shop.slug, item, price, city_s + RESTOCK_S),
    )
