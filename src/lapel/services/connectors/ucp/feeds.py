"""Product lists of merchants that publish no catalogue over UCP."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import msgspec

from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.versions import VERSION
from lapel.services.connectors.ucp.wire.catalogue import Product
from lapel.services.fetch import decode, fetch
from lapel.services.urls import check

BODY_LIMIT = 8 << 20


class _List(msgspec.Struct, frozen=True):
    products: tuple[Product, ...]


class _Raw(msgspec.Struct, frozen=True):
    products: msgspec.Raw


class Feeds:
    """`urls` maps a merchant's URL to that of its list: `products` as in UCP's catalogue.

    A merchant that is not in it may name its list in its profile, by `dev.lapel.feed`.
    """

    def __init__(self, http: httpx.AsyncClient, urls: Mapping[str, str]) -> None:
        self._http = http
        self._urls = {url.rstrip("/"): feed for url, feed in urls.items()}
        self._currencies: dict[str, str] = {}

    async def search(self, merchant: Merchant) -> bytes:
        """Everything that the merchant sells, as one answer to a search."""
        feed = self._urls.get(merchant.url) or merchant.profile.feed
        if not feed:
            raise Refused(
                f"{merchant.name} speaks UCP {merchant.profile.version}, which has no catalogue, "
                "and names no product list: name one in commerce.feeds",
                code="no_catalogue",
            )
        answer = await fetch(self._http, "GET", check(feed), limit=BODY_LIMIT)
        if answer.status >= 500:
            raise Unreachable(f"the product list of {merchant.name!r} answers {answer.status}")
        if answer.status != 200:
            raise Refused(f"{merchant.name} does not show its product list.", code="no_catalogue")
        found = decode(answer.body, _List, merchant.name)
        prices = [x.variants[0].price for x in found.products if x.variants]
        if not prices:
            raise Nonsense(f"the product list of {merchant.name!r} names no price")
        self._currencies[merchant.url] = prices[0].currency
        raw = msgspec.json.decode(answer.body, type=_Raw).products
        return msgspec.json.encode({"ucp": {"version": VERSION}, "products": raw})

    async def currency(self, merchant: Merchant) -> str:
        """What the merchant's prices are in."""
        if merchant.url not in self._currencies:
            await self.search(merchant)
        return self._currencies[merchant.url]
