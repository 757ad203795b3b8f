"""The desk at which a task's orders are made: typed tools over its stores, for any agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import msgspec

from lapel.evals.delivery.tasks import CANCELLED, Item, Placed, Task, attributes_of, place

_MOST = 999


class Refused(ValueError):
    """A call that cannot be carried out; the words say why, for the one that made it."""


class Desk:
    """One task's world. `orders` are all orders, those from before included."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._orders = dict(task.orders)
        self._known = {place(address): address for address in task.addresses.values()}
        self._tools: dict[str, Callable[[Mapping[str, Any]], object]] = {
            "list_stores": self._list_stores,
            "list_products": self._list_products,
            "list_orders": self._list_orders,
            "create_order": self._create,
            "cancel_order": self._cancel,
        }

    @property
    def orders(self) -> list[Placed]:
        return list(self._orders.values())

    def call(self, name: str, arguments: str) -> str:
        """What a tool answers, as JSON: what was asked for, or {"error": why not}."""
        try:
            given = msgspec.json.decode(arguments or "{}", type=dict[str, Any])
            if name not in self._tools:
                raise Refused(f"there is no tool {name!r}")
            answer = self._tools[name](given)
        except (Refused, KeyError, TypeError, msgspec.DecodeError) as error:
            answer = {"error": str(error)}
        return msgspec.json.encode(answer).decode()

    def create(self, store_id: str, items: list[Item], address: str) -> str:
        """Makes an order and tells its id. Raises Refused."""
        store = self._task.stores.get(store_id)
        if store is None:
            raise Refused(f"there is no store {store_id!r}")
        products = {product.id: product for product in store.products}
        for product_id, quantity, attributes in items:
            product = products.get(product_id)
            if product is None:
                raise Refused(f"{store.name} has no product {product_id!r}")
            if not 0 < quantity <= _MOST:
                raise Refused(f"quantity must be 1 to {_MOST}, not {quantity}")
            offered = {attributes_of(each) for each in product.attributes}
            if attributes and attributes not in offered:
                raise Refused(f"{product.name} has the attributes {list(product.attributes)}")
        if not items:
            raise Refused("an order needs items")
        if place(address) not in self._known:
            raise Refused(f"address must be one of {list(self._task.addresses.values())}")
        order_id = f"new-{len(self._orders) + 1}"
        self._orders[order_id] = Placed(store_id, tuple(sorted(items)), place(address))
        return order_id

    def _list_stores(self, _: Mapping[str, Any]) -> object:
        return [
            {
                "store_id": store.id,
                "name": store.name,
                "rating": store.score,
                "address": store.address,
                "tags": store.tags,
            }
            for store in self._task.stores.values()
        ]

    def _list_products(self, given: Mapping[str, Any]) -> object:
        store = self._task.stores.get(str(given["store_id"]))
        if store is None:
            raise Refused(f"there is no store {given['store_id']!r}")
        return store.products

    def _list_orders(self, _: Mapping[str, Any]) -> object:
        return self._orders

    def _create(self, given: Mapping[str, Any]) -> object:
        items = [_item(each) for each in cast("list[dict[str, Any]]", given["items"])]
        return {"order_id": self.create(str(given["store_id"]), items, str(given["address"]))}

    def _cancel(self, given: Mapping[str, Any]) -> object:
        order = self._orders.get(str(given["order_id"]))
        if order is None:
            raise Refused(f"there is no order {given['order_id']!r}")
        self._orders[str(given["order_id"])] = replace(order, status=CANCELLED)
        return {"cancelled": given["order_id"]}


def _item(given: Mapping[str, Any]) -> Item:
    quantity = int(given.get("quantity", 1))
    return str(given["product_id"]), quantity, attributes_of(given.get("attributes"))
