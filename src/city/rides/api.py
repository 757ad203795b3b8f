"""The ride company's HTTP interface: UCP over REST with the extension `dev.lapel.rides`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from city.clock import stamp
from city.errors import ProtocolError
from city.http import Exchange, error_answer, lower_headers, once, read_body, to_response
from city.replay import Answer, Key, key_for
from city.rides import checkouts, company, quotes, rides
from city.rides.checkouts import Counter, ride_of
from city.rides.company import SLUG
from city.rides.quotes import estimate
from city.rides.wire import (
    CancelRequest,
    DestinationRequest,
    EstimateRequest,
    PlacesRequest,
    RideCheckoutRequest,
)
from city.store import Database, Store, Transaction
from city.streets import Address
from city.ucp.envelope import failure, metadata, payment_handlers
from city.ucp.platforms import Platform, Platforms
from city.ucp.quote import Json, Note
from city.ucp.signatures import request_message
from city.ucp.vocabulary import (
    CHECKOUT,
    OFFERED_BY_RIDES,
    RIDES,
    SERVICE,
    VERSION,
)
from city.ucp.wire import CompleteRequest, parse
from city.world import World

Act = Callable[[Counter], Answer]


class RideCompany:
    """The endpoints of Lokki."""

    def __init__(self, world: World, store: Store, platforms: Platforms) -> None:
        self._world = world
        self._store = store
        self._platforms = platforms
        self._exchange = Exchange(world, store, SLUG)

    def app(self) -> Starlette:
        def ucp(path: str, method: str, operation: str, read: Callable[..., Act]) -> Route:
            return Route(path, self._endpoint(operation, read), methods=[method])

        return Starlette(
            routes=[
                Route("/.well-known/ucp", self._profile),
                ucp("/rides/estimate", "POST", "search", self._estimate),
                ucp("/rides/places", "POST", "lookup", self._places),
                ucp("/checkout-sessions", "POST", "create", self._create),
                ucp("/checkout-sessions/{id}", "GET", "get", self._get),
                ucp("/checkout-sessions/{id}", "PUT", "update", self._update),
                ucp("/checkout-sessions/{id}/complete", "POST", "complete", self._complete),
                ucp("/checkout-sessions/{id}/cancel", "POST", "cancel", self._drop),
                ucp("/orders/{id}", "GET", "order", self._order),
                ucp("/rides/{id}/cancel", "POST", "cancel", self._cancel),
                ucp("/rides/{id}/destination", "POST", "update", self._destination),
                Route("/track/{tracking}", self._track),
                Route("/o/{id}", self._page),
                Route("/{name:path}", self._page),
            ]
        )

    def _endpoint(
        self, operation: str, read: Callable[..., Act]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            try:
                made = await self._serve(request, operation, read)
            except ProtocolError as error:
                fields = {"code": error.code, "content": error.text}
                made = error_answer(error.status, fields)
            return to_response(made, request)

        return serve

    async def _serve(self, request: Request, operation: str, read: Callable[..., Act]) -> Answer:
        body = await read_body(request)
        url, headers = request.url, lower_headers(request)
        message = request_message(
            request.method, headers.get("host", ""), url.path, url.query, headers
        )
        platform = await self._platforms.identify(
            message, body, self._world.real_s(), OFFERED_BY_RIDES
        )
        if missing := [name for name in (CHECKOUT, RIDES) if name not in platform.shared]:
            text = f"your profile must declare {', '.join(missing)} in a version that we speak"
            note = Note("error", "capabilities_incompatible", text, severity="unrecoverable")
            shown = failure(self._world, SLUG, {}, CHECKOUT, [note])
            return Answer(200, msgspec.json.encode(shown))
        act = read(request, body)
        repeats = request.method == "GET" or operation in ("search", "lookup")
        key = None if repeats else self._key(request, platform, body)

        def run(database: Database) -> Answer:
            def in_transaction(tx: Transaction) -> Answer:
                return act(Counter(self._world, platform, tx))

            if key is not None:
                return once(database, key, self._world.real_s(), in_transaction)
            with database.transaction() as tx:
                return in_transaction(tx)

        return await self._exchange.run(operation, run)

    def _key(self, request: Request, platform: Platform, body: bytes) -> Key:
        scope = f"ucp {SLUG} {platform.profile_url}"
        header = request.headers.get("idempotency-key")
        return key_for(scope, header, request.method, request.url.path, body)

    # The extension's own verbs.

    def _estimate(self, _: Request, body: bytes) -> Act:
        asked = parse(body, EstimateRequest)

        def act(counter: Counter) -> Answer:
            found = estimate(counter.world, counter.tx, asked)
            shared = counter.platform.shared
            return counter.respond({"ucp": metadata(shared, CHECKOUT), **found})

        return act

    def _places(self, _: Request, body: bytes) -> Act:
        asked = parse(body, PlacesRequest)

        def act(counter: Counter) -> Answer:
            found = self._world.streets.suggest(asked.text, asked.limit)
            shown: Json = {
                "ucp": metadata(counter.platform.shared, CHECKOUT),
                "places": [_place(address) for address in found],
            }
            return counter.respond(shown)

        return act

    def _cancel(self, request: Request, body: bytes) -> Act:
        asked = parse(body, CancelRequest)

        def act(counter: Counter) -> Answer:
            ride = ride_of(counter, request.path_params["id"])
            if ride is None or ride.plan is None:
                return counter.missing("Ride")
            fee = rides.fee_now(ride, self._world.clock.now_s())
            notes: list[Note] = []
            if ride.is_over:
                notes.append(Note("error", "ride_over", "the ride is over"))
            elif ride.status == "picked_up":
                notes.append(Note("error", "ride_under_way", "the ride is under way"))
            elif fee > asked.most:
                text = f"canceling now costs {fee / 100:.2f} EUR"
                notes.append(Note("error", "fee_too_low", text, "$.most"))
            else:
                rides.cancel(self._world, counter.tx, ride, "rider", fee)
            return self._shown(counter, ride.id, notes)

        return act

    def _destination(self, request: Request, body: bytes) -> Act:
        asked = parse(body, DestinationRequest)

        def act(counter: Counter) -> Answer:
            ride = ride_of(counter, request.path_params["id"])
            if ride is None or ride.plan is None:
                return counter.missing("Ride")
            if ride.is_over:
                return self._shown(counter, ride.id, [Note("error", "ride_over", "it is over")])
            before = ride.contents.terms
            after = quotes.longer(self._world, rides.class_of(ride), before, asked.destination)
            if isinstance(after, Note):
                return self._shown(counter, ride.id, [after])
            difference = after.total - before.total
            if difference <= 0:
                rides.give_back(self._world, counter.tx, ride, -difference)
                rides.redirect(self._world, counter.tx, ride, after)
            change: Json = {"applied": difference <= 0, "difference": difference}
            return self._shown(counter, ride.id, [], change)

        return act

    def _shown(
        self, counter: Counter, id: str, notes: list[Note], change: Json | None = None
    ) -> Answer:
        ride = rides.load(counter.tx, id)
        body = rides.entity(self._world, counter.tx, ride, self._world.clock.now_s())
        body["messages"] = [note.json() for note in notes]
        if change is not None:
            body["change"] = change
        return counter.respond(body)

    # UCP's verbs.

    def _create(self, _: Request, body: bytes) -> Act:
        asked = parse(body, RideCheckoutRequest)
        return lambda counter: checkouts.create(counter, asked)

    def _get(self, request: Request, _: bytes) -> Act:
        return lambda counter: checkouts.read(counter, request.path_params["id"])

    def _update(self, request: Request, body: bytes) -> Act:
        asked = parse(body, RideCheckoutRequest)
        return lambda counter: checkouts.update(counter, request.path_params["id"], asked)

    def _drop(self, request: Request, _: bytes) -> Act:
        return lambda counter: checkouts.cancel(counter, request.path_params["id"])

    def _complete(self, request: Request, body: bytes) -> Act:
        asked = parse(body, CompleteRequest)
        return lambda counter: checkouts.complete(counter, request.path_params["id"], asked)

    def _order(self, request: Request, _: bytes) -> Act:
        def act(counter: Counter) -> Answer:
            ride = ride_of(counter, request.path_params["id"])
            if ride is None or not counter.platform.signed:
                return counter.missing("Order")
            return self._shown(counter, ride.id, [])

        return act

    # Without UCP.

    async def _profile(self, _: Request) -> Response:
        headers = {"Cache-Control": "public, max-age=60"}
        body = msgspec.json.encode(profile(self._world))
        return Response(body, headers=headers, media_type="application/json")

    async def _track(self, request: Request) -> Response:
        tracking = str(request.path_params["tracking"])

        def find(database: Database) -> Answer:
            with database.transaction() as tx:
                ride = rides.find(tx, "tracking", tracking)
            if ride is None:
                return error_answer(404, {"code": "not_found", "content": "no such ride"})
            shown = rides.tracking(self._world, ride, self._world.clock.now_s())
            return Answer(200, msgspec.json.encode(shown))

        return to_response(await self._store.run(find), request)

    async def _page(self, request: Request) -> Response:
        """What people see in a browser; nothing can be bought there."""
        id = request.path_params.get("id")
        name = request.path_params.get("name", "")
        if id is None and name not in ("", "terms", "privacy"):
            return HTMLResponse("<!doctype html><title>Not found</title><p>Not found.", 404)

        def draw(database: Database) -> str:
            with database.transaction() as tx:
                rows = tx.execute(
                    "SELECT description, at_s FROM ride_events WHERE ride_id = ? ORDER BY seq",
                    (id or "",),
                ).fetchall()
            events = "".join(f"<li>{stamp(at)[11:16]} {escape(text)}" for text, at in rows)
            return (
                f"<!doctype html><html lang=en><meta charset=utf-8><title>{company.NAME}</title>"
                f"<h1>{company.NAME}</h1><p>Drives people through the City. Nobody really drives, "
                f"and the money is worth nothing.</p><ul>{events}</ul></html>"
            )

        return HTMLResponse(await self._store.run(draw))


def profile(world: World) -> Json:
    """Who the company is for platforms."""
    capabilities: Json = {}
    for offered in OFFERED_BY_RIDES:
        entry: Json = {"version": offered.version, "spec": offered.spec, "schema": offered.schema}
        if offered.extends:
            entry["extends"] = list(offered.extends)
        if offered.name == RIDES:
            entry["config"] = {
                "name": company.NAME,
                "aliases": list(company.ALIASES),
                "time_zone": "+02:00",
            }
        capabilities[offered.name] = [entry]
    return {
        "ucp": {
            "version": VERSION,
            "services": {
                SERVICE: [
                    {
                        "version": VERSION,
                        "spec": f"https://ucp.dev/{VERSION}/specification/overview",
                        "transport": "rest",
                        "schema": f"https://ucp.dev/{VERSION}/services/shopping/rest.openapi.json",
                        "endpoint": world.urls[SLUG],
                    }
                ]
            },
            "capabilities": capabilities,
            "payment_handlers": payment_handlers(world, SLUG),
        },
        "signing_keys": [msgspec.to_builtins(world.keys[SLUG].jwk())],
    }


def _place(address: Address) -> Json:
    return {
        "title": str(address),
        "street_address": str(address),
        "postal_code": address.postal_code or "00100",
        "address_locality": "Helsinki",
        "address_country": "FI",
        "latitude": address.point[0],
        "longitude": address.point[1],
    }
