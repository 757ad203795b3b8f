"""The AP2 extension, the merchant's side: sign every checkout, take no order without mandates.

A mandate is an SD-JWT with key binding (RFC 9901) whose key stands in the platform's profile. Its
audience is the merchant's URL and its nonce the hash of the `checkout_jwt`, which is the merchant's
own signature with the checkout put back into it. All that is not so is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import msgspec
import rfc8785

from city.ucp.quote import Json
from city.ucp.signatures import Jwk, SigningKey, base64url, from_base64url, jws_sign, jws_verify

SKEW_S = 60.0
T = TypeVar("T")


class MandateRefusal(Exception):
    """`code` is UCP's."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Terms:
    """What a mandate must be about, by the merchant's own record."""

    checkout: Json
    total: int
    currency: str
    payee: str
    audience: str
    now_s: float


class _Header(msgspec.Struct):
    alg: str
    typ: str
    kid: str


class _Key(msgspec.Struct):
    kty: str
    crv: str
    x: str
    y: str


class _Confirmed(msgspec.Struct):
    jwk: _Key


class _Binding(msgspec.Struct):
    aud: str
    nonce: str
    iat: int
    sd_hash: str


class _Payee(msgspec.Struct):
    id: str


class _Amount(msgspec.Struct):
    amount: int
    currency: str


class _Claims(msgspec.Struct):
    vct: str
    iat: int
    exp: int
    cnf: _Confirmed
    sd_alg: str = msgspec.field(name="_sd_alg", default="sha-256")
    digests: list[str] = msgspec.field(name="_sd", default_factory=list[str])
    checkout_hash: str = ""
    transaction_id: str = ""
    payee: _Payee | None = None
    payment_amount: _Amount | None = None


class _Token(msgspec.Struct):
    """The composite token of the City's bank: its own, and the payment mandate."""

    token: str
    payment_mandate: str


def authorization(checkout: Json, key: SigningKey) -> str:
    """`ap2.merchant_authorization`: a detached JWS over the canonical checkout without `ap2`."""
    header = {"alg": "ES256", "kid": key.kid}
    head, _, signature = jws_sign(header, canonical(checkout), key).split(".")
    return f"{head}..{signature}"


def canonical(checkout: Mapping[str, object]) -> bytes:
    plain = {name: value for name, value in checkout.items() if name != "ap2"}
    return rfc8785.dumps(plain)  # pyright: ignore[reportArgumentType]  # our own JSON


def kid_of(mandate: str) -> str:
    """The key that a mandate says it is signed with; empty when it is no mandate."""
    try:
        return _json(mandate.split(".")[0], _Header).kid
    except MandateRefusal:
        return ""


def split_token(token: str) -> tuple[str, str]:
    """The bank's token and the payment mandate."""
    try:
        both = msgspec.json.decode(token, type=_Token)
    except (msgspec.MsgspecError, RecursionError):
        _refuse("mandate_required", "the credential's token holds no payment mandate")
    return both.token, both.payment_mandate


def check(
    checkout_mandate: str,
    payment_mandate: str,
    platform: Sequence[Jwk],
    own: SigningKey,
    terms: Terms,
) -> None:
    """Raises MandateRefusal unless both mandates are the user's yes to exactly these terms."""
    if not platform:
        _refuse("agent_missing_key", "the platform's profile lists no signing key")
    claims, disclosed, binding = _presented(checkout_mandate, platform, "mandate.checkout.1", terms)
    jws = disclosed.get("checkout_jwt")
    if not isinstance(jws, str):
        _refuse("mandate_scope_mismatch", "the mandate does not disclose its checkout")
    hashed = _hash(jws)
    if (claims.checkout_hash, binding.nonce) != (hashed, hashed):
        _refuse("mandate_scope_mismatch", "the mandate's hash or nonce is of another checkout")
    _same_terms(_own(jws, own), terms)
    paid, _, paid_binding = _presented(payment_mandate, platform, "mandate.payment.1", terms)
    if paid.cnf.jwk != claims.cnf.jwk:
        _refuse("mandate_scope_mismatch", "another user signed the payment")
    if (paid.transaction_id, paid_binding.nonce) != (hashed, hashed):
        _refuse("mandate_scope_mismatch", "the payment is for another checkout")
    if paid.payee is None or paid.payee.id != terms.payee:
        _refuse("mandate_scope_mismatch", "the payment is for another payee")
    if paid.payment_amount != _Amount(terms.total, terms.currency):
        _refuse("mandate_scope_mismatch", "the payment is for another amount")


