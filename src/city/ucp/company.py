"""The HTTP side of a company of services: signed calls, kept answers, its profile and its page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from city.clock import stamp
from city.errors import ProtocolError
from city.http import Exchange, error_answer, lower_headers, once, read_body, to_response
from city.replay import Answer, Key, key_for
from city.store import Database, Store
from city.ucp import mcp
from city.ucp.counter import Counter
from city.ucp.envelope import failure, payment_handlers
from city.ucp.platforms import NEWEST, Platform, Platforms
from city.ucp.profile import services
from city.ucp.quote import Json, Note
from city.ucp.signatures import request_message, sign_response
from city.ucp.vocabulary import CHECKOUT, VERSION, Offered
from city.ucp.wire import CompleteRequest, parse
from city.world import World

Act = Callable[[Counter], Answer]
Read = Callable[[Request, bytes], Act]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of UCP; `read` gives from its body what is done in a transaction.

    `operation` is what faults know it by; `tool` its name and its payload over MCP.
    """

    method: str
    path: str
    operation: str
    read: Read
    tool: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Verbs(Generic[T]):
    """What a company does at UCP's verbs; `request` is what is sent to create and to update."""

    request: type[T]
    create: Callable[[Counter, T], Answer]
    read: Callable[[Counter, str], Answer]
    update: Callable[[Counter, str, T], Answer]
    complete: Callable[[Counter, str, CompleteRequest], Answer]
    cancel: Callable[[Counter, str], Answer]
    order: Callable[[Counter, str], Answer]


