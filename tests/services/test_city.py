"""Lapel's side of UCP against the City, another program that was written from the specification."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

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

pytestmark = pytest.mark.net

CITY = Path(sys.executable).parent / "city"


@dataclass
class City:
    """A City's addresses, and the levers that its test controls give."""

    url: str
    bank: str
    merchants: list[str]

    def post(self, path: str, body: dict) -> None:
        answer = httpx.post(self.url + path, json=body, trust_env=False)
        assert answer.is_success, answer.text

    def fault(self, name: str, **more: object) -> None:
        base = {"merchant": None, "fault": name, "times": 1, "operation": None, "seconds": None}
        self.post("/city/faults", base | more)

    def address(self) -> Address:
        found = httpx.get(f"{self.url}/city/addresses", trust_env=False).json()["addresses"]
        office = next(x for x in found if x["label"] == "office")
        return Address(
            label="office",
            street=office["street_address"],
            city=office["address_locality"],
            postal_code=office["postal_code"],
            country=office["address_country"],
            latitude=office["latitude"],
            longitude=office["longitude"],
            instructions="Third floor",
        )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    command = [str(CITY), "up", "--port", "0", "--json", "--allow-test-controls"]
    process = subprocess.Popen(
        [*command, "--data", str(folder), "--speed", "600", "--start", "10:00"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        yield City(said["city"], said["bank"], said["merchants"])
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@dataclass
class Town:
    """Lapel's services, reachable by the City, with what its webhooks told."""

    world: World
    city: City
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
        return OrderDraft(self.menu.merchant_id, (line,), self.city.address())

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
        async with asyncio.timeout(within_s):
            while True:
                for order in self.told:
                    if any(event.kind == kind for event in order.events):
                        return order
                await asyncio.sleep(0.05)


def _options(item: MenuItem) -> tuple[str, ...]:
    """The last available value of each required group: seldom the default."""
    return tuple(
        [x.id for x in group.values if x.available][-1] for group in item.groups if group.required
    )


@asynccontextmanager
async def _town(store: Store, http: httpx.AsyncClient, city: City) -> AsyncIterator[Town]:
    held: dict[str, Town] = {}
    inboxes: dict[str, WebhookInbox] = {}

    async def profile(request: Request) -> Response:
        made = held["town"].world.profile
        return JSONResponse(await made.document(), headers={"cache-control": made.CACHE_CONTROL})

    async def webhook(request: Request) -> Response:
        town = held["town"]

        async def keep(order: MerchantOrder) -> None:
            town.told.append(order)

        try:
            await inboxes["inbox"].receive(dict(request.headers), await request.body(), keep)
        except WebhookError as error:
            town.refused.append(error.code)
            return JSONResponse({"code": error.code}, error.status)
        return Response(status_code=204)

    app = Starlette(
        routes=[
            Route("/.well-known/ucp", profile),
            Route("/webhooks/ucp", webhook, methods=["POST"]),
        ]
    )
    async with serving(app) as origin:
        world = build(store, http, None, time.time, origin, timeout_s=5.0)
        bank = BankPayments(store, http, sandboxes=[city.bank])
        town = held["town"] = Town(world, city, bank)
        inboxes["inbox"] = WebhookInbox(
            store, world.registry, url=world.profile.webhook_url, clock=time.time
        )
        town.merchant = await world.food.add_merchant(city.merchants[0])
        [town.menu] = await world.food.menus()
        yield town
        await town.world.food.close()


@pytest.fixture
async def town(store: Store, http: httpx.AsyncClient, city: City) -> AsyncIterator[Town]:
    async with _town(store, http, city) as running:
        yield running


async def test_every_merchant_has_a_menu(town: Town, city: City):
    for url in city.merchants[1:]:
        await town.world.food.add_merchant(url)
    menus = await town.world.food.menus()
    assert len(menus) == len(city.merchants)
    assert town.world.food.failures() == {}
    for menu in menus:
        assert menu.merchant_name
        assert len(menu.items) >= 5
        assert all(item.price.minor > 0 for item in menu.items)
        assert all(item.price.currency == menu.currency for item in menu.items)
        assert all(group.values for item in menu.items for group in item.groups)


async def test_from_a_quote_to_the_door(town: Town, http: httpx.AsyncClient):
    quoted = await town.quote(2)
    assert quoted.status is CheckoutStatus.READY_FOR_COMPLETE
    assert quoted.lines[0].note == "with a smile"
    assert quoted.address == town.city.address()
    assert quoted.eta_minutes
    assert quoted.eta_minutes > 0
    again = await town.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
    assert again.hash() == quoted.hash()
    done = await town.place(quoted)
    assert done.status is CheckoutStatus.COMPLETED
    assert done.hash() == quoted.hash()
    moving = await town.until("in_transit")
    assert (moving.id, moving.checkout_id) == (done.order_id, quoted.id)
    url = next(x.tracking_url for x in moving.events if x.tracking_url)
    tracking = await town.world.food.track(quoted.merchant_id, url)
    assert tracking is not None
    assert tracking.destination is not None
    delivered = await town.until("delivered")
    assert delivered.total == quoted.total
    order = await town.world.merchants.get_order(quoted.merchant_id, done.order_id)
    assert [x.id for x in order.events] == [x.id for x in delivered.events]
    assert town.refused == []


async def test_a_changed_cart_is_priced_anew(town: Town):
    first = await town.quote(1)
    second = await town.world.merchants.update_checkout(first.id, town.order(3), town.key("quote"))
    assert second.id == first.id
    assert second.lines[0].quantity == 3
    assert second.hash() != first.hash()
    gone = await town.world.merchants.cancel_checkout(second.merchant_id, second.id, "cancel-it")
    assert gone.status is CheckoutStatus.CANCELED


async def test_the_same_key_after_a_lost_answer(town: Town):
    town.city.fault("http_500_after", operation="create")
    draft, key = town.order(), town.key("quote")
    with pytest.raises(Unreachable):
        await town.world.merchants.create_checkout(draft, key)
    first = await town.world.merchants.create_checkout(draft, key)
    assert await town.world.merchants.create_checkout(draft, key) == first


async def test_patience_mends_a_lost_completion(town: Town):
    quoted = await town.quote()
    assert quoted.payment is not None
    held = await town.bank.authorize("u_1", quoted.payment, quoted.total, "h", town.key("pay"))
    town.city.fault("http_500_after", operation="complete")
    patient = RetryingMerchants(town.world.merchants, pauses_s=(0.01, 0.01))
    done = await patient.complete_checkout(quoted.merchant_id, quoted.id, held, town.key("place"))
    assert done.status is CheckoutStatus.COMPLETED
    state = await town.bank.state("u_1", quoted.payment, held.authorization_id)
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
async def test_bad_answers_to_a_quote(town: Town, fault: str, error: type[Exception]):
    operation = None if fault == "wrong_total" else "create"
    town.city.fault(fault, operation=operation, seconds=6 if fault == "timeout" else None)
    with pytest.raises(error):
        await town.quote()
    await town.quote()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("price_raise", "price_changed"),
        ("sold_out", "sold_out"),
        ("closed", "shop_closed"),
        ("overcharge", "payment_declined"),
    ],
)
async def test_a_completion_that_is_refused_costs_nothing(town: Town, fault: str, code: str):
    quoted = await town.quote()
    assert quoted.payment is not None
    held = await town.bank.authorize("u_1", quoted.payment, quoted.total, "h", town.key("pay"))
    town.city.fault(fault, operation="complete")
    with pytest.raises(Refused) as refused:
        await town.world.merchants.complete_checkout(
            quoted.merchant_id, quoted.id, held, town.key("place")
        )
    assert refused.value.code == code
    released = await town.bank.release(
        "u_1", quoted.payment, held.authorization_id, town.key("release")
    )
    assert released is PaymentState.VOIDED
    if fault == "price_raise":
        now = await town.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
        assert quoted.total < now.total
        assert now.hash() != quoted.hash()


