"""Which of the user's wishes a merchant has not heeded: discount codes, a faster delivery."""

from __future__ import annotations

import re

from lapel.commerce.checkout import CheckoutMessage, OrderDraft
from lapel.services.connectors.ucp.profile import DISCOUNT
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.requests import arrival_s, method_of
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody

REJECTED = "discount_code_"
"""UCP's codes for a rejected discount code begin so, and Lapel's own for an ignored one."""
_AT = re.compile(r"discounts\.codes\[(\d+)\]")


def code_messages(
    body: CheckoutBody, draft: OrderDraft, merchant: Merchant
) -> tuple[CheckoutMessage, ...]:
    """A message for each code that has no effect and of which the merchant says nothing."""
    if not draft.codes:
        return ()
    if DISCOUNT not in merchant.profile.capabilities:
        return tuple(_silent("discount_code_unsupported", at) for at in range(len(draft.codes)))
    found = (body.discounts.applied if body.discounts else None) or ()
    applied = {(discount.code or "").upper() for discount in found}
    said = {
        int(at.group(1))
        for message in body.messages or ()
        if message.code.startswith(REJECTED) and (at := _AT.search(message.path or ""))
    }
    return tuple(
        _silent("discount_code_unused", at)
        for at, code in enumerate(draft.codes)
        if code.upper() not in applied and at not in said
    )


def delivery_messages(body: CheckoutBody, draft: OrderDraft) -> tuple[CheckoutMessage, ...]:
    """That there was nothing to choose from where the fastest was wanted."""
    if not draft.fastest or draft.pickup:
        return ()
    groups = [group.options or () for group in method_of(body, pickup=False).groups or ()]
    chosen = any(
        len(options) > 1 and all(arrival_s(x) is not None for x in options) for options in groups
    )
    text = "There is no faster delivery."
    return () if chosen else (CheckoutMessage("no_faster_delivery", text, "warning"),)


def _silent(code: str, at: int) -> CheckoutMessage:
    return CheckoutMessage(code, "", "warning", f"$.discounts.codes[{at}]")
