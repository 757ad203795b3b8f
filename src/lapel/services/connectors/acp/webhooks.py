"""Order events that ACP merchants push: believed only with the seller's HMAC, and while fresh."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from lapel.commerce.ports import MerchantOrder, Merchants, PortError
from lapel.services.connectors.acp import sessions
from lapel.services.connectors.acp.access import Access, Accesses
from lapel.services.connectors.acp.profile import ACP
from lapel.services.connectors.acp.wire import OrderEvent
from lapel.services.connectors.ucp.mapping import to_order
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.webhooks import FRESH_S, InboundEvent, Seen
from lapel.services.connectors.ucp.wire.order import OrderBody
from lapel.services.errors import WebhookError
from lapel.services.fetch import BODY_LIMIT, decode
from lapel.store import Store

PATH = "/webhooks/acp"
_FORM = re.compile(r"t=(\d{1,12}),v1=([0-9a-fA-F]{64})")


def webhook_url(origin: str, merchant_id: str) -> str:
    """Where this merchant sends its order events; each has a door of its own, with its own key."""
    return f"{origin}{PATH}/{merchant_id}"


class AcpInbox:
    """The door for them. `merchants` tells what an event leaves out."""

    def __init__(
        self,
        store: Store,
        registry: MerchantRegistry,
        accesses: Accesses,
        merchants: Merchants,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._seen = Seen(store)
        self._registry = registry
        self._accesses = accesses
        self._merchants = merchants
        self._clock = clock

    async def receive(
        self,
        merchant_id: str,
        headers: Mapping[str, str],
        raw_body: bytes,
        handle: Callable[[MerchantOrder], Awaitable[None]],
    ) -> MerchantOrder:
        """Verify, hand the order to `handle`, and only then note the event as seen.

        WebhookError carries the HTTP status to answer; a repetition is one, with 200.
        """
        if len(raw_body) > BODY_LIMIT:
            raise WebhookError(f"the body is {len(raw_body)} bytes long", status=413)
        merchant, access = await self._sender(merchant_id)
        now = self._clock()
        sent = {name.lower(): value for name, value in headers.items()}
        stamp = verify(sent.get("merchant-signature", ""), raw_body, access.secret, now)
        name = f"{merchant.id}\n{stamp}\n".encode() + raw_body
        event_id = hashlib.sha256(name).hexdigest()
        await self._seen.refuse_known(event_id)
        order = await self._order(merchant, access, raw_body)
        await handle(order)
        await self._seen.note(InboundEvent(event_id, order), now)
        return order

    async def _sender(self, merchant_id: str) -> tuple[Merchant, Access]:
        try:
            merchant = await self._registry.get(merchant_id)
            access = await self._accesses.get(merchant)
        except PortError as error:
            raise WebhookError(error.text, code="unknown_merchant", status=403) from error
        if merchant.profile.protocol != ACP or not access.secret:
            raise WebhookError(
                f"{merchant_id!r} has no secret to sign with", code="unknown_merchant", status=403
            )
        return merchant, access

    async def _order(self, merchant: Merchant, access: Access, raw_body: bytes) -> MerchantOrder:
        """What the event says; a seller that leaves the totals out is asked."""
        try:
            event = decode(raw_body, OrderEvent, merchant.name)
            if not event.data.totals:
                return await self._merchants.get_order(merchant.id, event.data.id)
            found = sessions.order(event.data, event.data.totals, access.currency)
            body = decode(msgspec.json.encode(found), OrderBody, merchant.name)
            return to_order(body, merchant.id, merchant.profile.url)
        except PortError as error:
            raise WebhookError(error.text, code="malformed", status=400) from error


def verify(header: str, raw_body: bytes, secret: str, now_s: float) -> int:
    """The time in a `Merchant-Signature` that is right: `t=<seconds>,v1=<hex>`. Pure."""
    found = _FORM.fullmatch(header.strip())
    if found is None:
        code = "signature_missing" if not header else "signature_invalid"
        raise WebhookError("Merchant-Signature is t=<seconds>,v1=<64 hex>", code=code, status=401)
    stamp = int(found[1])
    wanted = hmac.new(secret.encode(), found[1].encode() + b"." + raw_body, hashlib.sha256)
    if not hmac.compare_digest(wanted.hexdigest(), found[2].lower()):
        raise WebhookError(
            "the signature is not of this body", code="signature_invalid", status=401
        )
    if abs(now_s - stamp) > FRESH_S:
        raise WebhookError(
            f"the signature is {now_s - stamp:.0f} s old; sign again", code="stale", status=401
        )
    return stamp
