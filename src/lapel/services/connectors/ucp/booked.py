"""What Lapel sends to have a journey or a table booked: one line, and what it is for."""

from __future__ import annotations

from lapel.commerce.checkout import OrderDraft
from lapel.commerce.ports import Refused
from lapel.services.connectors.ucp.profile import TABLES, TRAVEL
from lapel.services.connectors.ucp.registry import Merchant


def journey_body(draft: OrderDraft, merchant: Merchant) -> dict[str, object]:
    """The one line and the journey; Refused by a merchant that sells none."""
    journey = draft.journey
    if journey is None or TRAVEL not in merchant.profile.capabilities:
        raise Refused(f"{merchant.name} sells no journeys.", code="no_trip")
    asked: dict[str, object] = {"action": "change" if journey.is_change else "book"}
    asked["travellers"] = [
        {"first_name": x.first_name, "last_name": x.last_name} for x in journey.travellers
    ]
    if journey.is_change:
        asked["booking_id"] = journey.booking_id
    if draft.hold_id:
        asked["hold_id"] = draft.hold_id
    return {"line_items": _lines(draft), "journey": asked}


def table_body(draft: OrderDraft, merchant: Merchant) -> dict[str, object]:
    """The one line and the table; Refused by a merchant that has none."""
    table = draft.table
    if table is None or TABLES not in merchant.profile.capabilities:
        raise Refused(f"{merchant.name} takes no bookings for tables.", code="no_table")
    asked: dict[str, object] = {
        "action": "change" if table.is_change else "book",
        "guest": table.guest,
    }
    if table.is_change:
        asked["booking_id"] = table.booking_id
    return {"line_items": _lines(draft), "table": asked}


def _lines(draft: OrderDraft) -> list[dict[str, object]]:
    return [{"item": {"id": line.item_id}, "quantity": line.quantity} for line in draft.lines]
