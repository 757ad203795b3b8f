"""What is booked at companies over UCP, as they have it: looked at, and what changing it costs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from urllib.parse import quote

from lapel.commerce.ports import MerchantOrder, Nonsense
from lapel.services.connectors.ucp.asking import order_of
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.wire.order import OrderBody


class Booked:
    """Orders of one extension, whose verbs are under `path`; `of` is what it says of an order.

    Nothing is kept.
    """

    def __init__(
        self,
        registry: MerchantRegistry,
        client: Client,
        path: str,
        of: Callable[[MerchantOrder], object | None],
    ) -> None:
        self._registry = registry
        self._client = client
        self._path = path
        self._of = of

    async def look(self, merchant_id: str, id: str) -> MerchantOrder:
        """As the company has it now."""
        company = await self._registry.get(merchant_id)
        body = await self._client.read(company, f"/orders/{quote(id, safe='')}", OrderBody)
        return self._order(body, company, id)

    async def price(
        self, merchant_id: str, id: str, verb: str, sent: Mapping[str, object]
    ) -> tuple[OrderBody, MerchantOrder]:
        """What it would cost to do something with it; the answer, and the order as it is.

        Nothing happens: what the user agrees to is asked for by `commerce`. Refused with the
        company's reason.
        """
        company = await self._registry.get(merchant_id)
        path = f"{self._path}/{quote(id, safe='')}/{verb}"
        key = str(uuid.uuid4())  # it must not be answered from before
        body = await self._client.write(company, "POST", path, sent, key, OrderBody)
        return body, self._order(body, company, id)

    def _order(self, body: OrderBody, company: Merchant, id: str) -> MerchantOrder:
        order = order_of(body, company, id)
        if self._of(order) is None:
            raise Nonsense(f"{company.name!r} answers with something else than {id!r}")
        return order