def _own(jws: str, own: SigningKey) -> Json:
    """The checkout in the mandate, which must be one that this merchant has signed."""
    try:
        payload = jws_verify(jws, own.jwk())
        found = msgspec.json.decode(payload)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        _refuse("merchant_authorization_invalid", "the checkout in the mandate is not ours")
    if not isinstance(found, dict):
        _refuse("merchant_authorization_invalid", "the checkout in the mandate is not ours")
    return found  # pyright: ignore[reportUnknownVariableType]


def _same_terms(agreed: Json, terms: Terms) -> None:
    held: Json = msgspec.json.decode(msgspec.json.encode(terms.checkout))
    for name in ("id", "currency", "line_items", "totals", "fulfillment"):
        if agreed.get(name) != held.get(name):
            _refuse("mandate_scope_mismatch", f"the user agreed to another {name}")


def _presented(
    text: str, platform: Sequence[Jwk], vct: str, terms: Terms
) -> tuple[_Claims, dict[str, object], _Binding]:
    jwt, *disclosures, last = text.split("~") if "~" in text else (text, "")
    if not last or not all(disclosures):
        _refuse("mandate_invalid_signature", "the mandate has no key binding of its own")
    header = _json(jwt.split(".")[0], _Header)
    key = next((k for k in platform if k.kid == header.kid), None)
    if key is None:
        _refuse("mandate_invalid_signature", f"the platform lists no key {header.kid!r}")
    claims = _json(_signed(jwt, "dc+sd-jwt", key), _Claims)
    binding = _json(_signed(last, "kb+jwt", key), _Binding)
    confirmed = claims.cnf.jwk
    if (confirmed.x, confirmed.y, confirmed.crv) != (key.x, key.y, key.crv):
        _refuse("mandate_invalid_signature", "the mandate is bound to another key")
    if binding.sd_hash != _hash(text[: -len(last)]) or claims.sd_alg != "sha-256":
        _refuse("mandate_invalid_signature", "the key binding is over other disclosures")
    disclosed = _disclosed(claims, disclosures)
    if claims.vct != vct:
        _refuse("mandate_scope_mismatch", f"a {vct!r} is wanted here")
    if binding.aud != terms.audience:
        _refuse("mandate_scope_mismatch", "the mandate is for another audience")
    if terms.now_s >= claims.exp or claims.iat > terms.now_s + SKEW_S:
        _refuse("mandate_expired", "the mandate is not valid now")
    return claims, disclosed, binding


def _disclosed(claims: _Claims, disclosures: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for text in disclosures:
        if claims.digests.count(_hash(text)) != 1:
            _refuse("mandate_invalid_signature", "a disclosure is not the mandate's")
        _, name, value = _json(text, tuple[str, str, object])
        if name in found or name != "checkout_jwt":
            _refuse("mandate_invalid_signature", f"the disclosure {name!r} has no place here")
        found[name] = value
    return found


def _signed(jws: str, kind: str, key: Jwk) -> str:
    """The payload, still encoded."""
    if _json(jws.split(".")[0], _Header).typ != kind:
        _refuse("mandate_invalid_signature", f"a token of type {kind!r} is wanted here")
    try:
        jws_verify(jws, key)
    except ValueError as error:
        _refuse("mandate_invalid_signature", str(error))
    return jws.split(".")[1]


def _json(encoded: str, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(from_base64url(encoded), type=shape)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise MandateRefusal("mandate_invalid_signature", "the mandate is malformed") from error


def _hash(text: str) -> str:
    return base64url(hashlib.sha256(text.encode()).digest())


def _refuse(code: str, text: str) -> NoReturn:
    raise MandateRefusal(code, text)
