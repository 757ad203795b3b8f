"""A merchant's HTTP interface: UCP over REST, tracking, and a few pages for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from city.errors import ProtocolError
from city.http import Exchange, error_answer, lower_headers, once, read_body, to_response
from city.replay import Answer, Key, key_for
from city.shelves import Shelf, look
from city.store import Database, Store, Transaction
from city.ucp import (
    buyer,
    carts,
    catalog,
    checkouts,
    completing,
    mcp,
    orders,
    pages,
    picking,
    returning,
)
from city.ucp.envelope import answer, failure, not_found
from city.ucp.mandates import kid_of
from city.ucp.platforms import Platform, Platforms
from city.ucp.profile import business_profile
from city.ucp.quote import Json, Note
from city.ucp.signatures import request_message, sign_response
from city.ucp.vocabulary import (
    AP2,
    CART,
    CHECKOUT,
    FULFILLMENT,
    GROCERIES,
    LOOKUP,
    ORDER,
    RETAIL,
    SEARCH,
)
from city.ucp.wire import (
    CheckoutRequest,
    CompleteRequest,
    LookupRequest,
    ProductRequest,
    ReturnRequest,
    SearchRequest,
    SubstitutionAnswer,
    parse,
)
from city.world import World

_NEEDS = {
    "search": (SEARCH,),
    "lookup": (LOOKUP,),
    "product": (LOOKUP,),
    "order": (ORDER,),
    "create_cart": (CART,),
    "get_cart": (CART,),
    "update_cart": (CART,),
    "cancel_cart": (CART,),
    "substitute": (ORDER, GROCERIES),
    "return": (ORDER, RETAIL),
}
_CHECKOUT_NEEDS = (CHECKOUT, FULFILLMENT)

Handler = Callable[[Request, Platform, bytes], Callable[[Database], Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """What a merchant does, at its place in REST; `{id}` in `path` names a resource."""

    name: str
    method: str
    path: str
    handler: Handler


class Merchant:
    """The endpoints of one merchant."""

    def __init__(self, world: World, store: Store, platforms: Platforms, slug: str) -> None:
        self._world = world
        self._store = store
        self._platforms = platforms
        self._slug = slug
        self._exchange = Exchange(world, store, slug)

    def app(self) -> Starlette:
        operations = self._operations()
        transports = self._world.transports(self._slug)
        rest = [
            Route(x.path, self._endpoint(x.name, x.handler), methods=[x.method])
            for x in operations
            if "rest" in transports
        ]
        tools = mcp.Tools(map(self._tool, filter(self._offers, operations)), self._sign, self._slug)
        return Starlette(
            routes=[
                Route("/.well-known/ucp", self._profile),
                *rest,
                *(tools.routes() if "mcp" in transports else ()),
                *self.pages(),
            ]
        )

    def pages(self) -> list[Route]:
        """What people see of the shop, whatever its platforms speak."""
        return [
            Route("/track/{tracking}", self._track),
            Route("/", self._page("menu")),
            Route("/checkout/{id}", self._page("checkout")),
            Route("/checkout/{id}/confirm", self._buyer(buyer.confirm), methods=["POST"]),
            Route("/checkout/{id}/finish", self._buyer(buyer.finish), methods=["POST"]),
            Route("/o/{id}", self._page("order")),
            Route("/terms", self._page("terms")),
            Route("/privacy", self._page("privacy")),
        ]

    def _operations(self) -> list[Operation]:
        return [
            Operation("search", "POST", "/catalog/search", self._search),
            Operation("lookup", "POST", "/catalog/lookup", self._lookup),
            Operation("product", "POST", "/catalog/product", self._product),
            Operation("create", "POST", "/checkout-sessions", self._create),
            Operation("get", "GET", "/checkout-sessions/{id}", self._get),
            Operation("update", "PUT", "/checkout-sessions/{id}", self._update),
            Operation("complete", "POST", "/checkout-sessions/{id}/complete", self._complete),
            Operation("cancel", "POST", "/checkout-sessions/{id}/cancel", self._cancel),
            Operation("order", "GET", "/orders/{id}", self._order),
            Operation("return", "POST", "/orders/{id}/returns", self._return),
            Operation("create_cart", "POST", "/carts", self._create_cart),
            Operation("get_cart", "GET", "/carts/{id}", self._get_cart),
            Operation("update_cart", "PUT", "/carts/{id}", self._update_cart),
            Operation("cancel_cart", "POST", "/carts/{id}/cancel", self._cancel_cart),
            Operation("substitute", "POST", "/orders/{id}/substitutions", self._substitute),
        ]

    def _offers(self, operation: Operation) -> bool:
        shop = self._world.shops[self._slug]
        return all(shop.offers(name) for name in _NEEDS.get(operation.name, ()))

    def _tool(self, operation: Operation) -> mcp.Tool:
        async def serve(request: Request, sent: bytes, asked: Request, body: bytes) -> Answer:
            name, handler = operation.name, operation.handler
            return await self._answered(request, sent, name, handler, asked, body)

        name, payload = mcp.SHOPPING[operation.name]
        return mcp.Tool(name, payload, operation.method, operation.path, serve)

    def _endpoint(
        self, operation: str, handler: Handler
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            try:
                made = await self._serve(request, operation, handler)
            except ProtocolError as error:
                fields = {"code": error.code, "content": error.text}
                made = error_answer(error.status, fields)
            return to_response(made, request)

        return serve

    async def _serve(self, request: Request, operation: str, handler: Handler) -> Answer:
        body = await read_body(request)
        return await self._answered(request, body, operation, handler, request, body)

    async def _answered(
        self,
        request: Request,
        sent: bytes,
        operation: str,
        handler: Handler,
        asked: Request,
        body: bytes,
    ) -> Answer:
        """`request` and `sent` are what was signed, `asked` and `body` what they ask for."""
        url = request.url
        headers = lower_headers(request)
        message = request_message(
            request.method, headers.get("host", ""), url.path, url.query, headers
        )
        platform = await self._platforms.identify(message, sent, self._world.real_s())
        shop = self._world.shops[self._slug]
        shared = {name: v for name, v in platform.shared.items() if shop.offers(name)}
        platform = replace(platform, shared=shared)
        if operation == "complete" and AP2 in platform.shared:
            mandate = parse(body, CompleteRequest).ap2
            kid = kid_of(mandate.checkout_mandate) if mandate else ""
            if kid:
                platform = await self._platforms.with_key(platform, kid, self._world.real_s())
        needs = _NEEDS.get(operation, _CHECKOUT_NEEDS)
        if missing := [name for name in needs if name not in platform.shared]:
            return self._incompatible(missing)
        return await self._exchange.run(operation, handler(asked, platform, body))

    def _sign(self, status: int, body: bytes) -> tuple[tuple[str, str], ...]:
        return sign_response(status, body, self._world.keys[self._slug], int(self._world.real_s()))

    def _incompatible(self, missing: Sequence[str]) -> Answer:
        text = f"your profile must declare {', '.join(missing)} in a version that we speak"
        note = Note("error", "capabilities_incompatible", text, severity="unrecoverable")
        body = failure(self._world, self._slug, {}, CHECKOUT, [note])
        return answer(self._world.keys[self._slug], body, self._world.real_s())

    # Reading.

    def _look(self, act: Callable[[Transaction], Json]) -> Callable[[Database], Answer]:
        def run(database: Database) -> Answer:
            with database.transaction() as tx:
                body = act(tx)
            return answer(self._world.keys[self._slug], body, self._world.real_s())

        return run

    def _search(self, _: Request, platform: Platform, body: bytes) -> Callable[[Database], Answer]:
        asked = parse(body, SearchRequest)
        return self._look(lambda tx: catalog.search(self._shelf(tx), platform.shared, asked))

    def _lookup(self, _: Request, platform: Platform, body: bytes) -> Callable[[Database], Answer]:
        asked = parse(body, LookupRequest)
        return self._look(lambda tx: catalog.lookup(self._shelf(tx), platform.shared, asked))

    def _product(self, _: Request, platform: Platform, body: bytes) -> Callable[[Database], Answer]:
        asked = parse(body, ProductRequest)

        def act(tx: Transaction) -> Json:
            found = catalog.one(self._shelf(tx), platform.shared, asked)
            what = f"Product {asked.id}"
            return found or not_found(self._world, self._slug, platform.shared, LOOKUP, what)

        return self._look(act)

    def _order(
        self, request: Request, platform: Platform, _: bytes
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])

        def act(tx: Transaction) -> Json:
            if not platform.signed:
                text = "Not authorized to access this order."
                note = Note("error", "unauthorized", text, severity="unrecoverable")
                return failure(self._world, self._slug, platform.shared, ORDER, [note])
            found = self._own(tx, platform, id)
            if found is None:
                return not_found(self._world, self._slug, platform.shared, ORDER, "Order")
            return orders.entity(self._world, tx, found, self._world.clock.now_s())

        return self._look(act)

    def _substitute(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        """The buyer's answer to what was offered while the order is picked."""
        asked = parse(body, SubstitutionAnswer)
        return self._change(
            request, platform, body, lambda tx, order: picking.answer(self._world, tx, order, asked)
        )

    def _return(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        """Something of a delivered order is sent back."""
        asked = parse(body, ReturnRequest)
        return self._change(
            request, platform, body, lambda tx, order: returning.ask(self._world, tx, order, asked)
        )

    def _change(
        self,
        request: Request,
        platform: Platform,
        body: bytes,
        act: Callable[[Transaction, orders.Order], Note | None],
    ) -> Callable[[Database], Answer]:
        """Something is done with a placed order; a note says why not."""
        id = str(request.path_params["id"])
        world, shared = self._world, platform.shared

        def change(counter: checkouts.Counter) -> Answer:
            tx = counter.tx
            found = self._own(tx, platform, id) if platform.signed else None
            if found is None:
                return counter.respond(not_found(world, self._slug, shared, ORDER, "Order"))
            if (why := act(tx, found)) is not None:
                return counter.respond(failure(world, self._slug, shared, ORDER, [why]))
            now_s = world.clock.now_s()
            return counter.respond(orders.entity(world, tx, orders.load(tx, id), now_s))

        return self.write(request, platform, body, change)

    def _own(self, tx: Transaction, platform: Platform, id: str) -> orders.Order | None:
        """The order, where it is this merchant's and was made by this platform."""
        found = orders.find(tx, "id", id)
        if found is None or found.merchant != self._slug:
            return None
        return found if found.platform == platform.profile_url else None

    def _shelf(self, tx: Transaction) -> Shelf:
        world = self._world
        return look(tx, world.shops[self._slug], world.clock.now_s(), world.real_s(), world.seed)

    # Checkouts.

    def _get(self, request: Request, platform: Platform, _: bytes) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])

        def run(database: Database) -> Answer:
            with database.transaction() as tx:
                return checkouts.read(self.counter(platform, tx), id)

        return run

    def _create(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        asked = parse(body, CheckoutRequest)

        def act(counter: checkouts.Counter) -> Answer:
            if asked.cart_id is not None and CART in counter.shared:
                found = carts.lines_of(counter, asked.cart_id)
                if found is None:
                    return counter.respond(
                        not_found(self._world, self._slug, counter.shared, CHECKOUT, "Cart")
                    )
                asked.line_items = found  # what stands in the request beside it does not count
            return checkouts.create(counter, asked)

        return self.write(request, platform, body, act)

    def _update(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        asked = parse(body, CheckoutRequest)
        id = str(request.path_params["id"])
        return self.write(
            request, platform, body, lambda counter: checkouts.update(counter, id, asked)
        )

    def _cancel(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])
        return self.write(request, platform, body, lambda counter: checkouts.cancel(counter, id))

    def _create_cart(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        asked = parse(body, CheckoutRequest)
        return self.write(request, platform, body, lambda counter: carts.create(counter, asked))

    def _get_cart(
        self, request: Request, platform: Platform, _: bytes
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])

        def run(database: Database) -> Answer:
            with database.transaction() as tx:
                return carts.read(self.counter(platform, tx), id)

        return run

    def _update_cart(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        asked, id = parse(body, CheckoutRequest), str(request.path_params["id"])
        return self.write(request, platform, body, lambda counter: carts.update(counter, id, asked))

    def _cancel_cart(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])
        return self.write(request, platform, body, lambda counter: carts.cancel(counter, id))

    def _complete(
        self, request: Request, platform: Platform, body: bytes
    ) -> Callable[[Database], Answer]:
        id = str(request.path_params["id"])
        key = self.key(request, platform, body)
        return lambda database: completing.complete(
            self._world, database, self._slug, platform, key, id, body
        )

    def write(
        self,
        request: Request,
        platform: Platform,
        body: bytes,
        act: Callable[[checkouts.Counter], Answer],
    ) -> Callable[[Database], Answer]:
        """One act and one kept answer for each Idempotency-Key, whatever protocol it came by."""
        key = self.key(request, platform, body)
        crash = self._world.crash

        def run(database: Database) -> Answer:
            crash.passing("before_checkout")
            made = once(
                database, key, self._world.real_s(), lambda tx: act(self.counter(platform, tx))
            )
            crash.passing("after_checkout")
            return made

        return run

    def counter(self, platform: Platform, tx: Transaction) -> checkouts.Counter:
        return checkouts.Counter(self._world, self._slug, platform, tx)

    def key(self, request: Request, platform: Platform, body: bytes) -> Key:
        scope = f"ucp {self._slug} {platform.profile_url}"
        header = request.headers.get("idempotency-key")
        return key_for(scope, header, request.method, request.url.path, body)

    # Without UCP.

    async def _profile(self, _: Request) -> Response:
        body = msgspec.json.encode(business_profile(self._world, self._slug))
        headers = {"Cache-Control": "public, max-age=60"}
        return Response(body, headers=headers, media_type="application/json")

    async def _track(self, request: Request) -> Response:
        tracking = str(request.path_params["tracking"])

        def find(database: Database) -> Answer:
            with database.transaction() as tx:
                found = orders.find(tx, "tracking", tracking)
            if found is None or found.merchant != self._slug:
                return error_answer(404, {"code": "not_found", "content": "no such delivery"})
            shown = orders.tracking(self._world, found, self._world.clock.now_s())
            return Answer(200, msgspec.json.encode(shown))

        return to_response(await self._store.run(find), request)

    def _buyer(
        self, act: Callable[[World, str, str, Database], bool]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A button of the checkout's page; it leads back to the page, which says how it stands."""

        async def press(request: Request) -> Response:
            id = str(request.path_params["id"])
            done = await self._store.run(partial(act, self._world, self._slug, id))
            return RedirectResponse(f"/checkout/{id}", 303) if done else _gone()

        return press

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def show(request: Request) -> Response:
            id = str(request.path_params.get("id", ""))
            draw = partial(pages.draw, self._world, self._slug, name, id)
            text = await self._store.run(draw)
            return _gone() if text is None else HTMLResponse(text)

        return show


def _gone() -> Response:
    return HTMLResponse("<!doctype html><title>Not found</title><p>Not found.", 404)
