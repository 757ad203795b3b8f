"""Carts at the City's shops while something is still to be asked, and checkouts that begin from them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import TypeAdapter
from ucp_sdk.models.schemas.shopping import cart, cart_create_request, cart_update_request

from lapel.commerce import TO_BE_FETCHED
from lapel.commerce.checkout import DraftLine, OrderDraft
from lapel.services import Carts
from lapel.store import Store
from services.test_city import Shopper, _shopping, city, office
from services.test_conformance import Heard
from town import Town

pytestmark = pytest.mark.net

__all__ = ["city"]


@pytest.fixture
async def shopper(store: Store, http: httpx.AsyncClient, city: Town) -> AsyncIterator[Shopper]:
    async with _shopping(store, http, city) as running:
        running.merchant = await running.world.food.add_merchant(city.urls["merchants"][2])
        yield running


def choosing(shopper: Shopper, quantity: int, cart_id: str = "") -> OrderDraft:
    assert shopper.merchant is not None
    line = DraftLine("cola", "Cola", quantity)
    return OrderDraft(shopper.merchant.id, (line,), TO_BE_FETCHED, cart_id=cart_id)


async def test_a_cart_is_kept_changed_and_becomes_a_checkout(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch
):
    heard = Heard()
    heard.listen(monkeypatch)
    carts = Carts(shopper.world.registry, shopper.world.client, shopper.world.clock)
    first = await carts.keep(choosing(shopper, 3))
    assert first is not None
    again = await carts.keep(choosing(shopper, 4, first.id))
    assert again is not None
    assert (again.id, again.total.currency) == (first.id, "EUR")
    assert again.total > first.total
    draft = msgspec.structs.replace(choosing(shopper, 4, first.id), address=office(shopper.city))
    key = shopper.key("quote")
    quoted = await shopper.world.merchants.create_checkout(draft, key)
    assert quoted == await shopper.world.merchants.create_checkout(draft, key)
    assert [line.quantity for line in quoted.lines] == [4]
    asked = [
        json.loads(body) for what, body in heard.said if what == "POST /checkout-sessions asks"
    ]
    assert {body["cart_id"] for body in asked} == {first.id}
    await shopper.world.remember(draft, quoted.id)
    assert (await shopper.place(quoted)).order_id
    said = [(what, body) for what, body in heard.said if "/carts" in what]
    assert len(said) >= 6
    for what, body in said:
        made = "POST /carts asks" if what == "POST /carts asks" else "PUT"
        model: Any = (
            cart.Cart if what.endswith("answers") else cart_update_request.CartUpdateRequest
        )
        if made.startswith("POST"):
            model = cart_create_request.CartCreateRequest
        TypeAdapter(model).validate_json(body, strict=False)
        assert office(shopper.city).street not in body.decode()


async def test_what_the_checkout_asks_for_counts_not_what_the_cart_held(shopper: Shopper):
    carts = Carts(shopper.world.registry, shopper.world.client, shopper.world.clock)
    kept = await carts.keep(choosing(shopper, 3))
    assert kept is not None
    draft = msgspec.structs.replace(choosing(shopper, 5, kept.id), address=office(shopper.city))
    quoted = await shopper.world.merchants.create_checkout(draft, shopper.key("quote"))
    assert [line.quantity for line in quoted.lines] == [5]


async def test_a_cart_that_is_gone_is_done_without(shopper: Shopper):
    carts = Carts(shopper.world.registry, shopper.world.client, shopper.world.clock)
    assert shopper.merchant is not None
    kept = await carts.keep(choosing(shopper, 4))
    assert kept is not None
    path = f"/carts/{kept.id}"
    gone = await shopper.world.client.write(
        shopper.merchant, "POST", f"{path}/cancel", {}, "c", msgspec.Raw
    )
    assert json.loads(bytes(gone))["id"] == kept.id
    left = await shopper.world.client.read(shopper.merchant, path, msgspec.Raw)
    assert json.loads(bytes(left))["messages"][0]["code"] == "not_found"
    draft = msgspec.structs.replace(choosing(shopper, 4, kept.id), address=office(shopper.city))
    quoted = await shopper.world.merchants.create_checkout(draft, shopper.key("quote"))
    assert [line.quantity for line in quoted.lines] == [4]
    anew = await carts.keep(choosing(shopper, 4, kept.id))
    assert anew is not None
    assert anew.id != kept.id
