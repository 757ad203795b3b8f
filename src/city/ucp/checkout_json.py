"""A checkout's and an order's parts as JSON."""

from __future__ import annotations

import msgspec

from city.clock import stamp, stamp_utc
from city.ucp.quote import Delivery, Json, Line, Note, Quote, cost_of
from city.ucp.vocabulary import DISCOUNT, GROCERIES, MODIFIERS, Shared
from city.ucp.wire import CheckoutRequest, Destination

CURRENCY = "EUR"


class CheckoutBody(msgspec.Struct, omit_defaults=True):
    """What a checkout says about itself, without metadata, status and URLs."""

    currency: str
    line_items: list[Json]
    totals: list[Json]
    messages: list[Json]
    expires_at: str
    payment: Json
    buyer: Json | None = None
    fulfillment: Json | None = None
    discounts: Json | None = None


def checkout_body(
    quote: Quote,
    request: CheckoutRequest,
    shared: Shared,
    *,
    expires_s: float,
    city_s: float,
    surplus: int = 0,
) -> CheckoutBody:
    """`surplus` makes the total wrong on purpose."""
    tax = f"Total includes {quote.tax / 100:.2f} EUR of VAT"
    delivery = quote.delivery
    return CheckoutBody(
        currency=CURRENCY,
        line_items=[line_json(line, shared) for line in quote.lines],
        totals=totals_json(quote, surplus),
        messages=[
            *(note.json() for note in quote.notes),
            Note("info", "tax_included", tax).json(),
        ],
        expires_at=stamp_utc(expires_s),
        payment={"instruments": []},
        buyer=msgspec.to_builtins(request.buyer) if request.buyer else None,
        fulfillment={"methods": [_method(quote, delivery, shared, city_s)]} if delivery else None,
        discounts=_discounts(quote, request) if DISCOUNT in shared else None,
    )


def line_json(line: Line, shared: Shared) -> Json:
    shown: Json = {
        "id": line.id,
        "item": {"id": line.dish.id, "title": line.dish.title, "price": line.unit_price},
        "quantity": line.quantity,
        "totals": [
            {"type": "subtotal", "amount": line.total},
            {"type": "total", "amount": line.total},
        ],
    }
    if MODIFIERS in shared:
        shown["modifiers"] = [choice.id for choice in line.choices]
        shown["modifier_titles"] = [choice.title for choice in line.choices]
        shown["note"] = line.note
    if GROCERIES in shared:
        shown["groceries"] = _groceries(line)
    return shown


def _groceries(line: Line) -> Json:
    shown: Json = {"substitution": line.substitution}
    if line.substitution_max is not None:
        shown["substitution_max"] = line.substitution_max
    if line.grams:
        shown["unit_price"] = line.per_kilo
        shown["grams"] = line.grams
        shown["max_grams"] = line.max_grams
        shown["estimate"] = cost_of(line.per_kilo, line.grams)
    return shown


def _discounts(quote: Quote, request: CheckoutRequest) -> Json | None:
    codes = request.discounts.codes if request.discounts else []
    applied: list[Json] = []
    for discount, amount in quote.discounts:
        how: Json = {"code": discount.code} if discount.code else {"automatic": True}
        applied.append({**how, "title": discount.title, "amount": amount})
    return {"codes": list(codes), "applied": applied} if codes or applied else None


def totals_json(quote: Quote, surplus: int = 0) -> list[Json]:
    shown: list[Json] = [{"type": "subtotal", "display_text": "Subtotal", "amount": quote.subtotal}]
    if quote.shipping is not None:
        label = "Pick-up" if quote.is_fetched else "Delivery"
        shown.append({"type": "fulfillment", "display_text": label, "amount": quote.shipping})
    if quote.fee:
        shown.append({"type": "fee", "display_text": "Small order fee", "amount": quote.fee})
    if quote.off:
        names = ", ".join(discount.title for discount, _ in quote.discounts)
        shown.append({"type": "discount", "display_text": names, "amount": -quote.off})
    shown.append({"type": "total", "display_text": "Total", "amount": quote.total + surplus})
    return shown


def destination_json(destination: Destination, shared: Shared) -> Json:
    shown: Json = msgspec.to_builtins(destination)
    if MODIFIERS not in shared:
        for extended in ("latitude", "longitude", "instructions"):
            shown.pop(extended, None)
    return shown


def order_label(order_id: str) -> str:
    """What people call the order."""
    return f"#{order_id[-4:].upper()}"


def _method(quote: Quote, delivery: Delivery, shared: Shared, city_s: float) -> Json:
    lines = [line.id for line in quote.lines]
    shown: Json = {
        "id": "method_1",
        "type": delivery.kind,
        "line_item_ids": lines,
        "destinations": [destination_json(d, shared) for d in delivery.destinations],
        "selected_destination_id": delivery.selected.id if delivery.selected else None,
    }
    if delivery.options:
        shown["groups"] = [
            {
                "id": "group_1",
                "line_item_ids": lines,
                "selected_option_id": delivery.option.id if delivery.option else None,
                "options": [
                    {
                        "id": option.id,
                        "title": option.title,
                        "description": option.description,
                        **({} if quote.is_fetched else {"carrier": "City Couriers"}),
                        "earliest_fulfillment_time": stamp(city_s + option.earliest_s),
                        "latest_fulfillment_time": stamp(city_s + option.latest_s),
                        "totals": [{"type": "total", "amount": option.price}],
                    }
                    for option in delivery.options
                ],
            }
        ]
    return shown
