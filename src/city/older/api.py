"""A merchant's HTTP interface in UCP 2026-01-11, in front of an ordinary shop of the City."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from city.errors import ProtocolError
from city.http import Exchange, error_answer, lower_headers, read_body, to_response
from city.older import detached, shown
from city.older.vocabulary import OFFERED, VERSION
from city.replay import Answer
from city.shelves import look
from city.store import Database, Store
from city.ucp import checkouts, completing
from city.ucp.api import Merchant
from city.ucp.checkout_json import CURRENCY
from city.ucp.platforms import Manner, Platform, Platforms
from city.ucp.quote import Json
from city.ucp.signatures import request_message
from city.ucp.vocabulary import CHECKOUT
from city.ucp.wire import CheckoutRequest, Instrument, parse
from city.world import World

MANNER = Manner(VERSION, OFFERED, detached.key_id, detached.verify)
Act = Callable[[Request, Platform, bytes], Callable[[Database], Answer]]


class _Cart(CheckoutRequest, kw_only=True):
    """Both of these are in every cart of that version; the City keeps no instruments."""

    currency: str
    payment: dict[str, object]


class _Paying(msgspec.Struct):
    payment_data: Instrument


class OlderShop:
    """The endpoints of one merchant. What people see of it are the pages that every shop has."""

    def __init__(self, world: World, store: Store, platforms: Platforms, slug: str) -> None:
        self._world = world
        self._store = store
        self._platforms = platforms
        self._slug = slug
        self._shop = Merchant(world, store, platforms, slug)
        self._exchange = Exchange(world, store, slug)

    def app(self) -> Starlette:
        sessions = "/checkout-sessions"
        one = f"{sessions}/{{id}}"

        def route(path: str, method: str, operation: str, act: Act) -> Route:
            return Route(path, self._endpoint(operation, act), methods=[method])

        return Starlette(
            routes=[
                Route("/.well-known/ucp", self._profile),
                Route("/products.json", self._products),
                route(sessions, "POST", "create", self._create),
                route(one, "GET", "get", self._get),
                route(one, "PUT", "update", self._update),
                route(f"{one}/complete", "POST", "complete", self._complete),
                route(f"{one}/cancel", "POST", "cancel", self._cancel),
                *self._shop.pages(),
            ]
        )

    async def _profile(self, _: Request) -> Response:
        headers = {"Cache-Control": "public, max-age=60"}
        return JSONResponse(shown.profile(self._world, self._slug), headers=headers)

    async def _products(self, request: Request) -> Response:
        world = self._world

        def read(database: Database) -> Answer:
            with database.transaction() as tx:
                now_s = world.clock.now_s()
                shelf = look(tx, world.shops[self._slug], now_s, world.real_s(), world.seed)
            return Answer(200, msgspec.json.encode(shown.products(shelf)))

        return to_response(await self._exchange.run("search", read), request)

    def _endpoint(self, operation: str, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                body = await read_body(request)
                platform = await self._identified(request, body)
                made = await self._exchange.run(operation, act(request, platform, body))
                made = self._translated(made, platform)
            except ProtocolError as error:
                made = error_answer(error.status, {"code": error.code, "content": error.text})
            return to_response(made, request)

        return answer

    async def _identified(self, request: Request, body: bytes) -> Platform:
        url, headers = request.url, lower_headers(request)
        message = request_message(
            request.method, headers.get("host", ""), url.path, url.query, headers
        )
        now_s = self._world.real_s()
        platform = await self._platforms.identify(message, body, now_s, MANNER)
        if CHECKOUT not in platform.shared:
            raise ProtocolError(
                f"your profile must declare {CHECKOUT} {VERSION}", code="capabilities_incompatible"
            )
        return platform

    # Sessions.

    def _create(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        asked = _cart(body)
        return self._shop.write(
            request, platform, body, lambda counter: checkouts.create(counter, asked)
        )

    def _update(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        asked, id = _cart(body), str(request.path_params["id"])
        return self._shop.write(
            request, platform, body, lambda counter: checkouts.update(counter, id, asked)
        )

    def _get(self, request: Request, platform: Platform, _: bytes) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])

        def run(database: Database) -> Answer:
            with database.transaction() as tx:
                return checkouts.read(self._shop.counter(platform, tx), id)

        return run

    def _cancel(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])
        return self._shop.write(
            request, platform, body, lambda counter: checkouts.cancel(counter, id)
        )

    def _complete(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])
        instrument = parse(body, _Paying).payment_data
        paying = msgspec.json.encode({"payment": {"instruments": [instrument]}})
        key = self._shop.key(request, platform, body)
        return lambda database: completing.complete(
            self._world, database, self._slug, platform, key, id, paying
        )

    def _translated(self, made: Answer, platform: Platform) -> Answer:
        """The shop's answer in this version; bytes that a fault cut go out as they are."""
        try:
            body = msgspec.json.decode(made.body, type=Json)
        except msgspec.DecodeError:
            return made
        if made.status >= 500 or "ucp" not in body:
            return made
        if "id" not in body:
            said = cast("list[Json]", body.get("messages") or [])
            gone = any(message.get("code") == "not_found" for message in said)
            return Answer(404 if gone else 400, msgspec.json.encode(shown.refused(body)))
        told = shown.checkout(body, self._world, self._slug, platform.shared)
        return Answer(made.status, msgspec.json.encode(told))


def _cart(body: bytes) -> CheckoutRequest:
    asked = parse(body, _Cart)
    if asked.currency != CURRENCY:
        raise ProtocolError(f"everything here is sold in {CURRENCY}", code="invalid")
    kept = {name: getattr(asked, name) for name in CheckoutRequest.__struct_fields__}
    return CheckoutRequest(**kept)
