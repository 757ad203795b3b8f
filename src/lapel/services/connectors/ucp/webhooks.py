"""Orders that merchants push: believed only when signed, fresh, and from a known merchant."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lapel.commerce.ports import MerchantOrder, PortError
from lapel.services.connectors.ucp import detached, older, signatures
from lapel.services.connectors.ucp.keys import Jwk
from lapel.services.connectors.ucp.mapping import to_order
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.structured import Item, StructuredError, parse_dictionary
from lapel.services.connectors.ucp.versions import OLDER
from lapel.services.connectors.ucp.wire.order import OrderBody
from lapel.services.errors import SignatureRejected, WebhookError
from lapel.services.fetch import BODY_LIMIT, decode
from lapel.services.urls import check
from lapel.store import Store, schema

FRESH_S = 300.0
"""How old a signature may be, and how far ahead of our clock."""
KEPT_S = 30 * 24 * 3600.0
"""How long the names of past events are kept."""

_STATUS = {"digest_mismatch": 400, "algorithm_unsupported": 400}
_NOT_COVERED = frozenset({"ucp-agent", "idempotency-key", "content-type"})
"""UCP's own example of a signed webhook leaves these out; whose key it is tells who signed."""


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """A believed webhook. `id` names the event for good: a repetition has the same."""

    id: str
    order: MerchantOrder


class Seen:
    """The names of events that were taken in, whatever protocol they came by."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def refuse_known(self, event_id: str) -> None:
        """WebhookError (`replayed`, 200) for one that was taken in before."""
        if await self._store.read(lambda at: _is_known(at, event_id)):
            raise WebhookError(
                f"the event {event_id!r} was received before", code="replayed", status=200
            )

    async def note(self, event: InboundEvent, now_s: float) -> None:
        await self._store.write(lambda at: _note(at, event, now_s))


def verify_and_parse(
    request: signatures.Request,
    keys: Iterable[Jwk],
    merchant: Merchant,
    *,
    now_s: float,
) -> InboundEvent:
    """Check signature and age against the merchant's `keys`, then read the order. Pure."""
    try:
        verified = signatures.verify(request, keys, optional=_NOT_COVERED, now_s=now_s)
    except SignatureRejected as error:
        raise WebhookError(
            error.text, code=error.code, status=_STATUS.get(error.code, 401)
        ) from error
    _check_age(request.headers, verified, now_s)
    try:
        body = decode(request.body, OrderBody, merchant.name)
        order = to_order(body, merchant.id, merchant.profile.url)
    except PortError as error:
        raise WebhookError(error.text, code="malformed", status=400) from error
    return InboundEvent(_event_id(request.headers, verified, merchant.id), order)


