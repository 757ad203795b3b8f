"""The hostile merchant, speaking ACP: what is done to its checkouts is said in ACP's words."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.commerce.checkout import DraftLine
from services.hostile import LATTE, MUFFIN, Hostile, Json

VERSION = "2026-04-17"
SECRET = "s" * 32
STATUS = {
    "incomplete": "not_ready_for_payment",
    "ready_for_complete": "ready_for_payment",
}


class HostileSeller(Hostile):
    """Every bend of `hostile_cases` works here, too: it is translated as it leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.sign_answers = False
        self.prices[LATTE] = 570
        self.asked: dict[str, Json] = {}
        self.wanted = (DraftLine(LATTE, "Latte", 2), DraftLine(MUFFIN, "Blueberry muffin", 1))
        self.feed_url = ""

    def app(self) -> Starlette:
        inner = super().app()
        return Starlette(
            routes=[
                Route("/.well-known/ucp", self._no_ucp),
                Route("/.well-known/acp.json", self._discovery),
                Route("/enrolments", self._enrol, methods=["POST"]),
                Route("/feed", self._feed),
                Route("/checkout_sessions", self._begin, methods=["POST"]),
                Route("/checkout_sessions/{id}", self._get, methods=["GET"]),
                Route("/checkout_sessions/{id}", self._change, methods=["POST"]),
                Route("/checkout_sessions/{id}/complete", self._pay, methods=["POST"]),
                Route("/checkout_sessions/{id}/cancel", self._cancel, methods=["POST"]),
                *inner.routes,
            ]
        )

    async def _no_ucp(self, _: Request) -> Response:
        return Response(status_code=404)

    async def _discovery(self, _: Request) -> Response:
        document: Json = {
            "protocol": {"name": "acp", "version": VERSION, "supported_versions": [VERSION]},
            "api_base_url": self.origin,
            "transports": ["rest"],
            "capabilities": {
                "services": ["checkout", "orders"],
                "extensions": [{"name": "dev.lapel.enrolment"}],
            },
        }
        self.bend_profile(document)
        return JSONResponse(document)

    async def _enrol(self, request: Request) -> Response:
        await self._note(request)
        feed = self.feed_url or f"{self.origin}/feed"
        given = {"token": "t_1", "secret": SECRET, "feed_url": feed, "name": "Hostile Café"}
        return JSONResponse({**given, "currency": "EUR"}, 201)

    async def _feed(self, request: Request) -> Response:
        await self._note(request)
        return JSONResponse({"products": self.products})

    async def _begin(self, request: Request) -> Response:
        async def make(body: Json) -> Json:
            id = f"chk_{len(self.checkouts) + 1}"
            return self._now(id, body)

        return await self._write(request, make, 201)

    async def _change(self, request: Request) -> Response:
        async def change(body: Json) -> Json:
            return self._now(str(request.path_params["id"]), body)

        return await self._write(request, change)

    async def _pay(self, request: Request) -> Response:
        async def pay(body: Json) -> Json:
            token = body["payment_data"]["instrument"]["credential"]["token"]
            checkout = self.checkouts[request.path_params["id"]]
            order_id = f"ord_{len(self.orders) + 1}"
            self.orders[order_id] = checkout
            for held in self.authorizations.values():
                if held["token"] == token:
                    held["state"] = "captured"
            checkout["status"] = "completed"
            checkout["order"] = {"id": order_id, "permalink_url": f"{self.origin}/o/{order_id}"}
            return checkout

        return await self._write(request, pay)

    def _now(self, id: str, body: Json) -> Json:
        """The whole cart after a request that changes some of it."""
        asked = self.asked.setdefault(id, {"line_items": [], "method": {"destinations": []}})
        if "line_items" in body:
            asked["line_items"] = [
                {"item": {"id": x["id"]}, "quantity": x.get("quantity", 1)}
                for x in body["line_items"]
            ]
        if "fulfillment_details" in body:
            place = body["fulfillment_details"]["address"]
            asked["method"]["destinations"] = [
                {
                    "street_address": place["line_one"],
                    "address_locality": place["city"],
                    "postal_code": place["postal_code"],
                    "address_country": place["country"],
                }
            ]
        for chosen in body.get("selected_fulfillment_options", []):
            asked["method"]["groups"] = [{"selected_option_id": chosen["option_id"]}]
        whole = {
            "line_items": asked["line_items"],
            "fulfillment": {"methods": [asked["method"]]},
        }
        self.checkouts[id] = self._priced(id, whole)
        return self.checkouts[id]

    def body_of(self, checkout: Json) -> bytes:
        return json.dumps(session(checkout)).encode()

    def event(self, order: Json, *, at: int, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
        """Headers and body of an order event."""
        body = json.dumps({"type": "order_update", "data": order}).encode()
        made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
        return {"Merchant-Signature": f"t={at},v1={made.hexdigest()}"}, body

    def acp_order(self, order_id: str, kind: str, **more: Any) -> Json:
        checkout = self.orders[order_id]
        happened = {"id": f"evt_{kind}", "type": kind, "occurred_at": "2026-11-24T12:00:00Z"}
        return {
            "type": "order",
            "id": order_id,
            "checkout_session_id": checkout["id"],
            "permalink_url": f"{self.origin}/o/{order_id}",
            "status": "shipped",
            "fulfillments": [{"id": "f_1", "type": "shipping", "events": [happened]}],
            "totals": session(checkout)["totals"],
            **more,
        }


def session(checkout: Json) -> Json:
    """Loose: what a test has bent stays bent."""
    method = checkout["fulfillment"]["methods"][0]
    group = method["groups"][0] if method.get("groups") else {"options": []}
    items = [x["item"]["id"] for x in checkout["line_items"]]
    shown: Json = {
        "id": checkout["id"],
        "protocol": {"version": VERSION},
        "capabilities": {"payment": {"handlers": _handlers(checkout)}},
        "status": STATUS.get(checkout["status"], checkout["status"]),
        "currency": checkout["currency"].lower(),
        "line_items": [
            {
                "id": x["id"],
                "item": {"id": x["item"]["id"]},
                "name": x["item"]["title"],
                "quantity": x["quantity"],
                "unit_amount": x["item"]["price"],
                "totals": [_total(y) for y in x["totals"]],
            }
            for x in checkout["line_items"]
        ],
        "totals": [_total(x) for x in checkout["totals"]],
        "fulfillment_options": [
            {
                "type": "shipping",
                "id": x["id"],
                "title": x["title"],
                "description": x["description"],
                "totals": [_total(y) for y in x["totals"]],
            }
            for x in group["options"]
        ],
        "messages": checkout.get("messages", []),
        "links": [],
        "expires_at": "2036-01-01T00:00:00Z",
        "continue_url": checkout.get("continue_url", ""),
    }
    for place in method["destinations"]:
        shown["fulfillment_details"] = {
            "address": {
                "name": "Customer",
                "line_one": place["street_address"],
                "city": place["address_locality"],
                "state": "",
                "country": place["address_country"],
                "postal_code": place["postal_code"],
            }
        }
    if group.get("selected_option_id"):
        chosen = {"type": "shipping", "option_id": group["selected_option_id"], "item_ids": items}
        shown["selected_fulfillment_options"] = [chosen]
    if "order" in checkout:
        shown["order"] = {**checkout["order"], "checkout_session_id": checkout["id"]}
    return shown


def _total(entry: Json) -> Json:
    amount = entry["amount"]
    if entry["type"] == "discount" and isinstance(amount, int):
        amount = -amount
    return {"type": entry["type"], "display_text": entry["type"], "amount": amount}


def _handlers(checkout: Json) -> list[Json]:
    return [
        {"id": entry["id"], "name": name, "config": entry["config"]}
        for name, entries in checkout["ucp"].get("payment_handlers", {}).items()
        for entry in entries
    ]
