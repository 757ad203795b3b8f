"""Lapel's side of UCP as it stands in the application, and a clock that a test moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import msgspec
import sqlalchemy as sa

from lapel.commerce.checkout import Address, DraftLine, OrderDraft
from lapel.commerce.consent import public_keys
from lapel.services import (
    Accesses,
    AcpClient,
    AcpDoor,
    Doors,
    Food,
    Jwk,
    Merchant,
    MerchantRegistry,
    PlatformProfile,
    SigningKeys,
    UcpClient,
    UcpMerchants,
    ordered_items,
    stored_drafts,
    stored_sessions,
)
from lapel.store import Store, schema
from services.hostile import LATTE, MUFFIN, Hostile

OFFICE = Address(
    "office", "Mannerheimintie 1", "Helsinki", "00100", "FI", 60.1699, 24.9384, "Ring twice"
)


@dataclass
class Clock:
    """Real time at first (signatures are checked against it), moved by hand afterwards."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Lapel's side of UCP, and the merchant it shops at."""

    store: Store
    http: httpx.AsyncClient
    clock: Clock
    keys: SigningKeys
    registry: MerchantRegistry
    client: UcpClient
    food: Food
    merchants: UcpMerchants
    profile: PlatformProfile
    hostile: Hostile
    accesses: Accesses
    acp: AcpClient

    async def meet(self) -> Merchant:
        return await self.food.add_merchant(self.hostile.origin)

    def draft(self, merchant: Merchant, *lines: DraftLine) -> OrderDraft:
        chosen = lines or (
            DraftLine(LATTE, "Latte", 2, ("milk.oat",), ("Oat milk",)),
            DraftLine(MUFFIN, "Blueberry muffin", 1, note="warm, please"),
        )
        return OrderDraft(merchant.id, chosen, OFFICE)

    async def remember(self, draft: OrderDraft, checkout_id: str, order_id: str = "") -> None:
        """As commerce does once a draft is priced."""

        def write(at: sa.Connection) -> None:
            at.execute(
                sa.insert(schema.orders).values(
                    id=f"o_{checkout_id}",
                    user_id="u_1",
                    merchant_id=draft.merchant_id,
                    merchant_name="",
                    state="quoting",
                    revision=1,
                    draft=msgspec.json.encode(draft).decode(),
                    checkout_id=checkout_id,
                    currency="EUR",
                    merchant_order_id=order_id or None,
                    created_at=0.0,
                    updated_at=0.0,
                )
            )

        await self.store.write(write)


def build(
    store: Store,
    http: httpx.AsyncClient,
    hostile: Hostile | None,
    clock: Callable[[], float],
    origin: str = "http://127.0.0.1:8600",
    timeout_s: float = 30.0,
    mandates: bool = False,
) -> World:
    keys = SigningKeys(store, clock)
    registry = MerchantRegistry(store, http, clock)

    async def users_keys() -> tuple[Jwk, ...]:
        found = await store.read(lambda at: public_keys(at))
        return tuple(Jwk(kid=key.id, **key.jwk) for key in found)

    profile = PlatformProfile(keys, origin=origin, users_keys=users_keys if mandates else None)
    client = UcpClient(
        http, registry, keys, profile_url=profile.url, clock=clock, timeout_s=timeout_s
    )
    accesses = Accesses(store)
    acp = AcpClient(http, accesses, stored_sessions(store), clock=clock, timeout_s=timeout_s)
    doors = Doors(client, acp)
    door = AcpDoor(http, accesses, acp, origin)
    food = Food(registry, doors, http, clock=clock, wanted=ordered_items(store), acp=door)
    merchants = UcpMerchants(
        registry,
        doors,
        stored_drafts(store),
        clock=clock,
        defaults=food.defaults,
        sold_out=food.sold_out,
        seen=food.seen,
        mandates=mandates,
    )
    return World(
        store, http, clock, keys, registry, client, food, merchants, profile, hostile, accesses, acp  # type: ignore[arg-type]
    )  # fmt: skip
