"""Liars behind UCP 2026-01-11, liars with carts, and codes that somebody put up: no money goes astray."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lapel.commerce import MerchantOrder, Nonsense, OrderState, PortError, Refused
from lapel.commerce.checkout import DraftLine
from lapel.services import BankPayments, Pay, WebhookError
from lapel.services.connectors.ucp import detached
from lapel.services.connectors.ucp.carts import Carts
from lapel.services.connectors.ucp.feeds import Feeds
from lapel.services.connectors.ucp.keys import PrivateKey
from lapel.store import Store
from services import hostile_cases
from services import hostile_doors as cases
from services.hostile import LATTE, MUFFIN, VERSION, Hostile, Json
from services.hostile_buyer import Buyer, Visit, lapel
from services.hostile_cases import Bend, Ending
from services.hostile_front import Front
from services.older_shop import OlderShop
from services.shopper import Clock, build
from services.test_hostile import asked, ends, named
from serving import serving

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("doors")) as running:
        yield running


class OlderVisit(Visit):
    """Two lattes and a muffin, without the options that the version has no words for."""

    shop: OlderShop

    @property
    def draft(self) -> Any:
        lines = (DraftLine(LATTE, "Latte", 2), DraftLine(MUFFIN, "Blueberry muffin", 1))
        return self.buyer.world.draft(self.merchant, *lines)


@asynccontextmanager
async def older(buyer: Buyer) -> AsyncIterator[OlderVisit]:
    """An order at a merchant of its own that speaks the older version alone."""
    inside = Hostile()
    inside.bank = f"{buyer.bank.origin}/bank"
    inside.authorizations = buyer.bank.authorizations
    inside.food = False
    shop = OlderShop(inside)
    async with serving(shop.app()) as origin:
        inside.origin = origin
        shop.platform_keys = list(await buyer.world.keys.published())
        lists = {**buyer.world.client._feeds._urls, origin: f"{origin}/products.json"}
        buyer.world.client._feeds = Feeds(buyer.world.http, lists)
        merchant = await buyer.world.food.add_merchant(origin)
        before = len(buyer.bank.authorizations)
        visit = OlderVisit(buyer, inside, Front(inside), merchant, before)
        visit.shop = shop
        yield visit


@pytest.mark.parametrize(("bend", "ending"), named(cases.QUOTES))
async def test_a_price_that_is_none(buyer: Buyer, bend: Bend, ending: Ending):
    async with older(buyer) as visit:
        visit.shop.bend = bend
        order = await visit.begin()
        if order.state is OrderState.AWAITING_APPROVAL:
            await visit.approve()
        await ends(visit, ending)
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named(cases.MEANWHILE))
async def test_a_checkout_that_changes_while_the_user_says_yes(
    buyer: Buyer, bend: Bend, ending: Ending
):
    async with older(buyer) as visit:
        await asked(visit)
        visit.shop.bend = bend
        await visit.approve()
        await ends(visit, ending)
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named(cases.COMPLETIONS))
async def test_a_merchant_that_completes_something_else(buyer: Buyer, bend: Bend, ending: Ending):
    async with older(buyer) as visit:
        visit.shop.bend = hostile_cases.once_completed(bend)
        await asked(visit)
        await visit.approve()
        await ends(visit, ending)


@pytest.mark.parametrize(("refuses", "ending"), named(cases.REFUSALS))
async def test_reasons_that_are_none(buyer: Buyer, refuses: tuple[int, bytes], ending: Ending):
    async with older(buyer) as visit:
        visit.shop.refuses = refuses
        await visit.begin()
        await ends(visit, ending)
        said = await visit.said()
        assert "\u202e" not in said
        assert "!" * 200 not in said


@pytest.mark.parametrize("listed", named(cases.FEEDS))
async def test_a_product_list_that_is_none(buyer: Buyer, listed: Callable[[list[Json]], Response]):
    async with older(buyer) as visit:
        visit.shop.listed = lambda: listed(visit.hostile.products)
        buyer.world.client._feeds._currencies.clear()
        await visit.begin()
        await ends(visit, Ending(OrderState.FAILED, "Nothing was ordered."))
        assert [path for _, path, _ in visit.shop.asked] == []


async def deliver(visit: OlderVisit, signature: str, body: bytes) -> str:
    async def handle(report: MerchantOrder) -> None:
        await visit.buyer.orders.merchant_reports(report)

    try:
        await visit.buyer.inbox.receive({"Request-Signature": signature}, body, handle)
    except WebhookError as error:
        return error.code
    return ""


async def test_events_that_are_not_believed(buyer: Buyer):
    tried: set[str] = set()
    async with older(buyer) as visit, older(buyer) as other:
        await asked(visit)
        await visit.approve()
        [there] = visit.hostile.orders.values()
        key = visit.hostile.key

        async def told(name: str, *, by: PrivateKey = key, **more: Any) -> str:
            tried.add(name)
            _, body = visit.shop.webhook(there, **more)
            return await deliver(visit, detached.sign(body, by), body)

        headers, body = visit.shop.webhook(there)
        right = headers["Request-Signature"]
        first, _, last = right.split(".")
        tried |= {"older_event_unsigned", "older_event_with_another_body"}
        assert await deliver(visit, "", body) == "signature_invalid"
        assert await deliver(visit, right, body + b" ") == "signature_invalid"
        stranger = PrivateKey.make()
        assert await told("older_event_by_a_foreign_key", by=stranger) == "signature_invalid"
        assert (
            await told("older_event_by_a_foreign_key", by=PrivateKey(key.kid, stranger.key))
            == "signature_invalid"
        )
        tried |= {"older_event_signed_with_nothing", "older_event_with_a_demand_that_nobody_knows"}
        for head in (
            {"alg": "none", "kid": key.kid},
            {"alg": "ES256", "kid": key.kid, "b64": False, "crit": ["b64", "exp"]},
        ):
            made = detached.base64url(json.dumps(head).encode())
            sealed = detached.base64url(key.sign(made.encode() + b"." + body))
            assert await deliver(visit, f"{made}..{sealed}", body) == "signature_invalid"
        assert (
            await told("older_event_of_another_merchant", by=other.hostile.key) == "unknown_order"
        )
        assert (
            await told("older_event_about_another_checkout", checkout_id="chk_no")
            == "unknown_order"
        )
        much = [{"id": "a1", "type": "refund", "status": "completed", "amount": 10**6}]
        name = "older_event_that_refunds_more_than_was_paid"
        assert await told(name, adjustments=much) == "malformed"
        assert (
            await told("older_event_in_the_newer_version", ucp={"version": VERSION}) == "malformed"
        )
        below = [{"type": "subtotal", "amount": -1}, {"type": "total", "amount": -1}]
        assert await told("older_event_below_nothing", totals=below) == "malformed"
        tried.add("older_event_repeated")
        assert await deliver(visit, right, body) == ""
        assert await deliver(visit, f"{first}..{last}", body) == "replayed"
        await ends(visit, hostile_cases.PLACED)
    assert tried == set(cases.EVENTS)


@pytest.mark.parametrize("change", named(cases.CARTS))
async def test_a_cart_that_is_none(buyer: Buyer, change: Json):
    """Nothing is told of it, and the checkout is priced without it."""

    def offer(hostile: Hostile) -> None:
        async def keep(request: Request) -> Response:
            asked = json.loads(await hostile.note(request))["line_items"][0]
            totals = [{"type": "subtotal", "amount": 380}, {"type": "total", "amount": 380}]
            id = change.get("swap", asked["item"]["id"])
            item = {"id": id, "title": "A thing", "price": 380}
            count = change.get("more", asked["quantity"])
            line = {"id": "l1", "item": item, "quantity": count, "totals": totals}
            body = {
                "ucp": {"version": VERSION},
                "id": "cart_1",
                "currency": "EUR",
                "line_items": [line],
                "totals": totals,
            }
            return hostile.answer(json.dumps({**body, **change}).encode(), 200)

        def publish(profile: Json) -> None:
            own = {"version": VERSION, "spec": "https://ucp.dev/x", "schema": "https://ucp.dev/y"}
            profile["ucp"]["capabilities"]["dev.ucp.shopping.cart"] = [own]

        hostile.more += [
            Route("/carts", keep, methods=["POST"]),
            Route("/carts/{id}", keep, methods=["PUT"]),
        ]
        hostile.bend_profile = publish

    async with buyer.shop(offer) as visit:
        world = buyer.world
        draft = world.draft(visit.merchant, DraftLine(MUFFIN, "Blueberry muffin", 1))
        assert await Carts(world.registry, world.client, world.clock).keep(draft) is None
        kept = msgspec.structs.replace(draft, cart_id="cart_1")
        quoted = await world.merchants.create_checkout(kept, f"k:{visit.merchant.id}")
        assert quoted.total.minor == 380 + 290
        [create] = [
            json.loads(body)
            for _, path, _, body in visit.hostile.calls
            if path == "/checkout-sessions"
        ]
        assert "cart_id" not in create


@asynccontextmanager
async def service(
    store: Store, http: httpx.AsyncClient, change: Json
) -> AsyncIterator[tuple[Pay, str, list[Json]]]:
    """A payment service that says of every code what it likes; what it was asked."""
    hostile, heard = Hostile(), list[Json]()

    async def code(request: Request) -> Response:
        heard.append(json.loads(await hostile.note(request)))
        said = {
            "kind": "code",
            "payee": {"handle": "@shop", "name": "A shop"},
            "currency": "EUR",
            "amount": 500,
            "code": heard[-1]["code"],
        }
        body = {"ucp": {"version": VERSION}, "transfer": {**said, **change}}
        return hostile.answer(json.dumps(body).encode(), 200)

    def publish(profile: Json) -> None:
        config = {"name": "Pay", "codes": f"{hostile.origin}/c/"}
        profile["ucp"]["capabilities"]["dev.lapel.pay"] = [
            {"version": "2026-11-01", "extends": "dev.ucp.shopping.checkout", "config": config}
        ]

    hostile.more.append(Route("/pay/codes", code, methods=["POST"]))
    hostile.bend_profile = publish
    async with serving(hostile.app()) as origin:
        hostile.origin = origin
        world = build(store, http, hostile, Clock())
        await world.meet()
        pay = Pay(world.registry, world.client, BankPayments(store, http))
        yield pay, f"{origin}/c/", heard
        await world.food.close()


@pytest_asyncio.fixture(loop_scope="module")
async def record(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "lapel.sqlite3")
    yield opened
    await opened.close()


@pytest.mark.parametrize("change", named(cases.CODES))
async def test_a_code_of_which_lies_are_told(buyer: Buyer, record: Store, change: Json):
    async with service(record, buyer.world.http, change) as (pay, prefix, heard):
        with pytest.raises(PortError) as refused:
            await pay.code(f"{prefix}1")
        assert isinstance(refused.value, Nonsense | Refused)
        assert len(heard) == 1


@pytest.mark.parametrize("text", named(cases.SCANNED))
async def test_a_code_that_is_passed_on_to_nobody(buyer: Buyer, record: Store, text: str):
    async with service(record, buyer.world.http, {}) as (pay, prefix, heard):
        assert (await pay.code(f"{prefix}1")).amount is not None
        with pytest.raises(Refused) as refused:
            await pay.code(text.replace("{prefix}", prefix))
        assert refused.value.code == "bad_code"
        assert len(heard) == 1


async def test_the_page_lists_them_all():
    page = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text("utf-8")
    listed = page.partition("## Other doors of liars")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"`([a-z0-9_]{4,})`", listed)) == sorted(cases.names())
