"""Whether what is in a cart is still sold and at what price, asked before a checkout is made.

It is a courtesy to the user, who hears which thing is gone before the shop is asked to price the
rest. The checkout alone says what is paid: an answer that cannot be had, or makes no sense, is
passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lapel.brain.menu import MenuItem
from lapel.commerce.checkout import CheckoutMessage, OrderDraft
from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.failures import Code
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.lookup import look_up, offers_lookup
from lapel.services.connectors.ucp.refusals import words_of
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.requests import asked_lines
from lapel.services.connectors.ucp.variants import is_available
from lapel.services.connectors.ucp.wire.catalogue import Product, Variant

FRESH_S = 30.0
"""A menu that was read so lately needs no second look."""
PATIENCE_S = 3.0
CHANGED = "price_since_menu"

Seen = Callable[[str, str], tuple[MenuItem | None, float]]
"""(merchant id, item id) -> the item as the menu has it, and how many seconds ago that was read."""


def unseen(merchant_id: str, item_id: str) -> tuple[MenuItem | None, float]:
    """For a Lapel that keeps no menus."""
    return None, float("inf")


async def recheck(
    client: Client, merchant: Merchant, draft: OrderDraft, seen: Seen
) -> tuple[CheckoutMessage, ...]:
    """A message for each line whose price is not that of the menu.

    Refused (`unknown_item`, `sold_out`) names the first that is not to be had.
    """
    if not offers_lookup(merchant) or draft.is_booking:
        return ()
    if all(seen(merchant.id, line.item_id)[1] < FRESH_S for line in draft.lines):
        return ()
    asked = asked_lines(draft, merchant)
    ids = list(dict.fromkeys(line.item_id for line in asked))
    try:
        async with asyncio.timeout(PATIENCE_S):
            products = await look_up(client, merchant, ids)
    except (TimeoutError, Unreachable, Nonsense, Refused):
        return ()
    changed: list[CheckoutMessage] = []
    for at, line in enumerate(asked):
        variant = _variant(products, line.item_id)
        if variant is None:
            raise _gone("unknown_item", merchant, line.draft.title)
        if not is_available(variant):
            raise _gone("sold_out", merchant, line.draft.title)
        item, _ = seen(merchant.id, line.draft.item_id)
        known = item is not None and item.id == variant.id
        if known and item is not None and item.price.minor != variant.price.amount:
            changed.append(CheckoutMessage(CHANGED, "", "info", f"$.line_items[{at}]"))
    return tuple(changed)


def _variant(products: tuple[Product, ...], wanted: str) -> Variant | None:
    """By its own id, or the featured one of the product of that id."""
    for product in products:
        for variant in product.variants:
            if variant.id == wanted:
                return variant
    return next((x.variants[0] for x in products if x.id == wanted and x.variants), None)


def _gone(code: Code, merchant: Merchant, title: str) -> Refused:
    return Refused(words_of(code, merchant.name, title), code=code, item=title)
