"""One effect and one answer a key: answers are kept in the transaction of what they report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from city.errors import ProtocolError
from city.store import Transaction

KEEP_S = 48 * 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, kept and repeated byte for byte. `headers` excludes what the server adds."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """An Idempotency-Key in the scope of one client, with what it was first used for."""

    scope: str
    key: str
    fingerprint: str


def key_for(scope: str, header: str | None, method: str, path: str, body: bytes) -> Key:
    """Raises ProtocolError when the header is missing or unusable."""
    if header is None or not 8 <= len(header) <= 255 or not header.isascii():
        raise ProtocolError(
            "Idempotency-Key must be 8 to 255 ASCII characters; send a UUID for each new write",
            code="idempotency_key_required",
        )
    used_for = hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()
    return Key(scope, header, used_for)


def kept(tx: Transaction, key: Key) -> Answer | None:
    """The answer kept for this key, or None. Raises ProtocolError 409 if it was for another use."""
    row = tx.execute(
        "SELECT fingerprint, status, headers, body FROM answers WHERE scope = ? AND key = ?",
        (key.scope, key.key),
    ).fetchone()
    if row is None:
        return None
    if row[0] != key.fingerprint:
        raise ProtocolError(
            "this Idempotency-Key was used for another request; use a new key",
            code="idempotency_conflict",
            status=409,
        )
    headers = msgspec.json.decode(row[2], type=tuple[tuple[str, str], ...])
    return Answer(row[1], bytes(row[3]), headers)


def keep(tx: Transaction, key: Key, answer: Answer, now_s: float) -> Answer:
    """Keep the answer; to be called in the transaction of its effect."""
    headers = msgspec.json.encode(answer.headers).decode()
    tx.execute(
        "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key.scope, key.key, key.fingerprint, answer.status, headers, answer.body, now_s),
    )
    return answer


def forget_old(tx: Transaction, now_s: float) -> None:
    tx.execute("DELETE FROM answers WHERE at_s < ?", (now_s - KEEP_S,))
