"""The hostile merchant's catalogue by ids: honest, and then not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.hostile import VERSION, Hostile, Json
from services.hostile_front import (
    Play,
    Trick,
    changed,
    dripping_body,
    hundred_megabytes,
    never,
    raw,
    says,
)

Bend = Callable[[Json], None]


def offering(bend: Bend = lambda answer: None) -> Callable[[Hostile], None]:
    """A merchant that offers `catalog.lookup`, and bends its answers before they leave."""

    def prepare(hostile: Hostile) -> None:
        async def lookup(request: Request) -> Response:
            asked = json.loads(await hostile.note(request))["ids"]
            found: list[Json] = []
            for product in copy.deepcopy(hostile.products):
                ids = [product["id"], *(x["id"] for x in product["variants"])]
                if hits := [x for x in asked if x in ids]:
                    product["variants"] = product["variants"][:1]
                    product["variants"][0]["inputs"] = [{"id": x, "match": "exact"} for x in hits]
                    found.append(product)
            return _say(hostile, {"products": found}, bend)

        async def product(request: Request) -> Response:
            asked = json.loads(await hostile.note(request))["id"]
            found = [x for x in hostile.products if x["id"] == asked]
            return _say(hostile, {"product": copy.deepcopy(found[0])}, bend)

        hostile.more += [
            Route("/catalog/lookup", lookup, methods=["POST"]),
            Route("/catalog/product", product, methods=["POST"]),
        ]
        before = hostile.bend_profile

        def publish(profile: Json) -> None:
            before(profile)
            own = {"version": VERSION, "spec": "https://ucp.dev/x", "schema": "https://ucp.dev/y"}
            profile["ucp"]["capabilities"]["dev.ucp.shopping.catalog.lookup"] = [own]

        hostile.bend_profile = publish

    return prepare


def _say(hostile: Hostile, more: Json, bend: Bend) -> Response:
    answer: Json = {"ucp": {"version": VERSION}, **more}
    bend(answer)
    return hostile.answer(json.dumps(answer).encode(), 200)


def first_variant(**change: Any) -> Bend:
    def bend(answer: Json) -> None:
        answer["products"][0]["variants"][0].update(change)

    return bend


def field(name: str, value: Any) -> Bend:
    def bend(answer: Json) -> None:
        answer[name] = value

    return bend


def dropped(answer: Json) -> None:
    del answer["products"][0]


def doubled(answer: Json) -> None:
    """The same variant a second time, free of charge and sold out: the first one counts."""
    again = copy.deepcopy(answer["products"][0])
    again["variants"][0] |= {
        "price": {"amount": 0, "currency": "EUR"},
        "availability": {"available": False},
    }
    answer["products"].append(again)


def trick(play: Play) -> Trick:
    return Trick(play)


GOES_ON = "goes on"
LOOKUPS: dict[str, tuple[Bend | Trick, str]] = {
    "lookup_without_what_was_asked": (dropped, "does not sell Latte. Nothing was ordered."),
    "lookup_of_something_else": (
        first_variant(id="v_tea"),
        "does not sell Latte. Nothing was ordered.",
    ),
    "lookup_that_says_sold_out": (
        first_variant(availability={"available": False}),
        "Latte is sold out at Hostile Café. Nothing was ordered.",
    ),
    "lookup_at_another_price": (
        first_variant(price={"amount": 1, "currency": "EUR"}),
        GOES_ON,
    ),
    "lookup_below_nothing": (first_variant(price={"amount": -520, "currency": "EUR"}), GOES_ON),
    "lookup_in_a_currency_that_is_none": (
        first_variant(price={"amount": 520, "currency": "beans"}),
        GOES_ON,
    ),
    "lookup_of_the_same_twice": (doubled, GOES_ON),
    "lookup_in_another_version": (field("ucp", {"version": "2025-01-01"}), GOES_ON),
    "lookup_that_is_no_list": (field("products", {"id": "p_latte"}), GOES_ON),
    "lookup_with_the_same_key_twice": (trick(changed(lambda b: b[:-1] + b',"ucp":{}}')), GOES_ON),
    "lookup_of_a_hundred_megabytes": (trick(hundred_megabytes), GOES_ON),
    "lookup_that_drips": (trick(dripping_body), GOES_ON),
    "lookup_that_never_comes": (trick(never), GOES_ON),
    "lookup_that_hangs_up": (trick(raw(b"")), GOES_ON),
    "lookup_that_fails": (trick(says(500)), GOES_ON),
    "lookup_that_redirects": (
        trick(says(307, location="http://169.254.169.254/latest/meta-data/")),
        GOES_ON,
    ),
}
"""Before a checkout is made. What cannot be believed is passed over: the checkout says the price."""


def unnamed(answer: Json) -> None:
    answer["product"]["id"] = "p_trousers"


def without_variants(answer: Json) -> None:
    answer["product"]["variants"] = []


def endless(answer: Json) -> None:
    variants = answer["product"]["variants"]
    answer["product"]["variants"] = [{**variants[0], "title": "x" * 200}] * 20_000


def dearer(answer: Json) -> None:
    for variant in answer["product"]["variants"]:
        variant["price"]["amount"] = -1


PRODUCTS_IN_FULL: dict[str, Bend] = {
    "product_of_another_name": unnamed,
    "product_without_variants": without_variants,
    "product_of_endless_variants": endless,
    "product_below_nothing": dearer,
    "product_in_another_version": field("ucp", {"version": "2025-01-01"}),
    "product_that_is_none": field("product", None),
}
"""Asked for in full while a menu is read: the menu stays as the search has shown it."""
