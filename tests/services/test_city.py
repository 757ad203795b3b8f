"""Lapel's side of UCP against the City, another program that was written from the specification."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.brain.menu import Menu, MenuItem
from lapel.commerce.checkout import Address, Checkout, CheckoutStatus, DraftLine, OrderDraft
from lapel.commerce.ports import MerchantOrder, Nonsense, PaymentState, Refused, Unreachable
from lapel.services import BankPayments, Merchant, RetryingMerchants, WebhookError, WebhookInbox
from lapel.services.connectors.ucp import signatures
from lapel.store import Store
from services.shopper import World, build
from serving import serving
from town import Town

pytestmark = pytest.mark.net


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = Town(tmp_path_factory.mktemp("city"), speed=600)
    yield running
    running.close()


def office(city: Town) -> Address:
    found = city.http.get(f"{city.urls['city']}/city/addresses").json()["addresses"]
    place = next(x for x in found if x["label"] == "office")
    return Address(
        label="office",
        street=place["street_address"],
        city=place["address_locality"],
        postal_code=place["postal_code"],
        country=place["address_country"],
        latitude=place["latitude"],
        longitude=place["longitude"],
        instructions="Third floor",
    )


@dataclass
class Shopper:
    """Lapel's services, reachable by the City, with what its webhooks told."""

    world: World
    city: Town
    bank: BankPayments
    told: list[MerchantOrder] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    merchant: Merchant | None = None
    menu: Menu | None = None
    keys: int = 0

    def key(self, step: str) -> str:
        self.keys += 1
        return f"o_test:{id(self)}:{self.keys}:{step}"

    def order(self, quantity: int = 1) -> OrderDraft:
        assert self.menu is not None
        item = next(x for x in self.menu.items if x.available and any(g.required for g in x.groups))
        line = DraftLine(item.id, item.title, quantity, _options(item), note="with a smile")
        return OrderDraft(self.menu.merchant_id, (line,), office(self.city))

    async def quote(self, quantity: int = 1) -> Checkout:
        draft = self.order(quantity)
        quoted = await self.world.merchants.create_checkout(draft, self.key("quote"))
        await self.world.remember(draft, quoted.id)
        return quoted

    async def place(self, quoted: Checkout) -> Checkout:
        assert quoted.payment is not None
        held = await self.bank.authorize(
            "u_1", quoted.payment, quoted.total, quoted.hash(), self.key("pay")
        )
        return await self.world.merchants.complete_checkout(
            quoted.merchant_id, quoted.id, held, self.key("place")
        )

    async def until(self, kind: str, within_s: float = 60.0) -> MerchantOrder:
        return await self.until_told(
            lambda order: any(event.kind == kind for event in order.events), within_s
        )

    async def until_told(
        self, fits: Callable[[MerchantOrder], bool], within_s: float = 60.0
    ) -> MerchantOrder:
        """The first order of a webhook that fits."""
        async with asyncio.timeout(within_s):
            while True:
                for order in self.told:
                    if fits(order):
                        return order
                await asyncio.sleep(0.05)


def _options(item: MenuItem) -> tuple[str, ...]:
    """The last available value of each required group: seldom the default."""
    return tuple(
        [x.id for x in group.values if x.available][-1] for group in item.groups if group.required
    )


@asynccontextmanager
async def _shopping(
    store: Store, http: httpx.AsyncClient, city: Town, shop: int = 0, kind: str = "merchants"
) -> AsyncIterator[Shopper]:
    held: dict[str, Shopper] = {}
    inboxes: dict[str, WebhookInbox] = {}

    async def profile(request: Request) -> Response:
        made = held["shopper"].world.profile
        return JSONResponse(await made.document(), headers={"cache-control": made.CACHE_CONTROL})

    async def older(request: Request) -> Response:
        made = held["shopper"].world.profile
        return JSONResponse(await made.older(), headers={"cache-control": made.CACHE_CONTROL})

    async def webhook(request: Request) -> Response:
        shopper = held["shopper"]

        async def keep(order: MerchantOrder) -> None:
            shopper.told.append(order)

        try:
            await inboxes["inbox"].receive(dict(request.headers), await request.body(), keep)
        except WebhookError as error:
            shopper.refused.append(error.code)
            return JSONResponse({"code": error.code}, error.status)
        return Response(status_code=204)

    app = Starlette(
        routes=[
            Route("/.well-known/ucp", profile),
            Route("/.well-known/ucp/2026-01-11", older),
            Route("/webhooks/ucp", webhook, methods=["POST"]),
        ]
    )
    async with serving(app) as origin:
        world = build(store, http, None, time.time, origin, timeout_s=5.0)
        bank = BankPayments(store, http, sandboxes=[city.urls["bank"]])
        shopper = held["shopper"] = Shopper(world, city, bank)
        inboxes["inbox"] = WebhookInbox(
            store, world.registry, url=world.profile.webhook_url, clock=time.time
        )
        shopper.merchant = await world.food.add_merchant(city.urls[kind][shop])
        [shopper.menu] = await world.food.menus()
        yield shopper
        await shopper.world.food.close()


