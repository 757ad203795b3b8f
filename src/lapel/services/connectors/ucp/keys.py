"""Keys for UCP signatures: others' as JWK, Lapel's own kept in the store and made on first use."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
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

from lapel.store import Store, schema

PURPOSE = "ucp"
LEAD_S = 300.0
"""How long a new key is published before it signs: merchants keep a profile for minutes."""
GRACE_S = 7 * 24 * 3600.0
"""How long a retired key stays published, so that what it signed can still be verified."""

_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm, int, str]] = {
    "P-256": (ec.SECP256R1(), hashes.SHA256(), 32, "ES256"),
    "P-384": (ec.SECP384R1(), hashes.SHA384(), 48, "ES384"),
}


class UnusableKey(ValueError):
    """A published key that UCP does not allow, or that is no key at all."""


class Jwk(msgspec.Struct, frozen=True, omit_defaults=True):
    """A public key on the wire (RFC 7517)."""

    kid: str
    kty: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""
    use: str = ""
    alg: str = ""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Verifies; the hash and the width come from the curve, never from the message."""

    key: ec.EllipticCurvePublicKey
    hash: hashes.HashAlgorithm
    width: int

    @classmethod
    def of(cls, jwk: Jwk) -> PublicKey:
        curve = _CURVES.get(jwk.crv)
        if jwk.kty != "EC" or curve is None or jwk.alg not in ("", curve[3]):
            raise UnusableKey(f"the key {jwk.kid!r} is {jwk.kty} {jwk.crv} {jwk.alg}; use ES256")
        if jwk.use not in ("", "sig"):
            raise UnusableKey(f"the key {jwk.kid!r} is for {jwk.use!r}, not for signatures")
        try:
            numbers = ec.EllipticCurvePublicNumbers(_number(jwk.x), _number(jwk.y), curve[0])
            return cls(numbers.public_key(), curve[1], curve[2])
        except ValueError as error:
            raise UnusableKey(f"the key {jwk.kid!r} is not a point of {jwk.crv}") from error

    def verify(self, message: bytes, signature: bytes) -> bool:
        if len(signature) != 2 * self.width:
            return False
        r = int.from_bytes(signature[: self.width], "big")
        s = int.from_bytes(signature[self.width :], "big")
        try:
            self.key.verify(encode_dss_signature(r, s), message, ec.ECDSA(self.hash))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """One of Lapel's own keys."""

    kid: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls) -> PrivateKey:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(_kid(key.public_key()), key)

    @classmethod
    def from_pem(cls, kid: str, pem: str) -> PrivateKey:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise UnusableKey(f"the stored key {kid!r} is not an elliptic curve key")
        return cls(kid, key)

    def pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def jwk(self) -> Jwk:
        x, y = _coordinates(self.key.public_key())
        return Jwk(self.kid, "EC", "P-256", x, y, "sig", "ES256")

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class SigningKeys:
    """Lapel's own signing key: `current` makes it on first use, `rotate` replaces it."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._current: PrivateKey | None = None
        self._until = float("-inf")

    async def current(self) -> PrivateKey:
        """The key to sign with."""
        now = self._clock()
        if self._current is None or now >= self._until:
            self._current, self._until = await self._store.write(
                lambda at: _current_or_new(at, now)
            )
        return self._current

    async def rotate(self) -> PrivateKey:
        """Publish a new key at once, sign with it in five minutes, and drop the old in a week."""
        now = self._clock()
        new = await self._store.write(lambda at: _replace(at, now))
        self._current = None
        return new

    async def published(self) -> tuple[Jwk, ...]:
        """What the platform profile lists, newest first."""
        await self.current()
        oldest = self._clock() - GRACE_S
        table = schema.keys
        query = (
            sa.select(table.c.public_jwk)
            .where(table.c.purpose == PURPOSE)
            .where(sa.or_(table.c.retired_at.is_(None), table.c.retired_at > oldest))
            .order_by(table.c.created_at.desc())
        )
        texts = await self._store.read(lambda at: list(at.scalars(query)))
        return tuple(msgspec.json.decode(text, type=Jwk) for text in texts)


def _current_or_new(at: sa.Connection, now: float) -> tuple[PrivateKey, float]:
    """The oldest key that still signs, and until when it does."""
    table = schema.keys
    query = (
        sa.select(table.c.id, table.c.private_pem, table.c.retired_at)
        .where(table.c.purpose == PURPOSE)
        .where(sa.or_(table.c.retired_at.is_(None), table.c.retired_at > now))
        .order_by(table.c.created_at)
    )
    row = at.execute(query).first()
    if row is None:
        return _insert(at, now), float("inf")
    until = float("inf") if row.retired_at is None else row.retired_at
    return PrivateKey.from_pem(row.id, row.private_pem), until


def _replace(at: sa.Connection, now: float) -> PrivateKey:
    table = schema.keys
    retire = sa.update(table).where(table.c.purpose == PURPOSE, table.c.retired_at.is_(None))
    at.execute(retire.values(retired_at=now + LEAD_S))
    return _insert(at, now)


def _insert(at: sa.Connection, now: float) -> PrivateKey:
    key = PrivateKey.make()
    at.execute(
        sa.insert(schema.keys).values(
            id=key.kid,
            purpose=PURPOSE,
            private_pem=key.pem(),
            public_jwk=msgspec.json.encode(key.jwk()).decode(),
            created_at=now,
        )
    )
    return key


def _kid(key: ec.EllipticCurvePublicKey) -> str:
    """The key's thumbprint (RFC 7638), shortened: the same key always has the same name."""
    x, y = _coordinates(key)
    text = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    return f"lapel-{_text(hashlib.sha256(text.encode()).digest()[:12])}"


def _coordinates(key: ec.EllipticCurvePublicKey) -> tuple[str, str]:
    numbers = key.public_numbers()
    return _text(numbers.x.to_bytes(32, "big")), _text(numbers.y.to_bytes(32, "big"))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
