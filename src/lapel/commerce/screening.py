"""Purchases that a bare press is not enough for: they are confirmed on a screen that showed them.

A merchant that the user added is a known payee, and an address that the user entered is a known
address. What is new is an account that the merchant was not paid into before, and what is large is
above a limit. Of transfers each payee is new until they were paid once. The rule is looked up when
the question is asked and again when it is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import sqlalchemy as sa

from lapel.commerce import passkeys, records, words
from lapel.commerce.checkout import Checkout, Transfer
from lapel.commerce.consent.assertions import PASSKEY
from lapel.commerce.errors import ApprovalError, MandateError
from lapel.commerce.order import Approval, Evidence, Order
from lapel.commerce.plan import Plan, PlanError, agreed_to
from lapel.commerce.policy import Policy
from lapel.failures import Code

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


def refuse_unseen(
    connection: sa.Connection,
    policy: Policy,
    order: Order,
    asked: Approval,
    evidence: Evidence,
    at: float,
) -> None:
    """Raise ApprovalError where the purchase takes more than this yes; the question stays open."""
    if order.checkout is None:
        return
    agreed, question, whole = asked.checkout_hash, asked.id, evidence.plan
    why = screening(connection, policy, order.user_id, order.checkout)
    if whole is not None:
        # The plan's own record has judged this very yes; a passkey signed all of it at once.
        covered = whole.covers(order.id, asked.id, agreed)
        if not covered or not agreed_to(connection, order.user_id, evidence):
            raise ApprovalError("the plan was not agreed to with this", code="hash_mismatch")
        question, agreed = whole.id, whole.hash()
    again = whole is not None
    little = too_little(connection, order.user_id, evidence, question, agreed, why, at, again=again)
    if little is not None:
        raise ApprovalError(little[1], code=little[0])


def refuse_unseen_plan(
    connection: sa.Connection,
    policy: Policy,
    plan: Plan,
    orders: Sequence[Order],
    evidence: Evidence,
    at: float,
) -> None:
    """Raise PlanError where a part takes more than this yes, or no screen showed the plan."""
    checkouts = [order.checkout for order in orders if order.checkout is not None]
    reasons = [screening(connection, policy, plan.user_id, checkout) for checkout in checkouts]
    why = next(filter(None, reasons), "")
    little = too_little(connection, plan.user_id, evidence, plan.id, plan.hash(), why, at)
    if little is not None:
        raise PlanError(little[1], code=little[0])
    if evidence.passkey is None and not seen_on_screen(evidence):
        raise PlanError("look at your phone for this one", code="needs_screen")


def too_little(
    connection: sa.Connection,
    user_id: str,
    evidence: Evidence,
    question_id: str,
    agreed_hash: str,
    why: str,
    at: float,
    *,
    again: bool = False,
) -> tuple[Code, str] | None:
    """The code and the words with which a yes is turned down; None when it is good.

    `why` says why a press alone is not enough, and is empty where it is. `again` as for `proved`.
    """
    try:
        by_passkey = passkeys.proved(
            connection, user_id, evidence, question_id, agreed_hash, at, again=again
        )
    except MandateError as error:
        return error.code, error.text
    if by_passkey != (evidence.gesture == PASSKEY) or (by_passkey and not evidence.shown_on):
        return "needs_screen", f"{why} {words.ON_SCREEN}".strip()
    if by_passkey or not why:
        return None
    if passkeys.passkeys_of(connection, user_id):
        return "needs_passkey", f"{why} {words.WITH_PASSKEY}"
    return None if seen_on_screen(evidence) else ("needs_screen", f"{why} {words.ON_SCREEN}")