async def test_a_shop_that_is_closed(town: Town):
    town.city.fault("closed", operation="create")
    with pytest.raises(Refused) as refused:
        await town.quote()
    assert refused.value.code == "shop_closed"


async def test_what_is_not_sold(town: Town):
    draft = town.order()
    [line] = draft.lines
    assert town.menu is not None
    muffin = next(x for x in town.menu.items if "muffin" in x.title.lower())
    many = (DraftLine(muffin.id, muffin.title, 99, _options(muffin)),) * 9
    for lines, code in (
        ((DraftLine("no_such_thing", "Unicorn", 1),), "unknown_item"),
        ((DraftLine(line.item_id, line.title, 1, ("no_such_option",)),), "option_invalid"),
        ((DraftLine(line.item_id, line.title, 100, line.options),), "not_understood"),
        (many, "quantity_over_stock"),
    ):
        with pytest.raises(Refused) as refused:
            await town.world.merchants.create_checkout(
                OrderDraft(draft.merchant_id, lines, draft.address), town.key("quote")
            )
        assert refused.value.code == code


async def test_an_address_that_is_too_far(town: Town):
    draft = town.order()
    far = Address("cabin", "Tie 1", "Rovaniemi", "96100", "FI", 66.5, 25.7)
    with pytest.raises(Refused) as refused:
        await town.world.merchants.create_checkout(
            OrderDraft(draft.merchant_id, draft.lines, far), town.key("quote")
        )
    assert refused.value.code == "out_of_area"


async def test_a_card_that_is_declined(town: Town):
    quoted = await town.quote()
    town.city.fault("decline_payment")
    with pytest.raises(Refused) as refused:
        await town.place(quoted)
    assert refused.value.code == "card_declined"


async def test_a_capture_is_refunded(town: Town):
    quoted = await town.quote()
    assert quoted.payment is not None
    held = await town.bank.authorize("u_1", quoted.payment, quoted.total, "h", town.key("pay"))
    await town.world.merchants.complete_checkout(
        quoted.merchant_id, quoted.id, held, town.key("place")
    )
    key = town.key("release")
    for _ in range(2):
        released = await town.bank.release("u_1", quoted.payment, held.authorization_id, key)
        assert released is PaymentState.REFUNDED


async def test_the_city_refuses_what_lapel_did_not_sign(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    honest = signatures.sign

    def forged(message, key, created):
        headers = honest(message, key, created)
        return headers | {"Signature": "sig1=:" + "A" * 86 + "==:"}

    monkeypatch.setattr(signatures, "sign", forged)
    with pytest.raises(Refused) as refused:
        await town.quote()
    assert refused.value.code == "unauthorized"


async def test_a_rotated_key_of_lapel_s_is_accepted(town: Town):
    await town.quote()
    await town.world.keys.rotate()
    await town.quote()


async def test_repeated_webhooks_are_seen_once(town: Town):
    town.city.fault("webhook_twice")
    await town.place(await town.quote())
    await town.until("delivered")
    kinds = [tuple(event.kind for event in order.events) for order in town.told]
    assert len(kinds) == len(set(kinds))
    assert set(town.refused) <= {"replayed"}
