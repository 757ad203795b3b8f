"""A merchant's UCP catalogue as a Menu: paged through, and in the brain's terms."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence

from lapel.brain.menu import Menu, MenuItem, OptionGroup, OptionValue
from lapel.commerce.money import Money
from lapel.commerce.ports import Nonsense, Refused
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.lookup import FullProducts, look_up, offers_lookup
from lapel.services.connectors.ucp.profile import MODIFIERS, SEARCH, VERSION
from lapel.services.connectors.ucp.refusals import errors_of, plain, refusal
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.variants import groups_of, is_available
from lapel.services.connectors.ucp.wire.catalogue import (
    Business,
    ModifierGroup,
    Product,
    SearchBody,
)

PAGE = 50
PAGES = 40
"""More than this many pages are not read: 2,000 dishes are no menu to say things from."""
WANTED = 100


async def read_menu(
    client: Client,
    merchant: Merchant,
    *,
    wanted: Callable[[str], Awaitable[Sequence[str]]] | None = None,
    full: FullProducts | None = None,
) -> Menu:
    """Everything that the merchant sells now.

    Of one that sells more than `PAGES` pages, also the items that are `wanted` of this merchant id.
    `full` completes products whose options a search shows in part only.
    """
    products, business, whole = await read_products(client, merchant)
    if not whole:
        products += await _wanted(client, merchant, products, wanted)
    if full is not None:
        products = await full.complete(client, merchant, products)
    return to_menu(merchant, products, business)


async def read_products(
    client: Client, merchant: Merchant
) -> tuple[list[Product], Business | None, bool]:
    """The catalogue page by page, what the merchant says of itself, and whether that was all."""
    if SEARCH not in merchant.profile.capabilities:
        raise Refused(f"{merchant.name} publishes no catalogue.", code="no_catalogue")
    products: list[Product] = []
    business: Business | None = None
    cursor = ""
    for _ in range(PAGES):
        body = await _page(client, merchant, cursor)
        products += body.products
        business = body.business or business
        if body.pagination is None or not body.pagination.has_next_page:
            break
        following = body.pagination.cursor or ""
        if not following or following == cursor:
            raise Nonsense(f"{merchant.name!r} promises a next page without a cursor to it")
        cursor = following
    else:
        return products, business, False
    return products, business, True


async def _wanted(
    client: Client,
    merchant: Merchant,
    products: Sequence[Product],
    wanted: Callable[[str], Awaitable[Sequence[str]]] | None,
) -> tuple[Product, ...]:
    """What somebody had here before and the pages that were read do not hold."""
    if wanted is None or not offers_lookup(merchant):
        return ()
    listed = {variant.id for product in products for variant in product.variants}
    missing = [item for item in await wanted(merchant.id) if item not in listed]
    return await look_up(client, merchant, missing[:WANTED]) if missing else ()


def to_menu(merchant: Merchant, products: list[Product], business: Business | None) -> Menu:
    """Products as menu items. One currency, the first product's: others are left out."""
    food = MODIFIERS in merchant.profile.capabilities
    currency = next((x.variants[0].price.currency for x in products if x.variants), "EUR")
    items: dict[str, MenuItem] = {}
    for product in products:
        if product.variants and all(v.price.currency == currency for v in product.variants):
            item = _item(product, food)
            items.setdefault(item.id, item)
    return Menu(
        merchant_id=merchant.id,
        merchant_name=plain(merchant.name, 80),
        items=tuple(items.values()),
        aliases=merchant.profile.aliases,
        open_now=business.open_now if business else True,
        opens_text=plain((business.opens_text if business else "") or "", 120),
        currency=currency,
        tags=merchant.profile.tags,
    )


async def _page(client: Client, merchant: Merchant, cursor: str) -> SearchBody:
    pagination: dict[str, object] = {"limit": PAGE}
    if cursor:
        pagination["cursor"] = cursor
    # A search needs one input at least; every item meets this one, so all are found.
    body = {"filters": {"price": {"min": 0}}, "pagination": pagination}
    key = str(uuid.uuid4())  # a search changes nothing: it must not be answered from before
    found = await client.write(merchant, "POST", "/catalog/search", body, key, SearchBody)
    if found.ucp.status == "error":
        raise refusal(errors_of(found.messages), merchant.name, None, fallback="no_catalogue")
    if found.ucp.version != VERSION:
        raise Nonsense(f"{merchant.name!r} answers in UCP {found.ucp.version!r}, not {VERSION!r}")
    return found


def _item(product: Product, food: bool) -> MenuItem:
    featured = product.variants[0]
    groups = groups_of(product)
    if food:
        groups += tuple(_modifier_group(group) for group in product.modifier_groups or ())
    return MenuItem(
        id=featured.id,
        title=plain(product.title, 120),
        price=Money(featured.price.amount, featured.price.currency),
        aliases=tuple(plain(x, 80) for x in product.aliases or ()) if food else (),
        category=plain(product.categories[0].value, 80) if product.categories else "",
        description=plain(product.description.plain if product.description else "", 300),
        groups=groups,
        available=any(is_available(variant) for variant in product.variants),
    )


def _modifier_group(group: ModifierGroup) -> OptionGroup:
    return OptionGroup(
        id=group.id,
        title=plain(group.title, 80),
        values=tuple(
            OptionValue(
                id=value.id,
                title=plain(value.title, 80),
                aliases=tuple(plain(x, 80) for x in value.aliases),
                price_delta=value.price_delta,
                available=value.available,
            )
            for value in group.values
        ),
        required=group.required,
        multiple=group.multiple,
        default=group.default,
    )
