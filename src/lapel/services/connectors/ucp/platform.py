"""What Lapel says of itself: the platform profile that merchants read before they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

import msgspec

from lapel.services.connectors.ucp import older
from lapel.services.connectors.ucp.keys import Jwk, SigningKeys
from lapel.services.connectors.ucp.profile import (
    AP2,
    CART,
    CHECKOUT,
    CITY_BANK,
    DISCOUNT,
    FULFILLMENT,
    GROCERIES,
    LOOKUP,
    MCP,
    MODIFIERS,
    ORDER,
    PAY,
    REST,
    RETAIL,
    RIDES,
    SEARCH,
    SHOPPING,
    SPOKEN,
    TABLES,
    TRANSPORTS,
    TRAVEL,
    VERSION,
    WELL_KNOWN,
    older_url,
)
from lapel.services.urls import check

_UCP = f"https://ucp.dev/{VERSION}"
_LAPEL = f"https://lapel.dev/{SPOKEN[MODIFIERS]}"
_SERVICE_SCHEMAS = {REST: "rest.openapi.json", MCP: "mcp.openrpc.json"}
_PAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        CHECKOUT: (f"{_UCP}/specification/checkout", f"{_UCP}/schemas/shopping/checkout.json"),
        FULFILLMENT: (
            f"{_UCP}/specification/fulfillment",
            f"{_UCP}/schemas/shopping/fulfillment.json",
        ),
        DISCOUNT: (f"{_UCP}/specification/discount", f"{_UCP}/schemas/shopping/discount.json"),
        ORDER: (f"{_UCP}/specification/order", f"{_UCP}/schemas/shopping/order.json"),
        SEARCH: (
            f"{_UCP}/specification/catalog/search",
            f"{_UCP}/schemas/shopping/catalog_search.json",
        ),
        LOOKUP: (
            f"{_UCP}/specification/catalog/lookup",
            f"{_UCP}/schemas/shopping/catalog_lookup.json",
        ),
        CART: (f"{_UCP}/specification/cart", f"{_UCP}/schemas/shopping/cart.json"),
        AP2: (
            f"{_UCP}/specification/ap2-mandates",
            f"{_UCP}/schemas/shopping/ap2_mandate.json",
        ),
        MODIFIERS: (
            f"{_LAPEL}/specification/food/modifiers",
            f"{_LAPEL}/schemas/food/modifiers.json",
        ),
        RIDES: (f"{_LAPEL}/specification/rides", f"{_LAPEL}/schemas/rides.json"),
        RETAIL: (f"{_LAPEL}/specification/retail", f"{_LAPEL}/schemas/retail.json"),
        GROCERIES: (f"{_LAPEL}/specification/groceries", f"{_LAPEL}/schemas/groceries.json"),
        PAY: (f"{_LAPEL}/specification/pay", f"{_LAPEL}/schemas/pay.json"),
        TRAVEL: (f"{_LAPEL}/specification/travel", f"{_LAPEL}/schemas/travel.json"),
        TABLES: (f"{_LAPEL}/specification/tables", f"{_LAPEL}/schemas/tables.json"),
    }
)
_EXTENDS: Mapping[str, str | list[str]] = MappingProxyType(
    {
        FULFILLMENT: CHECKOUT,
        DISCOUNT: CHECKOUT,
        AP2: CHECKOUT,
        MODIFIERS: [CHECKOUT, ORDER, SEARCH, LOOKUP],
        RIDES: [CHECKOUT, ORDER],
        GROCERIES: [CHECKOUT, ORDER, SEARCH],
        PAY: [CHECKOUT, ORDER],
        RETAIL: [ORDER, SEARCH],
        TRAVEL: [CHECKOUT, ORDER],
        TABLES: [CHECKOUT, ORDER],
    }
)


UsersKeys = Callable[[], Awaitable[tuple[Jwk, ...]]]


class PlatformProfile:
    """Lapel's profile at `{origin}/.well-known/ucp`, with the keys that it signs with now.

    With `users_keys` it declares AP2 and also lists the keys that its users sign mandates with:
    UCP has a merchant look for them there.
    """

    CACHE_CONTROL: ClassVar[str] = "public, max-age=60"
    """The header to serve it with; UCP wants `public` and at least 60 s."""
    WEBHOOK_PATH: ClassVar[str] = "/webhooks/ucp"

    def __init__(
        self, keys: SigningKeys, *, origin: str, users_keys: UsersKeys | None = None
    ) -> None:
        self._keys = keys
        self._users_keys = users_keys
        self.origin = check(origin.rstrip("/"))
        """Where merchants reach this Lapel."""

    @property
    def url(self) -> str:
        """What Lapel sends as UCP-Agent."""
        return self.origin + WELL_KNOWN

    @property
    def older_url(self) -> str:
        """What Lapel sends as UCP-Agent to merchants of UCP 2026-01-11."""
        return older_url(self.url)

    @property
    def webhook_url(self) -> str:
        """Where merchants send order events; their signatures cover it."""
        return self.origin + self.WEBHOOK_PATH

    async def older(self) -> dict[str, object]:
        """The same for merchants of UCP 2026-01-11, at the URL of that version."""
        return older.profile_out(await self.document())

    async def document(self) -> dict[str, object]:
        """The profile, ready to be sent as JSON."""
        keys = await self._keys.published()
        if self._users_keys is None:
            return platform_profile(webhook_url=self.webhook_url, keys=keys)
        keys += await self._users_keys()
        return platform_profile(webhook_url=self.webhook_url, keys=keys, mandates=True)


def platform_profile(
    *, webhook_url: str, keys: Iterable[Jwk], mandates: bool = False
) -> dict[str, object]:
    """The document for these keys."""
    return {
        "ucp": {
            "version": VERSION,
            "services": {
                SHOPPING: [
                    {
                        "version": VERSION,
                        "spec": f"{_UCP}/specification/overview",
                        "transport": transport,
                        "schema": f"{_UCP}/services/shopping/{_SERVICE_SCHEMAS[transport]}",
                    }
                    for transport in TRANSPORTS
                ]
            },
            "capabilities": {
                name: [_capability(name, webhook_url)] for name in SPOKEN if mandates or name != AP2
            },
            "payment_handlers": {
                CITY_BANK: [
                    {
                        "id": "city_bank",
                        "version": VERSION,
                        "spec": f"{_LAPEL}/specification/city/bank",
                        "schema": f"{_LAPEL}/schemas/city/bank.json",
                    }
                ]
            },
        },
        "signing_keys": [msgspec.to_builtins(key) for key in keys],
        "name": "Lapel",
    }


def _capability(name: str, webhook_url: str) -> dict[str, object]:
    spec, schema = _PAGES[name]
    entry: dict[str, object] = {"version": SPOKEN[name], "spec": spec, "schema": schema}
    if name in _EXTENDS:
        entry["extends"] = _EXTENDS[name]
    if name == AP2:
        entry["config"] = {"vp_formats_supported": {"dc+sd-jwt": {}}}
    if name == ORDER:
        entry["config"] = {"webhook_url": webhook_url}
    return entry
