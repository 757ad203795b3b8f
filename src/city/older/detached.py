"""`Request-Signature`: a detached JWT over the raw body (RFC 7515, appendix F, and RFC 7797)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from city.errors import ProtocolError
from city.ucp.signatures import (
    Jwk,
    Message,
    SigningKey,
    base64url,
    check_signature,
    from_base64url,
    raw_signature,
)

HEADER = "request-signature"


class _Header(msgspec.Struct):
    alg: str
    kid: str
    b64: bool = True
    crit: list[str] = []


def sign(body: bytes, key: SigningKey) -> str:
    """The header's value: the payload goes in as it is, unencoded."""
    head = {"alg": "ES256", "kid": key.kid, "b64": False, "crit": ["b64"]}
    first = base64url(msgspec.json.encode(head))
    return f"{first}..{base64url(raw_signature(first.encode() + b'.' + body, key))}"


def key_id(headers: Mapping[str, str]) -> str:
    """Which key is said to have signed; empty where that cannot be read."""
    try:
        return _parsed(headers.get(HEADER, ""))[0].kid
    except ProtocolError:
        return ""


def verify(message: Message, body: bytes, keys: Sequence[Jwk]) -> None:
    """Raises ProtocolError (401) unless one of the keys has signed the body, encoded or not."""
    header, first, signature = _parsed(message.headers.get(HEADER, ""))
    if header.alg != "ES256" or not set(header.crit) <= {"b64"}:
        raise _denied("only ES256 is verified", "algorithm_unsupported", 400)
    key = next((each for each in keys if each.kid == header.kid), None)
    if key is None:
        raise _denied(f"your profile has no key {header.kid!r}", "key_not_found", 401)
    signed = base64url(body).encode() if header.b64 else body
    check_signature(first.encode() + b"." + signed, signature, key)


def _parsed(value: str) -> tuple[_Header, str, bytes]:
    first, *rest = value.split(".")
    if len(rest) != 2 or rest[0]:
        raise _denied("send Request-Signature, a detached JWT", "signature_missing", 401)
    try:
        header = msgspec.json.decode(from_base64url(first), type=_Header)
        return header, first, from_base64url(rest[1])
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise _denied("Request-Signature cannot be read", "signature_invalid", 401) from error


def _denied(text: str, code: str, status: int) -> ProtocolError:
    return ProtocolError(text, code=code, status=status)
