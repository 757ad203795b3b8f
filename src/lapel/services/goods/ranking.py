"""The order in which offers are shown. Pure, and the only rule: no shop has a place of its own.

`cheapest`: by what it costs at the door (price and the cheapest delivery), then by when it is there
at the latest, then by the shop's name. `fastest`: by when it is there at the latest with the
fastest delivery, then by what it costs at the door so. A shop that does not say what delivery costs
stands behind all that do. docs/shopping.md tells it to the people who shop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lapel.commerce.money import Money

Wish = Literal["cheapest", "fastest"]
_NEVER = 10**9


@dataclass(frozen=True, slots=True)
class Way:
    """A way of delivery; free of charge for goods of `free_from` (minor units) or more."""

    id: str
    title: str
    price: Money
    latest_minutes: int
    free_from: int | None = None

    def cost(self, goods: Money) -> int:
        free = self.free_from is not None and goods.minor >= self.free_from
        return 0 if free else self.price.minor


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing at one shop, and how it could come."""

    merchant_id: str
    merchant_name: str
    item_id: str
    title: str
    price: Money
    ways: tuple[Way, ...] = ()
    options: tuple[str, ...] = ()
    """What has to be chosen and is by itself, where there is something to choose."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An offer with the delivery that was chosen for it, and how it differs from the first.

    `total` is without delivery where the shop does not say what that costs (`way` is None).
    """

    offer: Offer
    way: Way | None
    total: Money
    dearer: int = 0
    """Minor units more than the first."""
    later: int = 0
    """Minutes later than the first, negative for sooner; 0 where that is not known."""

    @property
    def minutes(self) -> int | None:
        return self.way.latest_minutes if self.way else None


def rank(offers: Sequence[Offer], wish: Wish = "cheapest") -> list[Ranked]:
    """All offers, the best first."""
    found = sorted((_with_way(offer, wish) for offer in offers), key=lambda x: _place(x, wish))
    return [_against(found[0], each) for each in found]


def _with_way(offer: Offer, wish: Wish) -> Ranked:
    def place(way: Way) -> tuple[int, int]:
        cost = way.cost(offer.price)
        by_time = (way.latest_minutes, cost)
        return by_time if wish == "fastest" else (cost, way.latest_minutes)

    way = min(offer.ways, key=place, default=None)
    delivery = way.cost(offer.price) if way else 0
    return Ranked(offer, way, Money(offer.price.minor + delivery, offer.price.currency))


def _place(ranked: Ranked, wish: Wish) -> tuple[bool, int, int, str, str]:
    minutes = ranked.minutes if ranked.minutes is not None else _NEVER
    cost, unknown = ranked.total.minor, ranked.way is None
    first, second = (minutes, cost) if wish == "fastest" else (cost, minutes)
    return unknown, first, second, ranked.offer.merchant_name, ranked.offer.title


def _against(best: Ranked, each: Ranked) -> Ranked:
    known = best.minutes is not None and each.minutes is not None
    return Ranked(
        each.offer,
        each.way,
        each.total,
        each.total.minor - best.total.minor,
        (each.minutes or 0) - (best.minutes or 0) if known else 0,
    )
