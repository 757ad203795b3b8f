"""Closed mandates (AP2 v0.2): the user's signed yes to one exact checkout and its one payment.

`mandate.checkout.1` holds the checkout as the merchant signed it (`checkout_jwt`); from a merchant
that signs nothing, as Lapel read it, signed by the user. `mandate.payment.1` names the payee, the
amount and the instrument, and by `transaction_id` that same checkout. Its `risk_data` (on which
device, by which gesture, what was shown) is hidden from the merchant and open in the receipt.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import cast

import msgspec
import sqlalchemy as sa

from lapel.commerce.checkout import Checkout
from lapel.commerce.consent.assertions import key_hash
from lapel.commerce.consent.open_mandates import OpenMandates
from lapel.commerce.consent.sdjwt import issue, present
from lapel.commerce.errors import MandateError
from lapel.commerce.keys import SigningKey, base64url, sign_jws
from lapel.commerce.order import Approval
from lapel.store import schema

CHECKOUT = "mandate.checkout.1"
PAYMENT = "mandate.payment.1"
WITHIN_LIMIT = "within_limit"
"""What stands for the gesture where a standing limit gave the yes."""
OWN_CHECKOUT = "lapel-checkout+json"
"""The type of a `checkout_jwt` that the merchant did not sign: its payload is what was agreed."""


class ClosedMandates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One approval's mandates as presentations, with what a verifier must hold them against.

    `payment` discloses everything and goes into the receipt, `shared_payment` to the merchant.
    `standing` are the open mandates of the limit that gave the yes, if one did.
    """

    jwk: dict[str, str]
    audience: str
    nonce: str
    checkout: str
    payment: str
    shared_payment: str
    standing: OpenMandates | None = None


_mandates_of = msgspec.json.Decoder(ClosedMandates).decode


class RiskData(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the user agreed. `checkout_hash` is Lapel's own, over what was shown.

    `passkey` names the passkey that agreed, by the hash of its public key; `plan` is the hash of
    the plan that was agreed to as a whole.
    """

    approval_id: str
    checkout_hash: str
    device_id: str
    device_name: str
    device_family: str
    gesture: str
    gesture_at_ms: int
    shown_on: tuple[str, ...]
    read_aloud_on: tuple[str, ...]
    passkey: str = ""
    plan: str = ""


def close(
    key: SigningKey,
    checkout: Checkout,
    approval: Approval,
    *,
    valid_s: float,
    within: str = "",
    standing: OpenMandates | None = None,
) -> ClosedMandates:
    """Sign both mandates of an approval that was given; they end `valid_s` after the answer.

    `within` is the hash of the open payment mandate of `standing`, by which it was given.
    """
    evidence, target = approval.evidence, checkout.payment
    if evidence is None or approval.decided_at is None or target is None:
        raise MandateError(f"the approval {approval.id!r} was not given", code="not_terminal")
    if checkout.hash() != approval.checkout_hash or checkout.total != approval.amount:
        raise MandateError("the approval is for another checkout", code="other_checkout")
    signed = checkout.signed
    checkout_jwt = signed.jws if signed else sign_jws(key, OWN_CHECKOUT, checkout.agreed())
    audience = signed.audience if signed else checkout.merchant_id
    at = int(approval.decided_at)
    times = {"iat": at, "exp": at + int(valid_s)}
    transaction = hash_of(checkout_jwt)
    # The merchant gives no nonce, but its signature is new in every answer: who binds to the hash
    # of that answer can have signed neither before it nor for another.
    nonce = transaction if signed else base64url(secrets.token_bytes(16))
    risk = RiskData(
        approval_id=approval.id,
        checkout_hash=approval.checkout_hash,
        device_id=evidence.device_id,
        device_name=evidence.device_name,
        device_family=evidence.family,
        gesture=evidence.gesture,
        gesture_at_ms=int(evidence.at * 1000),
        shown_on=evidence.shown_on,
        read_aloud_on=evidence.read_aloud_on,
        passkey=key_hash(evidence.passkey.public_key) if evidence.passkey else "",
        plan=evidence.plan.hash() if evidence.plan else "",
    )
    for_checkout = issue(
        key,
        {"vct": CHECKOUT, "checkout_hash": transaction, **times},
        {"checkout_jwt": checkout_jwt},
    )
    named = {"open_mandate_hash": within} if within else {}
    for_payment = issue(
        key,
        {
            "vct": PAYMENT,
            "transaction_id": transaction,
            "payee": {"id": target.payee, "name": checkout.merchant_name},
            "payment_amount": {
                "amount": approval.amount.minor,
                "currency": approval.amount.currency,
            },
            "payment_instrument": {"id": target.handler_id or "wallet", "type": target.handler},
            **times,
        },
        {"risk_data": msgspec.to_builtins(risk), **named},
    )

    def shown(issued_names: tuple[str, ...], *, payment: bool) -> str:
        issued = for_payment if payment else for_checkout
        return present(key, issued, issued_names, audience=audience, nonce=nonce, at=at)

    return ClosedMandates(
        jwk=dict(key.public),
        audience=audience,
        nonce=nonce,
        checkout=shown(("checkout_jwt",), payment=False),
        payment=shown(("risk_data", *named), payment=True),
        shared_payment=shown((), payment=True),
        standing=standing,
    )


def hash_of(checkout_jwt: str) -> str:
    """AP2's `checkout_hash` and `transaction_id`: SHA-256 of the text, base64url."""
    return base64url(hashlib.sha256(checkout_jwt.encode("ascii")).digest())


def keep(connection: sa.Connection, approval: Approval, mandates: ClosedMandates) -> None:
    """Write the mandates of an approval, inside the transaction that closes it."""
    connection.execute(
        sa.insert(schema.closed_mandates).values(
            approval_id=approval.id,
            order_id=approval.order_id,
            user_id=approval.user_id,
            body=msgspec.json.encode(mandates).decode(),
            created_at=approval.decided_at,
        )
    )


def find(connection: sa.Connection, approval_id: str) -> ClosedMandates | None:
    """The mandates of an approval; None for one that was given before there were any."""
    table = schema.closed_mandates
    body = connection.execute(
        sa.select(table.c.body).where(table.c.approval_id == approval_id)
    ).scalar()
    return _mandates_of(cast("str", body)) if body else None
