"""The whole way of an order over real sockets."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest

pytestmark = pytest.mark.net

LATTE = {
    "item": {"id": "iced_latte"},
    "quantity": 2,
    "modifiers": ["size.large", "milk.oat"],
    "note": "little ice please",
}
MUFFIN = {"item": {"id": "blueberry_muffin"}, "quantity": 1}


async def test_order_from_menu_to_door(city, platform, tools):
    profile = (await platform.http.get(f"{city.coffee}/.well-known/ucp")).json()
    assert profile["ucp"]["version"] == "2026-04-08"
    assert profile["ucp"]["services"]["dev.ucp.shopping"][0]["endpoint"] == city.coffee

    checkout = await platform.create(city.coffee, [LATTE, MUFFIN])
    assert checkout["status"] == "ready_for_complete"
    first = checkout["line_items"][0]
    assert first["item"]["price"] == 510 + 70 + 50
    assert set(first["modifiers"]) == {"size.large", "milk.oat", "roast.medium", "ice.regular"}
    parts = {t["type"]: t["amount"] for t in checkout["totals"]}
    assert parts["subtotal"] == 2 * 630 + 380
    assert parts["total"] == sum(v for k, v in parts.items() if k != "total")

    wallet = await platform.wallet(city.bank)
    token = await platform.token(wallet, checkout)
    held = await wallet.money()
    assert (held["balance"], held["held"]) == (50_000, parts["total"])
    done = (await platform.complete(city.coffee, checkout, token)).json()
    assert done["status"] == "completed"
    assert "credential" not in done["payment"]["instruments"][0]
    paid = await wallet.money()
    assert (paid["balance"], paid["held"]) == (50_000 - parts["total"], 0)

    def kinds() -> list[str]:
        return [e["type"] for e in platform.orders()[-1]["fulfillment"]["events"]]

    await platform.until(lambda: platform.webhooks and kinds()[-1] == "delivered")
    assert kinds() == ["processing", "preparing", "picked_up", "in_transit", "delivered"]
    last = platform.orders()[-1]
    assert last["id"] == done["order"]["id"]
    assert {x["status"] for x in last["line_items"]} == {"fulfilled"}
    assert len({e["id"] for e in last["fulfillment"]["events"]}) == 5
    assert last["totals"] == done["totals"]

    read = (await platform.send("GET", f"{city.coffee}/orders/{last['id']}")).json()
    assert read == last


async def test_webhooks_are_signed_and_come_again_until_taken(city, platform, tools):
    platform.refuse = 1
    await _order(city, platform)
    await platform.until(lambda: platform.webhooks)
    headers, body = platform.webhooks[0]
    jwk = (await platform.http.get(f"{city.coffee}/.well-known/ucp")).json()["signing_keys"][0]
    assert headers["content-digest"] == tools.digest(body)
    assert headers["ucp-agent"] == f'profile="{city.coffee}/.well-known/ucp"'
    uuid.UUID(headers["webhook-id"])
    int(headers["webhook-timestamp"])
    values = {
        "@method": "POST",
        "@authority": platform.url.removeprefix("http://"),
        "@path": "/hooks",
    }
    tools.verify(values, headers, jwk)
    assert len(json.loads(body)["fulfillment"]["events"]) == 1, "the first one was not skipped"


async def test_answers_are_signed(city, platform, tools):
    answer = await platform.send(
        "POST", f"{city.coffee}/checkout-sessions", {"line_items": [MUFFIN]}
    )
    jwk = (await platform.http.get(f"{city.coffee}/.well-known/ucp")).json()["signing_keys"][0]
    assert answer.status_code == 201
    assert answer.headers["content-digest"] == tools.digest(answer.content)
    tools.verify({"@status": "201"}, dict(answer.headers), jwk)
    assert answer.headers["request-id"] == answer.request.headers["request-id"]


async def test_tracking_shows_the_courier_on_the_streets(city, platform):
    await _order(city, platform)
    await platform.until(
        lambda: any(
            e["fulfillment"]["events"][-1]["type"] == "in_transit" for e in platform.orders()
        )
    )
    url = platform.orders()[-1]["fulfillment"]["events"][-1]["tracking_url"]
    shown = (await platform.http.get(url)).json()
    assert shown["status"] in {"in_transit", "delivered"}
    assert len(shown["route"]) > 10
    assert 0 < len(shown["streets"]) <= 240
    assert shown["destination"] == shown["route"][-1]
    assert (await platform.http.get(f"{city.coffee}/track/guess")).status_code == 404


async def test_update_replaces_the_cart(city, platform):
    checkout = await platform.create(city.coffee, [LATTE], place=None)
    assert checkout["status"] == "incomplete"
    assert [m["code"] for m in checkout["messages"] if m["type"] == "error"] == ["missing"]
    body = {
        "line_items": [{**MUFFIN, "quantity": 4}],
        "fulfillment": {
            "methods": [
                {
                    "type": "shipping",
                    "destinations": [{"street_address": "Liisankatu 21", "id": "home"}],
                    "selected_destination_id": "home",
                    "groups": [{"id": "group_1", "selected_option_id": "priority"}],
                }
            ]
        },
    }
    url = f"{city.coffee}/checkout-sessions/{checkout['id']}"
    changed = (await platform.send("PUT", url, body)).json()
    assert changed["status"] == "ready_for_complete"
    assert [x["item"]["id"] for x in changed["line_items"]] == ["blueberry_muffin"]
    group = changed["fulfillment"]["methods"][0]["groups"][0]
    assert group["selected_option_id"] == "priority"
    assert (await platform.send("GET", url)).json() == changed


async def test_canceled_is_canceled_and_completed_says_so(city, platform):
    checkout = await platform.create(city.coffee, [LATTE])
    url = f"{city.coffee}/checkout-sessions/{checkout['id']}"
    assert (await platform.send("POST", f"{url}/cancel", {})).json()["status"] == "canceled"
    again = (await platform.send("POST", f"{url}/cancel", {})).json()
    assert again["messages"][0]["code"] == "checkout_canceled"

    done = await _order(city, platform)
    url = f"{city.coffee}/checkout-sessions/{done['id']}"
    late = (await platform.send("POST", f"{url}/cancel", {})).json()
    assert late["status"] == "completed"
    assert late["order"] == done["order"]
    assert late["messages"][0]["code"] == "checkout_completed"
    changed = (await platform.send("PUT", url, {"line_items": [MUFFIN]})).json()
    assert (changed["status"], changed["totals"]) == ("completed", done["totals"])


async def test_bad_carts_say_what_is_wrong(city, platform):
    unknown = await platform.create(city.coffee, [{"item": {"id": "unicorn"}, "quantity": 1}])
    assert unknown["ucp"]["status"] == "error"
    assert unknown["messages"][0]["code"] == "item_unavailable"
    assert "id" not in unknown

    lines = [
        {**MUFFIN, "quantity": 99},
        {"item": {"id": "latte"}, "quantity": 1, "modifiers": ["milk.oat", "milk.soy", "x.y"]},
        {"item": {"id": "unicorn"}, "quantity": 1},
        *({**MUFFIN, "quantity": 99} for _ in range(3)),
    ]
    mixed = await platform.create(city.coffee, lines, {"street_address": "Downing Street 10"})
    codes = {m["code"] for m in mixed["messages"] if m["type"] == "error"}
    assert codes == {
        "insufficient_stock",
        "modifier_conflict",
        "modifier_unknown",
        "item_unavailable",
        "address_undeliverable",
    }
    assert mixed["status"] == "incomplete"


async def test_a_checkout_belongs_to_its_platform(city, platform, tools):
    checkout = await platform.create(city.coffee, [LATTE])
    other = await tools.Platform().start()
    try:
        answer = await other.send("GET", f"{city.coffee}/checkout-sessions/{checkout['id']}")
        assert answer.json()["messages"][0]["code"] == "not_found"
    finally:
        await other.stop()


async def test_catalogue(city, platform):
    url = f"{city.coffee}/catalog/search"
    found = (await platform.send("POST", url, {"query": "oj"})).json()
    assert found["products"][0]["variants"][0]["id"] == "orange_juice"
    titles: list[str] = []
    cursor = ""
    while True:
        page = {"limit": 30, "cursor": cursor}
        body = {"filters": {"price": {"min": 0}}, "pagination": page}
        whole = (await platform.send("POST", url, body)).json()
        titles += [p["title"] for p in whole["products"]]
        if not whole["pagination"]["has_next_page"]:
            break
        cursor = whole["pagination"]["cursor"]
    assert len(titles) == len(set(titles)) == whole["pagination"]["total_count"] >= 40
    assert (await platform.send("POST", url, {})).status_code == 400

    both = {"ids": ["prod_latte", "latte", "nothing", "espresso"]}
    looked = (await platform.send("POST", f"{city.coffee}/catalog/lookup", both)).json()
    matches = {p["id"]: p["variants"][0]["inputs"] for p in looked["products"]}
    assert [x["match"] for x in matches["prod_latte"]] == ["featured", "exact"]
    assert looked["messages"][0]["content"] == "nothing"

    one = (await platform.send("POST", f"{city.coffee}/catalog/product", {"id": "latte"})).json()
    groups = {g["id"]: g for g in one["product"]["modifier_groups"]}
    assert groups["size"]["required"]
    assert groups["size"]["default"] == "size.medium"
    none = (await platform.send("POST", f"{city.coffee}/catalog/product", {"id": "x"})).json()
    assert none["ucp"]["status"] == "error"


async def test_without_the_extension_there_are_no_modifiers(city, tools):
    plain = {k: v for k, v in tools.CAPABILITIES.items() if not k.startswith("dev.lapel")}
    platform = await tools.Platform(plain).start()
    try:
        checkout = await platform.create(city.coffee, [LATTE])
        assert "modifiers" not in checkout["line_items"][0]
        assert checkout["line_items"][0]["item"]["price"] == 510
        assert "dev.lapel.food.modifiers" not in checkout["ucp"]["capabilities"]
        product = await platform.send("POST", f"{city.coffee}/catalog/product", {"id": "latte"})
        assert "modifier_groups" not in product.json()["product"]
    finally:
        await platform.stop()


async def test_what_is_not_negotiated_is_not_done(city, tools):
    platform = await tools.Platform({"dev.ucp.shopping.checkout": "2026-04-08"}).start()
    try:
        answer = await platform.create(city.coffee, [LATTE])
        assert answer["messages"][0]["code"] == "capabilities_incompatible"
    finally:
        await platform.stop()


async def test_hosts_and_types_that_browsers_could_forge_are_refused(city):
    async with httpx.AsyncClient(trust_env=False) as http:
        forged = await http.get(f"{city.base}/directory", headers={"Host": "evil.example"})
        assert forged.status_code == 400
        plain = await http.post(f"{city.base}/city/speed", content=b'{"speed": 2}')
        assert plain.status_code == 415


async def _order(city, platform) -> dict:
    checkout = await platform.create(city.coffee, [LATTE])
    wallet = await platform.wallet(city.bank)
    token = await platform.token(wallet, checkout)
    return (await platform.complete(city.coffee, checkout, token)).json()
