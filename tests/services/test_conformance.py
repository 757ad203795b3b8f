"""Strangers judge what Lapel and the City say: the SDK's models its shape, a conformance runner the City's conduct."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from ucp_sdk.models.schemas import ucp
from ucp_sdk.models.schemas.shopping import (
    catalog_lookup,
    catalog_search,
    checkout_complete_request,
    checkout_create_request,
    checkout_update_request,
    fulfillment,
    order,
)
from ucp_sdk.models.schemas.shopping.types import (
    fulfillment_create_request,
    fulfillment_update_request,
)

from lapel.services import WebhookInbox
from lapel.services.connectors.ucp import client, rechecking
from lapel.services.connectors.ucp.lookup import in_full, look_up
from lapel.store import Store
from services import test_city
from serving import serving
from town import Town

pytestmark = pytest.mark.net

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
VERSION = "2026-04-08"
Body = dict[str, Any]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = Town(tmp_path_factory.mktemp("city"), speed=600)
    yield running
    running.close()


# Shape: the models of the SDK for 2026-04-08.

CREATE = "POST /checkout-sessions"
COMPLETE = "POST /checkout-sessions/*/complete"
UPDATE = "PUT /checkout-sessions/*"
GET = "GET /checkout-sessions/*"
SEARCH = "POST /catalog/search"
LOOKUP = "POST /catalog/lookup"
PRODUCT = "POST /catalog/product"
ORDER = "GET /orders/*"
CANCEL = "POST /checkout-sessions/*/cancel"
MODELS: dict[str, tuple[tuple[str, object], ...]] = {
    f"{CREATE} asks": (
        ("", checkout_create_request.CheckoutCreateRequest),
        ("fulfillment", fulfillment_create_request.FulfillmentCreateRequest),
    ),
    f"{UPDATE} asks": (
        ("", checkout_update_request.CheckoutUpdateRequest),
        ("fulfillment", fulfillment_update_request.FulfillmentUpdateRequest),
    ),
    f"{COMPLETE} asks": (("", checkout_complete_request.CheckoutCompleteRequest),),
    f"{SEARCH} asks": (("", catalog_search.SearchRequest),),
    f"{SEARCH} answers": (("", catalog_search.SearchResponse),),
    f"{LOOKUP} asks": (("", catalog_lookup.LookupRequest),),
    f"{LOOKUP} answers": (("", catalog_lookup.LookupResponse),),
    f"{PRODUCT} asks": (("", catalog_lookup.GetProductRequest),),
    f"{PRODUCT} answers": (("", catalog_lookup.GetProductResponse),),
    f"{ORDER} answers": (("", order.Order), ("ucp", ucp.ResponseOrderSchema)),
    "webhook": (("", order.Order), ("ucp", ucp.ResponseOrderSchema)),
    "platform's profile": (("ucp", ucp.PlatformSchema),),
    "business's profile": (("ucp", ucp.BusinessSchema),),
    **{
        f"{operation} answers": (
            ("", fulfillment.Checkout),
            ("ucp", ucp.ResponseCheckoutSchema),
        )
        for operation in (CREATE, UPDATE, COMPLETE, GET, CANCEL)
    },
}
"""What is said -> the models that judge the whole of it, or one member."""


def faults(what: str, body: Body) -> list[str]:
    """What the models find wrong."""
    found: list[str] = []
    for member, model in MODELS[what]:
        part = body.get(member) if member else body
        if part is None:
            continue
        try:
            TypeAdapter(model).validate_json(json.dumps(part), strict=False)
        except ValidationError as error:
            found += [f"{what} {member}: {x['loc']} {x['msg']}" for x in error.errors()]
    return found


class Heard:
    """Everything that went over the wire, as bytes."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []

    def kinds(self) -> set[str]:
        return {what for what, _ in self.said}

    def listen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        honest, receive = client.fetch, WebhookInbox.receive

        async def fetch(http: httpx.AsyncClient, method: str, url: str, **more: Any) -> Any:
            answer = await honest(http, method, url, **more)
            path = re.sub(r"^/(checkout-sessions|orders)/[^/]+", r"/\1/*", httpx.URL(url).path)
            if more.get("content"):
                self.said.append((f"{method} {path} asks", more["content"]))
            self.said.append((f"{method} {path} answers", answer.body))
            return answer

        async def hear(inbox: WebhookInbox, headers: Any, body: bytes, handle: Any) -> Any:
            self.said.append(("webhook", body))
            return await receive(inbox, headers, body, handle)

        monkeypatch.setattr(client, "fetch", fetch)
        monkeypatch.setattr(WebhookInbox, "receive", hear)


async def test_every_body_of_a_whole_order_has_the_standard_s_shape(
    store: Store, http: httpx.AsyncClient, city: Town, monkeypatch: pytest.MonkeyPatch
):
    heard = Heard()
    heard.listen(monkeypatch)
    monkeypatch.setattr(rechecking, "FRESH_S", 0.0)
    async with test_city._shopping(store, http, city) as shopper:
        first = await shopper.quote(1)
        await shopper.world.merchants.update_checkout(
            first.id, shopper.order(2), shopper.key("update")
        )
        await shopper.world.merchants.cancel_checkout(
            first.merchant_id, first.id, shopper.key("cancel")
        )
        quoted = await shopper.quote(1)
        await shopper.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
        [product] = await look_up(shopper.world.client, shopper.merchant, [quoted.lines[0].item_id])
        await in_full(shopper.world.client, shopper.merchant, product)
        placed = await shopper.place(quoted)
        await shopper.until("delivered")
        await shopper.world.merchants.get_order(placed.merchant_id, placed.order_id)
        profile = json.dumps(await shopper.world.profile.document()).encode()
        heard.said.append(("platform's profile", profile))
        business = (await http.get(f"{city.urls['merchants'][0]}/.well-known/ucp")).content
        heard.said.append(("business's profile", business))
    asked_with_nothing = {f"{CANCEL} asks"}
    assert heard.kinds() == set(MODELS) | asked_with_nothing
    judged = [(what, json.loads(body)) for what, body in heard.said if what in MODELS]
    assert [x for what, body in judged for x in faults(what, body)] == []
    assert sum(what == "webhook" for what, _ in judged) >= 3


