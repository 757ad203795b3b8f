"""What ACP leaves to be agreed beforehand: the key to a seller, the shared secret, the feed.

A seller's own people give them out (`lapel merchants add URL --key ...`). A seller with the
extension `dev.lapel.enrolment` gives them to whoever asks.
"""

from __future__ import annotations

from typing import Annotated

import httpx
import msgspec
import sqlalchemy as sa

from lapel.commerce.ports import Refused, Unreachable
from lapel.services.connectors.acp.profile import VERSION, document_of
from lapel.services.connectors.ucp.client import idempotency_key
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.fetch import decode, fetch
from lapel.services.urls import check
from lapel.store import Store, schema

Secret = Annotated[str, msgspec.Meta(max_length=1024)]


class Access(msgspec.Struct, frozen=True):
    """What one seller has given to this Lapel.

    `secret` is shared: it signs what Lapel sends, and the order events that the seller sends.
    Without it order events are refused. `currency` is what the seller sells in.
    """

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    secret: Secret = ""
    feed_url: Annotated[str, msgspec.Meta(max_length=2048)] = ""
    name: Annotated[str, msgspec.Meta(max_length=80)] = ""
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"


class Accesses:
    """The record of them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Access] = {}

    async def find(self, merchant_id: str) -> Access | None:
        known = self._known.get(merchant_id)
        if known is None:
            table = schema.acp_access
            query = sa.select(table.c.access).where(table.c.merchant_id == merchant_id)
            text = await self._store.read(lambda at: at.scalar(query))
            if text is None:
                return None
            known = self._known[merchant_id] = msgspec.json.decode(text, type=Access)
        return known

    async def get(self, merchant: Merchant) -> Access:
        """Refused (`unauthorized`) where no key was ever given."""
        access = await self.find(merchant.id)
        if access is None:
            raise Refused(f"Lapel has no key to {merchant.url}: add it again.", code="unauthorized")
        return access

    async def keep(self, merchant_id: str, access: Access) -> None:
        def write(at: sa.Connection) -> None:
            table = schema.acp_access
            at.execute(sa.delete(table).where(table.c.merchant_id == merchant_id))
            text = msgspec.json.encode(access).decode()
            at.execute(sa.insert(table).values(merchant_id=merchant_id, access=text))

        await self._store.write(write)
        self._known[merchant_id] = access

    async def forget(self, merchant_id: str) -> None:
        table = schema.acp_access
        gone = sa.delete(table).where(table.c.merchant_id == merchant_id)
        await self._store.write(lambda at: at.execute(gone))
        self._known.pop(merchant_id, None)


async def enrol(http: httpx.AsyncClient, merchant: Merchant, webhook_url: str) -> Access:
    """Ask a seller that gives everybody a key for ours. Refused (`key_needed`) by any other.

    The same question again gets the same answer: a crash in between leaves one key.
    """
    if not document_of(merchant.url, merchant.profile.text).enrols:
        raise Refused(
            f"{merchant.url} speaks ACP and gives a key to those that it knows: ask it for one, "
            "then `lapel merchants add URL --key KEY`",
            code="key_needed",
        )
    answer = await fetch(
        http,
        "POST",
        merchant.profile.endpoint + "/enrolments",
        headers={
            "API-Version": VERSION,
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key(merchant.id, f"enrol/{webhook_url}"),
        },
        content=msgspec.json.encode({"platform": "Lapel", "webhook_url": webhook_url}),
    )
    if answer.status >= 500 or answer.status in (408, 425, 429):
        raise Unreachable(f"{merchant.url!r} answers {answer.status}")
    if answer.status not in (200, 201):
        raise Refused(f"{merchant.url} gives Lapel no key ({answer.status})", code="key_needed")
    access = decode(answer.body, Access, merchant.url)
    if access.feed_url:
        check(access.feed_url, named_by=merchant.url)
    return access
