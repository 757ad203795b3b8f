"""One ACP call to one merchant, asked for and answered in UCP's terms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.services.connectors.acp import asking, sessions
from lapel.services.connectors.acp.access import Access, Accesses
from lapel.services.connectors.acp.feed import read_feed
from lapel.services.connectors.acp.profile import VERSION
from lapel.services.connectors.acp.wire import Cart, Complaint, Session
from lapel.services.connectors.ucp.client import idempotency_key
from lapel.services.connectors.ucp.refusals import CODES, plain, words_of
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.fetch import TIMEOUT_S, Answer, decode, fetch

T = TypeVar("T")

SessionOf = Callable[[str, str], Awaitable[str | None]]
"""(merchant id, order id) -> the session that became this order, from the record."""

_NO_ANSWER = frozenset({408, 425, 429})
_SESSIONS, _CARTS = "/checkout_sessions", "/carts"


class AcpClient:
    """Takes UCP's paths and bodies, so that what stands on UCP need not know that this is ACP.

    ACP has no order of its own to read: it stands in the session that it came from.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        accesses: Accesses,
        session_of: SessionOf,
        *,
        clock: Callable[[], float],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._http = http
        self._accesses = accesses
        self._session_of = session_of
        self._clock = clock
        self._timeout_s = timeout_s

    def signs(self, merchant_id: str) -> bool:
        """Never: ACP signs requests and order events, no answers."""
        return False

    async def read(self, merchant: Merchant, path: str, shape: type[T]) -> T:
        """GET a checkout or an order, by UCP's path."""
        access = await self._accesses.get(merchant)
        first, id, *_ = [*path.strip("/").split("/"), ""]
        if first == "checkout-sessions":
            session = await self._session(merchant, access, "GET", f"{_SESSIONS}/{id}")
            return _decoded(sessions.checkout(session, pricing=False), shape, merchant)
        if first != "orders":
            raise Refused(f"{merchant.name} cannot be asked that over ACP.", code="not_offered")
        return _decoded(await self._order(merchant, access, id), shape, merchant)

    async def write(
        self, merchant: Merchant, method: str, path: str, body: object, key: str, shape: type[T]
    ) -> T:
        """Create, change, complete or cancel a checkout, or read the catalogue, by UCP's path."""
        access = await self._accesses.get(merchant)
        if path == "/catalog/search":
            return _decoded(await read_feed(self._http, merchant, access), shape, merchant)
        first, id, what, *_ = [*path.strip("/").split("/"), "", ""]
        if first == "carts":
            where = f"{_CARTS}/{id}/{what}".rstrip("/")
            kept = await self._cart(merchant, access, method, where, body, key)
            return _decoded(kept, shape, merchant)
        if first != "checkout-sessions":
            raise Refused(f"{merchant.name} cannot be asked that over ACP.", code="not_offered")
        if not id:
            return await self._priced(merchant, access, "", asking.create(body, access), key, shape)
        if method == "PUT":
            return await self._priced(merchant, access, id, asking.update(body), key, shape)
        if what == "cancel":
            session = await self._canceled(merchant, access, id, key)
        else:
            session = await self._session(
                merchant, access, "POST", f"{_SESSIONS}/{id}/{what}", asking.complete(body), key
            )
        return _decoded(sessions.checkout(session, pricing=False), shape, merchant)

    async def _priced(
        self, merchant: Merchant, access: Access, id: str, body: object, key: str, shape: type[T]
    ) -> T:
        path = f"{_SESSIONS}/{id}".rstrip("/")
        session = await self._session(merchant, access, "POST", path, body, key)
        return _decoded(sessions.checkout(session, pricing=True), shape, merchant)

    async def _cart(
        self, merchant: Merchant, access: Access, method: str, path: str, body: object, key: str
    ) -> sessions.Json:
        """Make, replace or cancel a cart; one that is not there is said to be none."""
        asked = {} if path.endswith("/cancel") else asking.cart(body)
        try:
            found = await self._call(merchant, access, method, path, Cart, asked, key)
        except Refused as error:
            if error.code not in ("not_found", "sold_out", "unknown_item"):
                raise
            return sessions.no_cart()
        return sessions.cart(found)

    async def _canceled(self, merchant: Merchant, access: Access, id: str, key: str) -> Session:
        """405 says that it is over already, one way or the other: which, the session tells."""
        path = f"{_SESSIONS}/{id}"
        try:
            return await self._session(merchant, access, "POST", f"{path}/cancel", {}, key)
        except Refused as error:
            if error.code != "method_not_allowed":
                raise
        return await self._session(merchant, access, "GET", path)

    async def _order(self, merchant: Merchant, access: Access, id: str) -> sessions.Json:
        session_id = await self._session_of(merchant.id, id)
        if session_id is None:
            raise Refused(f"{merchant.name} does not know that any more.", code="not_found")
        path = f"{_SESSIONS}/{quote(session_id, safe='')}"
        session = await self._session(merchant, access, "GET", path)
        found = session.order
        if found is None or found.checkout_session_id != session.id:
            raise Nonsense(f"{merchant.name!r} shows no order in the session {session_id!r}")
        totals = found.totals or session.totals
        return sessions.order(found, totals, session.currency)

    async def _session(
        self,
        merchant: Merchant,
        access: Access,
        method: str,
        path: str,
        body: object = None,
        key: str = "",
    ) -> Session:
        return await self._call(merchant, access, method, path, Session, body, key)

    async def _call(
        self,
        merchant: Merchant,
        access: Access,
        method: str,
        path: str,
        shape: type[T],
        body: object = None,
        key: str = "",
    ) -> T:
        content = None if method == "GET" else asking.canonical(body)
        headers = self._headers(access, content or b"")
        if content is not None:
            headers["Content-Type"] = "application/json"
            headers["Idempotency-Key"] = idempotency_key(merchant.id, key)
        answer = await fetch(
            self._http,
            method,
            merchant.profile.endpoint + path,
            headers=headers,
            content=content,
            timeout_s=self._timeout_s,
        )
        _raise_for_status(answer, merchant)
        return decode(answer.body, shape, merchant.name)

    def _headers(self, access: Access, content: bytes) -> dict[str, str]:
        stamp = datetime.fromtimestamp(int(self._clock()), UTC).isoformat().replace("+00:00", "Z")
        headers = {
            "Authorization": f"Bearer {access.token}",
            "API-Version": VERSION,
            "Accept-Language": "en",
            "User-Agent": "Lapel",
            "Request-Id": str(uuid.uuid4()),
            "Timestamp": stamp,
        }
        if access.secret:
            headers["Signature"] = signature(access.secret, stamp, content)
        return headers


