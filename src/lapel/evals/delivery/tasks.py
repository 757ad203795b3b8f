"""Delivery tasks as VitaBench lays them out: stores, a user, a wish, the orders that must result.

A line is a task: `instructions` in words; `environment` with `stores`, `orders`, `time`; a profile
in `user_scenario`; `evaluation_criteria.expected_states`, any of which may be the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from lapel.evals.data import DataError, lines

CANCELLED, OPEN = "cancelled", "open"

Item = tuple[str, int, str]
"""A product's id, how many, and the attributes that were chosen."""


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    name: str
    price: str
    attributes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Store:
    id: str
    name: str
    score: str
    address: str
    products: tuple[Product, ...]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as it is compared: what, from where, to where, and whether it was taken back.

    How far an order has come is not compared: the recorded ones say it in five ways.
    """

    store: str
    items: tuple[Item, ...]
    address: str
    status: str = OPEN


@dataclass(frozen=True, slots=True)
class Task:
    """`orders` are there before, by id. `ends` are the states that are right."""

    id: str
    wish: str
    time: str
    addresses: Mapping[str, str]
    profile: Mapping[str, Any]
    stores: Mapping[str, Store]
    orders: Mapping[str, Placed] = field(default_factory=dict[str, Placed])
    ends: tuple[Counter[Placed], ...] = ()

    def reached(self, orders: Iterable[Placed]) -> bool:
        """Whether these orders are one of the ends, old ones included."""
        return Counter(orders) in self.ends


def tasks(path: Path) -> Iterator[Task]:
    """The tasks of a file, plain or gzipped. DataError for another layout."""
    for number, row in lines(path):
        try:
            yield _task(row)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DataError(f"{path}, line {number}: no delivery task: {error!r}") from error


def _task(row: dict[str, Any]) -> Task:
    world = row["environment"]
    profile = cast("dict[str, Any]", row["user_scenario"]["user_profile"])
    named = {name.replace("_", " "): value for name, value in profile.items()}
    places = {label: str(named.get(f"{label} address") or "") for label in ("home", "work")}
    orders = cast("dict[str, dict[str, Any]]", world.get("orders") or {})
    ends = row["evaluation_criteria"]["expected_states"]
    return Task(
        str(row["id"]),
        str(row["instructions"]),
        str(world["time"]),
        {label: address for label, address in places.items() if address},
        profile,
        {str(key): _store(store) for key, store in world["stores"].items()},
        {key: _order(order) for key, order in orders.items()},
        tuple(Counter(_order(order) for order in end["required_orders"]) for end in ends),
    )


def _store(store: dict[str, Any]) -> Store:
    products = tuple(
        Product(
            str(each["product_id"]),
            str(each["name"]),
            str(each["price"]),
            _texts(each.get("attributes")),
            _texts(each.get("tags")),
        )
        for each in store["products"]
    )
    address = str(store["location"]["address"])
    score = str(store.get("score"))
    return Store(
        str(store["store_id"]), str(store["name"]), score, address, products,
        _texts(store.get("tags")),
    )  # fmt: skip


def _order(order: dict[str, Any]) -> Placed:
    items = tuple(
        sorted(
            (str(each["product_id"]), int(each["quantity"]), attributes_of(each.get("attributes")))
            for each in order["products"]
        )
    )
    status = CANCELLED if order.get("status") == CANCELLED else OPEN
    return Placed(str(order["store_id"]), items, place(order["location"]["address"]), status)


def attributes_of(given: object) -> str:
    """Attributes in one way of writing, whatever their order and case."""
    listed = cast("list[object] | None", given if isinstance(given, list) else None)
    texts = f"{given or ''}".split(",") if listed is None else _texts(listed)
    return ", ".join(sorted(text.strip().lower() for text in texts if text.strip()))


def place(address: object) -> str:
    """An address without case, punctuation and blanks: people write the same one in many ways."""
    return "".join(c for c in str(address).lower() if c.isalnum())


def _texts(given: object) -> tuple[str, ...]:
    return tuple(str(each) for each in cast("list[object]", given or ()))
