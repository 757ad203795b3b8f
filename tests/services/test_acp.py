"""Lapel's side of ACP against the City's seller, which was written from the specification alone."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.commerce.checkout import TO_BE_FETCHED, CheckoutStatus, DraftLine, OrderDraft
from lapel.commerce.money import Money
from lapel.commerce.ports import MerchantOrder, Nonsense, PaymentState, Refused, Unreachable
from lapel.services import AcpInbox, BankPayments, WebhookError, access_from
from lapel.services.connectors.acp import sessions
from lapel.services.connectors.acp.webhooks import verify
from lapel.services.connectors.acp.wire import Session
from lapel.services.connectors.ucp.carts import Carts, Kept
from lapel.store import Store, schema
from services.shopper import build
from services.test_city import Shopper, office
from serving import serving
from town import Town

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = Town(tmp_path_factory.mktemp("city"), speed=600)
    yield running
    running.close()


@dataclass
class Agent(Shopper):
    """The shopper, with the inbox that the seller's order events come to."""

    events: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    inbox: AcpInbox | None = None

    async def receive(self, headers: dict[str, str], body: bytes) -> str:
        assert self.inbox is not None
        assert self.merchant is not None

        async def keep(order: MerchantOrder) -> None:
            self.told.append(order)

        try:
            await self.inbox.receive(self.merchant.id, headers, body, keep)
        except WebhookError as error:
            return error.code
        return ""

    def candles(self, quantity: int = 2, item: str = "beeswax-candle") -> OrderDraft:
        assert self.merchant is not None
        line = DraftLine(item, "Candle", quantity)
        return OrderDraft(self.merchant.id, (line,), office(self.city))


@pytest.fixture
async def agent(store: Store, http: httpx.AsyncClient, city: Town) -> AsyncIterator[Agent]:
    held: list[Agent] = []

    async def webhook(request: Request) -> Response:
        body, headers = await request.body(), dict(request.headers)
        held[0].events.append((headers, body))
        code = await held[0].receive(headers, body)
        if code:
            held[0].refused.append(code)
            return JSONResponse({"code": code}, 401)
        return JSONResponse({"received": True})

    app = Starlette(routes=[Route("/webhooks/acp/{id}", webhook, methods=["POST"])])
    async with serving(app) as origin:
        world = build(store, http, None, time.time, origin, timeout_s=5.0)
        running = Agent(world, city, BankPayments(store, http, sandboxes=[city.urls["bank"]]))
        running.inbox = AcpInbox(
            store, world.registry, world.accesses, world.merchants, clock=time.time
        )
        held.append(running)
        running.merchant = await world.food.add_merchant(city.urls["acp"][0])
        found = await world.food.menus()
        assert found, world.food.failures()
        [running.menu] = found
        yield running
        await world.food.close()
        city.no_faults()


async def quoted(agent: Agent, draft: OrderDraft):
    made = await agent.world.merchants.create_checkout(draft, agent.key("quote"))
    await agent.world.remember(draft, made.id)
    return made


async def test_a_seller_is_known_by_its_url_alone(agent: Agent):
    merchant, menu = agent.merchant, agent.menu
    assert merchant is not None
    assert menu is not None
    assert (merchant.name, merchant.profile.protocol) == ("Lumo Candles", "acp")
    assert {item.title for item in menu.items} >= {"Beeswax candle", "Scented candle"}
    scented = next(item for item in menu.items if item.title == "Scented candle")
    [scent] = scented.groups
    assert [(x.title, x.price_delta) for x in scent.values] == [
        ("Lavender", 0), ("Pine", 0), ("Vanilla", 150),
    ]  # fmt: skip
    again = await agent.world.food.add_merchant(agent.city.urls["acp"][0])
    assert again.id == merchant.id


async def test_from_a_quote_to_the_door(agent: Agent):
    scented = next(x for x in agent.menu.items if x.title == "Scented candle")  # type: ignore[union-attr]
    vanilla = scented.groups[0].values[2]
    lines = (
        DraftLine("beeswax-candle", "Beeswax candle", 2),
        DraftLine(scented.id, "Scented candle", 1, (vanilla.id,), ("Vanilla",)),
    )
    draft = replace(agent.candles(), lines=lines)
    made = await quoted(agent, draft)
    assert made.status is CheckoutStatus.READY_FOR_COMPLETE
    assert made.address == draft.address
    assert [(x.quantity, x.total.minor) for x in made.lines] == [(2, 1780), (1, 1600)]
    assert sum(x.amount.minor for x in made.totals if x.kind != "total") == made.total.minor
    assert made.payment is not None
    assert made.payment.session == made.id
    again = await agent.world.merchants.get_checkout(made.merchant_id, made.id)
    assert again.hash() == made.hash()
    done = await agent.place(made)
    assert (done.status, done.hash()) == (CheckoutStatus.COMPLETED, made.hash())

    def placed(at: sa.Connection) -> None:
        at.execute(sa.update(schema.orders).values(merchant_order_id=done.order_id))

    await agent.world.store.write(placed)
    delivered = await agent.until("delivered")
    assert (delivered.id, delivered.total) == (done.order_id, made.total)
    order = await agent.world.merchants.get_order(made.merchant_id, done.order_id)
    assert [x.id for x in order.events] == [x.id for x in delivered.events]
    url = order.events[-1].tracking_url
    assert await agent.world.food.track(made.merchant_id, url) is not None
    assert agent.refused == []


