"""Discount codes and the faster courier at the City, another program that reads the same pages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from lapel.commerce import unheeded
from lapel.commerce.checkout import Checkout, CheckoutStatus, DraftLine, OrderDraft
from lapel.store import Store
from services.test_city import Shopper, _shopping, city, office
from town import Town

pytestmark = pytest.mark.net

__all__ = ["city"]
COLA = DraftLine("cola", "Cola", 4)


@pytest.fixture
async def shopper(store: Store, http: httpx.AsyncClient, city: Town) -> AsyncIterator[Shopper]:
    async with _shopping(store, http, city) as running:
        running.merchant = await running.world.food.add_merchant(city.urls["merchants"][2])
        yield running


def wanted(shopper: Shopper, *lines: DraftLine, codes: tuple[str, ...] = (), fastest: bool = False):
    assert shopper.merchant is not None
    return OrderDraft(
        shopper.merchant.id, lines or (COLA,), office(shopper.city), codes=codes, fastest=fastest
    )


async def quote(shopper: Shopper, draft: OrderDraft) -> Checkout:
    quoted = await shopper.world.merchants.create_checkout(draft, shopper.key("quote"))
    await shopper.world.remember(draft, quoted.id)
    return quoted


def amounts(checkout: Checkout) -> dict[str, int]:
    return {total.kind: total.amount.minor for total in checkout.totals}


async def test_a_code_is_taken_off_and_paid_less(shopper: Shopper):
    plain = await quote(shopper, wanted(shopper))
    draft = wanted(shopper, codes=("SUMMER10",))
    quoted = await quote(shopper, draft)
    assert amounts(quoted)["discount"] == -140
    assert quoted.total.minor == plain.total.minor - 140
    assert unheeded(quoted, draft) == []
    done = await shopper.place(quoted)
    assert done.status is CheckoutStatus.COMPLETED
    assert done.total == quoted.total


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (("NOPE",), ["Forno Nero does not know the code NOPE."]),
        (("SPRING20",), ["The code SPRING20 has expired."]),
        (("WELCOME5",), ["The code WELCOME5 is not for this order."]),
        (
            ("SUMMER10", "SUMMER10", "WELCOME5"),
            ["The code SUMMER10 counts only once.", "The code WELCOME5 does not go with another discount."],
        ),
    ],
)  # fmt: skip
async def test_a_code_that_does_not_count_gets_a_clear_word(shopper: Shopper, codes, words):
    draft = wanted(shopper, codes=codes)
    quoted = await quote(shopper, draft)
    assert quoted.status is CheckoutStatus.READY_FOR_COMPLETE
    assert unheeded(quoted, draft) == words


async def test_codes_come_and_go_with_the_cart(shopper: Shopper):
    first = await quote(shopper, wanted(shopper))
    coded = wanted(shopper, codes=("SUMMER10",))
    second = await shopper.world.merchants.update_checkout(first.id, coded, shopper.key("quote"))
    assert amounts(second)["discount"] == -140
    third = await shopper.world.merchants.update_checkout(
        first.id, wanted(shopper), shopper.key("quote")
    )
    assert "discount" not in amounts(third)
    assert third.hash() == first.hash() != second.hash()


async def test_the_fastest_courier_costs_more_and_comes_earlier(shopper: Shopper):
    cheap = await quote(shopper, wanted(shopper))
    draft = wanted(shopper, fastest=True, codes=("SUMMER10",))
    fast = await quote(shopper, draft)
    assert amounts(fast)["fulfillment"] == amounts(cheap)["fulfillment"] + 200
    assert amounts(fast)["discount"] == -140
    assert fast.eta_minutes is not None
    assert cheap.eta_minutes is not None
    assert fast.eta_minutes < cheap.eta_minutes
    assert unheeded(fast, draft) == []


async def test_what_leaves_the_process_is_what_the_order_needs(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch
):
    sent: list[tuple[str, object]] = []
    write = shopper.world.client.write

    async def watched(merchant, method, path, body, key, shape):
        sent.append((f"{method} {path.partition('/chk_')[0]}", json.loads(json.dumps(body))))
        return await write(merchant, method, path, body, key, shape)

    monkeypatch.setattr(shopper.world.client, "write", watched)
    assert shopper.merchant is not None
    said = "a pizza for Ada, my phone is 050 123"
    draft = OrderDraft(shopper.merchant.id, (COLA,), office(shopper.city), said, fastest=True)
    quoted = await quote(shopper, draft)
    await shopper.place(quoted)
    assert sent[0] == ("POST /catalog/lookup", {"ids": [COLA.item_id]})
    assert [path for path, _ in sent[1:]] == [
        "POST /checkout-sessions", "PUT /checkout-sessions", "POST /checkout-sessions",
    ]  # fmt: skip
    first = sent[1][1]
    assert isinstance(first, dict)
    assert set(first) == {"line_items", "context", "fulfillment"}
    assert set(first["context"]) == {"address_country", "postal_code"}
    [method] = first["fulfillment"]["methods"]
    assert set(method["destinations"][0]) == {
        "street_address", "address_locality", "postal_code", "address_country",
        "latitude", "longitude", "instructions",
    }  # fmt: skip
    text = json.dumps(sent)
    for private in ("Ada", "050 123", "u_1", '"office"', "buyer", "o_test"):
        assert private not in text, private
