"""Who is calling: the sign-in token, as a browser's cookie or as a command's bearer."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lapel.failures import FAILURES, Code

COOKIE = "lapel_token"

_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        b"font-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob:; "
        b"worker-src 'self' blob:; "
        b"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"microphone=(self), camera=(self), geolocation=(self)"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Tokens(Protocol):
    """The record of sign-in tokens."""

    async def verify_token(self, token: str) -> str | None: ...


class Gate:
    """Finds the user of a request."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def user_of(self, token: str) -> str | None:
        return await self._tokens.verify_token(token)

    async def user(self, request: Request) -> str | None:
        """The user id, or None. A cookie counts only for requests that come from our own pages."""
        token = self.token(request)
        return None if token is None else await self.user_of(token)

    def token(self, request: Request) -> str | None:
        """The token that the request carries."""
        bearer = request.headers.get("authorization", "")
        if bearer.lower().startswith("bearer "):
            return bearer[7:].strip()
        if request.method not in ("GET", "HEAD") and not _same_origin(request):
            return None
        return request.cookies.get(COOKIE)


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def refused(text: str, code: Code, status: int) -> Response:
    """An error as every answer of the API has it: what happened, what it cost, what can be done."""
    known = FAILURES[code]
    error = {"code": code, "message": text, "cost": known.cost, "remedy": known.remedy}
    return JSONResponse({"error": error}, status)


class SecurityHeaders:
    """Adds the headers that keep a page from running or loading what is not ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        await self._app(scope, receive, guarded)


class TooLarge(Exception):
    """A request with more bytes than it may have."""


async def body_of(request: Request, most: int) -> bytes:
    """The body, read no further than `most` bytes."""
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > most:
            raise TooLarge
    return bytes(found)