async def test_a_token_pays_its_own_session_alone(agent: Agent):
    first, second = [await quoted(agent, agent.candles()) for _ in range(2)]
    assert first.payment is not None
    held = await agent.bank.authorize(
        "u_1", first.payment, first.total, first.hash(), agent.key("pay")
    )
    with pytest.raises(Refused) as refused:
        await agent.world.merchants.complete_checkout(
            second.merchant_id, second.id, held, agent.key("place")
        )
    assert refused.value.code == "payment_declined"
    assert await agent.bank.state("u_1", first.payment, held.authorization_id) is (
        PaymentState.AUTHORIZED
    )
    released = await agent.bank.release(
        "u_1", first.payment, held.authorization_id, agent.key("free")
    )
    assert released is PaymentState.VOIDED


async def test_the_same_key_has_one_effect(agent: Agent):
    agent.city.fault("http_500_after", operation="create")
    draft, key = agent.candles(), agent.key("quote")
    with pytest.raises(Unreachable):
        await agent.world.merchants.create_checkout(draft, key)
    first = await agent.world.merchants.create_checkout(draft, key)
    assert await agent.world.merchants.create_checkout(draft, key) == first
    with pytest.raises(Nonsense) as odd:
        await agent.world.merchants.create_checkout(agent.candles(3), key)
    assert odd.value.code == "idempotency_conflict"


async def test_a_changed_cart_is_priced_anew_and_given_up(agent: Agent):
    first = await quoted(agent, agent.candles(1))
    draft = replace(agent.candles(3), codes=("GLOW10", "NOPE"), fastest=True)
    second = await agent.world.merchants.update_checkout(first.id, draft, agent.key("quote"))
    assert (second.id, second.lines[0].quantity) == (first.id, 3)
    assert any(x.kind == "discount" and x.amount.minor == -267 for x in second.totals)
    assert [x.code for x in second.messages if x.code.startswith("discount_code_")] == [
        "discount_code_invalid"
    ]
    assert second.eta_minutes is not None
    gone = await agent.world.merchants.cancel_checkout(second.merchant_id, second.id, "cancel-it")
    assert gone.status is CheckoutStatus.CANCELED
    twice = await agent.world.merchants.cancel_checkout(second.merchant_id, second.id, "once-more")
    assert twice.status is CheckoutStatus.CANCELED


async def test_what_only_the_buyer_can_do_is_done_on_the_sellers_page(agent: Agent):
    made = await quoted(agent, agent.candles(1, "fire-starter"))
    assert made.status is CheckoutStatus.REQUIRES_ESCALATION
    assert made.continue_url.startswith(agent.city.urls["acp"][0])
    pressed = agent.city.http.post(made.continue_url + "/confirm")
    assert pressed.status_code == 303
    now = await agent.world.merchants.get_checkout(made.merchant_id, made.id)
    assert now.status is CheckoutStatus.READY_FOR_COMPLETE


@pytest.mark.parametrize(
    ("fault", "error"),
    [("nonsense", Nonsense), ("wrong_total", Nonsense), ("http_500_before", Unreachable)],
)
async def test_bad_answers_to_a_quote(agent: Agent, fault: str, error: type[Exception]):
    operation = None if fault == "wrong_total" else "create"
    agent.city.fault(fault, operation=operation)
    with pytest.raises(error):
        await quoted(agent, agent.candles())


async def test_what_cannot_be_sold_is_refused_in_lapels_words(agent: Agent):
    with pytest.raises(Refused) as unknown:
        await quoted(agent, agent.candles(1, "torch"))
    assert unknown.value.code == "unknown_item"
    with pytest.raises(Refused) as many:
        await quoted(agent, agent.candles(41, "tealights"))
    assert many.value.code == "quantity_over_stock"
    far = replace(agent.candles(), address=replace(office(agent.city), city="Turku"))
    with pytest.raises(Refused) as away:
        await quoted(agent, far)
    assert away.value.code == "out_of_area"


