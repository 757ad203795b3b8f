"""The names of ACP 2026-04-17 that the City uses, and how they go with those of its shops."""

from __future__ import annotations

from city.ucp.vocabulary import CHECKOUT, DISCOUNT, FULFILLMENT, MODIFIERS, MODIFIERS_VERSION, ORDER
from city.ucp.vocabulary import VERSION as UCP_VERSION

VERSION = "2026-04-17"
WELL_KNOWN = "/.well-known/acp.json"
ENROLMENT = "dev.lapel.enrolment"
PLATFORM = "acp:"
"""Begins the names of platforms that speak ACP, where others have the URL of a profile."""

SHARED = {
    **dict.fromkeys((CHECKOUT, FULFILLMENT, DISCOUNT, ORDER), UCP_VERSION),
    MODIFIERS: MODIFIERS_VERSION,
}
"""What such a platform shares with a shop; the modifiers are its variants."""

STATUS = {
    "incomplete": "not_ready_for_payment",
    "requires_escalation": "requires_escalation",
    "ready_for_complete": "ready_for_payment",
    "complete_in_progress": "complete_in_progress",
    "completed": "completed",
    "canceled": "canceled",
}
CODES = {
    "item_unavailable": "not_found",
    "insufficient_stock": "quantity_exceeded",
    "address_undeliverable": "region_restricted",
    "fulfillment_unavailable": "unsupported",
    "option_unavailable": "invalid",
    "merchant_closed": "unsupported",
    "price_changed": "conflict",
    "payment_failed": "payment_declined",
    "age_verification": "age_verification_required",
    "modifier_unknown": "not_found",
    "modifier_required": "missing",
    "modifier_conflict": "invalid",
}
ORDER_STATUS = {
    "processing": "processing",
    "preparing": "processing",
    "picked_up": "shipped",
    "in_transit": "shipped",
    "failed_attempt": "shipped",
    "delivered": "completed",
    "canceled": "canceled",
}


def variant_id(dish: str, choices: list[str]) -> str:
    """One thing that can be bought: the dish and what was chosen of its groups."""
    return "~".join([dish, *choices])


def parts_of(variant: str) -> tuple[str, list[str]]:
    dish, *choices = variant.split("~")
    return dish, choices
