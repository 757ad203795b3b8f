"""The keys that users sign their consent with: one a user, encrypted at rest, never the platform's.

The key that encrypts them (32 bytes, AES-256-GCM) stands in a file beside the record that only its
owner can read, or is given by the settings and then stands nowhere here. A stolen copy of the
record alone signs nothing. Who can read both can: this Lapel holds the keys for its users.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lapel.commerce.errors import ConsentError, ReceiptError
from lapel.commerce.keys import SigningKey, base64url, from_base64url, new_key, signing_key
from lapel.store import schema

FILE = "consent.key"
KEY_LEAD_S = 300.0
"""How long a new key is published before it signs, unless its user cannot wait."""
_BYTES = 32
_NONCE = 12


@dataclass(frozen=True, slots=True)
class PublicUserKey:
    """`id` is the RFC 7638 thumbprint of `jwk`; times are seconds since 1970."""

    id: str
    user_id: str
    jwk: Mapping[str, str]
    created_at: float
    retired_at: float | None


class Vault:
    """Users' private keys; every method works inside the caller's transaction."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _BYTES:
            raise ConsentError(f"the consent key has {len(secret)} bytes, not {_BYTES}")
        self._cipher = AESGCM(secret)

    @classmethod
    def open(cls, folder: Path, given: str = "") -> Vault:
        """With the key `given` by the settings, else with the folder's, made when there is none.

        Raises `ConsentError`: `bad_key_file` for what is no key, `open_key_file` for a file that
        others may read.
        """
        if given:
            return cls(_secret(given, "consent.key"))
        file = folder / FILE
        try:
            _make(file)
            _refuse_open(file)
            text = file.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConsentError(
                f"cannot use the key file {str(file)!r}: {error}", code="bad_key_file"
            ) from error
        return cls(_secret(text.strip(), str(file)))

    def ensure(self, connection: sa.Connection, user_id: str, at: float) -> SigningKey:
        """The key that the user signs with now, made on first need: the oldest not yet retired."""
        keys = schema.user_keys.c
        row = connection.execute(
            sa.select(keys.id, keys.sealed)
            .where(keys.user_id == user_id, _in_use(at))
            .order_by(keys.created_at)
            .limit(1)
        ).first()
        if row is not None:
            return self._opened(row.id, user_id, row.sealed)
        return self._insert(connection, user_id, at)

    def rotate(
        self, connection: sa.Connection, user_id: str, at: float, *, lead_s: float = 0.0
    ) -> SigningKey:
        """Make another key; what the old one signed stays provable.

        The new one is published at once and signs after `lead_s`, the old one until then: merchants
        keep what they have read of a platform's keys for a while.
        """
        keys = schema.user_keys.c
        connection.execute(
            sa.update(schema.user_keys)
            .where(keys.user_id == user_id, _in_use(at + lead_s))
            .values(retired_at=at + lead_s)
        )
        return self._insert(connection, user_id, at)

    def check(self, connection: sa.Connection) -> None:
        """Raise `ConsentError` (`wrong_key`) when keys in use were encrypted with another key."""
        keys = schema.user_keys.c
        query = sa.select(keys.id, keys.user_id, keys.sealed).where(keys.retired_at.is_(None))
        for row in connection.execute(query.order_by(keys.created_at.desc()).limit(8)):
            self._opened(row.id, row.user_id, row.sealed)

    def retire_lost(self, connection: sa.Connection, at: float) -> int:
        """Retire the keys in use that this vault cannot open; gives how many those were.

        Their owners sign with new ones from then on; what the old ones signed stays provable.
        """
        keys = schema.user_keys.c
        query = sa.select(keys.id, keys.user_id, keys.sealed).where(_in_use(at))
        lost: list[str] = []
        for row in connection.execute(query).all():
            try:
                self._opened(row.id, row.user_id, row.sealed)
            except ConsentError:
                lost.append(row.id)
        connection.execute(
            sa.update(schema.user_keys).where(keys.id.in_(lost)).values(retired_at=at)
        )
        return len(lost)

    def _insert(self, connection: sa.Connection, user_id: str, at: float) -> SigningKey:
        key = new_key()
        nonce = secrets.token_bytes(_NONCE)
        scalar = key.private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        sealed = nonce + self._cipher.encrypt(nonce, scalar, _bound_to(key.id, user_id))
        connection.execute(
            sa.insert(schema.user_keys).values(
                id=key.id,
                user_id=user_id,
                sealed=base64url(sealed),
                public_jwk=json.dumps(dict(key.public)),
                created_at=at,
            )
        )
        return key

    def _opened(self, key_id: str, user_id: str, sealed: str) -> SigningKey:
        try:
            data = from_base64url(sealed)
            plain = self._cipher.decrypt(data[:_NONCE], data[_NONCE:], _bound_to(key_id, user_id))
            private = serialization.load_der_private_key(plain, None)
        except (InvalidTag, ReceiptError, ValueError) as error:
            raise ConsentError(
                "the users' keys were encrypted with another key: give the old consent.key "
                "setting or key file back, or, if it is lost, start once with --new-keys",
                code="wrong_key",
            ) from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ConsentError(f"the key {key_id!r} is not an EC key", code="wrong_key")
        return signing_key(private)


def _in_use(at: float) -> sa.ColumnElement[bool]:
    """Not retired at that moment."""
    retired_at = schema.user_keys.c.retired_at
    return sa.or_(retired_at.is_(None), retired_at > at)


def public_keys(
    connection: sa.Connection, user_id: str | None = None, *, retired_after: float | None = None
) -> list[PublicUserKey]:
    """Public keys, newest first: of one user or of all; without those retired before a time."""
    keys = schema.user_keys.c
    query = sa.select(schema.user_keys).order_by(keys.created_at.desc(), keys.id)
    if user_id is not None:
        query = query.where(keys.user_id == user_id)
    if retired_after is not None:
        query = query.where(sa.or_(keys.retired_at.is_(None), keys.retired_at > retired_after))
    return [
        PublicUserKey(
            row.id,
            row.user_id,
            msgspec.json.decode(row.public_jwk, type=dict[str, str]),
            row.created_at,
            row.retired_at,
        )
        for row in connection.execute(query)
    ]


def _bound_to(key_id: str, user_id: str) -> bytes:
    """A sealed key cannot be moved to another user or name."""
    return f"lapel user key\n{user_id}\n{key_id}".encode()


def _secret(text: str, place: str) -> bytes:
    try:
        secret = from_base64url(text)
    except ReceiptError:
        secret = b""
    if len(secret) != _BYTES:
        raise ConsentError(
            f"{place} must hold {_BYTES} bytes as base64url without padding", code="bad_key_file"
        )
    return secret


def _make(file: Path) -> None:
    """Write a new key unless there is one; whole or not at all, also when two start at once."""
    if file.exists():
        return
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(base64url(secrets.token_bytes(_BYTES)) + "\n")
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(new, file)
    finally:
        new.unlink(missing_ok=True)


def _refuse_open(file: Path) -> None:
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise ConsentError(
            f"others may read the key file {str(file)!r}: run `chmod 600` on it",
            code="open_key_file",
        )
