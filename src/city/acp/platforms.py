"""Agents that have a key to a seller: given to whoever asks, and asked for with every request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from city.acp.vocabulary import PLATFORM, SHARED, VERSION
from city.errors import ProtocolError
from city.store import Transaction
from city.ucp.platforms import Platform, is_safe_url

FRESH_S = 300.0


@dataclass(frozen=True, slots=True)
class Keys:
    """What an enrolled agent and a seller share."""

    token: str
    secret: str


def enrol(tx: Transaction, slug: str, name: str, webhook_url: str) -> Keys:
    """A key of its own for one more agent. Raises ProtocolError for a webhook that is unsafe."""
    if webhook_url and not is_safe_url(webhook_url):
        raise ProtocolError("webhook_url must be https (http on loopback only)")
    keys = Keys(f"acpk_{secrets.token_urlsafe(24)}", f"acps_{secrets.token_urlsafe(32)}")
    tx.execute(
        "INSERT INTO acp_platforms (name, merchant, agent, webhook_url, secret) "
        "VALUES (?, ?, ?, ?, ?)",
        (_name(keys.token), slug, name, webhook_url, keys.secret),
    )
    return keys


def identify(
    tx: Transaction,
    slug: str,
    headers: Mapping[str, str],
    body: bytes,
    now_s: float,
    *,
    signed: bool = True,
) -> Platform:
    """Whose request this is. Raises ProtocolError (400 or 401); a feed may be read unsigned."""
    if headers.get("api-version") != VERSION:
        raise ProtocolError(f"send API-Version: {VERSION}", code="unsupported_api_version")
    token = headers.get("authorization", "").removeprefix("Bearer ").strip()
    row = tx.execute(
        "SELECT name, webhook_url, secret FROM acp_platforms WHERE name = ? AND merchant = ?",
        (_name(token), slug),
    ).fetchone()
    if row is None:
        raise ProtocolError("the key is not known here", code="unauthorized", status=401)
    name, webhook_url, secret = row
    if not signed:
        return Platform(name, SHARED, webhook_url, signed=False)
    stamp = headers.get("timestamp", "")
    if abs(now_s - _seconds(stamp)) > FRESH_S:
        raise ProtocolError("Timestamp is outside five minutes", code="unauthorized", status=401)
    wanted = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).digest()
    told = base64.urlsafe_b64encode(wanted).decode().rstrip("=")
    if not hmac.compare_digest(told, headers.get("signature", "").rstrip("=")):
        raise ProtocolError("Signature is not of this body", code="unauthorized", status=401)
    return Platform(name, SHARED, webhook_url, signed=True)


def signature(tx: Transaction, order_id: str, body: bytes, now_s: float) -> str:
    """`Merchant-Signature` of an order event, for the agent that has the order."""
    row = tx.execute(
        "SELECT p.secret FROM acp_platforms p JOIN orders o ON o.platform = p.name WHERE o.id = ?",
        (order_id,),
    ).fetchone()
    stamp = str(int(now_s))
    made = hmac.new(row[0].encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return f"t={stamp},v1={made.hexdigest()}"


def _name(token: str) -> str:
    return PLATFORM + hashlib.sha256(token.encode()).hexdigest()


def _seconds(stamp: str) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError):
        return float("-inf")
