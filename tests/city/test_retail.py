"""Stores: the same things at several prices, brought today or by post, and taken back."""

from __future__ import annotations

import pytest

from city.shops import city_stores
from city.streets import helsinki

pytestmark = pytest.mark.net

RETAIL = {"dev.lapel.retail": "2026-11-01"}
STORES = [shop for shop in city_stores().values() if shop.kind == "retail"]


@pytest.fixture(scope="module")
def city(tools, tmp_path_factory):
    running = tools.CityProcess(tmp_path_factory.mktemp("retail"), "--speed", "6000").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
async def platform(tools):
    running = await tools.Platform({**tools.CAPABILITIES, **RETAIL}).start()
    yield running
    await running.stop()


def store(city, slug: str) -> str:
    return city.urls["stores"][list(city_stores()).index(slug)]


@pytest.mark.unit
def test_stores_on_the_map_overlap_in_what_they_sell():
    assert len(STORES) == 3
    sold: dict[str, list[int]] = {}
    for shop in STORES:
        assert str(helsinki().find(shop.street_address)) == shop.street_address
        assert shop.returns is not None
        for dish in shop.dishes.values():
            sold.setdefault(dish.gtin, []).append(dish.price)
    assert sum(len(set(prices)) > 1 for prices in sold.values()) >= 12


async def test_a_store_says_how_it_brings_things_and_prices_it_so(city, platform):
    found = await platform.send(
        "POST", f"{store(city, 'volt')}/catalog/search", {"query": "phone charger"}
    )
    said = found.json()
    assert [way["id"] for way in said["retail"]["delivery"]] == ["today", "post"]
    assert said["retail"]["returns"] == {"days": 30, "fee": 490, "post_paid_by": "buyer"}
    assert said["products"][0]["retail"] == {"gtin": "6430001"}
    lines = [{"item": {"id": "volt_headphones_in"}, "quantity": 1}]
    checkout = await platform.create(store(city, "volt"), lines)
    group = checkout["fulfillment"]["methods"][0]["groups"][0]
    assert [(x["id"], x["totals"][0]["amount"]) for x in group["options"]] == [
        ("post", 0), ("today", 690),
    ]  # fmt: skip
    assert group["options"][0]["description"] == "Arrives in 1 to 2 days"
    assert group["selected_option_id"] == "post"


async def returned(platform, base: str, order_id: str, **more: object) -> dict:
    body = {"line_items": [{"id": "li_1", "quantity": 1}], "most_fee": 490, **more}
    return (await platform.send("POST", f"{base}/orders/{order_id}/returns", body)).json()


async def test_what_was_brought_is_taken_back_less_the_fee(city, platform, tools):
    base = store(city, "volt")
    wallet = await platform.wallet(city.bank)
    groups = [{"selected_option_id": "today"}]
    method = {"type": "shipping", "destinations": [tools.OFFICE], "groups": groups}
    body = {
        "line_items": [{"item": {"id": "volt_charger_20w"}, "quantity": 2}],
        "fulfillment": {"methods": [method]},
    }
    checkout = (await platform.send("POST", f"{base}/checkout-sessions", body)).json()
    done = (await platform.complete(base, checkout, await platform.token(wallet, checkout))).json()
    order_id = done["order"]["id"]
    early = await returned(platform, base, order_id)
    assert early["messages"][0]["code"] == "return_closed"

    def shown() -> dict:
        return [order for order in platform.orders() if order["id"] == order_id][-1]

    await platform.until(
        lambda: platform.orders() and shown()["fulfillment"]["events"][-1]["type"] == "delivered"
    )
    assert shown()["retail"]["returns"]["fee"] == 490
    cheap = await returned(platform, base, order_id, most_fee=0)
    assert cheap["messages"][0]["code"] == "fee_too_low"
    paid = 50_000 - (await wallet.money())["balance"]
    order = await returned(platform, base, order_id)
    kinds = [(x["type"], x["status"]) for x in order["adjustments"]]
    assert kinds == [("return", "pending"), ("refund", "pending")]
    many = await returned(platform, base, order_id, line_items=[{"id": "li_1", "quantity": 2}])
    assert many["messages"][0]["code"] == "return_closed"
    await platform.until(lambda: {x["status"] for x in shown()["adjustments"]} == {"completed"})
    assert paid - (50_000 - (await wallet.money())["balance"]) == 1990 - 490
