"""The JSON API of merchants: which there are, what one of them can do, and no more of one."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.commerce import PortError
from lapel.services import BankPayments, CheckUp, Food, Merchant
from lapel.web.api import LARGEST, Answer, Api
from lapel.web.gate import body_of, refused


class _Url(msgspec.Struct):
    url: str


class MerchantsApi:
    """`configured` are the URLs of the settings, which are added again at every start."""

    def __init__(
        self, api: Api, food: Food, payments: BankPayments, *, configured: Collection[str]
    ) -> None:
        self._api = api
        self._food = food
        self._payments = payments
        self._configured = frozenset(url.rstrip("/") for url in configured)

    def routes(self) -> list[Route]:
        route = self._api.route
        return [
            route("/api/merchants", self._list),
            route("/api/merchants/check", self._check, "POST"),
            route("/api/merchants/{merchant}", self._remove, "DELETE"),
        ]

    async def _list(self, _: Request, user_id: str) -> Response:
        failures = self._food.failures()
        found: list[Answer] = []
        for merchant in await self._food.merchants():
            failure = failures.get(merchant.id)
            found.append(self._merchant(merchant) | {"trouble": failure.text if failure else None})
        return JSONResponse(found)

    async def _check(self, request: Request, user_id: str) -> Response:
        url = msgspec.json.decode(await body_of(request, LARGEST), type=_Url).url

        async def pays_at(endpoint: str) -> bool:
            return await self._payments.can_pay_at(user_id, endpoint)

        try:
            found = await self._food.check_merchant(url, pays_at)
        except PortError as error:
            return refused(error.text, error.code, 400)
        return JSONResponse(_checked(found))

    async def _remove(self, request: Request, user_id: str) -> Response:
        try:
            merchant = await self._food.remove_merchant(request.path_params["merchant"])
        except PortError as error:
            status = 404 if error.code == "unknown_merchant" else 409
            return refused(error.text, error.code, status)
        return JSONResponse(self._merchant(merchant))

    def _merchant(self, merchant: Merchant) -> Answer:
        return {
            "id": merchant.id,
            "name": merchant.name,
            "url": merchant.url,
            "protocol": merchant.profile.protocol,
            "version": merchant.profile.version,
            "capabilities": sorted(merchant.profile.capabilities),
            "seen_at": merchant.seen_at,
            "configured": merchant.url.rstrip("/") in self._configured,
        }


def _checked(found: CheckUp) -> Answer:
    return {
        "url": found.url,
        "name": found.name,
        "can_buy": found.can_buy,
        "lacks": found.lacks,
        "warns": found.warns,
        "offers_version": found.offers_version,
        "version": found.version,
        "endpoint": found.endpoint,
        "capabilities": [
            {"name": name, "version": version, "spoken": spoken}
            for name, version, spoken in found.capabilities
        ],
        "signing_keys": [msgspec.to_builtins(key) for key in found.keys],
        "signatures": found.signatures,
        "payment_handlers": [msgspec.to_builtins(handler) for handler in found.handlers],
        "products": found.products,
        "kind": found.kind,
        "transport": found.transport,
        "answers": found.answers,
    }
