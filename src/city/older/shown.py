"""A shop's profile, checkouts and orders as UCP 2026-01-11 shows them.

Amounts have no sign there, an order names no currency, and an error has one of three severities.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from city.older.vocabulary import FEED, FEED_VERSION, OFFERED, VERSION
from city.shelves import Shelf
from city.ucp.catalog import product
from city.ucp.envelope import payment_handlers
from city.ucp.quote import Json
from city.ucp.vocabulary import CHECKOUT, HANDLER, ORDER, SERVICE, Offered, Shared
from city.world import World

SCHEMA = "https://lapel.dev/schemas"
_SEVERITIES = frozenset({"recoverable", "requires_buyer_input", "requires_buyer_review"})
_ORDER_STATES = {"removed": "processing"}
"""States of a line that this version has no word for: a count of 0 says it."""


def profile(world: World, slug: str) -> Json:
    base = world.urls[slug]
    rest = {"schema": f"https://ucp.dev/{VERSION}/services/shopping/openapi.json", "endpoint": base}
    capabilities: list[Json] = [_capability(offered) for offered in OFFERED]
    capabilities.append(
        {
            "name": FEED,
            "version": FEED_VERSION,
            "spec": "https://lapel.dev/specs/feed",
            "schema": f"{SCHEMA}/feed.json",
            "config": {"url": f"{base}/products.json"},
        }
    )
    return {
        "ucp": {
            "version": VERSION,
            "services": {
                SERVICE: {
                    "version": VERSION,
                    "spec": f"https://ucp.dev/{VERSION}/specification/overview",
                    "rest": rest,
                }
            },
            "capabilities": capabilities,
        },
        "payment": {"handlers": _handlers(world, slug)},
        "signing_keys": [msgspec.to_builtins(key) for key in world.published(slug)],
        "name": world.shops[slug].name,
    }


def products(shelf: Shelf) -> Json:
    """Everything that is sold, in the shapes of the newer version's catalogue."""
    return {"products": [product(dish, shelf, {}) for dish in shelf.shop.dishes.values()]}


def checkout(body: Mapping[str, object], world: World, slug: str, shared: Shared) -> Json:
    """The shop's answer; `body` has an id."""
    told: Json = {
        **body,
        "ucp": _metadata(shared, CHECKOUT),
        "totals": _totals(body),
        "line_items": [{**line, "totals": _totals(line)} for line in _entries(body, "line_items")],
        "messages": [_message(entry) for entry in _entries(body, "messages")],
        "payment": {"handlers": _handlers(world, slug), "instruments": []},
    }
    return told


def refused(body: Mapping[str, object]) -> Json:
    """There is no checkout to show."""
    messages = [_message(entry) for entry in _entries(body, "messages")]
    return {"status": "requires_escalation", "messages": messages}


def order(entity: Mapping[str, object], shared: Shared) -> Json:
    told: Json = {
        name: value for name, value in entity.items() if name not in ("currency", "label")
    }
    told["ucp"] = _metadata(shared, ORDER)
    told["totals"] = _totals(entity)
    told["line_items"] = [_line(entry) for entry in _entries(entity, "line_items")]
    told["adjustments"] = [_adjustment(entry) for entry in _entries(entity, "adjustments")]
    return told


def _capability(offered: Offered) -> Json:
    shown: Json = {"name": offered.name, "version": offered.version}
    shown |= {"spec": offered.spec, "schema": offered.schema}
    return shown | ({"extends": offered.extends[0]} if offered.extends else {})


def _metadata(shared: Shared, root: str) -> Json:
    """The root capability and its extensions, of those that both sides speak."""
    active = [
        {"name": x.name, "version": x.version}
        for x in OFFERED
        if x.name in shared and (x.name == root or root in x.extends)
    ]
    return {"version": VERSION, "capabilities": active}


def _handlers(world: World, slug: str) -> list[Json]:
    [entry] = cast("list[Json]", payment_handlers(world, slug)[HANDLER])
    return [
        {
            "id": entry["id"],
            "name": HANDLER,
            "version": VERSION,
            "spec": entry["spec"],
            "config_schema": entry["schema"],
            "instrument_schemas": [f"{SCHEMA}/city_bank_token.json"],
            "config": entry["config"],
        }
    ]


def _entries(body: Mapping[str, object], name: str) -> list[Json]:
    return cast("list[Json]", body.get(name) or [])


def _totals(body: Mapping[str, object]) -> list[Json]:
    return [
        {**entry, "amount": abs(cast("int", entry["amount"]))} for entry in _entries(body, "totals")
    ]


def _message(entry: Json) -> Json:
    if entry.get("type") != "error" or entry.get("severity") in _SEVERITIES:
        return entry
    return {**entry, "severity": "recoverable"}


def _line(entry: Json) -> Json:
    quantity = cast("dict[str, int]", entry["quantity"])
    state = str(entry["status"])
    return {
        **entry,
        "quantity": {name: quantity[name] for name in ("total", "fulfilled")},
        "status": _ORDER_STATES.get(state, state),
        "totals": _totals(entry),
    }


def _adjustment(entry: Json) -> Json:
    shown: Json = {name: value for name, value in entry.items() if name != "totals"}
    lines = cast("list[dict[str, int]]", entry.get("line_items") or [])
    if lines:
        shown["line_items"] = [{**line, "quantity": abs(line["quantity"])} for line in lines]
    [total] = _totals(entry) or [{}]
    return {**shown, "amount": total["amount"]} if total else shown
