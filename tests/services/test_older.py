"""UCP 2026-01-11: negotiated where nothing newer is common, and ordered from end to end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lapel.commerce import MerchantOrder, Nonsense, OrderState, Refused
from lapel.commerce.checkout import DraftLine
from lapel.services import Merchant, WebhookError
from lapel.services.connectors.ucp import older
from lapel.services.connectors.ucp.checkup import check_up
from lapel.services.connectors.ucp.feeds import Feeds
from services import older_models
from services.hostile import LATTE, MUFFIN, Hostile
from services.hostile_buyer import Buyer, Visit, lapel
from services.hostile_front import Front
from services.older_shop import OLD, OlderShop, encoded
from serving import serving

pytestmark = pytest.mark.net


@asynccontextmanager
async def opened(
    folder: Path, *, feed: bool = True, prepare: Callable[[OlderShop], None] = lambda shop: None
) -> AsyncIterator[tuple[Buyer, OlderShop, Merchant]]:
    """All of Lapel that buys, and a shop that speaks the older version alone."""
    async with lapel(folder) as buyer:
        inside = Hostile()
        inside.bank = f"{buyer.bank.origin}/bank"
        inside.authorizations = buyer.bank.authorizations
        inside.food = False
        shop = OlderShop(inside)
        prepare(shop)
        async with serving(shop.app()) as origin:
            inside.origin = origin
            buyer.world.hostile = inside
            shop.platform_keys = list(await buyer.world.keys.published())
            if feed:
                feeds = Feeds(buyer.world.http, {f"{origin}/": f"{origin}/products.json"})
                buyer.world.client._feeds = feeds
            yield buyer, shop, await buyer.world.food.add_merchant(origin)


def visit(buyer: Buyer, shop: OlderShop, merchant: Merchant) -> Visit:
    made = Visit(buyer, shop.inside, Front(shop.inside), merchant, 0)
    lines = (DraftLine(LATTE, "Latte", 2), DraftLine(MUFFIN, "Blueberry muffin", 1))
    draft = buyer.world.draft(merchant, *lines)
    made.__class__ = type("Plain", (Visit,), {"draft": property(lambda _: draft)})
    return made


async def test_from_the_words_to_the_door(tmp_path: Path):
    async with opened(tmp_path) as (buyer, shop, merchant):
        assert (merchant.profile.version, merchant.name) == (OLD, "Old Harbour")
        [menu] = await buyer.world.food.menus()
        assert [item.title for item in menu.items] == ["Latte", "Blueberry muffin"]
        shop.inside.discount = 100
        order = visit(buyer, shop, merchant)
        asked = await order.begin()
        assert asked.state is OrderState.AWAITING_APPROVAL, await order.said()
        assert asked.total is not None
        assert asked.total.minor == 2 * 520 + 380 + 290 - 100
        placed = await order.approve()
        assert placed.state is OrderState.PLACED
        await order.no_wrong_money()
        assert shop.unsigned == 0
        assert set(shop.agents) == {f'profile="{buyer.world.profile.older_url}"'}
        for method, path, body in shop.asked:
            if path.endswith("/complete"):
                assert set(body) == {"payment_data"}
                assert "selected" not in body["payment_data"]
            elif method in ("POST", "PUT") and not path.endswith("/cancel"):
                assert (body["currency"], body["payment"]) == ("EUR", {})
                assert "context" not in body
                assert (method == "PUT") == ("id" in body)
        [placed_there] = shop.inside.orders.values()
        told = {**placed_there, "fulfillment": {"events": [event("delivered")]}}
        refund = [{"id": "a1", "type": "refund", "status": "completed", "amount": 380}]
        refund[0]["occurred_at"] = "2026-01-11T10:00:00Z"
        assert await push(buyer, shop, told, adjustments=refund) == ""
        assert (await order.order()).state is OrderState.DELIVERED
        assert older_models.faults(shop.said) == []
        assert "webhook" in {what for what, _ in shop.said}
        assert "gives you 3 euros 80 back" in await order.said()


def event(kind: str) -> dict[str, Any]:
    return {
        "id": f"evt_{kind}",
        "type": kind,
        "occurred_at": "2026-01-11T10:00:00Z",
        "line_items": [],
    }


async def push(
    buyer: Buyer, shop: OlderShop, order: dict[str, Any], bend: Any = None, **more: Any
) -> str:
    headers, body = shop.webhook(order, **more)
    if bend is not None:
        headers, body = bend(headers, body)

    async def handle(report: MerchantOrder) -> None:
        await buyer.orders.merchant_reports(report)

    try:
        await buyer.inbox.receive(headers, body, handle)
    except WebhookError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (lambda headers, body: (headers, body + b" "), "signature_invalid"),
        (lambda headers, body: ({"Request-Signature": "a.b.c"}, body), "signature_invalid"),
        (lambda headers, body: ({"Request-Signature": ""}, body), "signature_invalid"),
    ],
)
async def test_an_event_that_is_not_signed_so_is_not_believed(tmp_path: Path, bend: Any, code: str):
    async with opened(tmp_path) as (buyer, shop, merchant):
        order = visit(buyer, shop, merchant)
        await order.begin()
        await order.approve()
        [there] = shop.inside.orders.values()
        assert await push(buyer, shop, there, bend) == code
        assert await push(buyer, shop, {**there, "checkout_id": "chk_no"}) == "unknown_order"
        both = lambda headers, body: ({"Request-Signature": encoded(body, shop)}, body)  # noqa: E731
        assert await push(buyer, shop, there, both) == ""
        assert await push(buyer, shop, there, both) == "replayed"


async def test_without_a_product_list_the_words_are_clear(tmp_path: Path):
    async def pays(endpoint: str) -> bool:
        return True

    async with opened(tmp_path, feed=False) as (buyer, _, merchant):
        assert await buyer.world.food.menus() == []
        failure = buyer.world.food.failures()[merchant.id]
        assert failure.code == "no_catalogue"
        assert "commerce.feeds" in failure.text
        found = await check_up(buyer.world.http, buyer.world.client, merchant.url, pays)
        assert (found.version, found.offers_version, found.can_buy) == (OLD, OLD, False)
        assert [why for why in found.lacks if "commerce.feeds" in why]
        assert [why for why in found.warns if "its webhooks alone tell" in why]
        assert all(spoken for _, _, spoken in found.capabilities)


async def test_the_newest_common_version_is_chosen(tmp_path: Path):
    def both(shop: OlderShop) -> None:
        shop.speaks = {"2026-04-08": "http://elsewhere.example/ucp.json"}

    async with lapel(tmp_path) as buyer:
        shop = OlderShop(Hostile())
        both(shop)
        async with serving(shop.app()) as origin:
            shop.inside.origin = origin
            with pytest.raises(Nonsense, match="another origin"):
                await buyer.world.food.add_merchant(origin)
            shop.speaks = {"2026-04-08": f"{origin}/newer"}
            with pytest.raises(Refused) as refused:
                await buyer.world.food.add_merchant(origin)
            assert refused.value.code == "no_profile", "it went for the newer one"


@pytest.mark.parametrize(
    "bend",
    [
        lambda x: x["totals"].append({"type": "discount", "amount": -1}),
        lambda x: x["ucp"].update(version="2026-04-08"),
        lambda x: x["totals"][0].update(amount=-5),
    ],
)
def test_what_that_version_does_not_say(bend: Callable[[Any], None]):
    checkout: dict[str, Any] = {
        "ucp": {"version": OLD},
        "totals": [{"type": "subtotal", "amount": 5}, {"type": "total", "amount": 5}],
    }
    assert older.checkout_in(json.dumps(checkout).encode(), "shop")
    bend(checkout)
    with pytest.raises(Nonsense):
        older.checkout_in(json.dumps(checkout).encode(), "shop")


async def test_the_profile_of_that_version(tmp_path: Path):
    async with lapel(tmp_path) as buyer:
        document = await buyer.world.profile.older()
    block: Any = document["ucp"]
    assert block["version"] == OLD
    names = {x["name"].rpartition(".")[2] for x in block["capabilities"]}
    assert names == {"checkout", "fulfillment", "discount", "order"}
    [order] = [x for x in block["capabilities"] if x["name"].endswith("order")]
    assert order["config"]["webhook_url"] == buyer.world.profile.webhook_url
    assert document["signing_keys"]
