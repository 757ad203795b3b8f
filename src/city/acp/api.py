"""A seller's HTTP interface: ACP over REST in front of an ordinary shop of the City."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from city.acp import asked, platforms, shown
from city.acp.vocabulary import CODES, ENROLMENT, VERSION, WELL_KNOWN
from city.acp.wire import Cart, Complete, Create, Enrol, Update
from city.errors import ProtocolError
from city.http import Exchange, lower_headers, once, read_body
from city.replay import Answer, key_for
from city.shelves import look
from city.store import Database, Store, Transaction
from city.ucp import carts, checkouts, completing, orders
from city.ucp.api import Merchant
from city.ucp.platforms import Platform, Platforms
from city.ucp.wire import parse
from city.world import World, payee

Act = Callable[[Platform, bytes, Request], Callable[[Database], Answer]]
Json = dict[str, object]

_OVER = frozenset({"checkout_completed", "checkout_canceled"})


class Seller:
    """The endpoints of one seller. What people see of it are the pages that every shop has."""

    def __init__(self, world: World, store: Store, known: Platforms, slug: str) -> None:
        self._world = world
        self._store = store
        self._slug = slug
        self._shop = Merchant(world, store, known, slug)
        self._exchange = Exchange(world, store, slug)

    def app(self) -> Starlette:
        sessions = "/acp/checkout_sessions"
        one = f"{sessions}/{{id}}"

        def route(path: str, method: str, operation: str, act: Act) -> Route:
            return Route(path, self._endpoint(operation, act), methods=[method])

        return Starlette(
            routes=[
                Route(WELL_KNOWN, self._discovery),
                Route("/acp/enrolments", self._enrol, methods=["POST"]),
                Route("/acp/feeds/menu/products", self._feed),
                route(sessions, "POST", "create", self._create),
                route(one, "GET", "get", self._get),
                route(one, "POST", "update", self._update),
                route(f"{one}/complete", "POST", "complete", self._complete),
                route(f"{one}/cancel", "POST", "cancel", self._cancel),
                route("/acp/carts", "POST", "create_cart", self._create_cart),
                route("/acp/carts/{id}", "GET", "get_cart", self._get_cart),
                route("/acp/carts/{id}", "PUT", "update_cart", self._update_cart),
                route("/acp/carts/{id}/cancel", "POST", "cancel_cart", self._cancel_cart),
                *self._shop.pages(),
            ]
        )

    # Without a key.

    async def _discovery(self, _: Request) -> Response:
        document: Json = {
            "protocol": {"name": "acp", "version": VERSION, "supported_versions": [VERSION]},
            "api_base_url": f"{self._world.urls[self._slug]}/acp",
            "transports": ["rest"],
            "capabilities": {
                "services": ["checkout", "orders", "delegate_payment", "carts"],
                "extensions": [
                    {"name": "discount"},
                    {"name": ENROLMENT, "spec": "https://lapel.dev/specs/acp-enrolment"},
                ],
                "supported_currencies": ["eur"],
            },
        }
        return JSONResponse(document, headers={"Cache-Control": "public, max-age=3600"})

    async def _enrol(self, request: Request) -> Response:
        async def serve(body: bytes) -> Answer:
            wanted = parse(body, Enrol)
            name = self._world.shops[self._slug].name
            feed = f"{self._world.urls[self._slug]}/acp/feeds/menu/products"

            def act(tx: Transaction) -> Answer:
                keys = platforms.enrol(tx, self._slug, wanted.platform, wanted.webhook_url)
                given = {
                    "token": keys.token,
                    "secret": keys.secret,
                    "feed_url": feed,
                    "name": name,
                    "currency": "EUR",
                }
                return Answer(201, msgspec.json.encode(given))

            key = key_for(
                f"acp enrol {self._slug}",
                request.headers.get("idempotency-key"),
                "POST",
                request.url.path,
                body,
            )
            now_s = self._world.real_s()
            return await self._store.run(lambda database: once(database, key, now_s, act))

        return await self._answered(request, serve)

    # With one.

    async def _feed(self, request: Request) -> Response:
        async def serve(body: bytes) -> Answer:
            await self._identified(request, body, signed=False)

            def read(database: Database) -> Answer:
                world = self._world
                with database.transaction() as tx:
                    shelf = look(
                        tx, world.shops[self._slug], world.clock.now_s(), world.real_s(), world.seed
                    )
                return Answer(200, msgspec.json.encode(shown.feed(shelf)))

            return await self._exchange.run("search", read)

        return await self._answered(request, serve)

    def _endpoint(self, operation: str, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            async def serve(body: bytes) -> Answer:
                platform = await self._identified(request, body)
                made = await self._exchange.run(operation, act(platform, body, request))
                return self._translated(made, operation)

            return await self._answered(request, serve)

        return answer

    async def _answered(
        self, request: Request, serve: Callable[[bytes], Awaitable[Answer]]
    ) -> Response:
        try:
            made = await serve(await read_body(request))
        except ProtocolError as error:
            status = 422 if error.code == "idempotency_conflict" else error.status
            made = _refusal(status, error.code, error.text)
        echoed = {
            name: value
            for name in ("Idempotency-Key", "Request-Id")
            if (value := request.headers.get(name.lower()))
        }
        return Response(made.body, made.status, echoed, media_type="application/json")

    async def _identified(self, request: Request, body: bytes, *, signed: bool = True) -> Platform:
        headers = lower_headers(request)

        def look_up(database: Database) -> Platform:
            with database.transaction() as tx:
                return platforms.identify(
                    tx, self._slug, headers, body, self._world.real_s(), signed=signed
                )

        return await self._store.run(look_up)

    # Sessions.

    def _create(
        self, platform: Platform, body: bytes, request: Request
    ) -> Callable[[Database], Answer]:
        wanted = asked.create(parse(body, Create))
        return self._shop.write(
            request, platform, body, lambda counter: checkouts.create(counter, wanted)
        )

    def _update(
        self, platform: Platform, body: bytes, request: Request
    ) -> Callable[[Database], Answer]:
        wanted = parse(body, Update)
        id = str(request.path_params["id"])

        def act(counter: checkouts.Counter) -> Answer:
            stored = checkouts.load(counter, id)
            if stored is None:
                return counter.missing()
            return checkouts.update(counter, id, asked.update(wanted, stored.request))

        return self._shop.write(request, platform, body, act)

    def _cancel(
        self, platform: Platform, body: bytes, request: Request
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])
        return self._shop.write(
            request, platform, body, lambda counter: checkouts.cancel(counter, id)
        )

    def _complete(
        self, platform: Platform, body: bytes, request: Request
    ) -> Callable[[Database], Answer]:
        paying = asked.complete(parse(body, Complete))
        id, world, slug = str(request.path_params["id"]), self._world, self._slug
        key = self._shop.key(request, platform, body)
        return lambda database: completing.complete(
            world, database, slug, platform, key, id, paying
        )

    def _get(self, platform: Platform, _: bytes, request: Request) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])

        def run(database: Database) -> Answer:
            with database.transaction() as tx:
                made = checkouts.read(self._shop.counter(platform, tx), id)
                body = msgspec.json.decode(made.body, type=Json)
                confirmed = body.get("order")
                if isinstance(confirmed, dict):
                    order = orders.load(tx, str(cast("Json", confirmed)["id"]))
                    now_s = self._world.clock.now_s()
                    body["whole_order"] = orders.entity(self._world, tx, order, now_s)
            return Answer(made.status, msgspec.json.encode(body))

        return run

    # Carts.

    def _create_cart(
        self, platform: Platform, body: bytes, request: Request
    ) -> Callable[[Database], Answer]:
        wanted = asked.cart(parse(body, Cart))
        return self._shop.write(
            request, platform, body, lambda counter: carts.create(counter, wanted)
        )

    def _update_cart(
        self, platform: Platform, body: bytes, request: Request
    ) -> Callable[[Database], Answer]:
        wanted, id = asked.cart(parse(body, Cart)), str(request.path_params["id"])
        return self._shop.write(
            request, platform, body, lambda counter: carts.update(counter, id, wanted)
        )

    def _cancel_cart(
        self, platform: Platform, body: bytes, request: Request
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])
        return self._shop.write(request, platform, body, lambda counter: carts.cancel(counter, id))

    def _get_cart(
        self, platform: Platform, _: bytes, request: Request
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])

        def run(database: Database) -> Answer:
            with database.transaction() as tx:
                return carts.read(self._shop.counter(platform, tx), id)

        return run

    # What is said.

    def _translated(self, made: Answer, operation: str) -> Answer:
        """The shop's own answer in ACP's words; bytes that a fault has cut go out as they are."""
        try:
            body = msgspec.json.decode(made.body, type=Json)
        except msgspec.DecodeError:
            return made
        if made.status >= 500 or "ucp" not in body:
            return made
        messages = [cast("Json", x) for x in cast("list[object]", body.get("messages", []))]
        if "id" not in body:
            return _hopeless(messages)
        if operation.endswith("_cart"):
            return Answer(made.status, msgspec.json.encode(shown.cart(body)))
        if operation == "cancel" and any(x["code"] in _OVER for x in messages):
            return _refusal(405, "method_not_allowed", "the session is over already")
        told = shown.session(body, self._world.bank_url, payee(self._slug))
        if "whole_order" in body:
            told["order"] = shown.order(cast("Json", body["whole_order"]))
        return Answer(made.status, msgspec.json.encode(told))


def _hopeless(messages: list[Json]) -> Answer:
    """There is no session to show."""
    first = messages[0] if messages else {}
    code = str(first.get("code", "invalid"))
    if code == "not_found":
        return _refusal(404, code, str(first.get("content", "")))
    where = shown.param(str(first.get("path", "")))
    return _refusal(400, CODES.get(code, code), str(first.get("content", "")), where)


def _refusal(status: int, code: str, text: str, where: str = "") -> Answer:
    kind = "service_unavailable" if status >= 500 else "invalid_request"
    said: Json = {"type": kind, "code": code, "message": text}
    if where:
        said["param"] = where
    if code == "unsupported_api_version":
        said["supported_versions"] = [VERSION]
    return Answer(status, msgspec.json.encode(said))
