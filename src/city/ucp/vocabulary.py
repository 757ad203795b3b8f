"""The names of UCP 2026-04-08 that the City uses, and which capabilities two parties share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

VERSION = "2026-04-08"
SERVICE = "dev.ucp.shopping"
CHECKOUT = "dev.ucp.shopping.checkout"
FULFILLMENT = "dev.ucp.shopping.fulfillment"
DISCOUNT = "dev.ucp.shopping.discount"
ORDER = "dev.ucp.shopping.order"
SEARCH = "dev.ucp.shopping.catalog.search"
LOOKUP = "dev.ucp.shopping.catalog.lookup"
CART = "dev.ucp.shopping.cart"
AP2 = "dev.ucp.shopping.ap2_mandate"
MODIFIERS = "dev.lapel.food.modifiers"
MODIFIERS_VERSION = "2026-11-01"
RIDES = "dev.lapel.rides"
RIDES_VERSION = "2026-11-01"
TRAVEL = "dev.lapel.travel"
TRAVEL_VERSION = "2026-11-01"
TABLES = "dev.lapel.tables"
TABLES_VERSION = "2026-11-01"
GROCERIES = "dev.lapel.groceries"
GROCERIES_VERSION = "2026-11-01"
PAY = "dev.lapel.pay"
PAY_VERSION = "2026-11-01"
RETAIL = "dev.lapel.retail"
RETAIL_VERSION = "2026-11-01"
HANDLER = "dev.lapel.city.bank"
HANDLER_ID = "city_bank"

_SPEC = f"https://ucp.dev/{VERSION}"


@dataclass(frozen=True, slots=True)
class Offered:
    """A capability that the City's merchants implement."""

    name: str
    version: str
    spec: str
    schema: str
    extends: tuple[str, ...] = ()


OFFERED: tuple[Offered, ...] = (
    Offered(
        CHECKOUT,
        VERSION,
        f"{_SPEC}/specification/checkout",
        f"{_SPEC}/schemas/shopping/checkout.json",
    ),
    Offered(
        FULFILLMENT,
        VERSION,
        f"{_SPEC}/specification/fulfillment",
        f"{_SPEC}/schemas/shopping/fulfillment.json",
        (CHECKOUT,),
    ),
    Offered(
        DISCOUNT,
        VERSION,
        f"{_SPEC}/specification/discount",
        f"{_SPEC}/schemas/shopping/discount.json",
        (CHECKOUT,),
    ),
    Offered(ORDER, VERSION, f"{_SPEC}/specification/order", f"{_SPEC}/schemas/shopping/order.json"),
    Offered(
        SEARCH,
        VERSION,
        f"{_SPEC}/specification/catalog/search",
        f"{_SPEC}/schemas/shopping/catalog_search.json",
    ),
    Offered(
        LOOKUP,
        VERSION,
        f"{_SPEC}/specification/catalog/lookup",
        f"{_SPEC}/schemas/shopping/catalog_lookup.json",
    ),
    Offered(CART, VERSION, f"{_SPEC}/specification/cart", f"{_SPEC}/schemas/shopping/cart.json"),
    Offered(
        AP2,
        VERSION,
        f"{_SPEC}/specification/ap2-mandates",
        f"{_SPEC}/schemas/shopping/ap2_mandate.json",
        (CHECKOUT,),
    ),
    Offered(
        MODIFIERS,
        MODIFIERS_VERSION,
        "https://lapel.dev/specs/food-modifiers",
        "https://lapel.dev/schemas/food_modifiers.json",
        (CHECKOUT, ORDER, SEARCH, LOOKUP),
    ),
    Offered(
        GROCERIES,
        GROCERIES_VERSION,
        "https://lapel.dev/specs/groceries",
        "https://lapel.dev/schemas/groceries.json",
        (CHECKOUT, ORDER, SEARCH, LOOKUP),
    ),
    Offered(
        RETAIL,
        RETAIL_VERSION,
        "https://lapel.dev/specs/retail",
        "https://lapel.dev/schemas/retail.json",
        (ORDER, SEARCH, LOOKUP),
    ),
)

_BASE = tuple(offered for offered in OFFERED if offered.name in (CHECKOUT, ORDER))
OFFERED_BY_RIDES: tuple[Offered, ...] = (
    *_BASE,
    Offered(
        RIDES,
        RIDES_VERSION,
        "https://lapel.dev/specs/rides",
        "https://lapel.dev/schemas/rides.json",
        (CHECKOUT, ORDER),
    ),
)
"""What a company that drives people implements: no catalogue, no delivery, but trips."""

OFFERED_BY_TRAVEL: tuple[Offered, ...] = (
    *_BASE,
    Offered(
        TRAVEL,
        TRAVEL_VERSION,
        "https://lapel.dev/specs/travel",
        "https://lapel.dev/schemas/travel.json",
        (CHECKOUT, ORDER),
    ),
)
"""What airlines, railways and hotels implement."""

OFFERED_BY_TABLES: tuple[Offered, ...] = (
    *_BASE,
    Offered(
        TABLES,
        TABLES_VERSION,
        "https://lapel.dev/specs/tables",
        "https://lapel.dev/schemas/tables.json",
        (CHECKOUT, ORDER),
    ),
)
"""What restaurants implement that take bookings."""

OFFERED_BY_PAY: tuple[Offered, ...] = (
    *_BASE,
    Offered(
        PAY,
        PAY_VERSION,
        "https://lapel.dev/specs/pay",
        "https://lapel.dev/schemas/pay.json",
        (CHECKOUT, ORDER),
    ),
)
"""What a service implements that moves money from one person to another."""


class Declared(msgspec.Struct):
    """A capability in a platform's profile."""

    version: str
    config: dict[str, object] = {}


_OF_COMPANIES = tuple(
    offered[-1]
    for offered in (OFFERED_BY_RIDES, OFFERED_BY_TRAVEL, OFFERED_BY_TABLES, OFFERED_BY_PAY)
)

Shared = Mapping[str, str]
"""Negotiated capabilities: name to version."""


def negotiate(
    theirs: Mapping[str, Sequence[Declared]], offered: Sequence[Offered] = OFFERED
) -> Shared:
    """The intersection, without extensions whose parents are all missing."""
    shared = {
        ours.name: ours.version
        for ours in offered
        if any(d.version == ours.version for d in theirs.get(ours.name, ()))
    }
    for ours in offered:
        if ours.extends and not any(parent in shared for parent in ours.extends):
            shared.pop(ours.name, None)
    return shared


def relevant(shared: Shared, root: str) -> dict[str, list[dict[str, str]]]:
    """What an answer declares: the root capability and the shared extensions of it."""
    return {
        ours.name: [{"version": ours.version}]
        for ours in (*OFFERED, *_OF_COMPANIES)
        if ours.name in shared and (ours.name == root or root in ours.extends)
    }
