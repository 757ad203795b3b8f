"""The groceries vertical: which grocers there are, and everything that each sells now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lapel.commerce.money import Money
from lapel.services.asking import ask_all
from lapel.services.connectors.ucp.catalogue import read_products
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.profile import GROCERIES
from lapel.services.connectors.ucp.refusals import plain
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.variants import is_available
from lapel.services.connectors.ucp.wire.catalogue import Business, Product

FRESH_S = 120.0
"""A catalogue older than this is read again before anything is ordered out of it."""


@dataclass(frozen=True, slots=True)
class Good:
    """One thing on a grocer's shelves. `price` is for a kilogram where it is `by_weight`."""

    id: str
    title: str
    price: Money
    aliases: tuple[str, ...] = ()
    size: str = ""
    by_weight: bool = False
    piece_grams: int = 0
    available: bool = True


@dataclass(frozen=True, slots=True)
class Grocer:
    merchant_id: str
    name: str
    goods: tuple[Good, ...]
    open_now: bool = True
    opens_text: str = ""


class Groceries:
    """Grocers and their shelves, kept in memory for a short while."""

    def __init__(
        self,
        registry: MerchantRegistry,
        client: Client,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._registry = registry
        self._client = client
        self._clock = clock
        self._read: dict[str, tuple[float, Grocer]] = {}

    async def grocers(self) -> list[Grocer]:
        """Those that answer, in the order they were added.

        When none does, the error of the first is raised; without grocers the list is empty.
        """
        known = [x for x in await self._registry.all() if GROCERIES in x.profile.capabilities]
        found, failures = await ask_all(map(self._grocer, known))
        if failures and not found:
            raise failures[0]
        return found

    def sold_out(self, merchant_id: str) -> None:
        """A grocer said that something is gone: its shelves are read again the next time."""
        self._read.pop(merchant_id, None)

    async def _grocer(self, merchant: Merchant) -> Grocer:
        at, kept = self._read.get(merchant.id, (float("-inf"), None))
        if kept is not None and self._clock() - at < FRESH_S:
            return kept
        products, business, _ = await read_products(self._client, merchant)
        made = to_grocer(merchant, products, business)
        self._read[merchant.id] = (self._clock(), made)
        return made


def to_grocer(merchant: Merchant, products: list[Product], business: Business | None) -> Grocer:
    """Products as goods; one currency, the first product's."""
    sold = [product for product in products if product.variants]
    currency = sold[0].variants[0].price.currency if sold else "EUR"
    goods = [_good(x) for x in sold if x.variants[0].price.currency == currency]
    return Grocer(
        merchant.id,
        plain(merchant.name, 80),
        tuple(goods),
        business.open_now if business else True,
        plain((business.opens_text if business else "") or "", 120),
    )


def _good(product: Product) -> Good:
    variant, sold = product.variants[0], product.groceries
    by_weight = sold is not None and sold.sold_by == "weight" and sold.piece_grams > 0
    return Good(
        id=variant.id,
        title=plain(product.title, 120),
        price=Money(variant.price.amount, variant.price.currency),
        aliases=tuple(plain(x, 80) for x in product.aliases or ()),
        size=plain(sold.size, 40) if sold else "",
        by_weight=by_weight,
        piece_grams=sold.piece_grams if sold and by_weight else 0,
        available=is_available(variant),
    )