@pytest.fixture
async def shopper(store: Store, http: httpx.AsyncClient, city: Town) -> AsyncIterator[Shopper]:
    async with _shopping(store, http, city) as running:
        yield running


async def test_every_merchant_has_a_menu(shopper: Shopper, city: Town):
    for url in city.urls["merchants"][1:]:
        await shopper.world.food.add_merchant(url)
    menus = await shopper.world.food.menus()
    assert len(menus) == len(city.urls["merchants"])
    assert shopper.world.food.failures() == {}
    for menu in menus:
        assert menu.merchant_name
        assert len(menu.items) >= 5
        assert all(item.price.minor > 0 for item in menu.items)
        assert all(item.price.currency == menu.currency for item in menu.items)
        assert all(group.values for item in menu.items for group in item.groups)


async def test_from_a_quote_to_the_door(shopper: Shopper, http: httpx.AsyncClient):
    quoted = await shopper.quote(2)
    assert quoted.status is CheckoutStatus.READY_FOR_COMPLETE
    assert quoted.lines[0].note == "with a smile"
    assert quoted.address == office(shopper.city)
    assert quoted.eta_minutes
    assert quoted.eta_minutes > 0
    again = await shopper.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
    assert again.hash() == quoted.hash()
    done = await shopper.place(quoted)
    assert done.status is CheckoutStatus.COMPLETED
    assert done.hash() == quoted.hash()
    moving = await shopper.until("in_transit")
    assert (moving.id, moving.checkout_id) == (done.order_id, quoted.id)
    url = next(x.tracking_url for x in moving.events if x.tracking_url)
    tracking = await shopper.world.food.track(quoted.merchant_id, url)
    assert tracking is not None
    assert tracking.destination is not None
    delivered = await shopper.until("delivered")
    assert delivered.total == quoted.total
    order = await shopper.world.merchants.get_order(quoted.merchant_id, done.order_id)
    assert [x.id for x in order.events] == [x.id for x in delivered.events]
    assert shopper.refused == []


async def test_a_changed_cart_is_priced_anew(shopper: Shopper):
    first = await shopper.quote(1)
    second = await shopper.world.merchants.update_checkout(
        first.id, shopper.order(3), shopper.key("quote")
    )
    assert second.id == first.id
    assert second.lines[0].quantity == 3
    assert second.hash() != first.hash()
    gone = await shopper.world.merchants.cancel_checkout(second.merchant_id, second.id, "cancel-it")
    assert gone.status is CheckoutStatus.CANCELED


async def test_the_same_key_after_a_lost_answer(shopper: Shopper):
    shopper.city.fault("http_500_after", operation="create")
    draft, key = shopper.order(), shopper.key("quote")
    with pytest.raises(Unreachable):
        await shopper.world.merchants.create_checkout(draft, key)
    first = await shopper.world.merchants.create_checkout(draft, key)
    assert await shopper.world.merchants.create_checkout(draft, key) == first


