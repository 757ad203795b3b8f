"""One signed UCP call to one merchant, and what its HTTP status means."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

import httpx
import msgspec

from lapel.commerce.ports import Nonsense, Refused
from lapel.services.connectors.ucp import detached, older, signatures
from lapel.services.connectors.ucp.feeds import Feeds
from lapel.services.connectors.ucp.keys import SigningKeys
from lapel.services.connectors.ucp.mcp import McpCalls, content_of
from lapel.services.connectors.ucp.profile import MCP, older_url
from lapel.services.connectors.ucp.registry import ASKED_FLOOR_S, Merchant, MerchantRegistry
from lapel.services.connectors.ucp.statuses import raise_for_reasons, raise_for_status
from lapel.services.connectors.ucp.tools import tool_of
from lapel.services.connectors.ucp.versions import OLDER
from lapel.services.errors import SignatureRejected
from lapel.services.fetch import TIMEOUT_S, Answer, decode, fetch
from lapel.services.urls import check

T = TypeVar("T")

_NAMESPACE = uuid.UUID("0d4ff4f6-2f5c-5f0e-9f39-6b8f1a4f7c11")


class Client(Protocol):
    """Calls to merchants by UCP's paths and in UCP's shapes, whatever is spoken underneath."""

    async def read(self, merchant: Merchant, path: str, shape: type[T]) -> T: ...
    async def write(
        self, merchant: Merchant, method: str, path: str, body: object, key: str, shape: type[T]
    ) -> T: ...
    def signs(self, merchant_id: str) -> bool: ...


class UcpClient:
    """Calls merchants in Lapel's name. `profile_url` is where Lapel's own profile can be read."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        registry: MerchantRegistry,
        keys: SigningKeys,
        *,
        profile_url: str,
        clock: Callable[[], float],
        timeout_s: float = TIMEOUT_S,
        feeds: Feeds | None = None,
    ) -> None:
        """`feeds` are the product lists of merchants whose version of UCP has no catalogue."""
        self._http = http
        self._registry = registry
        self._keys = keys
        self._agent = f'profile="{check(profile_url)}"'
        self._older_agent = f'profile="{older_url(profile_url)}"'
        self._feeds = feeds or Feeds(http, {})
        self._tools = McpCalls(profile_url)
        self._clock = clock
        self._timeout_s = timeout_s
        self._signing: set[tuple[str, str]] = set()
        """(merchant id, kind of call) whose answers were signed once, since the start."""

    def signs(self, merchant_id: str) -> bool:
        """Whether this merchant has signed an answer since the start."""
        return any(signer == merchant_id for signer, _ in self._signing)

    async def read(self, merchant: Merchant, path: str, shape: type[T]) -> T:
        """GET `path` under the merchant's endpoint."""
        if merchant.profile.version == OLDER:
            return await self._call_older(merchant, "GET", path, None, "", shape)
        if merchant.profile.transport == MCP:
            return await self._call_tool(merchant, "GET", path, None, "", shape)
        return await self._call(merchant, "GET", path, None, "", shape)

    async def write(
        self, merchant: Merchant, method: str, path: str, body: object, key: str, shape: type[T]
    ) -> T:
        """POST or PUT a JSON `body`. The same `key` always travels as the same UUID."""
        if merchant.profile.version == OLDER:
            return await self._call_older(merchant, method, path, body, key, shape)
        if merchant.profile.transport == MCP:
            return await self._call_tool(merchant, method, path, body, key, shape)
        return await self._call(merchant, method, path, msgspec.json.encode(body), key, shape)

    async def _call(
        self,
        merchant: Merchant,
        method: str,
        path: str,
        body: bytes | None,
        key: str,
        shape: type[T],
    ) -> T:
        url = merchant.profile.endpoint + path
        sent_as = idempotency_key(merchant.id, key) if body is not None else ""
        answer = await self._send(method, url, body, sent_as, {})
        raise_for_status(answer, merchant.name)
        await self._check_signature(merchant, f"{method} {_kind_of(path)}", answer)
        return decode(answer.body, shape, merchant.name)

    async def _call_older(
        self, merchant: Merchant, method: str, path: str, body: object, key: str, shape: type[T]
    ) -> T:
        """The same call of UCP 2026-01-11, asked and answered in today's terms."""
        if path == "/catalog/search":
            return decode(await self._feeds.search(merchant), shape, merchant.name)
        if not path.startswith("/checkout-sessions"):
            raise Refused(f"{merchant.name} cannot be asked that in UCP {OLDER}.", code="not_found")
        content, sent_as = b"", ""
        if method != "GET":
            currency = await self._feeds.currency(merchant)
            content = msgspec.json.encode(older.ask(method, path, body, currency))
            sent_as = idempotency_key(merchant.id, key)
        own = await self._keys.current()
        signed = {
            "UCP-Agent": self._older_agent,
            "Request-Signature": detached.sign(content, own),
        }
        answer = await self._send(
            method, merchant.profile.endpoint + path, content or None, sent_as, signed
        )
        raise_for_reasons(answer, merchant.name)
        raise_for_status(answer, merchant.name)
        return decode(older.checkout_in(answer.body, merchant.name), shape, merchant.name)

    async def _call_tool(
        self, merchant: Merchant, method: str, path: str, body: object, key: str, shape: type[T]
    ) -> T:
        """The same call over MCP, where the merchant offers nothing else."""
        url = merchant.profile.endpoint
        tool = tool_of(method, path, body)
        sent_as = idempotency_key(merchant.id, key) if method != "GET" else ""

        async def send(headers: Mapping[str, str], content: bytes, key: str) -> Answer:
            return await self._send("POST", url, content, key, headers)

        answer = await self._tools.call(url, tool, sent_as, send, merchant.name)
        if answer.status in (200, 201):
            await self._check_signature(merchant, tool.name, answer)
        return content_of(answer, shape, merchant.name)

    async def _send(
        self, method: str, url: str, body: bytes | None, key: str, more: Mapping[str, str]
    ) -> Answer:
        """One exchange, signed with the key of now."""
        headers = {"UCP-Agent": self._agent, "Request-Id": str(uuid.uuid4()), **more}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        request = signatures.Request(method, url, headers, body or b"")
        own = await self._keys.current()
        headers |= signatures.sign(request, own, int(self._clock()))
        return await fetch(
            self._http, method, url, headers=headers, content=body, timeout_s=self._timeout_s
        )

    async def _check_signature(self, merchant: Merchant, call: str, answer: Answer) -> None:
        """A response need not be signed; one that is signed must be signed rightly.

        Who has signed the answers to a kind of call once must go on, so that whoever stands in
        between gains nothing by taking the signature off.
        """
        if not signatures.is_signed(answer.headers):
            if (merchant.id, call) in self._signing:
                raise Nonsense(
                    f"{merchant.name!r} signed such answers before and does not any more",
                    code="signature_missing",
                )
            return
        response = signatures.Response(answer.status, answer.headers, answer.body)
        try:
            try:
                self._verify(response, merchant)
            except SignatureRejected as error:
                if error.code != "key_not_found":
                    raise
                fresh = await self._registry.refresh(merchant.id, ASKED_FLOOR_S)
                self._verify(response, fresh)
        except SignatureRejected as error:
            raise Nonsense(
                f"{merchant.name!r} signed its answer wrongly: {error.text}", code=error.code
            ) from error
        self._signing.add((merchant.id, call))

    def _verify(self, response: signatures.Response, merchant: Merchant) -> None:
        signatures.verify(response, merchant.profile.keys, now_s=self._clock())


def _kind_of(path: str) -> str:
    """The path without its ids: `/checkout-sessions/x/complete` is `checkout-sessions/complete`."""
    first, *rest = path.strip("/").split("/")
    return "/".join([first, *rest[1:]]) if first != "catalog" else path.strip("/")


def idempotency_key(merchant_id: str, key: str) -> str:
    """UCP wants a UUID; this one is the same for the same key, at this merchant only."""
    return str(uuid.uuid5(_NAMESPACE, f"{merchant_id}\n{key}"))
