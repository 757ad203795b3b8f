"""ES256 keys as JWK, and compact JWS with them: strict, one text for one signature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from lapel.commerce.errors import ReceiptError
from lapel.store import schema

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256: with it (r, n - s) is as valid as (r, s); only the lower s is accepted."""
_ES256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`id` is the RFC 7638 thumbprint of `public`."""

    id: str
    private: ec.EllipticCurvePrivateKey
    public: Mapping[str, str]


def new_key() -> SigningKey:
    return signing_key(ec.generate_private_key(ec.SECP256R1()))


def ensure_key(connection: sa.Connection, purpose: str, at: float) -> SigningKey:
    """The newest key for the purpose that is not retired, made when there is none."""
    row = connection.execute(
        sa.select(schema.keys.c.private_pem)
        .where(schema.keys.c.purpose == purpose, schema.keys.c.retired_at.is_(None))
        .order_by(schema.keys.c.created_at.desc())
        .limit(1)
    ).first()
    if row is not None:
        private = serialization.load_pem_private_key(row.private_pem.encode(), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ReceiptError(f"the key for {purpose!r} is not an EC key", code="bad_key")
        return signing_key(private)
    key = new_key()
    pem = key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    connection.execute(
        sa.insert(schema.keys).values(
            id=key.id,
            purpose=purpose,
            private_pem=pem.decode(),
            public_jwk=json.dumps(dict(key.public)),
            created_at=at,
        )
    )
    return key


def public_key(jwk: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    """The key of a P-256 JWK that has exactly `kty`, `crv`, `x`, `y`; else `ReceiptError`."""
    if set(jwk) != {"kty", "crv", "x", "y"} or (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise ReceiptError("the key is not a P-256 JWK", code="bad_key")
    x, y = from_base64url(jwk["x"]), from_base64url(jwk["y"])
    if len(x) != 32 or len(y) != 32:
        raise ReceiptError("the key's coordinates are not 32 bytes each", code="bad_key")
    try:
        return ec.EllipticCurvePublicNumbers(
            int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()
        ).public_key()
    except ValueError:
        raise ReceiptError("the key is not a point of P-256", code="bad_key") from None


def thumbprint(jwk: Mapping[str, str]) -> str:
    """RFC 7638, base64url."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(text.encode()).digest())


def sign_jws(key: SigningKey, kind: str, payload: bytes) -> str:
    signed = f"{_header(key.id, kind)}.{base64url(payload)}"
    r, s = decode_dss_signature(key.private.sign(signed.encode(), _ES256))
    signature = r.to_bytes(32) + min(s, _ORDER - s).to_bytes(32)
    return f"{signed}.{base64url(signature)}"


def verify_jws(public: ec.EllipticCurvePublicKey, key_id: str, kind: str, jws: str) -> bytes:
    """The payload; raises `ReceiptError` for anything but the one form that `sign_jws` makes."""
    parts = jws.split(".")
    if len(parts) != 3 or parts[0] != _header(key_id, kind):
        raise ReceiptError("the signature's header is not that of this key", code="bad_signature")
    payload, signature = from_base64url(parts[1]), from_base64url(parts[2])
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if len(signature) != 64 or not 0 < s <= _ORDER // 2:
        raise ReceiptError("the signature is not 64 bytes with a low s", code="bad_signature")
    try:
        public.verify(encode_dss_signature(r, s), f"{parts[0]}.{parts[1]}".encode(), _ES256)
    except InvalidSignature:
        raise ReceiptError("the signature does not fit", code="bad_signature") from None
    return payload


def signing_key(private: ec.EllipticCurvePrivateKey) -> SigningKey:
    numbers = private.public_key().public_numbers()
    public = {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url(numbers.x.to_bytes(32)),
        "y": base64url(numbers.y.to_bytes(32)),
    }
    return SigningKey(thumbprint(public), private, public)


def _header(key_id: str, kind: str) -> str:
    header = {"alg": "ES256", "kid": key_id, "typ": kind}
    return base64url(msgspec.json.encode(header, order="deterministic"))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Strict base64url without padding: one text for one value."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ReceiptError("a part is not base64url", code="bad_signature") from None
    if base64url(data) != text:
        raise ReceiptError("a part is not in its one base64url form", code="bad_signature")
    return data
