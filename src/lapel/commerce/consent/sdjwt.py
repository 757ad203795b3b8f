"""SD-JWT with key binding (RFC 9901), the one form of it that Lapel makes and takes.

`issuer-signed JWT ~ disclosures ~ key-binding JWT`, both signed with ES256 by the key in `cnf`: the
user is issuer and holder. Only claims at the top level are disclosed selectively. What is not of
this form is refused, so that one proof has one text: padding, DER, other algorithms, unknown
headers, a disclosure that no digest names, one that is named twice.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from lapel.commerce.errors import MandateError, ReceiptError
from lapel.commerce.keys import (
    SigningKey,
    base64url,
    from_base64url,
    public_key,
    sign_jws,
    thumbprint,
    verify_jws,
)
from lapel.failures import Code

TYPE = "dc+sd-jwt"
BINDING_TYPE = "kb+jwt"
LARGEST = 1 << 18
"""No presentation has more characters."""
_RESERVED = frozenset({"_sd", "_sd_alg", "...", "cnf", "vct", "iat", "exp"})


@dataclass(frozen=True, slots=True)
class Issued:
    """A signed JWT with the disclosures of its hidden claims, by name."""

    jwt: str
    disclosures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Opened:
    """A presentation whose signatures, digests and form were checked; nothing else was."""

    claims: Mapping[str, object]
    """All that is disclosed, without `_sd`, `_sd_alg` and `cnf`."""
    key: Mapping[str, str]
    audience: str
    nonce: str
    bound_at: int


def issue(
    key: SigningKey, claims: Mapping[str, object], hidden: Mapping[str, object] | None = None
) -> Issued:
    """Sign `claims`, and digests of the `hidden` ones."""
    disclosures = {
        name: base64url(_encoded([base64url(secrets.token_bytes(16)), name, value]))
        for name, value in (hidden or {}).items()
    }
    payload: dict[str, object] = {**claims, "cnf": {"jwk": dict(key.public)}}
    if disclosures:
        payload["_sd"] = sorted(_digest(text) for text in disclosures.values())
        payload["_sd_alg"] = "sha-256"
    return Issued(sign_jws(key, TYPE, _encoded(payload)), disclosures)


def present(
    key: SigningKey, issued: Issued, names: Iterable[str], *, audience: str, nonce: str, at: int
) -> str:
    """Disclose the claims `names` to one audience, bound to its nonce."""
    parts = [issued.jwt, *(issued.disclosures[name] for name in names)]
    shown = "~".join(parts) + "~"
    binding = {"aud": audience, "iat": at, "nonce": nonce, "sd_hash": _digest(shown)}
    return shown + sign_jws(key, BINDING_TYPE, _encoded(binding))


def open_presentation(text: str, key: Mapping[str, str]) -> Opened:
    """Check a presentation against the user's public key; raises `MandateError`."""
    if len(text) > LARGEST or not text.isascii():
        raise MandateError("this is too large or no SD-JWT", code="not_a_mandate")
    jwt, *disclosures, binding = text.split("~") if "~" in text else (text, "")
    if not binding or not all(disclosures):
        # An SD-JWT without key binding ends with "~"; "~~" joins the links of a delegation.
        raise MandateError("the mandate is not bound to an audience", code="not_terminal")
    payload = _verified(key, TYPE, jwt)
    bound = _verified(key, BINDING_TYPE, binding)
    if payload.get("cnf") != {"jwk": dict(key)}:
        raise MandateError("the mandate is bound to another key", code="wrong_key")
    if set(bound) != {"aud", "iat", "nonce", "sd_hash"}:
        raise MandateError("the key binding has other claims", code="not_a_mandate")
    if bound["sd_hash"] != _digest(text[: -len(binding)]):
        raise MandateError("the disclosures are not those that were bound", code="altered")
    audience, nonce, at = bound["aud"], bound["nonce"], bound["iat"]
    if not isinstance(audience, str) or not isinstance(nonce, str) or type(at) is not int:
        raise MandateError("the key binding's claims have other types", code="not_a_mandate")
    return Opened(_disclosed(payload, disclosures), dict(key), audience, nonce, at)


def _disclosed(payload: dict[str, object], disclosures: list[str]) -> dict[str, object]:
    digests = payload.pop("_sd", [])
    algorithm = payload.pop("_sd_alg", "sha-256")
    payload.pop("cnf")
    if algorithm != "sha-256" or not isinstance(digests, list):
        raise MandateError("the digests are of another kind", code="not_a_mandate")
    left: list[object] = list(digests)  # pyright: ignore[reportUnknownArgumentType]
    for text in disclosures:
        digest = _digest(text)
        if left.count(digest) != 1:
            raise MandateError("a disclosure was altered or is not the mandate's", code="altered")
        left.remove(digest)
        name, value = _disclosure(text)
        if name in payload or name in _RESERVED:
            raise MandateError(f"the disclosure {name!r} overrides a claim", code="altered")
        payload[name] = value
    return payload


def _disclosure(text: str) -> tuple[str, object]:
    try:
        salt, name, value = msgspec.json.decode(
            from_base64url(text), type=tuple[str, str, msgspec.Raw]
        )
    except (ReceiptError, msgspec.DecodeError) as error:
        raise MandateError("a disclosure is malformed", code="altered") from error
    if len(salt) < 16:
        raise MandateError("a disclosure is not salted", code="altered")
    return name, strict_json(bytes(value))


def _verified(key: Mapping[str, str], kind: str, jws: str) -> dict[str, object]:
    """The claims of a JWS by this key and of this kind alone."""
    try:
        payload = verify_jws(public_key(key), thumbprint(key), kind, jws)
    except ReceiptError as error:
        raise MandateError(_why(jws, key, kind, error.text), code=_code(jws, key, kind)) from error
    found = strict_json(payload)
    if not isinstance(found, dict):
        raise MandateError("the mandate's claims are no object", code="not_a_mandate")
    return found  # pyright: ignore[reportUnknownVariableType]


def _header(jws: str) -> dict[str, object]:
    try:
        header = strict_json(from_base64url(jws.split(".")[0]))
    except (ReceiptError, MandateError):
        return {}
    return header if isinstance(header, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _code(jws: str, key: Mapping[str, str], kind: str) -> Code:
    """What is wrong with it, for people; that it is wrong is certain already."""
    header = _header(jws)
    if header.get("typ") != kind:
        return "not_terminal" if header else "not_a_mandate"
    if header.get("kid") not in (None, thumbprint(key)):
        return "wrong_key"
    return "bad_signature"


def _why(jws: str, key: Mapping[str, str], kind: str, text: str) -> str:
    match _code(jws, key, kind):
        case "not_terminal":
            return f"a token of type {_header(jws).get('typ')!r} stands where {kind!r} belongs"
        case "wrong_key":
            return "the mandate is signed with another key"
        case _:
            return text


def strict_json(data: bytes) -> object:
    """JSON without duplicate names or NaN; raises `MandateError`."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    def never(text: str) -> object:
        raise ValueError(f"{text} is no JSON")

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=never)
    except (ValueError, RecursionError) as error:
        raise MandateError(f"this is no JSON: {error}", code="not_a_mandate") from error


def _digest(text: str) -> str:
    return base64url(hashlib.sha256(text.encode("ascii")).digest())


def _encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()
