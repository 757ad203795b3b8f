"""Verifying closed mandates, without a network and without trust in who sent them.

The verifier takes a terminal mandate only and checks audience and nonce itself. (The reference SDK
of AP2 v0.2 skips both for a token that calls itself intermediate.) Everything to compare with is an
argument: nothing of what is expected is read from the mandate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from lapel.commerce.consent.closed import CHECKOUT, OWN_CHECKOUT, PAYMENT, RiskData, hash_of
from lapel.commerce.consent.sdjwt import Opened, open_presentation, strict_json
from lapel.commerce.errors import MandateError, ReceiptError
from lapel.commerce.keys import from_base64url, public_key, thumbprint, verify_jws
from lapel.commerce.money import Money

LEEWAY_S = 60
"""How far the clocks of two parties may differ."""
T = TypeVar("T")


class _Checkout(msgspec.Struct, frozen=True):
    vct: str
    checkout_jwt: str
    checkout_hash: str
    iat: int
    exp: int


class _Payee(msgspec.Struct, frozen=True):
    id: str
    name: str


class _Amount(msgspec.Struct, frozen=True):
    amount: int
    currency: str


class _Instrument(msgspec.Struct, frozen=True):
    id: str
    type: str


class _Payment(msgspec.Struct, frozen=True):
    vct: str
    transaction_id: str
    payee: _Payee
    payment_amount: _Amount
    payment_instrument: _Instrument
    iat: int
    exp: int
    risk_data: RiskData | None = None
    open_mandate_hash: str = ""


@dataclass(frozen=True, slots=True)
class VerifiedCheckout:
    """`transaction` is the hash that a payment mandate must name."""

    checkout_jwt: str
    transaction: str
    key_id: str


@dataclass(frozen=True, slots=True)
class VerifiedPayment:
    transaction: str
    payee: str
    amount: Money
    instrument: str
    risk: RiskData | None
    key_id: str
    within: str = ""
    """Hash of the open payment mandate that gave the yes; empty when the user did."""


def verify_checkout(
    mandate: str,
    *,
    key: Mapping[str, str],
    audience: str,
    nonce: str,
    at: float,
    checkout_jwt: str | None = None,
) -> VerifiedCheckout:
    """A closed checkout mandate by `key`, for this audience and nonce, valid at `at`.

    `checkout_jwt`, when given, is the one that it must be for. Raises `MandateError`.
    """
    opened = _opened(mandate, CHECKOUT, key, audience, nonce)
    found = _typed(opened, _Checkout)
    _in_time(found.iat, found.exp, at)
    if hash_of(found.checkout_jwt) != found.checkout_hash:
        raise MandateError("the checkout is not the one of the hash", code="other_checkout")
    if checkout_jwt is not None and found.checkout_jwt != checkout_jwt:
        raise MandateError("the mandate is for another checkout", code="other_checkout")
    return VerifiedCheckout(found.checkout_jwt, found.checkout_hash, thumbprint(key))


def verify_payment(
    mandate: str,
    *,
    key: Mapping[str, str],
    audience: str,
    nonce: str,
    at: float,
    transaction: str,
    amount: Money,
    payee: str,
) -> VerifiedPayment:
    """A closed payment mandate for exactly this amount, payee and checkout; else `MandateError`."""
    opened = _opened(mandate, PAYMENT, key, audience, nonce)
    found = _typed(opened, _Payment)
    _in_time(found.iat, found.exp, at)
    if found.transaction_id != transaction:
        raise MandateError("the payment is for another checkout", code="other_checkout")
    paid = Money(found.payment_amount.amount, found.payment_amount.currency)
    if paid != amount:
        raise MandateError(f"the mandate is for {paid}, not for {amount}", code="other_amount")
    if found.payee.id != payee:
        raise MandateError("the mandate pays somebody else", code="other_payee")
    return VerifiedPayment(
        found.transaction_id,
        found.payee.id,
        paid,
        found.payment_instrument.type,
        found.risk_data,
        thumbprint(key),
        found.open_mandate_hash,
    )


def agreed_in(checkout_jwt: str, key: Mapping[str, str]) -> bytes | None:
    """What was agreed to, from a `checkout_jwt` that the user signed; None for a merchant's."""
    header, payload = parts_of(checkout_jwt)
    if header.get("typ") != OWN_CHECKOUT:
        return None
    try:
        verify_jws(public_key(key), thumbprint(key), OWN_CHECKOUT, checkout_jwt)
    except ReceiptError as error:
        raise MandateError(error.text, code="bad_signature") from error
    return payload


def parts_of(jws: str) -> tuple[dict[str, object], bytes]:
    """Header and payload of a compact JWS, unverified."""
    parts = jws.split(".")
    try:
        header = strict_json(from_base64url(parts[0]))
        payload = from_base64url(parts[1])
    except (ReceiptError, IndexError) as error:
        raise MandateError("the checkout is no JWS", code="other_checkout") from error
    if len(parts) != 3 or not isinstance(header, dict):
        raise MandateError("the checkout is no JWS", code="other_checkout")
    return header, payload  # pyright: ignore[reportUnknownVariableType]


def _opened(mandate: str, vct: str, key: Mapping[str, str], audience: str, nonce: str) -> Opened:
    opened = open_presentation(mandate, key)
    if opened.claims.get("vct") != vct:
        raise MandateError(
            f"a closed {vct!r} is wanted, not {opened.claims.get('vct')!r}", code="not_terminal"
        )
    if opened.audience != audience:
        raise MandateError("the mandate is for another audience", code="other_audience")
    if opened.nonce != nonce:
        raise MandateError("the mandate answers another question", code="other_nonce")
    return opened


def _typed(opened: Opened, shape: type[T]) -> T:
    try:
        return msgspec.convert(opened.claims, shape, strict=True)
    except msgspec.ValidationError as error:
        raise MandateError(f"the mandate's claims: {error}", code="not_a_mandate") from error


def _in_time(issued: int, expires: int, at: float) -> None:
    if expires <= issued:
        raise MandateError("the mandate ends before it begins", code="expired")
    if at >= expires:
        raise MandateError("the mandate has expired", code="expired")
    if at < issued - LEEWAY_S:
        raise MandateError("the mandate is not valid yet", code="not_yet")
