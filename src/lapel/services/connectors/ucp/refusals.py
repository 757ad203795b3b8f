"""A merchant's error messages as a `Refused` with a stable code and words of our own.

A merchant's text is never spoken as if it were Lapel's: for known codes the words are ours, for
others its text is quoted, shortened and cleaned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from lapel.commerce.checkout import OrderDraft
from lapel.commerce.ports import Refused
from lapel.failures import Code
from lapel.services.connectors.ucp.wire.amounts import Message

CODES: Mapping[str, Code] = MappingProxyType(
    {
        "merchant_closed": "shop_closed",
        "shop_closed": "shop_closed",
        "store_closed": "shop_closed",
        "closed": "shop_closed",
        "out_of_stock": "sold_out",
        "sold_out": "sold_out",
        "modifier_unavailable": "sold_out",
        "item_unavailable": "unknown_item",
        "unknown_item": "unknown_item",
        "not_found": "not_found",
        "insufficient_stock": "quantity_over_stock",
        "quantity_adjusted": "quantity_over_stock",
        "modifier_unknown": "option_invalid",
        "modifier_required": "option_invalid",
        "modifier_conflict": "option_invalid",
        "address_undeliverable": "out_of_area",
        "region_restricted": "out_of_area",
        "payment_failed": "payment_declined",
        "payment_declined": "payment_declined",
        "card_declined": "payment_declined",
        "price_changed": "price_changed",
        "checkout_canceled": "checkout_expired",
        "checkout_expired": "checkout_expired",
        "mandate_required": "mandate_refused",
        "mandate_invalid_signature": "mandate_refused",
        "mandate_expired": "mandate_refused",
        "mandate_scope_mismatch": "mandate_refused",
        "merchant_authorization_invalid": "mandate_refused",
        "merchant_authorization_missing": "mandate_refused",
        "agent_missing_key": "mandate_refused",
        "no_driver_available": "no_driver",
        "trip_unavailable": "no_trip",
        "ride_not_found": "not_found",
        "booking_not_found": "not_found",
        "booking_over": "booking_over",
        "place_unknown": "place_unknown",
        "no_connection": "no_connection",
        "no_table": "no_table",
        "party_too_large": "party_too_large",
        "change_not_allowed": "change_not_allowed",
        "nothing_to_change": "nothing_to_change",
        "refund_too_low": "refund_changed",
        "ride_over": "ride_over",
        "ride_under_way": "ride_under_way",
        "fee_too_low": "fee_changed",
        "pickup_too_soon": "pickup_too_soon",
        "pickup_too_far": "pickup_too_far",
        "pickup_fixed": "pickup_fixed",
        "authentication_required": "authentication_required",
        "approval_pending": "approval_pending",
        "payee_not_found": "unknown_payee",
        "payee_is_payer": "own_account",
        "request_not_found": "unknown_request",
        "request_closed": "request_closed",
        "code_invalid": "bad_code",
        "code_expired": "code_expired",
        "code_paid": "already_paid",
        "amount_changed": "other_amount",
        "return_closed": "return_closed",
        "unauthorized": "unauthorized",
        "version_unsupported": "version_unsupported",
        "capabilities_incompatible": "capabilities_incompatible",
    }
)
"""UCP's standard codes and those that merchants of food use, to Lapel's."""

_WORDS: Mapping[Code, str] = MappingProxyType(
    {
        "shop_closed": "{shop} is closed now.",
        "sold_out": "{item} is sold out at {shop}.",
        "unknown_item": "{shop} does not sell {item}.",
        "not_found": "{shop} does not know that any more.",
        "quantity_over_stock": "{shop} has not that many of {item}.",
        "option_invalid": "{shop} cannot make {item} like that.",
        "out_of_area": "{shop} does not deliver to that address.",
        "payment_declined": "The payment was declined.",
        "price_changed": "{shop} has changed the price.",
        "checkout_expired": "The offer of {shop} has expired.",
        "mandate_refused": "{shop} does not accept the proof of your consent.",
        "no_driver": "{shop} has no driver free for that.",
        "no_trip": "{shop} does not drive there.",
        "ride_over": "The ride is over already.",
        "booking_over": "That has begun already, or is over.",
        "place_unknown": "{shop} does not know that place.",
        "no_connection": "{shop} has nothing on that day.",
        "no_table": "{shop} has no table then.",
        "party_too_large": "{shop} has no table for so many.",
        "change_not_allowed": "By its terms it cannot be changed any more.",
        "nothing_to_change": "That is what you have booked already.",
        "refund_changed": "{shop} would give back less than you were told. It is not cancelled.",
        "ride_under_way": "The ride is under way already.",
        "pickup_too_soon": "That is too soon for {shop} to book. Ask for a ride now instead.",
        "pickup_too_far": "{shop} does not book so far ahead.",
        "pickup_fixed": "It is too late to change the time of that ride.",
        "fee_changed": "{shop} asks another fee for cancelling now.",
        "authentication_required": "{shop} wants a check by your bank that Lapel cannot make.",
        "approval_pending": "{shop} must first approve this order itself, so it cannot be bought.",
        "unknown_payee": "{shop} knows nobody of that name.",
        "own_account": "That is your own account.",
        "unknown_request": "{shop} does not know that request.",
        "request_closed": "That request is paid, declined or expired.",
        "bad_code": "{shop} did not issue that code.",
        "code_expired": "That code has expired.",
        "already_paid": "That is paid already.",
        "other_amount": "That code is for another amount.",
        "return_closed": "{shop} does not take that back any more.",
        "unauthorized": "{shop} does not accept orders from here.",
        "version_unsupported": "{shop} and I have no common language.",
        "capabilities_incompatible": "{shop} offers nothing that Lapel can use.",
    }
)
_SEVERITIES = ("unrecoverable", "recoverable", "requires_buyer_input", "requires_buyer_review", "")
_LINE = re.compile(r"line_items\[(\d+)\]")
_QUOTED = 160
_SOMETHING = "something in the order"


def errors_of(messages: Iterable[Message] | None) -> tuple[Message, ...]:
    """The errors, the gravest first; a cut quantity counts, for it is not what was asked."""
    errors = [x for x in messages or () if x.type == "error" or x.code == "quantity_adjusted"]
    return tuple(sorted(errors, key=_gravity))


def refusal(
    errors: Iterable[Message], shop: str, draft: OrderDraft | None, *, fallback: Code
) -> Refused:
    """The Refused for these errors: a known one before an unknown one."""
    found = list(errors)
    for message in found:
        code = CODES.get(message.code)
        if code is not None:
            item = _item_of(message, draft)
            return Refused(words_of(code, shop, item or _SOMETHING), code=code, item=item)
    if found:
        return Refused(f"{shop} says: “{plain(found[0].content)}”", code=fallback)
    return Refused(f"{shop} cannot take this order as it is.", code=fallback)


def words_of(code: Code, shop: str, item: str) -> str:
    """What to say for one of Lapel's own codes."""
    return _WORDS[code].format(shop=shop, item=item)


def plain(text: str, limit: int = _QUOTED) -> str:
    """Somebody else's text on one line, without control characters, and not for ever."""
    cleaned = " ".join("".join(x if x.isprintable() else " " for x in text).split())
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"


def _gravity(message: Message) -> int:
    return _SEVERITIES.index(message.severity if message.severity in _SEVERITIES else "")


def _item_of(message: Message, draft: OrderDraft | None) -> str:
    lines = draft.lines if draft else ()
    at = _LINE.search(message.path or "")
    if at and int(at.group(1)) < len(lines):
        return lines[int(at.group(1))].title
    return lines[0].title if len(lines) == 1 else ""
