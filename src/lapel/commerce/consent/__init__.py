"""Consent that can be proved: keys of users, AP2 mandates. Imports commerce and the store."""

from lapel.commerce.consent.closed import ClosedMandates, RiskData, close
from lapel.commerce.consent.jws import verify_es256
from lapel.commerce.consent.keys import KEY_LEAD_S, PublicUserKey, Vault, public_keys
from lapel.commerce.consent.verify import (
    VerifiedCheckout,
    VerifiedPayment,
    verify_checkout,
    verify_payment,
)

__all__ = [
    "KEY_LEAD_S",
    "ClosedMandates",
    "PublicUserKey",
    "RiskData",
    "Vault",
    "VerifiedCheckout",
    "VerifiedPayment",
    "close",
    "public_keys",
    "verify_checkout",
    "verify_es256",
    "verify_payment",
]
