"""Two shops, a bank and a courier: the ledger of the commerce tests, with time passing in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from commerce_town import Town

from lapel.brain import Menu, MenuItem
from lapel.commerce import Address, MerchantOrder, Money
from lapel.commerce.request import Request
from lapel.services import Tracking

PRICES = {"latte": 490, "muffin": 320, "tart": 610, "ramen": 1250, "economy": 900}
DELIVERY = 340
OFFICE = Address("office", "Mannerheimintie 1", "Helsinki", "00100", "FI", 60.17, 24.94)
HOME = Address("home", "Fleminginkatu 2", "Helsinki", "00530", "FI", 60.18, 24.95)
ANSWER_S = 0.12
"""How long a shop or the bank takes to answer."""


def _item(name: str, title: str, category: str) -> MenuItem:
    return MenuItem(name, title, Money(PRICES[name], "EUR"), category=category)


MENUS = (
    Menu(
        "blue",
        "Blue Door",
        (
            _item("latte", "Latte", "coffee"),
            _item("muffin", "Muffin", "cakes"),
            _item("tart", "Tart", "cakes"),
        ),
    ),
    Menu("red", "Red Bowl", (_item("ramen", "Ramen", "noodles"),)),
)


def price(**goods: int) -> str:
    """What these cost, delivered: `price(latte=2)`."""
    return str(Money(sum(PRICES[name] * n for name, n in goods.items()) + DELIVERY, "EUR"))


class Street(Town):
    """`slow["create"] = 6.0` makes an answer take long; see `Town` for what else can go wrong."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))
        self.slow: dict[str, float] = {}
        self.tracked = 0
        self.asked: list[tuple[str, Request, str]] = []
        self.asked_for: Callable[[str, Request], MerchantOrder] = self._not_asked

    def _unit(self, item: str) -> int:
        return int(self.knob(f"price:{item}") or PRICES[item])

    async def _read(self, op: str, work: Callable[[], Any]) -> Any:
        await asyncio.sleep(self.slow.get(op, ANSWER_S))
        return await super()._read(op, work)

    async def _write(
        self, op: str, key: str, body: str, work: Callable[[], Any], kind: type[Any]
    ) -> Any:
        await asyncio.sleep(self.slow.get(op, ANSWER_S))
        return await super()._write(op, key, body, work, kind)

    async def ask(
        self, merchant_id: str, order_id: str, request: Request, key: str
    ) -> MerchantOrder:
        def work() -> MerchantOrder:
            self.asked.append((order_id, request, key))
            return self.asked_for(order_id, request)

        return await self._write("ask", key, f"{order_id}:{request}", work, MerchantOrder)

    def _not_asked(self, order_id: str, request: Request) -> MerchantOrder:
        raise AssertionError("nothing is asked about an order here")

    def _order(self, *args: Any) -> MerchantOrder:
        order: MerchantOrder = super()._order(*args)
        where = f"https://shop.example/track/{order.id}"
        return replace(order, events=tuple(replace(x, tracking_url=where) for x in order.events))

    async def track(self, merchant_id: str, tracking_url: str) -> Tracking | None:
        """The courier comes a little nearer each time that somebody looks."""
        self.tracked += 1
        step = min(self.tracked, 10) / 1000
        return Tracking(
            "on_the_way", (60.16 + step, 24.94), None, (60.17, 24.94), (), (), max(1, 10 - self.tracked)
        )  # fmt: skip
