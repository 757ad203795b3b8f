"""A merchant's products by their ids: the few that are wanted, and one of them in full."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from typing import TypeVar

from lapel.commerce.ports import Nonsense, PortError
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.profile import LOOKUP, VERSION
from lapel.services.connectors.ucp.refusals import errors_of, refusal
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.wire.amounts import Envelope, Message
from lapel.services.connectors.ucp.wire.catalogue import LookupBody, Product, ProductBody

BATCH = 10
"""Ids in one call: as many as every merchant should take."""
AT_ONCE = 4
IN_FULL = 60
"""Products of one reading that are asked for in full; the others wait for the next reading."""
T = TypeVar("T")


def offers_lookup(merchant: Merchant) -> bool:
    return LOOKUP in merchant.profile.capabilities


async def look_up(client: Client, merchant: Merchant, ids: Sequence[str]) -> tuple[Product, ...]:
    """The products of these product or variant ids; one that is not sold is not among them."""
    found: list[Product] = []
    for start in range(0, len(ids), BATCH):
        body = await _ask(
            client, merchant, "/catalog/lookup", {"ids": ids[start : start + BATCH]}, LookupBody
        )
        _judge(body.ucp, body.messages, merchant)
        found += body.products
    return tuple(found)


async def in_full(client: Client, merchant: Merchant, product: Product) -> Product:
    """The product with all the variants that the merchant tells of; Nonsense for another one."""
    asked = {"id": product.id}
    body = await _ask(client, merchant, "/catalog/product", asked, ProductBody)
    _judge(body.ucp, body.messages, merchant)
    if body.product is None or body.product.id != product.id or not body.product.variants:
        raise Nonsense(f"{merchant.name!r} answers with another product than {product.id!r}")
    return _merged(product, body.product)


def is_partial(product: Product) -> bool:
    """Whether an option's value is named of which no variant is listed."""
    had = {(x.name, x.label) for variant in product.variants for x in variant.options or ()}
    return any(
        (option.name, value.label) not in had
        for option in product.options or ()
        for value in option.values
    )


class FullProducts:
    """What was asked for in full is remembered as long as its entry in a search stays the same."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Product, Product]] = {}

    async def complete(
        self, client: Client, merchant: Merchant, products: Iterable[Product]
    ) -> list[Product]:
        """The products, the partial ones in full as far as that can be had now."""
        listed = list(products)
        if not offers_lookup(merchant):
            return listed
        partial = {x.id: x for x in listed if is_partial(x)}
        self._known = {id: pair for id, pair in self._known.items() if partial.get(id) == pair[0]}
        room = asyncio.Semaphore(AT_ONCE)

        async def read(product: Product) -> None:
            async with room:
                try:
                    full = await in_full(client, merchant, product)
                except PortError:
                    return  # it is sold with the options that the search has shown
                self._known[product.id] = (product, full)

        missing = [x for id, x in partial.items() if id not in self._known][:IN_FULL]
        async with asyncio.TaskGroup() as tasks:
            for product in missing:
                tasks.create_task(read(product))
        return [self._known[x.id][1] if x.id in self._known else x for x in listed]


def _merged(listed: Product, full: Product) -> Product:
    """What was featured stays the first variant: the item's id in carts is its id."""
    featured = listed.variants[0]
    others = [variant for variant in full.variants if variant.id != featured.id]
    kept = next((variant for variant in full.variants if variant.id == featured.id), featured)
    listed_too = [x for x in listed.variants[1:] if all(x.id != y.id for y in full.variants)]
    return Product(
        id=listed.id,
        title=listed.title,
        variants=(kept, *others, *listed_too),
        description=full.description or listed.description,
        options=full.options or listed.options,
        categories=full.categories or listed.categories,
        aliases=listed.aliases or full.aliases,
        modifier_groups=listed.modifier_groups or full.modifier_groups,
    )


def _judge(ucp: Envelope, messages: tuple[Message, ...] | None, merchant: Merchant) -> None:
    if ucp.status == "error":
        raise refusal(errors_of(messages), merchant.name, None, fallback="not_found")
    if ucp.version != VERSION:
        raise Nonsense(f"{merchant.name!r} answers in UCP {ucp.version!r}, not {VERSION!r}")


async def _ask(client: Client, merchant: Merchant, path: str, body: object, shape: type[T]) -> T:
    # Nothing is changed by it, and it must not be answered from before.
    return await client.write(merchant, "POST", path, body, str(uuid.uuid4()), shape)