class WebhookInbox:
    """The door for order events. One bad message never hurts another merchant's."""

    def __init__(
        self,
        store: Store,
        registry: MerchantRegistry,
        *,
        url: str,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._seen = Seen(store)
        self._registry = registry
        self._url = check(url)
        self._clock = clock

    async def receive(
        self,
        headers: Mapping[str, str],
        raw_body: bytes,
        handle: Callable[[MerchantOrder], Awaitable[None]],
    ) -> MerchantOrder:
        """Verify, hand the order to `handle`, and only then note the event as seen.

        The message must be signed for the URL that Lapel publishes, whatever its Host header says.
        `handle` makes the order durable and bears to see an event twice (after a crash). It finds
        the order by `merchant_id` too: a merchant speaks only of its own orders. WebhookError
        carries the HTTP status to answer; a repetition is one, with 200.
        """
        if len(raw_body) > BODY_LIMIT:
            raise WebhookError(f"the body is {len(raw_body)} bytes long", status=413)
        lower = {name.lower(): value for name, value in headers.items()}
        if detached.HEADER in lower and "signature" not in lower:
            event = await self._older(lower[detached.HEADER], raw_body)
        else:
            request = signatures.Request("POST", self._url, headers, raw_body)
            event = await self._verified(request, await self._merchant(headers))
        await self._seen.refuse_known(event.id)
        await handle(event.order)
        await self._seen.note(event, self._clock())
        return event.order

    async def _older(self, signature: str, body: bytes) -> InboundEvent:
        """An event of UCP 2026-01-11: whose key has signed it says which merchant it is from."""
        older_ones = [x for x in await self._registry.all() if x.profile.version == OLDER]
        for merchant in older_ones:
            if _signed_by(merchant, signature, body):
                return await self._older_event(merchant, body)
        unknown = WebhookError(
            "no known merchant has signed this", code="signature_invalid", status=401
        )
        # A new key, perhaps: of the merchant that the order would be from, looked at once.
        merchant = await self._of_checkout(older_ones, body)
        if merchant is None:
            raise unknown
        merchant = await self._refreshed(merchant, unknown)
        if not _signed_by(merchant, signature, body):
            raise unknown
        return await self._older_event(merchant, body)

    async def _of_checkout(self, merchants: Sequence[Merchant], body: bytes) -> Merchant | None:
        """Whose order this says to be, if there is one in the record; nothing of it is believed."""
        try:
            checkout_id = older.checkout_of(body, "a merchant")
        except PortError:
            return None
        table = schema.orders
        query = sa.select(table.c.merchant_id).where(table.c.checkout_id == checkout_id)
        ids = await self._store.read(lambda at: set(at.scalars(query)))
        return next((merchant for merchant in merchants if merchant.id in ids), None)

    async def _older_event(self, merchant: Merchant, body: bytes) -> InboundEvent:
        """Its order names no currency: it is that of the order in the record."""
        try:
            checkout_id = older.checkout_of(body, merchant.name)
            currency = await self._store.read(lambda at: _currency(at, merchant.id, checkout_id))
            if currency is None:
                raise WebhookError("nothing was ordered so", code="unknown_order", status=404)
            raw = older.order_in(body, currency, merchant.name)
            order = to_order(decode(raw, OrderBody, merchant.name), merchant.id, merchant.url)
        except PortError as error:
            raise WebhookError(error.text, code="malformed", status=400) from error
        name = hashlib.sha256(f"{merchant.id}\n".encode() + body).hexdigest()
        return InboundEvent(name, order)

    async def _merchant(self, headers: Mapping[str, str]) -> Merchant:
        agent = {name.lower(): value for name, value in headers.items()}.get("ucp-agent", "")
        merchant = await self._registry.by_profile(profile_of(agent))
        if merchant is None:
            raise WebhookError(
                f"no known merchant publishes its profile at {profile_of(agent)[:200]!r}",
                code="unknown_merchant",
                status=403,
            )
        return merchant

    async def _verified(self, request: signatures.Request, merchant: Merchant) -> InboundEvent:
        now = self._clock()
        try:
            return verify_and_parse(request, merchant.profile.keys, merchant, now_s=now)
        except WebhookError as error:
            if error.code != "key_not_found":
                raise
            fresh = await self._refreshed(merchant, error)
            return verify_and_parse(request, fresh.profile.keys, fresh, now_s=now)

    async def _refreshed(self, merchant: Merchant, error: WebhookError) -> Merchant:
        """A key that is not known may be a new one: look once, as UCP allows."""
        try:
            return await self._registry.refresh(merchant.id)
        except PortError:
            raise error from None


def _currency(at: sa.Connection, merchant_id: str, checkout_id: str) -> str | None:
    table = schema.orders
    query = sa.select(table.c.currency).where(
        table.c.merchant_id == merchant_id, table.c.checkout_id == checkout_id
    )
    return at.scalar(query)


def _signed_by(merchant: Merchant, signature: str, body: bytes) -> bool:
    try:
        detached.verify(signature, body, merchant.profile.keys)
    except SignatureRejected:
        return False
    return True


def profile_of(agent: str) -> str:
    """The profile URL in a UCP-Agent header, or nothing."""
    try:
        item = parse_dictionary(agent).get("profile")
    except StructuredError:
        return ""
    return item.value if isinstance(item, Item) and isinstance(item.value, str) else ""


def _check_age(headers: Mapping[str, str], verified: signatures.Verified, now_s: float) -> None:
    """UCP lets `created` out; then a signed Webhook-Timestamp serves, else there is no age."""
    at: float | None = verified.created
    if at is None and "webhook-timestamp" in verified.covered:
        text = {name.lower(): value for name, value in headers.items()}["webhook-timestamp"]
        at = float(text) if text.strip().isdigit() else None
    if at is not None and abs(now_s - at) > FRESH_S:
        raise WebhookError(
            f"the signature is {now_s - at:.0f} s old; sign again", code="stale", status=401
        )


def _event_id(headers: Mapping[str, str], verified: signatures.Verified, merchant_id: str) -> str:
    """The merchant's name for the event counts only when it is signed: a replay could change it."""
    name = verified.base_hash
    for header in ("webhook-id", "idempotency-key"):
        if header in verified.covered:
            name = {key.lower(): value for key, value in headers.items()}[header]
            break
    return hashlib.sha256(f"{merchant_id}\n{name}".encode()).hexdigest()


def _is_known(at: sa.Connection, event_id: str) -> bool:
    table = schema.inbound_events
    return at.scalar(sa.select(table.c.id).where(table.c.id == event_id)) is not None


def _note(at: sa.Connection, event: InboundEvent, now_s: float) -> None:
    table = schema.inbound_events
    at.execute(sa.delete(table).where(table.c.received_at < now_s - KEPT_S))
    if not _is_known(at, event.id):
        at.execute(
            sa.insert(table).values(
                id=event.id, merchant_id=event.order.merchant_id, received_at=now_s
            )
        )
