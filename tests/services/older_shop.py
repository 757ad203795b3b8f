"""The tests' merchant behind UCP 2026-01-11: the same shop, as the wire of that version has it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.services.connectors.ucp import detached
from lapel.services.connectors.ucp.keys import Jwk
from services.hostile import Hostile, Json

OLD, NEW = "2026-01-11", "2026-04-08"
SPECS = f"https://ucp.dev/{OLD}/specification"


class OlderShop:
    """`inside` keeps the checkouts; `asked` is what came, `agents` from whom."""

    def __init__(self, inside: Hostile) -> None:
        self.inside = inside
        self.asked: list[tuple[str, str, Json]] = []
        self.agents: list[str] = []
        self.unsigned = 0
        self.said: list[tuple[str, bytes]] = []
        """Operation and body, both ways, as `older_models` wants them."""
        self.platform_keys: list[Jwk] = []
        self.speaks: dict[str, str] = {}
        self.bend: Callable[[Json], None] = lambda checkout: None
        """Done to every checkout that goes out, in the words of that version."""
        self.refuses: tuple[int, bytes] | None = None
        """Status and body instead of every checkout."""
        self.listed: Callable[[], Response] | None = None
        """The product list instead of the honest one."""

    def app(self) -> Starlette:
        sessions = "/checkout-sessions"
        return Starlette(
            routes=[
                Route("/.well-known/ucp", self._profile),
                Route("/products.json", self._products),
                Route(sessions, self._call, methods=["POST"]),
                Route(f"{sessions}/{{id}}", self._call, methods=["GET", "PUT"]),
                Route(f"{sessions}/{{id}}/complete", self._call, methods=["POST"]),
                Route(f"{sessions}/{{id}}/cancel", self._call, methods=["POST"]),
                *self.inside.app().routes[-6:],
            ]
        )

    async def _profile(self, _: Request) -> Response:
        names = ("checkout", "fulfillment", "discount", "order")
        extends = {"extends": "dev.ucp.shopping.checkout"}
        capabilities = [
            {
                "name": f"dev.ucp.shopping.{name}",
                "version": OLD,
                "spec": f"{SPECS}/{name}",
                "schema": f"https://ucp.dev/schemas/shopping/{name}.json",
                **(extends if name in ("fulfillment", "discount") else {}),
            }
            for name in names
        ]
        rest = {"schema": "https://ucp.dev/openapi.json", "endpoint": self.inside.origin}
        key = self.inside.key.jwk()
        block: Json = {
            "version": OLD,
            "services": {
                "dev.ucp.shopping": {"version": OLD, "spec": f"{SPECS}/overview", "rest": rest}
            },
            "capabilities": capabilities,
            "supported_versions": self.speaks,
        }
        published = {x: getattr(key, x) for x in ("kid", "kty", "crv", "x", "y", "use", "alg")}
        return JSONResponse(
            {
                "ucp": block,
                "payment": {"handlers": self._handlers()},
                "signing_keys": [published],
                "name": "Old Harbour",
            }
        )

    def _handlers(self) -> list[Json]:
        [entry] = self.inside._handlers()["dev.lapel.city.bank"]
        page = "https://lapel.dev/specs/city-bank"
        more = {"spec": page, "config_schema": page, "instrument_schemas": [page]}
        return [{"name": "dev.lapel.city.bank", **entry, **more}]

    async def _products(self, _: Request) -> Response:
        if self.listed is not None:
            return self.listed()
        return JSONResponse({"products": self.inside.products})

    async def _call(self, request: Request) -> Response:
        body = await request.body()
        self.agents.append(request.headers["ucp-agent"])
        try:
            detached.verify(request.headers["request-signature"], body, self.platform_keys)
        except Exception:
            self.unsigned += 1
        asked: Json = json.loads(body or b"{}")
        self.asked.append((request.method, request.url.path, asked))
        if self.refuses is not None:
            status, said = self.refuses
            return Response(said, status, media_type="application/json")
        headers = {"idempotency-key": request.headers.get("idempotency-key", "")}
        inner = httpx.ASGITransport(self.inside.app())
        async with httpx.AsyncClient(transport=inner, base_url="http://inside") as client:
            answer = await client.request(
                request.method, request.url.path, content=self._new(request, asked), headers=headers
            )
        if answer.status_code not in (200, 201):
            return Response(answer.content, answer.status_code)
        checkout = self._old(answer.json())
        self.bend(checkout)
        told = JSONResponse(checkout, answer.status_code)
        path = re.sub(r"^/checkout-sessions/[^/]+", "/checkout-sessions/*", request.url.path)
        operation = f"{request.method} {path}"
        if body and not path.endswith("/cancel"):
            self.said.append((f"{operation} asks", body))
        self.said.append((f"{operation} answers", bytes(told.body)))
        return told

    @staticmethod
    def _new(request: Request, asked: Json) -> bytes:
        if request.url.path.endswith("/complete"):
            asked = {"payment": {"instruments": [asked["payment_data"]]}}
        return b"" if request.method == "GET" else json.dumps(asked).encode()

    def _old(self, checkout: Json) -> Json:
        checkout["ucp"] = {
            "version": OLD,
            "capabilities": [{"name": "dev.ucp.shopping.checkout", "version": OLD}],
        }
        checkout["payment"] = {"handlers": self._handlers(), "instruments": []}
        for line in checkout["line_items"]:
            line.pop("modifiers", None)
            line.pop("note", None)
        discount = self.inside.discount
        if discount:
            totals = checkout["totals"]
            totals.insert(1, {"type": "discount", "amount": discount})
            totals[-1]["amount"] -= discount
        return checkout

    def webhook(self, order: Json, **more: Any) -> tuple[dict[str, str], bytes]:
        """An order event of that version: no currency, amounts without a sign."""
        told = {**order, "ucp": {"version": OLD, "capabilities": []}, **more}
        told.pop("currency", None)
        told["line_items"] = [
            {
                **line,
                "quantity": {"total": line["quantity"]["total"], "fulfilled": 0},
                "totals": [{"type": "total", "amount": line["item"]["price"]}],
                "status": "processing",
            }
            for line in order["line_items"]
        ]
        body = json.dumps({**told, "event_id": "e1", "created_time": "2026-01-11T10:00:00Z"})
        self.said.append(("webhook", body.encode()))
        signature = detached.sign(body.encode(), self.inside.key)
        return {"Request-Signature": signature}, body.encode()


def encoded(body: bytes, shop: OlderShop) -> str:
    """The same signature in the form that encodes the payload first."""
    head = base64.urlsafe_b64encode(
        json.dumps({"alg": "ES256", "kid": shop.inside.key.kid}).encode()
    ).rstrip(b"=")
    payload = base64.urlsafe_b64encode(body).rstrip(b"=")
    signed = shop.inside.key.sign(head + b"." + payload)
    return f"{head.decode()}..{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}"
