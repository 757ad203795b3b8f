"""An ACP session and its order as UCP documents, so that UCP's checks are the only ones there are.

Statuses: `not_ready_for_payment` is UCP's `incomplete`, `ready_for_payment` its
`ready_for_complete`, `expired` its `canceled`. `authentication_required` can only be met on the
seller's own page; `pending_approval` means that the seller's people decide: before the user paid
that is a refusal in their words, afterwards the order is under way and may still be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lapel.commerce.ports import Nonsense
from lapel.services.connectors.acp.profile import VERSION
from lapel.services.connectors.acp.totals import goods_of, line_totals, order_totals, session_totals
from lapel.services.connectors.acp.wire import (
    AppliedDiscount,
    Cart,
    FulfillmentOption,
    Line,
    Message,
    Order,
    Session,
    Total,
)
from lapel.services.connectors.ucp.profile import VERSION as UCP_VERSION
from lapel.services.connectors.ucp.requests import SHIPPING

Json = dict[str, object]

DELIVERY = ("shipping", "local_delivery")
"""The kinds of fulfilment that bring something to the door."""

_STATUS = {
    "incomplete": "incomplete",
    "not_ready_for_payment": "incomplete",
    "requires_escalation": "requires_escalation",
    "ready_for_payment": "ready_for_complete",
    "complete_in_progress": "complete_in_progress",
    "in_progress": "complete_in_progress",
    "pending_approval": "complete_in_progress",
    "completed": "completed",
    "canceled": "canceled",
    "expired": "canceled",
}
_CODES = {
    "quantity_exceeded": "insufficient_stock",
    "low_stock": "insufficient_stock",
    "expired": "checkout_expired",
    "approval_required": "approval_pending",
    "requires_3ds": "authentication_required",
    "intervention_required": "authentication_required",
}
_CREDITS = frozenset(
    {"refund", "credit", "return", "exchange", "price_adjustment", "cancellation", "dispute"}
)
_DONE = {"shipped": "shipped", "completed": "delivered", "canceled": "canceled"}


def checkout(session: Session, *, pricing: bool) -> Json:
    """The session as a UCP checkout. `pricing`: it answers a create or an update."""
    if session.protocol is not None and session.protocol.version not in ("", VERSION):
        raise Nonsense(f"the merchant answers in ACP {session.protocol.version!r}, not {VERSION!r}")
    status, said = _status(session, pricing)
    body: Json = {
        "ucp": {"version": UCP_VERSION, "payment_handlers": _handlers(session)},
        "id": session.id,
        "status": status,
        "currency": session.currency.upper(),
        "line_items": [_line(line) for line in session.line_items],
        "totals": session_totals(session.line_items, session.totals),
        "messages": [*(_message(x) for x in session.messages), *said, *_rejected(session)],
        "fulfillment": {"methods": [_method(session)]},
        "continue_url": session.continue_url or "",
        "discounts": _discounts(session),
    }
    if session.order is not None:
        body["order"] = {"id": session.order.id, "permalink_url": session.order.permalink_url}
    return body


def cart(found: Cart) -> Json:
    """The cart as UCP has it."""
    return {
        "ucp": {"version": UCP_VERSION},
        "id": found.id,
        "currency": found.currency.upper(),
        "line_items": [_line(line) for line in found.line_items],
        "totals": session_totals(found.line_items, found.totals),
        "messages": [_message(x) for x in found.messages],
    }


def no_cart() -> Json:
    """One that is gone, or that holds nothing that is sold."""
    return {
        "ucp": {"version": UCP_VERSION, "status": "error"},
        "messages": [_error("not_found", "there is no such cart")],
    }


def _line(line: Line) -> Json:
    unit, _ = goods_of(line)
    title = line.name or line.item.name or line.item.id
    return {
        "id": line.id,
        "item": {"id": line.item.id, "title": title, "price": unit},
        "quantity": line.quantity,
        "totals": line_totals(line),
    }


def order(found: Order, totals: Sequence[Total], currency: str) -> Json:
    """The order as UCP has it; `totals` are its own, or those of its session."""
    return {
        "ucp": {"version": UCP_VERSION},
        "id": found.id,
        "checkout_id": found.checkout_session_id,
        "currency": currency.upper(),
        "permalink_url": found.permalink_url,
        "line_items": [
            {
                "id": line.id,
                "quantity": {"total": line.quantity.current, "fulfilled": line.quantity.fulfilled},
            }
            for line in found.line_items
        ],
        "fulfillment": {"events": _events(found)},
        "adjustments": [
            {
                "id": x.id,
                "type": x.type,
                "status": x.status,
                "description": x.description or "",
                "line_items": [{"id": y.id, "quantity": -abs(y.quantity)} for y in x.line_items],
                "totals": _returned(x.type, x.amount, x.currency, currency, x.id),
            }
            for x in found.adjustments
        ],
        "totals": order_totals(totals),
    }


def option_of(id: str) -> tuple[str, str]:
    """The kind and the id that ACP has for an option's id here."""
    kind, _, found = id.partition("/")
    return kind, found


def _status(session: Session, pricing: bool) -> tuple[str, list[Json]]:
    """UCP's status, and what has to be said where UCP has none like it."""
    if session.status == "authentication_required":
        if session.continue_url:
            return "requires_escalation", []
        return "incomplete", [_error("authentication_required", "the bank must be asked")]
    if session.status == "pending_approval" and pricing:
        return "incomplete", [_error("approval_pending", "the seller must approve it")]
    status = _STATUS.get(session.status)
    if status is None:
        raise Nonsense(f"{session.status[:64]!r} is not a status of an ACP session")
    return status, []