@pytest.mark.parametrize("what", sorted(MODELS))
def test_the_models_judge(what: str):
    """A body that lacks everything, or holds the wrong things, is found out."""
    member = MODELS[what][0][0]
    wrong = {"ucp": 7, "line_items": 7, "payment": 7, "pagination": 7, "ids": 7, "id": 7}
    assert faults(what, {member: wrong} if member else wrong)


# Conduct: the merchant lane of spck-conformance.


def listed(heading: str) -> set[str]:
    """The checks in the page's table under that heading."""
    section = PAGE.read_text("utf-8").partition(f"### {heading}\n")[2].partition("\n#")[0]
    return set(re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE))


class Platform:
    """Profiles of platforms: a good one, and some that a merchant must refuse."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        numbers = key.private_numbers()
        public = numbers.public_numbers
        self.public = {
            "kid": "lane-1", "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
            "x": _text(public.x), "y": _text(public.y),
        }  # fmt: skip
        self.private = {**self.public, "d": _text(numbers.private_value)}
        self.odd = {"kid": "lane-odd", "kty": "OKP", "crv": "Ed25519", "x": _text(1), "use": "sig"}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/profile", self._profile),
                Route("/signed", self._signed),
                Route("/older", self._older),
                Route("/nothing", self._nothing),
                Route("/nonsense", self._nonsense),
            ]
        )

    def _document(self, names: tuple[str, ...], **more: Any) -> Body:
        page = {"spec": "https://ucp.dev/s", "schema": "https://ucp.dev/j"}
        capabilities = {
            f"dev.ucp.shopping.{name}": [{"version": VERSION, **page}] for name in names
        }
        block = {"version": VERSION, "services": {}, "payment_handlers": {}}
        return {"ucp": {**block, "capabilities": capabilities, **more}}

    def _answer(self, document: Body) -> JSONResponse:
        return JSONResponse(document, headers={"Cache-Control": "public, max-age=60"})

    _ALL = ("checkout", "fulfillment", "order", "cart", "catalog.search", "catalog.lookup")

    async def _profile(self, _: Request) -> JSONResponse:
        return self._answer(self._document(self._ALL))

    async def _signed(self, _: Request) -> JSONResponse:
        return self._answer(self._document(self._ALL) | {"signing_keys": [self.public, self.odd]})

    async def _older(self, _: Request) -> JSONResponse:
        return self._answer(self._document(self._ALL, version="2025-01-01"))

    async def _nothing(self, _: Request) -> JSONResponse:
        return self._answer(self._document(("identity_linking",)))

    async def _nonsense(self, _: Request) -> PlainTextResponse:
        return PlainTextResponse("{", headers={"Cache-Control": "public, max-age=60"})


@pytest.fixture
async def platform() -> AsyncIterator[tuple[Platform, str]]:
    made = Platform()
    async with serving(made.app()) as origin:
        yield made, origin


async def test_the_city_keeps_to_the_protocol_but_for_what_is_listed(
    platform: tuple[Platform, str], city: Town, tmp_path: Path
):
    made, origin = platform
    config = tmp_path / "merchant.json"
    config.write_text(
        json.dumps(
            {
                "product_id": "latte",
                "currency": "EUR",
                "catalog": {"variant_id": "latte"},
                "signature": {
                    "responses": True,
                    "request_private_jwk": made.private,
                    "platform_profile_url": f"{origin}/signed",
                    "unsupported_alg_kid": "lane-odd",
                },
                "negotiation": {
                    "unsupported_version_profile_url": f"{origin}/older",
                    "incompatible_caps_profile_url": f"{origin}/nothing",
                    "unreachable_profile_url": "http://127.0.0.1:1/profile",
                    "malformed_profile_url": f"{origin}/nonsense",
                    "validates_profile_url": True,
                },
            }
        )
    )
    found = city.http.get(f"{city.urls['city']}/city/addresses").json()["addresses"]
    office = next(x for x in found if x["label"] == "office")
    names = ("street_address", "postal_code", "address_locality", "address_country")
    lane = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("conformance_lane.py")), f"{origin}/profile",
        json.dumps({name: office[name] for name in names}),
        "--server", city.urls["merchants"][0], "--config", str(config), "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await lane.communicate()
    report = json.loads(out)
    checks = {x["id"]: x["status"] for x in report["checks"]}
    deviations = {name for name, status in checks.items() if status == "deviation"}
    seen = {x["id"]: x["observed"] for x in report["checks"] if x["id"] in deviations}
    assert deviations == listed("Deviations"), json.dumps(seen, indent=1)[:4000]
    passed = sum(status == "clean-pass" for status in checks.values())
    promised = re.search(r"^At least (\d+) checks pass", PAGE.read_text("utf-8"), re.MULTILINE)
    assert promised is not None
    assert passed >= int(promised[1])


def _text(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32)).rstrip(b"=").decode()
