"""Purchases that a bare press is not enough for: they are confirmed on a screen that showed them.

A merchant that the user added is a known payee, and an address that the user entered is a known
address. What is new is an account that the merchant was not paid into before, and what is large is
above a limit. Of transfers each payee is new until they were paid once. The rule is looked up when
the question is asked and again when it is answered.
"""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import records, words
from lapel.commerce.checkout import Checkout, Transfer
from lapel.commerce.order import Evidence
from lapel.commerce.policy import Policy


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


def seen_on_screen(evidence: Evidence) -> bool:
    """Whether the order button was used, on a device that had shown the cart."""
    return evidence.gesture == "approve" and evidence.device_name in evidence.shown_on
