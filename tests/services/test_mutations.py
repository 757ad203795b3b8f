"""Whatever a merchant sends, it ends in something usable or in a port error: never in a surprise."""

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapel.commerce.checkout import DraftLine, OrderDraft
from lapel.commerce.ports import PortError
from lapel.services.connectors.ucp.arithmetic import check_delivery
from lapel.services.connectors.ucp.catalogue import to_menu
from lapel.services.connectors.ucp.mapping import to_checkout, to_order
from lapel.services.connectors.ucp.pairing import check
from lapel.services.connectors.ucp.profile import read_profile
from lapel.services.connectors.ucp.refusals import errors_of, refusal
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.requests import asked_lines, selection_body
from lapel.services.connectors.ucp.wire.catalogue import SearchBody
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody
from lapel.services.connectors.ucp.wire.order import OrderBody
from lapel.services.fetch import decode
from services.hostile import LATTE, MUFFIN, PRODUCTS, SHIRT, Hostile
from services.shopper import OFFICE

pytestmark = pytest.mark.unit

URL = "https://shop.example/.well-known/ucp"
V = "2026-04-08"
PROFILE: dict[str, Any] = {
    "ucp": {
        "version": V,
        "services": {
            "dev.ucp.shopping": [
                {"version": V, "transport": "rest", "endpoint": "https://shop.example"}
            ]
        },
        "capabilities": {
            "dev.ucp.shopping.checkout": [{"version": V, "spec": "https://ucp.dev/x"}],
            "dev.ucp.shopping.fulfillment": [
                {"version": V, "extends": "dev.ucp.shopping.checkout"}
            ],
            "dev.lapel.food.modifiers": [
                {
                    "version": "2026-11-01",
                    "extends": ["dev.ucp.shopping.checkout"],
                    "config": {"name": "Shop", "aliases": ["a"]},
                }
            ],
            "dev.ucp.shopping.order": [
                {"version": V, "config": {"tracking_origins": ["https://t.example"]}}
            ],
        },
        "payment_handlers": {},
    },
    "signing_keys": [{"kid": "k", "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}],
}
MERCHANT = Merchant("m", "https://shop.example", "Shop", read_profile(URL, json.dumps(PROFILE)), 0)
DRAFT = OrderDraft(
    "m", (DraftLine(LATTE, "Latte", 2, ("milk.oat",)), DraftLine(MUFFIN, "Muffin", 1)), OFFICE
)
CHECKOUT = Hostile()._priced(
    "chk_1",
    {
        "line_items": [line.body() for line in asked_lines(DRAFT, MERCHANT)],
        "fulfillment": {
            "methods": [
                {
                    "destinations": [
                        {
                            "street_address": OFFICE.street,
                            "address_locality": OFFICE.city,
                            "postal_code": OFFICE.postal_code,
                            "address_country": OFFICE.country,
                        }
                    ]
                }
            ]
        },
    },
) | {
    "messages": [
        {"type": "error", "code": "x", "content": "y", "severity": "recoverable", "path": "$.a"}
    ],
    "continue_url": "https://shop.example/go",
    "order": {"id": "ord_1", "permalink_url": "https://shop.example/o"},
}
ORDER = Hostile().order(
    "ord_1",
    CHECKOUT,
    {"id": "e", "type": "in_transit", "occurred_at": "2026-01-01T00:00:00Z", "tracking_url": "t"},
    adjustments=[
        {
            "id": "a",
            "type": "refund",
            "status": "completed",
            "totals": [{"type": "total", "amount": -5}],
        }
    ],
)
SEARCH = {
    "ucp": {"version": V},
    "products": [*PRODUCTS, SHIRT],
    "pagination": {"has_next_page": False},
    "business": {"name": "Shop", "open_now": True, "opens_text": "now"},
}

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
        st.sampled_from(["", "x" * 5000, "http://127.0.0.1/", "\u202e\x00", "2026-04-08", -1, 0]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    found: list[tuple] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in items:
        found.append((*path, key))
        if isinstance(below, dict | list):
            found += places(below, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, whole: dict) -> bytes:
    made = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(made)))
        at = made
        for key in path[:-1]:
            at = at[key]
        match draw(st.sampled_from(["replace", "delete", "double"])):
            case "delete":
                del at[path[-1]]
            case "double" if isinstance(at, list):
                at.append(copy.deepcopy(at[path[-1]]))
            case _:
                at[path[-1]] = draw(JSON)
        if not places(made):
            break
    return json.dumps(made).encode()


def test_what_is_mutated_below_is_sound_before():
    body = decode(json.dumps(CHECKOUT).encode(), CheckoutBody, "m")
    pairs = check(body.line_items, asked_lines(DRAFT, MERCHANT), lambda item_id: None)
    made = to_checkout(
        body, MERCHANT, pairs, draft=DRAFT, handlers=["dev.lapel.city.bank"], now_s=0.0
    )
    assert selection_body(body, DRAFT) is None
    assert (made.order_id, made.continue_url) == ("ord_1", "https://shop.example/go")
    order = to_order(decode(json.dumps(ORDER).encode(), OrderBody, "m"), "m", URL)
    assert len(order.refunds) == len(order.events) == 1
    found = decode(json.dumps(SEARCH).encode(), SearchBody, "m")
    assert len(to_menu(MERCHANT, list(found.products), found.business).items) == 3


@given(mutated(CHECKOUT))
@settings(max_examples=400, deadline=None)
def test_checkouts(answer: bytes):
    with suppress(PortError):
        body = decode(answer, CheckoutBody, "m")
        str(refusal(errors_of(body.messages), "Shop", DRAFT, fallback="x"))
        selection_body(body, DRAFT)
        pairs = check(body.line_items, asked_lines(DRAFT, MERCHANT), lambda item_id: None)
        check_delivery(body)
        made = to_checkout(
            body, MERCHANT, pairs, draft=DRAFT, handlers=["dev.lapel.city.bank"], now_s=0.0
        )
        assert sum(x.amount.minor for x in made.totals if x.kind != "total") == made.total.minor
        assert sum(line.quantity for line in made.lines) == 3
        assert made.hash()


@given(mutated(ORDER))
@settings(max_examples=300, deadline=None)
def test_orders(answer: bytes):
    with suppress(PortError):
        order = to_order(decode(answer, OrderBody, "m"), "m", URL)
        assert order.id
        assert all(refund.minor > 0 for refund in order.refunds)


@given(mutated(SEARCH))
@settings(max_examples=300, deadline=None)
def test_menus(answer: bytes):
    with suppress(PortError):
        body = decode(answer, SearchBody, "m")
        menu = to_menu(MERCHANT, list(body.products), body.business)
        assert all(item.price.currency == menu.currency for item in menu.items)
        assert len({item.id for item in menu.items}) == len(menu.items)


@given(mutated(PROFILE))
@settings(max_examples=300, deadline=None)
def test_profiles(answer: bytes):
    with suppress(PortError):
        profile = read_profile(URL, answer.decode())
        assert profile.endpoint.startswith("https://")
