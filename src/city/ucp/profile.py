"""A merchant's profile at /.well-known/ucp."""

from __future__ import annotations

import msgspec

from city.ucp.envelope import payment_handlers
from city.ucp.mcp import MCP_PATH
from city.ucp.quote import Json
from city.ucp.vocabulary import (
    AP2,
    FULFILLMENT,
    GROCERIES,
    MODIFIERS,
    OFFERED,
    RETAIL,
    SERVICE,
    VERSION,
    Offered,
)
from city.world import World

_BINDINGS = {"rest": ("", "rest.openapi.json"), "mcp": (MCP_PATH, "mcp.openrpc.json")}


def business_profile(world: World, slug: str) -> Json:
    """Who the merchant is for platforms: services, capabilities, ways to pay, keys."""
    return {
        "ucp": {
            "version": VERSION,
            "services": services(world, slug),
            "capabilities": {
                offered.name: [_capability(world, slug, offered)]
                for offered in OFFERED
                if world.shops[slug].offers(offered.name)
            },
            "payment_handlers": payment_handlers(
                world, slug, later=world.shops[slug].offers(GROCERIES)
            ),
        },
        "signing_keys": [msgspec.to_builtins(world.keys[slug].jwk())],
    }


def services(world: World, slug: str) -> Json:
    """How the merchant is spoken to."""
    return {SERVICE: [_service(world.urls[slug], x) for x in world.transports(slug)]}


def _service(url: str, transport: str) -> Json:
    path, schema = _BINDINGS[transport]
    return {
        "version": VERSION,
        "spec": f"https://ucp.dev/{VERSION}/specification/overview",
        "transport": transport,
        "schema": f"https://ucp.dev/{VERSION}/services/shopping/{schema}",
        "endpoint": url + path,
    }


def _capability(world: World, slug: str, offered: Offered) -> Json:
    shown: Json = {"version": offered.version, "spec": offered.spec, "schema": offered.schema}
    if len(offered.extends) == 1:
        shown["extends"] = offered.extends[0]
    elif offered.extends:
        shown["extends"] = list(offered.extends)
    if offered.name == FULFILLMENT:
        shown["config"] = {"allows_multi_destination": {"shipping": False, "pickup": False}}
    if offered.name == AP2:
        shown["config"] = {"vp_formats_supported": {"dc+sd-jwt": {}}}
    if offered.name in (MODIFIERS, RETAIL):
        shown["config"] = _business(world, slug)
    return shown


def _business(world: World, slug: str) -> Json:
    shop, address = world.shops[slug], world.address(slug)
    return {
        "name": shop.name,
        "aliases": list(shop.aliases),
        "tags": list(shop.tags),
        "address": {
            "street_address": str(address),
            "postal_code": address.postal_code,
            "address_locality": "Helsinki",
            "address_country": "FI",
        },
        "latitude": address.point[0],
        "longitude": address.point[1],
        "hours": dict(shop.hours_text),
        "time_zone": "+02:00",
    }
