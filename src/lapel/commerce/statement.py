"""All receipts of a user in one file that shows whether any was removed, added or moved.

One line each, oldest first, and a last line that closes the file: how many there are and the hash
of the newest, signed like a receipt. The chain of `previous` finds what is missing in the middle,
the last line what is missing at the end. docs/receipts.md is the format's description.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from lapel.commerce import keys
from lapel.commerce.errors import ReceiptError
from lapel.commerce.receipt import Receipt, canonical, encoded, file_hash, verify_chain

VERSION = 1
TYPE = "lapel-receipts+json"


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`newest` is the SHA-256 (hex) of the last receipt's line, empty when there is none."""

    version: int
    user_id: str
    count: int
    newest: str
    exported_at: str
    key_id: str


class _EndLine(msgspec.Struct, forbid_unknown_fields=True):
    end: End
    jws: str
    jwk: dict[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """Every receipt of one user up to `end.exported_at`, the oldest first."""

    receipts: tuple[Receipt, ...]
    end: End


def make(key: keys.SigningKey, user_id: str, receipts: Sequence[str], at: float) -> str:
    """The file with these receipts of the user; `at` is in seconds since 1970."""
    stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    end = End(
        version=VERSION,
        user_id=user_id,
        count=len(receipts),
        newest=file_hash(receipts[-1]) if receipts else "",
        exported_at=stamp.replace("+00:00", "Z"),
        key_id=key.id,
    )
    jws = keys.sign_jws(key, TYPE, canonical(end))
    last = canonical(_EndLine(end, jws, dict(key.public))).decode()
    return "".join(f"{line}\n" for line in (*receipts, last))


def is_statement(file: bytes) -> bool:
    """Whether the file is meant to be one; a receipt has no line end."""
    return b"\n" in file


def verify(file: bytes, *, key: str = "") -> Statement:
    """The receipts of a file in which nothing is missing, added, moved or changed.

    `key` pins the signer of the last line by its JWK thumbprint; receipts that an earlier key of
    the same Lapel signed are held by the chain. Raises `ReceiptError`.
    """
    *lines, rest = file.split(b"\n")
    if rest or not lines:
        raise ReceiptError("the file does not end with its closing line", code="broken_chain")
    end = _end(lines.pop(), key)
    receipts = verify_chain(lines)
    if receipts and receipts[0].previous:
        raise ReceiptError("the first receipt is missing", code="broken_chain")
    if len(receipts) != end.count or (file_hash(lines[-1]) if lines else "") != end.newest:
        raise ReceiptError(
            f"the file was closed over {end.count} receipts and holds others", code="broken_chain"
        )
    if any(receipt.user_id != end.user_id for receipt in receipts):
        raise ReceiptError("a receipt is another user's", code="broken_chain")
    return Statement(tuple(receipts), end)


def _end(line: bytes, key: str) -> End:
    try:
        parsed = msgspec.json.decode(line, type=_EndLine)
        plain = json.loads(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise ReceiptError(
            "the last line does not close a file of receipts: one is missing", code="broken_chain"
        ) from None
    if encoded(plain) != line:
        raise ReceiptError("the last line was edited or reformatted", code="not_canonical")
    public = keys.public_key(parsed.jwk)
    signer = keys.thumbprint(parsed.jwk)
    if key and key != signer:
        raise ReceiptError(f"signed with the key {signer!r}, not with {key!r}", code="other_key")
    if keys.verify_jws(public, signer, TYPE, parsed.jws) != canonical(parsed.end):
        raise ReceiptError("the last line's signature is for other content", code="bad_signature")
    if parsed.end.key_id != signer or parsed.end.version != VERSION:
        raise ReceiptError("the last line names another key or version", code="bad_signature")
    return parsed.end
