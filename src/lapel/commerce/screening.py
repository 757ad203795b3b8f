"""Purchases that a bare press is not enough for: they are confirmed on a screen that showed them.

A merchant that the user added is a known payee, and an address that the user entered is a known
address. What is new is an account that the merchant was not paid into before, and what is large is
above a limit. Of transfers each payee is new until they were paid once. The rule is looked up when
the question is asked and again when it is answered.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from lapel.commerce import passkeys, records, words
from lapel.commerce.checkout import Checkout, Transfer
from lapel.commerce.consent.assertions import PASSKEY
from lapel.commerce.errors import MandateError
from lapel.commerce.order import Evidence
from lapel.commerce.policy import Policy

Takes = Literal["press", "screen", "passkey"]
"""What a yes takes: a press, the button of a screen that showed the cart, or the user's passkey."""


def screening(connection: sa.Connection, policy: Policy, user_id: str, checkout: Checkout) -> str:
    """Why this purchase needs a screen, in words for the user; empty when a press will do."""
    if checkout.transfer is not None:
        return _transfer(connection, policy, user_id, checkout, checkout.transfer)
    if checkout.total.minor > policy.screen_above(checkout.total.currency):
        return words.LARGE
    before = records.last_paid(connection, user_id, checkout.merchant_id)
    now = checkout.payment
    if before is not None and now is not None:
        was = (before.handler, before.endpoint, before.payee)
        if was != (now.handler, now.endpoint, now.payee):
            return words.OTHER_ACCOUNT
    return ""


def _transfer(
    connection: sa.Connection,
    policy: Policy,
    user_id: str,
    checkout: Checkout,
    transfer: Transfer,
) -> str:
    """Every payee is new until the user has paid them; what a code says is never enough."""
    if transfer.kind == "code":
        return words.FROM_A_CODE
    if checkout.total.minor > policy.screen_above(checkout.total.currency):
        return words.LARGE_TRANSFER
    paid = records.has_paid(connection, user_id, checkout)
    return "" if paid else words.new_payee(transfer.name, transfer.payee)


def what_it_takes(
    connection: sa.Connection, policy: Policy, user_id: str, checkout: Checkout
) -> Takes:
    if not screening(connection, policy, user_id, checkout):
        return "press"
    return "passkey" if passkeys.passkeys_of(connection, user_id) else "screen"


def seen_on_screen(evidence: Evidence) -> bool:
    """Whether the order button was used, on a device that had shown the cart."""
    return evidence.gesture == "approve" and evidence.device_name in evidence.shown_on


def too_little(
    connection: sa.Connection,
    user_id: str,
    evidence: Evidence,
    question_id: str,
    agreed_hash: str,
    why: str,
    at: float,
) -> tuple[str, str] | None:
    """The code and the words with which a yes is turned down; None when it is good.

    `why` says why a press alone is not enough, and is empty where it is.
    """
    try:
        by_passkey = passkeys.proved(connection, user_id, evidence, question_id, agreed_hash, at)
    except MandateError as error:
        return error.code, error.text
    if by_passkey != (evidence.gesture == PASSKEY) or (by_passkey and not evidence.shown_on):
        return "needs_screen", f"{why} {words.ON_SCREEN}".strip()
    if by_passkey or not why:
        return None
    if passkeys.passkeys_of(connection, user_id):
        return "needs_passkey", f"{why} {words.WITH_PASSKEY}"
    return None if seen_on_screen(evidence) else ("needs_screen", f"{why} {words.ON_SCREEN}")