async def test_patience_mends_a_lost_completion(shopper: Shopper):
    quoted = await shopper.quote()
    assert quoted.payment is not None
    held = await shopper.bank.authorize(
        "u_1", quoted.payment, quoted.total, "h", shopper.key("pay")
    )
    shopper.city.fault("http_500_after", operation="complete")
    patient = RetryingMerchants(shopper.world.merchants, pauses_s=(0.01, 0.01))
    done = await patient.complete_checkout(
        quoted.merchant_id, quoted.id, held, shopper.key("place")
    )
    assert done.status is CheckoutStatus.COMPLETED
    state = await shopper.bank.state("u_1", quoted.payment, held.authorization_id)
    assert state is PaymentState.CAPTURED


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("nonsense", Nonsense),
        ("wrong_total", Nonsense),
        ("http_500_before", Unreachable),
        ("timeout", Unreachable),
    ],
)
async def test_bad_answers_to_a_quote(shopper: Shopper, fault: str, error: type[Exception]):
    operation = None if fault == "wrong_total" else "create"
    shopper.city.fault(fault, operation=operation, seconds=6 if fault == "timeout" else None)
    with pytest.raises(error):
        await shopper.quote()
    await shopper.quote()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("price_raise", "price_changed"),
        ("sold_out", "sold_out"),
        ("closed", "shop_closed"),
        ("overcharge", "payment_declined"),
    ],
)
async def test_a_completion_that_is_refused_costs_nothing(shopper: Shopper, fault: str, code: str):
    quoted = await shopper.quote()
    assert quoted.payment is not None
    held = await shopper.bank.authorize(
        "u_1", quoted.payment, quoted.total, "h", shopper.key("pay")
    )
    shopper.city.fault(fault, operation="complete")
    with pytest.raises(Refused) as refused:
        await shopper.world.merchants.complete_checkout(
            quoted.merchant_id, quoted.id, held, shopper.key("place")
        )
    assert refused.value.code == code
    released = await shopper.bank.release(
        "u_1", quoted.payment, held.authorization_id, shopper.key("release")
    )
    assert released is PaymentState.VOIDED
    if fault == "price_raise":
        now = await shopper.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
        assert quoted.total < now.total
        assert now.hash() != quoted.hash()


async def test_a_shop_that_is_closed(shopper: Shopper):
    shopper.city.fault("closed", operation="create")
    with pytest.raises(Refused) as refused:
        await shopper.quote()
    assert refused.value.code == "shop_closed"


async def test_what_is_not_sold(shopper: Shopper):
    draft = shopper.order()
    [line] = draft.lines
    assert shopper.menu is not None
    muffin = next(x for x in shopper.menu.items if "muffin" in x.title.lower())
    many = (DraftLine(muffin.id, muffin.title, 99, _options(muffin)),) * 9
    for lines, code in (
        ((DraftLine("no_such_thing", "Unicorn", 1),), "unknown_item"),
        ((DraftLine(line.item_id, line.title, 1, ("no_such_option",)),), "option_invalid"),
        ((DraftLine(line.item_id, line.title, 100, line.options),), "not_understood"),
        (many, "quantity_over_stock"),
    ):
        with pytest.raises(Refused) as refused:
            await shopper.world.merchants.create_checkout(
                OrderDraft(draft.merchant_id, lines, draft.address), shopper.key("quote")
            )
        assert refused.value.code == code


async def test_an_address_that_is_too_far(shopper: Shopper):
    draft = shopper.order()
    far = Address("cabin", "Tie 1", "Rovaniemi", "96100", "FI", 66.5, 25.7)
    with pytest.raises(Refused) as refused:
        await shopper.world.merchants.create_checkout(
            OrderDraft(draft.merchant_id, draft.lines, far), shopper.key("quote")
        )
    assert refused.value.code == "out_of_area"


async def test_a_card_that_is_declined(shopper: Shopper):
    quoted = await shopper.quote()
    shopper.city.fault("decline_payment")
    with pytest.raises(Refused) as refused:
        await shopper.place(quoted)
    assert refused.value.code == "payment_declined"


async def test_a_capture_is_refunded(shopper: Shopper):
    quoted = await shopper.quote()
    assert quoted.payment is not None
    held = await shopper.bank.authorize(
        "u_1", quoted.payment, quoted.total, "h", shopper.key("pay")
    )
    await shopper.world.merchants.complete_checkout(
        quoted.merchant_id, quoted.id, held, shopper.key("place")
    )
    key = shopper.key("release")
    for _ in range(2):
        released = await shopper.bank.release("u_1", quoted.payment, held.authorization_id, key)
        assert released is PaymentState.REFUNDED


async def test_the_city_refuses_what_lapel_did_not_sign(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch
):
    honest = signatures.sign

    def forged(message, key, created):
        headers = honest(message, key, created)
        return headers | {"Signature": "sig1=:" + "A" * 86 + "==:"}

    monkeypatch.setattr(signatures, "sign", forged)
    with pytest.raises(Refused) as refused:
        await shopper.quote()
    assert refused.value.code == "unauthorized"


async def test_a_rotated_key_of_lapel_s_is_accepted(shopper: Shopper):
    await shopper.quote()
    await shopper.world.keys.rotate()
    await shopper.quote()


async def test_repeated_webhooks_are_seen_once(shopper: Shopper):
    shopper.city.fault("webhook_twice")
    await shopper.place(await shopper.quote())
    await shopper.until("delivered")
    kinds = [tuple(event.kind for event in order.events) for order in shopper.told]
    assert len(kinds) == len(set(kinds))
    assert set(shopper.refused) <= {"replayed"}
