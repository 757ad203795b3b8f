"""`Request-Signature` of UCP 2026-01-11: a detached JWT (RFC 7797) over the raw body, in ES256."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lapel.commerce.errors import ReceiptError
from lapel.commerce.keys import base64url, from_base64url
from lapel.services.connectors.ucp.keys import Jwk, PrivateKey, PublicKey, UnusableKey
from lapel.services.errors import SignatureRejected

HEADER = "request-signature"


class _Header(msgspec.Struct):
    alg: str
    kid: str = ""
    b64: bool = True
    crit: tuple[str, ...] = ()


def sign(body: bytes, key: PrivateKey) -> str:
    """The value of the header for this body."""
    header = {"alg": "ES256", "kid": key.kid, "b64": False, "crit": ["b64"]}
    first = base64url(msgspec.json.encode(header))
    return f"{first}..{base64url(key.sign(first.encode() + b'.' + body))}"


def verify(value: str, body: bytes, keys: Iterable[Jwk]) -> None:
    """SignatureRejected unless one of `keys` has signed the body; it may be encoded or not."""
    header = _header(value)
    if header.alg != "ES256" or not set(header.crit) <= {"b64"}:
        raise SignatureRejected(
            f"algorithm {header.alg!r} is not spoken", code="algorithm_unsupported"
        )
    first, _, last = value.split(".")
    signed = first.encode() + b"." + (base64url(body).encode() if header.b64 else body)
    found = next((key for key in keys if key.kid == header.kid), None)
    if found is None:
        raise SignatureRejected(f"there is no key {header.kid!r}", code="key_not_found")
    try:
        right = PublicKey.of(found).verify(signed, from_base64url(last))
    except (UnusableKey, ReceiptError) as error:
        raise SignatureRejected(f"the key {header.kid!r} cannot be used") from error
    if not right:
        raise SignatureRejected(f"the signature by key {header.kid!r} does not fit the body")


def _header(value: str) -> _Header:
    parts = value.split(".")
    if len(parts) != 3 or parts[1]:
        raise SignatureRejected("Request-Signature is no detached JWT", code="signature_missing")
    try:
        return msgspec.json.decode(from_base64url(parts[0]), type=_Header)
    except (msgspec.DecodeError, ReceiptError, RecursionError) as error:
        raise SignatureRejected("the header of Request-Signature cannot be read") from error
