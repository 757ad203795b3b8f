"""A seller's product feed as pages of a UCP catalogue.

In ACP a feed is pushed to an agent's own server. A Lapel behind a home router has none, so it
reads the same document (`ProductsResponse`) where the seller says that it is.
"""

from __future__ import annotations

import httpx

from lapel.commerce.ports import Refused, Unreachable
from lapel.services.connectors.acp.access import Access
from lapel.services.connectors.acp.profile import VERSION
from lapel.services.connectors.acp.wire import Availability, Feed, Product, Variant
from lapel.services.connectors.ucp.profile import VERSION as UCP_VERSION
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.fetch import decode, fetch
from lapel.services.urls import check, origin_of

BODY_LIMIT = 8 << 20
"""Bytes: some ten thousand products."""
_GONE = frozenset({"out_of_stock", "discontinued"})

Json = dict[str, object]


async def read_feed(http: httpx.AsyncClient, merchant: Merchant, access: Access) -> Json:
    """Everything that the seller sells, as one UCP search answer. Refused (`no_catalogue`)."""
    if not access.feed_url:
        raise Refused(f"{merchant.name} publishes no catalogue.", code="no_catalogue")
    url = check(access.feed_url, named_by=merchant.url)
    headers = {"API-Version": VERSION}
    if origin_of(url) == origin_of(merchant.profile.endpoint):
        headers["Authorization"] = f"Bearer {access.token}"  # nobody else is told the key
    answer = await fetch(http, "GET", url, headers=headers, limit=BODY_LIMIT)
    if answer.status >= 500 or answer.status in (408, 425, 429):
        raise Unreachable(f"{merchant.name!r} answers {answer.status}")
    if answer.status != 200:
        raise Refused(f"{merchant.name} does not show its catalogue.", code="no_catalogue")
    feed = decode(answer.body, Feed, merchant.name)
    return {
        "ucp": {"version": UCP_VERSION},
        "products": [product for x in feed.products if (product := _product(x)) is not None],
    }


def _product(product: Product) -> Json | None:
    """None for one without a priced variant: nobody could say what it costs."""
    variants = [x for x in product.variants if x.price is not None]
    if not variants:
        return None
    categories = [{"value": x.value} for x in variants[0].categories]
    return {
        "id": product.id,
        "title": product.title or variants[0].title,
        "variants": [_variant(x) for x in variants],
        "description": {"plain": product.description.plain} if product.description else None,
        "categories": categories,
    }


def _variant(variant: Variant) -> Json:
    price = variant.price
    return {
        "id": variant.id,
        "title": variant.title,
        "price": None if price is None else {"amount": price.amount, "currency": price.currency},
        "availability": {"available": _is_there(variant.availability)},
        "options": [{"name": x.name, "label": x.value} for x in variant.variant_options],
    }


def _is_there(availability: Availability | None) -> bool:
    return availability is None or (availability.available and availability.status not in _GONE)
