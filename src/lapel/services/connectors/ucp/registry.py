"""The merchants that Lapel knows, each by its URL, with the profile it published last."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx
import sqlalchemy as sa

from lapel.commerce.order import OPEN, OrderState
from lapel.commerce.ports import Nonsense, PortError, Refused
from lapel.services.connectors.discovery import again, base_of, discover, read_profile
from lapel.services.connectors.ucp.profile import Profile
from lapel.store import Store, schema

PROFILE_TTL_S = 600.0
REFRESH_FLOOR_S = 60.0
"""Between two looks at a profile that somebody else can cause, by a webhook."""
ASKED_FLOOR_S = 2.0
"""The same for an answer to Lapel's own call: a merchant may sign with a new key at once."""
"""UCP: a profile is never fetched more often than that, whoever asks."""
BUYING_S = 24 * 3600.0
"""An order that has not moved for so long holds its merchant to nothing any more."""
FOLLOWED_S = 48 * 3600.0
"""A placed order that tells nothing for so long counts as over."""
_MONEY_MAY_MOVE = OPEN - {OrderState.PLACED}


@dataclass(frozen=True, slots=True)
class Merchant:
    id: str
    url: str
    name: str
    profile: Profile
    checked_at: float
    seen_at: float = 0.0
    """When it last showed a profile that could be read."""


class MerchantRegistry:
    """Known merchants, in the store and in memory."""

    def __init__(self, store: Store, http: httpx.AsyncClient, clock: Callable[[], float]) -> None:
        self._store = store
        self._http = http
        self._clock = clock
        self._known: dict[str, Merchant] = {}

    async def add(self, url: str) -> Merchant:
        """Fetch the profile at `url` and remember the merchant; known ones are updated."""
        return await self.keep(await self.meet(url))

    async def meet(self, url: str) -> Merchant:
        """Fetch the profile at `url`, with the id that is or would be the merchant's."""
        profile = await discover(self._http, url)
        base, now = base_of(url), self._clock()
        table = schema.merchants
        query = sa.select(table.c.id).where(table.c.url == base)
        known = await self._store.read(lambda at: at.scalar(query))
        return Merchant(known or _id_of(base, profile), base, profile.name, profile, now, now)

    async def get(self, merchant_id: str) -> Merchant:
        """The merchant with a profile that is fresh, or the last one where it cannot be had."""
        merchant = await self._stored(merchant_id)
        if self._clock() - merchant.checked_at < PROFILE_TTL_S:
            return merchant
        try:
            return await self.refresh(merchant_id)
        except PortError:
            # An old profile beats none: the call itself will tell whether the merchant is there.
            kept = replace(merchant, checked_at=self._clock())
            self._known[merchant_id] = kept
            return kept

    async def refresh(self, merchant_id: str, floor_s: float = REFRESH_FLOOR_S) -> Merchant:
        """Fetch the profile again, unless that was done less than `floor_s` ago.

        Nonsense (`endpoint_moved`) while an order that may still move money was begun elsewhere: it
        ends where it began.
        """
        merchant = await self._stored(merchant_id)
        if self._clock() - merchant.checked_at < floor_s:
            return merchant
        profile = await again(self._http, merchant.url, merchant.profile.protocol)
        if profile.endpoint != merchant.profile.endpoint and await self._is_buying(merchant_id):
            raise Nonsense(
                f"{merchant.name!r} moves to {profile.endpoint!r} while an order is under way",
                code="endpoint_moved",
            )
        now = self._clock()
        name = profile.name or merchant.name
        return await self.keep(
            replace(merchant, profile=profile, name=name, checked_at=now, seen_at=now)
        )

    async def all(self) -> tuple[Merchant, ...]:
        """Every known merchant, in the order they were added."""
        table = schema.merchants
        query = sa.select(table.c.id).order_by(table.c.added_at, table.c.id)
        ids = await self._store.read(lambda at: list(at.scalars(query)))
        return tuple([await self._stored(merchant_id) for merchant_id in ids])

    async def remove(self, merchant_id: str) -> Merchant:
        """Forget the merchant; what was bought there stays in the record.

        Refused: `unknown_merchant`, or `orders_running` while an order there is not over.
        """
        merchant = await self._stored(merchant_id)
        since = self._clock() - FOLLOWED_S

        def write(at: sa.Connection) -> int:
            orders, merchants = schema.orders.c, schema.merchants
            running = at.scalar(
                sa.select(sa.func.count())
                .select_from(schema.orders)
                .where(orders.merchant_id == merchant_id)
                .where(orders.state.in_([state.value for state in OPEN]))
                .where(
                    sa.or_(orders.state != OrderState.PLACED.value, orders.updated_at >= since),
                )
            )
            if not running:
                at.execute(sa.delete(merchants).where(merchants.c.id == merchant_id))
            return running or 0

        running = await self._store.write(write)
        if running:
            orders = "an order" if running == 1 else f"{running} orders"
            raise Refused(
                f"{merchant.name} has {orders} of yours under way: remove it when that is over",
                code="orders_running",
            )
        self._known.pop(merchant_id, None)
        return merchant

    async def by_profile(self, profile_url: str) -> Merchant | None:
        """The known merchant that publishes its profile at this URL."""
        try:
            base = base_of(profile_url)
        except Nonsense:
            return None
        table = schema.merchants
        query = sa.select(table.c.id).where(table.c.url == base)
        found = await self._store.read(lambda at: at.scalar(query))
        return None if found is None else await self._stored(found)

    async def _is_buying(self, merchant_id: str) -> bool:
        table = schema.orders
        query = sa.select(table.c.id).where(
            table.c.merchant_id == merchant_id,
            table.c.state.in_([state.value for state in _MONEY_MAY_MOVE]),
            table.c.updated_at > self._clock() - BUYING_S,
        )
        return await self._store.read(lambda at: at.scalar(query.limit(1))) is not None

    async def _stored(self, merchant_id: str) -> Merchant:
        known = self._known.get(merchant_id)
        if known is not None:
            return known
        query = sa.select(schema.merchants).where(schema.merchants.c.id == merchant_id)
        row = await self._store.read(lambda at: at.execute(query).first())
        if row is None:
            raise Refused(f"there is no merchant {merchant_id!r}", code="unknown_merchant")
        profile = read_profile(row.url, row.profile, row.protocol)
        at = row.checked_at
        merchant = Merchant(row.id, row.url, row.name, profile, at, at)
        self._known[merchant_id] = merchant
        return merchant

    async def keep(self, merchant: Merchant) -> Merchant:
        """Remember the merchant; one with the same URL is updated and keeps its id."""

        def write(at: sa.Connection) -> str:
            table = schema.merchants
            changing = {
                "name": merchant.name,
                "profile": merchant.profile.text,
                "protocol": merchant.profile.protocol,
                "checked_at": merchant.checked_at,
            }
            known = at.scalar(sa.select(table.c.id).where(table.c.url == merchant.url))
            if known is not None:
                at.execute(sa.update(table).where(table.c.id == known).values(changing))
                return known
            fixed = {"id": merchant.id, "url": merchant.url, "added_at": merchant.checked_at}
            at.execute(sa.insert(table).values({**fixed, **changing}))
            return merchant.id

        kept = replace(merchant, id=await self._store.write(write))
        self._known[kept.id] = kept
        return kept


def _id_of(url: str, profile: Profile) -> str:
    """Readable, and different for every URL: a merchant cannot take another's id by its name."""
    slug = re.sub(r"[^a-z0-9]+", "-", profile.name.lower()).strip("-")[:40] or "merchant"
    return f"{slug}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
