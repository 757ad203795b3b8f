"""The HTTP face: sign-in, the lab's pages, a JSON API, the UCP profile, webhooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from lapel.web.api import Api
from lapel.web.consent import ConsentApi
from lapel.web.gate import COOKIE, Gate
from lapel.web.merchants import MerchantsApi
from lapel.web.webhooks import Webhooks

STATIC = Path(__file__).parent / "static"
FAMILIES = frozenset({"glasses", "ring", "earbuds", "pendant", "phone"})
_SIGN_IN = (
    "Sign in with the link that Lapel printed when it started (`lapel link` prints it again).\n"
)

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(
    gate: Gate,
    api: Api,
    consent: ConsentApi,
    merchants: MerchantsApi,
    webhooks: Webhooks,
    devices: WebSocketRoute,
    more: Sequence[BaseRoute] = (),
) -> list[BaseRoute]:
    """Every route of the gateway; `more` are those of the verticals."""

    def page(name: str) -> Endpoint:
        """A page for signed-in users; the printed link, which holds the token, signs in."""

        async def endpoint(request: Request) -> Response:
            token = request.query_params.get("token")
            if token is not None:
                return await _sign_in(gate, request, token)
            if await gate.user(request) is None:
                return PlainTextResponse(_SIGN_IN, 401)
            return FileResponse(STATIC / name)

        return endpoint

    async def device(request: Request) -> Response:
        token = request.query_params.get("token")
        if token is not None:
            return await _sign_in(gate, request, token)
        if request.path_params["family"] not in FAMILIES:
            return PlainTextResponse(f"no such device; there are {sorted(FAMILIES)}\n", 404)
        # Without sign-in too: a device elsewhere pairs by a code, and the page holds nothing.
        return FileResponse(STATIC / "device.html")

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return [
        Route("/", page("lab.html")),
        Route("/console", page("console.html")),
        Route("/d/{family}", device),
        Route("/health", health),
        Mount("/static", StaticFiles(directory=STATIC)),
        devices,
        *api.routes(),
        *consent.routes(),
        *merchants.routes(),
        *more,
        *webhooks.routes(),
    ]


async def _sign_in(gate: Gate, request: Request, token: str) -> Response:
    """Keep the token in a cookie and out of the address bar."""
    if await gate.user_of(token) is None:
        return PlainTextResponse(f"This sign-in link is not valid any more. {_SIGN_IN}", 401)
    answer = RedirectResponse(request.url.path, 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=30 * 24 * 3600,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer
