"""The shopping vertical: one thing looked for at every store, and what a store takes back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from lapel.commerce.checkout import Address
from lapel.commerce.money import Money
from lapel.commerce.ports import Refused
from lapel.services.asking import ask_all
from lapel.services.connectors.ucp.asking import order_of
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.profile import RETAIL
from lapel.services.connectors.ucp.refusals import errors_of, plain, refusal
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.variants import is_available
from lapel.services.connectors.ucp.wire.amounts import TotalEntry
from lapel.services.connectors.ucp.wire.catalogue import Product, SearchBody
from lapel.services.connectors.ucp.wire.order import OrderBody
from lapel.services.connectors.ucp.wire.retail import RetailTerms
from lapel.services.goods.matching import words
from lapel.services.goods.ranking import Offer, Way

OF_EACH = 10
"""Products that are asked of one store."""
MOST = 60


@dataclass(frozen=True, slots=True)
class ReturnOffer:
    """What a store takes back now: until when (as it says), for what fee; `lines` by their id."""

    fee: Money
    post_paid_by: str
    until: str
    lines: tuple[tuple[str, str, int, Money], ...]
    """(line id, title, how many are left, what one cost)."""


class Shopping:
    """Stores, asked anew each time: prices are of now."""

    def __init__(self, registry: MerchantRegistry, client: Client) -> None:
        self._registry = registry
        self._client = client

    async def search(self, text: str, to: Address | None) -> list[Offer]:
        """Everything that the stores sell under this name now; in no order that means anything.

        A store that does not answer is left out; when none does, the error of the first is raised.
        A store learns the country and the postal code, for its delivery, and no more of the place.
        """
        stores = [x for x in await self._registry.all() if RETAIL in x.profile.capabilities]
        answers, failures = await ask_all(self._search(store, text, to) for store in stores)
        offers = [offer for found in answers for offer in found]
        if failures and len(failures) == len(stores):
            raise failures[0]
        return offers[:MOST]

    async def returnable(self, merchant_id: str, order_id: str) -> ReturnOffer:
        """The terms of one order; Refused (`return_closed`) where nothing is taken back."""
        merchant = await self._registry.get(merchant_id)
        path = f"/orders/{quote(order_id, safe='')}"
        body = await self._client.read(merchant, path, OrderBody)
        order = order_of(body, merchant, order_id)
        terms = body.retail.returns if body.retail else None
        if terms is None or not terms.until:
            raise Refused(f"{merchant.name} does not take that back.", code="return_closed")
        currency = order.total.currency
        lines = tuple(
            (
                line.id,
                plain(line.item.title, 120) if line.item else "",
                line.quantity.total,
                Money(_unit(line.totals or (), line.quantity.original), currency),
            )
            for line in body.line_items
            if line.quantity.total > 0
        )
        return ReturnOffer(
            Money(terms.fee, currency), plain(terms.post_paid_by, 20), plain(terms.until, 40), lines
        )

    async def _search(self, store: Merchant, text: str, to: Address | None) -> list[Offer]:
        asked: dict[str, object] = {"query": text[:200], "pagination": {"limit": OF_EACH}}
        if to is not None:
            asked["context"] = {"address_country": to.country, "postal_code": to.postal_code}
        key = str(uuid.uuid4())  # a search changes nothing: it must not be answered from before
        body = await self._client.write(store, "POST", "/catalog/search", asked, key, SearchBody)
        if body.ucp.status == "error":
            raise refusal(errors_of(body.messages), store.name, None, fallback="no_catalogue")
        wanted = set(words(text))
        found = [_offer(store, product, body.retail) for product in body.products[:OF_EACH]]
        told = [_all_words(product) for product in body.products[:OF_EACH]]
        return [x for x, said in zip(found, told, strict=True) if x is not None and wanted <= said]


def _offer(store: Merchant, product: Product, terms: RetailTerms | None) -> Offer | None:
    """None for what is not to be had."""
    variant = next((x for x in product.variants if is_available(x)), None)
    if variant is None:
        return None
    currency = variant.price.currency
    ways = tuple(
        Way(x.id, plain(x.title, 60), Money(x.price, currency), x.latest_minutes, x.free_from)
        for x in (terms.delivery if terms else ())
    )
    return Offer(
        merchant_id=store.id,
        merchant_name=plain(store.name, 80),
        item_id=variant.id,
        title=plain(product.title, 120),
        price=Money(variant.price.amount, currency),
        ways=ways,
    )


def _all_words(product: Product) -> set[str]:
    said = [product.title, product.description.plain if product.description else ""]
    said += [category.value for category in product.categories or ()]
    return {word for text in (*said, *(product.aliases or ())) for word in words(text)}


def _unit(totals: Sequence[TotalEntry], count: int) -> int:
    amounts = [entry.amount for entry in totals if entry.type == "total"]
    return amounts[0] // max(count, 1) if amounts else 0
