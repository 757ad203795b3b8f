"""One HTTP exchange with a party that is not trusted: bounded in time and size, no redirects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec

from lapel.commerce.ports import Nonsense, Unreachable
from lapel.services.resolving import JudgingTransport, Resolve, system_resolve
from lapel.services.urls import origin_of

TIMEOUT_S = 10.0
BODY_LIMIT = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are in lower case; `body` is what was sent, undecoded."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def open_http(resolve: Resolve = system_resolve) -> httpx.AsyncClient:
    """The client that services share: no proxies, no redirects, no names that lead inside."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
    return httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=TIMEOUT_S,
        transport=JudgingTransport(limits, resolve),
    )


async def fetch(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    timeout_s: float = TIMEOUT_S,
    limit: int = BODY_LIMIT,
) -> Answer:
    """Send, and read at most `limit` bytes within `timeout_s` in all.

    Unreachable when there is no answer; Nonsense for a redirect, a compressed or an oversized body.
    """
    sent = {"accept": "application/json", "accept-encoding": "identity", **(headers or {})}
    try:
        async with (
            asyncio.timeout(timeout_s),
            http.stream(method, url, headers=sent, content=content, follow_redirects=False) as got,
        ):
            if got.is_redirect:
                raise Nonsense(
                    f"{origin_of(url)!r} answers with a redirect, which is not followed",
                    code="redirected",
                )
            body = await _read(got, url, limit)
            return Answer(url, got.status_code, dict(got.headers.items()), body)
    except TimeoutError as error:
        raise Unreachable(f"{origin_of(url)!r} did not answer within {timeout_s:g} s") from error
    except (httpx.TransportError, httpx.StreamError) as error:
        raise Unreachable(
            f"{origin_of(url)!r} cannot be reached: {type(error).__name__}"
        ) from error
    except httpx.InvalidURL as error:
        raise Nonsense(f"will not call {url[:200]!r}: {error}", code="unsafe_url") from error


def decode(body: bytes, shape: type[T], whose: str) -> T:
    """The JSON body in its wire shape; Nonsense when it has another.

    A name that comes twice in one object is Nonsense, too: which of the two counts would be a
    matter of taste, and somebody else who reads the same signed bytes may have another.
    """
    try:
        found = msgspec.json.decode(body, type=shape)
        json.loads(body, object_pairs_hook=_once)
        return found
    except (msgspec.DecodeError, ValueError) as error:
        raise Nonsense(f"{whose!r} answered with JSON of another shape: {error}") from error
    except RecursionError as error:
        raise Nonsense(f"{whose!r} answered with JSON nested too deeply") from error


def _once(pairs: list[tuple[str, object]]) -> None:
    """Names are counted, values are not kept: this pass only looks."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("an object has the same name twice")


async def _read(got: httpx.Response, url: str, limit: int) -> bytes:
    if got.headers.get("content-encoding", "identity") != "identity":
        raise Nonsense(f"{origin_of(url)!r} compressed its answer although it was asked not to")
    body = bytearray()
    async for chunk in got.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise Nonsense(f"{origin_of(url)!r} answered with more than {limit} bytes")
    return bytes(body)