async def test_an_order_event_counts_once_and_only_as_it_was_signed(agent: Agent):
    done = await agent.place(await quoted(agent, agent.candles()))
    await agent.until("processing")
    headers, body = agent.events[0]
    assert json.loads(body)["data"]["id"] == done.order_id
    assert await agent.receive(headers, body) == "replayed"
    assert await agent.receive(headers, body.replace(b"processing", b"canceled")) == (
        "signature_invalid"
    )
    assert await agent.receive({}, body) == "signature_missing"
    access = await agent.world.accesses.find(done.merchant_id)
    assert access is not None
    with pytest.raises(WebhookError) as stale:
        verify(headers["merchant-signature"], body, access.secret, time.time() + 400)
    assert stale.value.code == "stale"


async def test_a_key_that_was_given_by_hand(agent: Agent):
    merchant = agent.merchant
    assert merchant is not None
    url = agent.city.urls["acp"][0]
    await agent.world.food.add_merchant(url, access_from("wrong-key", name="My candles"))
    [known] = await agent.world.food.merchants()
    assert (known.id, known.name) == (merchant.id, "My candles")
    with pytest.raises(Refused) as refused:
        await quoted(agent, agent.candles())
    assert refused.value.code == "unauthorized"


async def test_a_seller_that_has_forgotten_the_key_gives_another(agent: Agent):
    merchant = agent.merchant
    assert merchant is not None
    access = await agent.world.accesses.find(merchant.id)
    assert access is not None
    await agent.world.accesses.keep(merchant.id, replace(access, token="of-another-city"))
    await agent.world.food.add_merchant(merchant.url)
    assert (await quoted(agent, agent.candles())).status is CheckoutStatus.READY_FOR_COMPLETE


async def test_a_check_buys_nothing_and_says_what_is_lacking(agent: Agent):
    async def pays_at(endpoint: str) -> bool:
        return True

    url = agent.city.urls["acp"][0]
    found = await agent.world.food.check_merchant(url, pays_at)
    assert (found.can_buy, found.products, found.version) == (True, 5, "2026-04-17")
    await agent.world.food.remove_merchant(agent.merchant.id)  # type: ignore[union-attr]
    found = await agent.world.food.check_merchant(url, pays_at)
    assert found.can_buy
    assert any("key" in why for why in found.warns)


def session(**more: object) -> Session:
    whole: dict[str, object] = {
        "id": "cs_1", "status": "ready_for_payment", "currency": "eur", "line_items": [],
        "totals": [], "capabilities": {}, "fulfillment_options": [], "messages": [], **more,
    }  # fmt: skip
    return msgspec.convert(whole, Session)


@pytest.mark.parametrize(
    ("status", "pricing", "means"),
    [
        ("incomplete", True, "incomplete"),
        ("not_ready_for_payment", True, "incomplete"),
        ("requires_escalation", True, "requires_escalation"),
        ("authentication_required", True, "incomplete"),
        ("ready_for_payment", True, "ready_for_complete"),
        ("pending_approval", True, "incomplete"),
        ("pending_approval", False, "complete_in_progress"),
        ("complete_in_progress", False, "complete_in_progress"),
        ("in_progress", False, "complete_in_progress"),
        ("completed", False, "completed"),
        ("canceled", False, "canceled"),
        ("expired", False, "canceled"),
    ],
)
def test_every_status_has_its_meaning(status: str, pricing: bool, means: str):
    assert sessions.checkout(session(status=status), pricing=pricing)["status"] == means


def test_a_status_that_nobody_knows_and_another_version_are_nonsense():
    with pytest.raises(Nonsense):
        sessions.checkout(session(status="almost"), pricing=True)
    with pytest.raises(Nonsense):
        sessions.checkout(session(protocol={"version": "2025-09-29"}), pricing=True)


async def test_a_cart_is_kept_changed_and_done_without_when_it_is_gone(agent: Agent):
    world = agent.world
    carts = Carts(world.registry, world.acp, world.clock)
    draft = replace(agent.candles(2), address=TO_BE_FETCHED)
    kept = await carts.keep(draft)
    assert kept is not None
    assert kept.total.minor == 2 * 890
    more = await carts.keep(replace(agent.candles(3), address=TO_BE_FETCHED, cart_id=kept.id))
    assert more == Kept(kept.id, Money(3 * 890, "EUR"))
    chosen = replace(agent.candles(3), cart_id=kept.id)
    quoted = await world.merchants.create_checkout(chosen, agent.key("quote"))
    assert [line.quantity for line in quoted.lines] == [3]
    assert agent.merchant is not None
    path = f"/carts/{kept.id}/cancel"
    gone = await world.acp.write(agent.merchant, "POST", path, {}, "c", msgspec.Raw)
    assert json.loads(bytes(gone))["id"] == kept.id
    anew = await carts.keep(replace(agent.candles(1), cart_id=kept.id))
    assert anew is not None
    assert anew.id != kept.id
    nothing = OrderDraft(agent.merchant.id, (DraftLine("no-such", "?", 1),), TO_BE_FETCHED)
    assert await carts.keep(nothing) is None
