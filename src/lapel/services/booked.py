"""What is booked at companies over UCP, as they have it: looked at, changed, canceled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from lapel.commerce.ports import MerchantOrder, Nonsense, Refused
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.mapping import to_order
from lapel.services.connectors.ucp.refusals import errors_of, refusal
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.wire.order import OrderBody


class Booked:
    """Orders of one extension, whose verbs are under `path`; `of` is what it says of an order.

    `what` is the word for such an order. Nothing is kept.
    """

    def __init__(
        self,
        registry: MerchantRegistry,
        client: Client,
        path: str,
        what: str,
        of: Callable[[MerchantOrder], object | None],
    ) -> None:
        self._registry = registry
        self._client = client
        self._path = path
        self._what = what
        self._of = of

    async def look(self, merchant_id: str, id: str) -> MerchantOrder:
        """As the company has it now."""
        company = await self._registry.get(merchant_id)
        body = await self._client.read(company, f"/orders/{quote(id, safe='')}", OrderBody)
        return self._order(body, company, id)

    async def ask(
        self, merchant_id: str, id: str, verb: str, sent: Mapping[str, object], key: str
    ) -> tuple[OrderBody, MerchantOrder]:
        """Tell the company to do something with it; the answer, and the order after that.

        The same key again has no second effect. Refused with the company's reason.
        """
        company = await self._registry.get(merchant_id)
        path = f"{self._path}/{quote(id, safe='')}/{verb}"
        body = await self._client.write(company, "POST", path, sent, key, OrderBody)
        return body, self._order(body, company, id)

    def _order(self, body: OrderBody, company: Merchant, id: str) -> MerchantOrder:
        errors = errors_of(body.messages)
        if errors:
            raise refusal(errors, company.name, None, fallback="refused")
        if body.ucp.status == "error":
            raise Refused(f"{company.name} does not know that {self._what}.", code="not_found")
        order = to_order(body, company.id, company.profile.url)
        if order.id != id or self._of(order) is None:
            raise Nonsense(f"{company.name!r} answers with something else than {id!r}")
        return order
