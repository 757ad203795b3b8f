"""A cart at the merchant while the user is still choosing: an early price, and no more.

It is a courtesy: a merchant that keeps no carts, or answers oddly, is priced by the checkout alone.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from lapel.commerce.checkout import OrderDraft
from lapel.commerce.money import Money
from lapel.commerce.ports import Nonsense, PortError
from lapel.services.connectors.ucp.arithmetic import check_currency, check_line, total_of
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.pairing import check
from lapel.services.connectors.ucp.profile import CART, VERSION
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.requests import asked_lines
from lapel.services.connectors.ucp.wire.checkout import CartBody

PATIENCE_S = 2.0
SAME_S = 600.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A cart at a merchant: `total` is an estimate without delivery."""

    id: str
    total: Money


class Carts:
    """Keeps what is being chosen at the merchants that offer it."""

    def __init__(
        self, registry: MerchantRegistry, client: Client, clock: Callable[[], float]
    ) -> None:
        self._registry = registry
        self._client = client
        self._clock = clock

    async def keep(self, draft: OrderDraft) -> Kept | None:
        """The cart with exactly these lines, `draft.cart_id` or a new one; None without one."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                merchant = await self._registry.get(draft.merchant_id)
                if CART not in merchant.profile.capabilities:
                    return None
                key = self._key(draft)
                kept = await put(self._client, merchant, draft, key) if draft.cart_id else None
                return kept or await self._new(merchant, draft, f"{key}/new")
        except (PortError, TimeoutError):
            return None

    def _key(self, draft: OrderDraft) -> str:
        """The same words about the same lines, within some minutes, are one call."""
        when = int(self._clock() // SAME_S)
        lines = msgspec.json.encode(draft.lines)
        words = f"{draft.cart_id}\n{when}\n{draft.said}\n".encode()
        return f"cart:{hashlib.sha256(words + lines).hexdigest()}"

    async def _new(self, merchant: Merchant, draft: OrderDraft, key: str) -> Kept | None:
        body = {"line_items": _lines(draft, merchant)}
        found = await self._client.write(merchant, "POST", "/carts", body, key, CartBody)
        return None if found.ucp.status == "error" else _kept(found, draft, merchant)


async def put(client: Client, merchant: Merchant, draft: OrderDraft, key: str) -> Kept | None:
    """Write the lines into the draft's cart; None where that is gone."""
    body = {"id": draft.cart_id, "line_items": _lines(draft, merchant)}
    path = f"/carts/{quote(draft.cart_id, safe='')}"
    found = await client.write(merchant, "PUT", path, body, key, CartBody)
    return None if found.ucp.status == "error" else _kept(found, draft, merchant)


def _lines(draft: OrderDraft, merchant: Merchant) -> list[dict[str, object]]:
    return [line.body() for line in asked_lines(draft, merchant)]


def _kept(body: CartBody, draft: OrderDraft, merchant: Merchant) -> Kept:
    """Read against what was put in, as a checkout is."""
    if body.ucp.version != VERSION or not body.id:
        raise Nonsense(f"{merchant.name!r} answers with no cart of UCP {VERSION}")
    for line in body.line_items:
        check_line(line)
    check(body.line_items, asked_lines(draft, merchant), lambda _: None)
    return Kept(body.id, Money(total_of(body.totals, "the cart"), check_currency(body.currency)))