def signature(secret: str, stamp: str, content: bytes) -> str:
    """`Signature`: base64url of HMAC-SHA-256 over the timestamp, a dot and the canonical body."""
    made = hmac.new(secret.encode(), stamp.encode() + b"." + content, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _decoded(document: sessions.Json, shape: type[T], merchant: Merchant) -> T:
    return decode(msgspec.json.encode(document), shape, merchant.name)


def _raise_for_status(answer: Answer, merchant: Merchant) -> None:
    status = answer.status
    if status in (200, 201):
        return
    try:
        said = decode(answer.body, Complaint, merchant.name)
    except Nonsense:
        said = Complaint()
    if status >= 500 or status in _NO_ANSWER or said.code == "idempotency_in_flight":
        raise Unreachable(f"{merchant.name!r} answers {status}; its effect is unknown")
    if said.code == "idempotency_conflict":
        raise Nonsense(
            f"{merchant.name!r} knows this key with other words", code="idempotency_conflict"
        )
    if not 400 <= status < 500:
        raise Nonsense(f"{merchant.name!r} answers {status}, which ACP does not use")
    if status in (401, 403):
        raise Refused(f"{merchant.name} does not accept orders from here", code="unauthorized")
    if status == 404:
        raise Refused(f"{merchant.name} does not know that any more", code="not_found")
    if status == 405:
        raise Refused(f"{merchant.name} does not do that any more", code="method_not_allowed")
    code = CODES.get(sessions.code_of(said.code, said.param))
    if code is not None:
        words = words_of(code, merchant.name, "something in the order")
        raise Refused(words, code=code)
    raise Refused(f"{merchant.name} says: “{plain(said.message)}”", code="not_understood")
