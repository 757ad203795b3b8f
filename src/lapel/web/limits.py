"""The JSON API of standing limits: list, ask for one, look at its mandates, revoke.

Nothing here allows a purchase: asking for a limit only brings its question to the user's screens.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.assistant import Teller, goods_called, limit_question, shop_called
from lapel.commerce import (
    CEILING_KINDS,
    Ceiling,
    CeilingKind,
    Ceilings,
    LimitError,
    LimitNow,
    LimitState,
    LimitTerms,
    Money,
    Party,
    Passkeys,
    Period,
    Standing,
    StandingLimit,
)
from lapel.web.api import LARGEST, Answer, Api
from lapel.web.gate import body_of, refused

DAYS = 90


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """Amounts in minor units; `shops` by name or id, none for any that was paid before.

    `goods` by title, of what was bought before at the one shop; none for anything.
    """

    most_minor: int
    budget_minor: int
    period: Period = "week"
    shops: tuple[str, ...] = ()
    currency: str = "EUR"
    purchases: int = 0
    days: int = DAYS
    goods: tuple[str, ...] = ()


class _Most(msgspec.Struct, forbid_unknown_fields=True):
    minor: int
    currency: str = "EUR"


class LimitsApi:
    """Only a signed-in session reaches this; what it asks for is agreed to on a device."""

    def __init__(
        self,
        api: Api,
        standing: Standing,
        ceilings: Ceilings,
        passkeys: Passkeys,
        shops: Callable[[], Awaitable[Sequence[Party]]],
        teller: Teller,
    ) -> None:
        self._api = api
        self._standing = standing
        self._own = ceilings
        self._passkeys = passkeys
        self._shops = shops
        self._teller = teller

    def routes(self) -> list[Route]:
        route = self._api.route
        return [
            route("/api/limits", self._ceilings),
            route("/api/limits/{kind}", self._set_ceiling, "PUT"),
            route("/api/mandates", self._list),
            route("/api/mandates", self._ask, "POST"),
            route("/api/mandates/{limit}", self._show),
            route("/api/mandates/{limit}", self._revoke, "DELETE"),
        ]

    async def _ceilings(self, _: Request, user_id: str) -> Response:
        return JSONResponse([_ceiling(each) for each in await self._own.of(user_id)])

    async def _set_ceiling(self, request: Request, user_id: str) -> Response:
        """The most that one purchase may cost: it is asked about all the same."""
        wanted = msgspec.json.decode(await body_of(request, LARGEST), type=_Most)
        named: dict[str, CeilingKind] = {each: each for each in CEILING_KINDS}
        kind = named.get(request.path_params["kind"])
        if kind is None:
            return refused(f"a limit is for one of: {', '.join(CEILING_KINDS)}", "bad_terms", 400)
        try:
            await self._own.set(user_id, kind, Money(wanted.minor, wanted.currency))
        except LimitError as error:
            return refused(error.text, error.code, 400)
        except ValueError as error:
            return refused(str(error), "bad_request", 400)
        return await self._ceilings(request, user_id)

    async def _list(self, _: Request, user_id: str) -> Response:
        asked = await self._standing.asked(user_id)
        live = await self._standing.live(user_id)
        return JSONResponse([*(_row(limit) for limit in asked), *(_live(now) for now in live)])

    async def _ask(self, request: Request, user_id: str) -> Response:
        wanted = msgspec.json.decode(await body_of(request, LARGEST), type=_Wanted)
        known = await self._shops()
        chosen = [(name, shop_called(name, known)) for name in wanted.shops]
        shops = [shop for _, shop in chosen if shop is not None]
        if len(shops) < len(chosen):
            unknown = next(name for name, shop in chosen if shop is None)
            return refused(f"there is no shop {unknown!r}", "unknown_merchant", 400)
        bought = await self._standing.bought(user_id, shops) if wanted.goods else []
        items, unknown_goods = goods_called(wanted.goods, bought)
        if unknown_goods:
            return refused(f"{unknown_goods!r} was not bought there before", "bad_terms", 400)
        now = time.time()
        terms = LimitTerms(
            currency=wanted.currency,
            most_minor=wanted.most_minor,
            budget_minor=wanted.budget_minor,
            period=wanted.period,
            valid_until=int(now) + wanted.days * 86400,
            merchants=tuple(shops),
            purchases=wanted.purchases,
            items=tuple(items),
        )
        try:
            limit = await self._standing.propose(user_id, terms)
        except LimitError as error:
            return refused(error.text, error.code, 400)
        passkey = bool(await self._passkeys.of(user_id))
        await self._teller.tell(user_id, [limit_question(limit, now=now, passkey=passkey)])
        return JSONResponse(_row(limit), 201)

    async def _show(self, request: Request, user_id: str) -> Response:
        limit = await self._standing.get(request.path_params["limit"])
        if limit is None or limit.user_id != user_id:
            return refused("there is no such limit", "not_found", 404)
        found = _row(limit)
        found["mandates"] = msgspec.to_builtins(limit.mandates)
        found["evidence"] = msgspec.to_builtins(limit.evidence)
        return JSONResponse(found)

    async def _revoke(self, request: Request, user_id: str) -> Response:
        try:
            await self._standing.revoke(user_id, request.path_params["limit"])
        except LimitError as error:
            return refused(error.text, "not_found", 404)
        return Response(status_code=204)


def _ceiling(each: Ceiling) -> Answer:
    return {
        "kind": each.kind,
        "currency": each.most.currency,
        "minor": each.most.minor,
        "text": str(each.most),
        "own": each.own,
    }


def _row(limit: StandingLimit) -> Answer:
    terms = limit.terms
    return {
        "id": limit.id,
        "state": limit.state.value,
        "shops": [{"id": shop.id, "name": shop.name} for shop in terms.merchants],
        "goods": [{"id": item.id, "title": item.title} for item in terms.items],
        "currency": terms.currency,
        "most_minor": terms.most_minor,
        "most": str(terms.most),
        "budget_minor": terms.budget_minor,
        "budget": str(terms.budget),
        "period": terms.period,
        "purchases": terms.purchases,
        "valid_until": terms.valid_until,
        "asked_at": limit.asked_at,
        "expires_at": limit.expires_at if limit.state is LimitState.ASKED else None,
        "decided_at": limit.decided_at,
        "ended_at": limit.ended_at,
        "key_id": limit.key_id,
    }


def _live(now: LimitNow) -> Answer:
    left = now.limit.terms.budget - now.used.amount
    return _row(now.limit) | {
        "stands": now.stands,
        "used_minor": now.used.amount.minor,
        "left": str(left),
        "used_purchases": now.used.purchases,
    }