class CompanyServer:
    """Serves the company `slug`, whose own extension is the last of what is `offered`."""

    def __init__(
        self,
        world: World,
        store: Store,
        platforms: Platforms,
        slug: str,
        offered: Sequence[Offered],
        config: Mapping[str, object],
    ) -> None:
        self._world = world
        self._store = store
        self._platforms = platforms
        self._slug = slug
        self._offered = tuple(offered)
        self._manner = replace(NEWEST, offered=self._offered)
        self._config = config
        self._exchange = Exchange(world, store, slug)

    def routes(self, calls: Sequence[Call]) -> list[Route]:
        """The profile, and the calls in every way in which the company is spoken to."""
        transports = self._world.transports(self._slug)
        rest = [self._route(call) for call in calls if "rest" in transports]
        tools = mcp.Tools(map(self._tool, calls), self._sign, self._slug)
        profile = Route("/.well-known/ucp", self._serve_profile)
        return [profile, *rest, *(tools.routes() if "mcp" in transports else ())]

    def _route(self, call: Call) -> Route:
        async def serve(request: Request) -> Response:
            try:
                body = await read_body(request)
                made = await self._answered(request, body, call, request, body)
            except ProtocolError as error:
                made = error_answer(error.status, {"code": error.code, "content": error.text})
            return to_response(made, request)

        return Route(call.path, serve, methods=[call.method])

    def _tool(self, call: Call) -> mcp.Tool:
        async def serve(request: Request, sent: bytes, asked: Request, body: bytes) -> Answer:
            return await self._answered(request, sent, call, asked, body)

        return mcp.Tool(*call.tool, call.method, call.path, serve)

    def _sign(self, status: int, body: bytes) -> tuple[tuple[str, str], ...]:
        world = self._world
        return sign_response(status, body, world.keys[self._slug], int(world.real_s()))

    def sessions(self, verbs: Verbs[T]) -> list[Call]:
        """The calls of checkout sessions and of their orders."""

        def create(_: Request, body: bytes) -> Act:
            asked = parse(body, verbs.request)
            return lambda counter: verbs.create(counter, asked)

        def update(request: Request, body: bytes) -> Act:
            asked = parse(body, verbs.request)
            return lambda counter: verbs.update(counter, request.path_params["id"], asked)

        def complete(request: Request, body: bytes) -> Act:
            asked = parse(body, CompleteRequest)
            return lambda counter: verbs.complete(counter, request.path_params["id"], asked)

        def of(verb: Callable[[Counter, str], Answer]) -> Read:
            return lambda request, _: lambda counter: verb(counter, request.path_params["id"])

        session = "/checkout-sessions/{id}"
        return [
            Call("POST", "/checkout-sessions", "create", create, mcp.SESSIONS["create"]),
            Call("GET", session, "get", of(verbs.read), mcp.SESSIONS["get"]),
            Call("PUT", session, "update", update, mcp.SESSIONS["update"]),
            Call("POST", f"{session}/complete", "complete", complete, mcp.SESSIONS["complete"]),
            Call("POST", f"{session}/cancel", "cancel", of(verbs.cancel), mcp.SESSIONS["cancel"]),
            Call("GET", "/orders/{id}", "order", of(verbs.order), mcp.SESSIONS["order"]),
        ]

    async def _answered(
        self, request: Request, sent: bytes, call: Call, asked: Request, body: bytes
    ) -> Answer:
        """`request` and `sent` are what was signed, `asked` and `body` what they ask for."""
        url, headers = request.url, lower_headers(request)
        message = request_message(
            request.method, headers.get("host", ""), url.path, url.query, headers
        )
        world = self._world
        platform = await self._platforms.identify(message, sent, world.real_s(), self._manner)
        needed = (CHECKOUT, self._offered[-1].name)
        if missing := [name for name in needed if name not in platform.shared]:
            text = f"your profile must declare {', '.join(missing)} in a version that we speak"
            note = Note("error", "capabilities_incompatible", text, severity="unrecoverable")
            shown = failure(world, self._slug, {}, CHECKOUT, [note])
            return Answer(200, msgspec.json.encode(shown))
        act = call.read(asked, body)
        repeats = call.method == "GET" or call.operation in ("search", "lookup")
        key = None if repeats else self._key(asked, platform, body)

        def run(database: Database) -> Answer:
            if key is not None:
                return once(
                    database,
                    key,
                    world.real_s(),
                    lambda tx: act(Counter(world, self._slug, platform, tx)),
                )
            with database.transaction() as tx:
                return act(Counter(world, self._slug, platform, tx))

        return await self._exchange.run(call.operation, run)

    def _key(self, request: Request, platform: Platform, body: bytes) -> Key:
        scope = f"ucp {self._slug} {platform.profile_url}"
        header = request.headers.get("idempotency-key")
        return key_for(scope, header, request.method, request.url.path, body)

    async def _serve_profile(self, _: Request) -> Response:
        """Who the company is for platforms."""
        headers = {"Cache-Control": "public, max-age=60"}
        body = msgspec.json.encode(self._profile())
        return Response(body, headers=headers, media_type="application/json")

    def _profile(self) -> Json:
        world, slug = self._world, self._slug
        capabilities: Json = {}
        for offered in self._offered:
            entry: Json = {
                "version": offered.version,
                "spec": offered.spec,
                "schema": offered.schema,
            }
            if offered.extends:
                entry["extends"] = list(offered.extends)
            if offered is self._offered[-1]:
                entry["config"] = dict(self._config)
            capabilities[offered.name] = [entry]
        return {
            "ucp": {
                "version": VERSION,
                "services": services(world, slug),
                "capabilities": capabilities,
                "payment_handlers": payment_handlers(world, slug),
            },
            "signing_keys": [msgspec.to_builtins(world.keys[slug].jwk())],
        }

    def page(
        self, name: str, about: str, events: Callable[[Database, str], list[tuple[str, float]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """What people see in a browser; nothing can be bought there."""

        async def serve(request: Request) -> Response:
            id = str(request.path_params.get("id", ""))
            if not id and request.path_params.get("name", "") not in ("", "terms", "privacy"):
                return HTMLResponse("<!doctype html><title>Not found</title><p>Not found.", 404)
            told = await self._store.run(lambda database: events(database, id))
            shown = "".join(f"<li>{stamp(at)[11:16]} {escape(text)}" for text, at in told)
            return HTMLResponse(
                f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title>"
                f"<h1>{name}</h1><p>{about}</p><ul>{shown}</ul></html>"
            )

        return serve