def _error(code: str, text: str) -> Json:
    return {"type": "error", "code": code, "content": text, "severity": "unrecoverable"}


def code_of(code: str, param: str | None) -> str:
    """UCP's code, or that of Lapel's merchants, for one of ACP's about that part of a session."""
    where = param or ""
    if code == "not_found" and "line_items" in where:
        return "item_unavailable"
    if code in ("invalid", "region_restricted") and "fulfillment" in where:
        return "address_undeliverable"
    return _CODES.get(code, code)


def _message(message: Message) -> Json:
    return {
        "type": message.type,
        "code": code_of(message.code, message.param),
        "content": message.content,
        "severity": message.resolution,
        "path": message.param,
    }


def _rejected(session: Session) -> list[Json]:
    found = session.discounts
    if found is None:
        return []
    at = {code.upper(): place for place, code in enumerate(found.codes)}
    said = {x.code for x in session.messages}
    return [
        {
            "type": "warning",
            "code": x.reason,
            "content": x.message or "",
            "path": f"$.discounts.codes[{at.get(x.code.upper(), 0)}]",
        }
        for x in found.rejected
        if x.reason not in said
    ]


def _discounts(session: Session) -> Json | None:
    found = session.discounts
    if found is None:
        return None
    applied: list[Json] = [
        {"title": _title(x), "amount": x.amount, "code": x.code} for x in found.applied
    ]
    return {"codes": list(found.codes), "applied": applied}


def _title(discount: AppliedDiscount) -> str:
    return (discount.coupon.name if discount.coupon else "") or discount.code or "Discount"


def _method(session: Session) -> Json:
    """The one way to the door, with the options that there are for it."""
    address = session.fulfillment_details.address if session.fulfillment_details else None
    lines = [line.id for line in session.line_items]
    options = [x for x in session.fulfillment_options if x.type in DELIVERY]
    destinations: list[Json] = []
    if address is not None:
        destinations = [
            {
                "id": "door",
                "street_address": address.line_one,
                "extended_address": address.line_two or "",
                "address_locality": address.city,
                "postal_code": address.postal_code,
                "address_country": address.country,
            }
        ]
    group: Json = {
        "id": "all",
        "line_item_ids": lines,
        "selected_option_id": _selected(session),
        "options": [_option(x) for x in options],
    }
    return {
        "id": "delivery",
        "type": SHIPPING,
        "line_item_ids": lines,
        "destinations": destinations,
        "selected_destination_id": "door" if destinations else None,
        "groups": [group] if options else [],
    }


def _selected(session: Session) -> str | None:
    """The one option by which all of it comes; None where there is none such."""
    chosen = session.selected_fulfillment_options
    ids = {_option_id(x.type, x.option_id) for x in chosen}
    covered = {item for x in chosen for item in x.item_ids}
    wanted = {line.item.id for line in session.line_items}
    return next(iter(ids)) if len(ids) == 1 and wanted <= covered else None


def _option_id(kind: str, id: str) -> str:
    """UCP's options have no kind, but to choose one ACP wants it again."""
    return f"{kind}/{id}"


def _option(option: FulfillmentOption) -> Json:
    amounts = {x.type: x.amount for x in option.totals}
    window = option.delivery_window
    return {
        "id": _option_id(option.type, option.id),
        "title": option.title,
        "description": option.description or "",
        "totals": [
            {"type": "total", "amount": amounts[kind]}
            for kind in ("total", "fulfillment")
            if kind in amounts
        ][:1],
        "latest_fulfillment_time": option.latest_delivery_time or (window.end if window else None),
    }


def _handlers(session: Session) -> Json:
    """By name, each bound to this session: the token that pays it pays no other."""
    found: dict[str, object] = {}
    payment = session.capabilities.payment
    for handler in payment.handlers if payment else ():
        config = {
            **msgspec.json.decode(bytes(handler.config), type=dict[str, object]),
            "session": session.id,
            "session_expires_at": session.expires_at or "",
        }
        found[handler.name] = [{"id": handler.id, "version": VERSION, "config": config}]
    return found


def _events(found: Order) -> list[Json]:
    """Of all parcels; a seller that tells none still tells the order's status."""
    events: list[Json] = [
        {
            "id": event.id,
            "type": event.type,
            "occurred_at": event.occurred_at,
            "description": event.description or "",
            "tracking_url": part.tracking_url or "",
        }
        for part in found.fulfillments
        for event in part.events
    ]
    kind = _DONE.get(found.status)
    if kind is None or any(event["type"] == kind for event in events):
        return events
    return [*events, {"id": f"status:{kind}", "type": kind, "occurred_at": ""}]


def _returned(kind: str, amount: int | None, currency: str, of_order: str, id: str) -> list[Json]:
    """Money that goes back is positive in ACP; other kinds of adjustment move none."""
    if amount is None or kind not in _CREDITS:
        return []
    if currency and currency.upper() != of_order.upper():
        raise Nonsense(f"adjustment {id!r} is in {currency!r}", code="wrong_currency")
    if amount < 0:
        raise Nonsense(f"adjustment {id!r} credits {amount}", code="wrong_arithmetic")
    return [{"type": "total", "amount": -amount}]
