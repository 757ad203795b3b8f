"""The JSON API of console and command line. What is refused has `error.code` and words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.assistant import House, PlaceError, SavedPlaces
from lapel.assistant.compose import cart_lines
from lapel.commerce import Address, Books, Order, Orders, PortError
from lapel.devices import Device, DeviceError, Link, Links, Pairing, StoredAccounts
from lapel.services import Food, access_from
from lapel.store import Store
from lapel.turns import Stages
from lapel.web.gate import Gate, TooLarge, body_of, refused
from lapel.web.ledger import LedgerApi

T = TypeVar("T")
LARGEST = 1 << 16
Answer = dict[str, Any]
Signed = Callable[[Request, str], Awaitable[Response]]


class _Code(msgspec.Struct):
    code: str


class _Shop(msgspec.Struct):
    """The rest is for sellers that speak ACP and give their keys out by hand."""

    url: str
    key: str = ""
    secret: str = ""
    feed: str = ""
    name: str = ""
    currency: str = "EUR"


class _Place(msgspec.Struct):
    street: str
    city: str
    latitude: float
    longitude: float
    postal_code: str = ""
    country: str = "FI"
    instructions: str = ""
    aliases: tuple[str, ...] = ()
    default: bool = False


class Api:
    """All under /api/; every route needs a signed-in user and shows that user's things only."""

    def __init__(
        self,
        gate: Gate,
        accounts: StoredAccounts,
        pairing: Pairing,
        links: Links,
        orders: Orders,
        food: Food,
        house: House,
        store: Store,
        books: Books,
        *,
        speech: bool,
    ) -> None:
        self._gate = gate
        self._accounts = accounts
        self._pairing = pairing
        self._links = links
        self._orders = orders
        self._food = food
        self._house = house
        self._store = store
        self._ledger = LedgerApi(books)
        self._speech = speech

    def routes(self) -> list[Route]:
        return [
            self._route("/api/session", self._session),
            self._route("/api/orders", self._list_orders),
            self._route("/api/orders/{order}/receipt", self._receipt),
            self._route("/api/receipts", self._receipts),
            self._route("/api/ledger", self._ledger.show),
            self._route("/api/ledger/check", self._ledger.check),
            self._route("/api/devices", self._devices),
            self._route("/api/devices/pair", self._pair, "POST"),
            self._route("/api/devices/enter", self._enter, "POST"),
            self._route("/api/devices/{device}", self._revoke, "DELETE"),
            self._route("/api/addresses", self._addresses),
            self._route("/api/addresses/{label}", self._save_address, "PUT"),
            self._route("/api/addresses/{label}", self._remove_address, "DELETE"),
            self._route("/api/menus", self._menus),
            self._route("/api/merchants", self._add_merchant, "POST"),
            self._route("/api/turns", self._turns),
        ]

    def route(self, path: str, signed: Signed, method: str = "GET") -> Route:
        """A route that only a signed-in user reaches, with the errors of all others."""
        return self._route(path, signed, method)

    def _route(self, path: str, signed: Signed, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            user_id = await self._gate.user(request)
            if user_id is None:
                return refused("sign in first", "unauthorized", 401)
            try:
                return await signed(request, user_id)
            except TooLarge:
                return refused("the request is too large", "too_large", 413)
            except msgspec.ValidationError as error:
                return refused(f"that is not what is wanted here: {error}", "bad_request", 400)
            except (msgspec.DecodeError, RecursionError) as error:
                return refused(f"that is not JSON: {error}", "bad_json", 400)

        return Route(path, endpoint, methods=[method])

    async def _session(self, request: Request, user_id: str) -> Response:
        users = {user.id: user.name for user in await self._accounts.users()}
        return JSONResponse(
            {
                "token": self._gate.token(request),
                "user": {"id": user_id, "name": users.get(user_id, "")},
                "speech": self._speech,
                "merchants": len(await self._food.menus()),
            },
            headers={"cache-control": "no-store"},
        )

    async def _list_orders(self, _: Request, user_id: str) -> Response:
        orders = await self._orders.list(user_id, limit=50)
        return JSONResponse([await self._order(order) for order in orders])

    async def _order(self, order: Order) -> Answer:
        events = await self._orders.history(order.id)
        return {
            "id": order.id,
            "merchant_name": order.merchant_name,
            "state": order.state.value,
            "total": str(order.total) if order.total else None,
            "created_at": order.created_at,
            "address": order.draft.address.label,
            "pickup_at": order.draft.trip.pickup_at if order.draft.trip else "",
            "merchant_order_id": order.merchant_order_id,
            "lines": [{"text": line.text, "value": line.value} for line in cart_lines(order)],
            "events": [
                {"kind": event.kind, "text": event.text, "at": event.at} for event in events
            ],
            "receipt": order.receipt is not None,
        }

    async def _receipt(self, request: Request, user_id: str) -> Response:
        order = await self._orders.get(request.path_params["order"])
        if order is None or order.user_id != user_id or order.receipt is None:
            return refused("there is no such receipt", "not_found", 404)
        name = f"receipt-{order.id}.json"
        return Response(
            order.receipt,
            media_type="application/json",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    async def _receipts(self, _: Request, user_id: str) -> Response:
        return Response(
            await self._orders.statement(user_id),
            media_type="application/x-ndjson",
            headers={"content-disposition": 'attachment; filename="receipts.jsonl"'},
        )

    async def _devices(self, _: Request, user_id: str) -> Response:
        links = {link.device_id: link for link in self._links.of_user(user_id)}
        shown = [
            _device(device, links.pop(device.id, None))
            for device in await self._pairing.devices(user_id)
            if device.revoked_at is None
        ]
        return JSONResponse(shown + [_passing(link) for link in links.values()])

    async def _pair(self, _: Request, user_id: str) -> Response:
        issued = self._pairing.issue_code(user_id)
        return JSONResponse({"code": issued.code, "expires_s": issued.expires_s})

    async def _enter(self, request: Request, user_id: str) -> Response:
        entered = await _read(request, _Code)
        try:
            device = await self._pairing.enter_code(user_id, entered.code.strip())
        except DeviceError as error:
            return refused(str(error), error.code, 400)
        return JSONResponse({"device": _device(device, None)})

    async def _revoke(self, request: Request, user_id: str) -> Response:
        device = await self._pairing.device(request.path_params["device"])
        if device is None or device.user_id != user_id:
            return refused("you have no such device", "not_found", 404)
        await self._pairing.revoke(device.id)
        return Response(status_code=204)

    async def _addresses(self, _: Request, user_id: str) -> Response:
        saved = await SavedPlaces(self._store, user_id).all()
        return JSONResponse(
            [
                msgspec.to_builtins(address) | {"default": default, "aliases": aliases}
                for address, aliases, default in saved
            ]
        )

    async def _save_address(self, request: Request, user_id: str) -> Response:
        place = await _read(request, _Place)
        address = Address(
            label=request.path_params["label"],
            street=place.street,
            city=place.city,
            postal_code=place.postal_code,
            country=place.country,
            latitude=place.latitude,
            longitude=place.longitude,
            instructions=place.instructions,
        )
        try:
            await SavedPlaces(self._store, user_id).save(
                address, aliases=place.aliases, default=place.default
            )
        except PlaceError as error:
            return refused(str(error), error.code, 400)
        return JSONResponse(msgspec.to_builtins(address) | {"default": place.default})

    async def _remove_address(self, request: Request, user_id: str) -> Response:
        if not await SavedPlaces(self._store, user_id).remove(request.path_params["label"]):
            return refused("there is no such address", "not_found", 404)
        return Response(status_code=204)

    async def _menus(self, _: Request, user_id: str) -> Response:
        menus = await self._food.menus()
        return JSONResponse(
            [
                {
                    "merchant_id": menu.merchant_id,
                    "merchant_name": menu.merchant_name,
                    "open_now": menu.open_now,
                    "items": [
                        {"title": item.title, "price": str(item.price), "category": item.category}
                        for item in menu.items
                        if item.available
                    ],
                }
                for menu in menus
            ]
        )

    async def _add_merchant(self, request: Request, user_id: str) -> Response:
        wanted = await _read(request, _Shop)
        access = None
        if wanted.key:
            access = access_from(
                wanted.key, wanted.secret, wanted.feed, wanted.name, wanted.currency
            )
        try:
            merchant = await self._food.add_merchant(wanted.url, access)
        except PortError as error:
            return refused(error.text, error.code, 400)
        return JSONResponse({"id": merchant.id, "name": merchant.name})

    async def _turns(self, _: Request, user_id: str) -> Response:
        """The waits of the latest turns, in seconds, cut into their stages."""
        assistant = self._house.assistants.get(user_id)
        ended = [] if assistant is None else list(assistant.timings)
        return JSONResponse(
            [
                {
                    "turn": entry.turn,
                    "outcome": entry.outcome.value,
                    "stages": None
                    if entry.timings.stages is None
                    else _stages(entry.timings.stages),
                }
                for entry in ended
            ]
        )


def _stages(stages: Stages) -> dict[str, float]:
    return {
        "silence_s": stages.silence_s,
        "recognition_s": stages.recognition_s,
        "queue_s": stages.queue_s,
        "interpretation_s": stages.interpretation_s,
        "speech_s": stages.speech_s,
        "total_s": stages.total_s,
    }


def _device(device: Device, link: Link | None) -> Answer:
    return {
        "id": device.id,
        "name": device.profile.name or device.profile.model or device.profile.family.value,
        "family": device.profile.family.value,
        "connected": link is not None and link.connected,
        "on_body": link is not None and link.on_body,
        "last_seen_at": device.last_seen_at,
        "remembered": True,
    }


def _passing(link: Link) -> Answer:
    """A device that is forgotten when it leaves."""
    return {
        "id": link.device_id,
        "name": link.profile.name or link.profile.family.value,
        "family": link.profile.family.value,
        "connected": link.connected,
        "on_body": link.on_body,
        "last_seen_at": None,
        "remembered": False,
    }


async def _read(request: Request, shape: type[T]) -> T:
    return msgspec.json.decode(await body_of(request, LARGEST), type=shape)
