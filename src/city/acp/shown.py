"""A shop's checkouts, orders and shelves as ACP shows them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Annotated, cast

import msgspec

from city.acp.vocabulary import CODES, ORDER_STATUS, STATUS, VERSION, variant_id
from city.shelves import Shelf
from city.shops import Choice, Dish
from city.ucp.checkout_json import CURRENCY
from city.ucp.quote import Json
from city.ucp.vocabulary import HANDLER, HANDLER_ID
from city.ucp.vocabulary import VERSION as UCP_VERSION

_LOWERED = "discount"


class _Total(msgspec.Struct):
    type: str
    amount: int
    display_text: str = ""


class _Item(msgspec.Struct):
    id: str
    title: str
    price: int


class _Line(msgspec.Struct):
    id: str
    item: _Item
    quantity: int | dict[str, int]
    modifiers: list[str] = []
    modifier_titles: list[str] = []
    status: str = ""


class _Message(msgspec.Struct):
    type: str
    code: str
    content: str
    severity: str = ""
    path: str = ""


class _Place(msgspec.Struct):
    street_address: str = ""
    extended_address: str = ""
    address_locality: str = ""
    postal_code: str = ""
    address_country: str = ""


class _Option(msgspec.Struct):
    id: str
    title: str
    description: str
    carrier: str
    earliest_fulfillment_time: str
    latest_fulfillment_time: str
    totals: list[_Total]


class _Group(msgspec.Struct):
    options: list[_Option] = []
    selected_option_id: str | None = None


class _Method(msgspec.Struct):
    destinations: list[_Place] = []
    groups: list[_Group] = []


class _Methods(msgspec.Struct):
    methods: Annotated[list[_Method], msgspec.Meta(max_length=1)]


class _Applied(msgspec.Struct):
    title: str
    amount: int
    code: str = ""


class _Codes(msgspec.Struct):
    codes: list[str] = []
    applied: list[_Applied] = []


class _Confirmed(msgspec.Struct):
    id: str
    permalink_url: str


class _Checkout(msgspec.Struct):
    id: str
    status: str
    currency: str
    line_items: list[_Line]
    totals: list[_Total]
    messages: list[_Message]
    expires_at: str
    links: list[Json]
    fulfillment: _Methods | None = None
    discounts: _Codes | None = None
    continue_url: str = ""
    order: _Confirmed | None = None


def session(body: Mapping[str, object], bank: str, payee: str) -> Json:
    """A checkout as an ACP session."""
    found = msgspec.convert(body, _Checkout)
    method = found.fulfillment.methods[0] if found.fulfillment else _Method()
    group = method.groups[0] if method.groups else _Group()
    shown: Json = {
        "id": found.id,
        "protocol": {"version": VERSION},
        "capabilities": {
            "payment": {"handlers": [_handler(bank, payee)]},
            "interventions": {"supported": [], "required": [], "enforcement": "optional"},
            "extensions": ["discount"],
        },
        "status": STATUS[found.status],
        "currency": found.currency.lower(),
        "line_items": [_line(line) for line in found.line_items],
        "totals": _totals(found.totals),
        "fulfillment_options": [_option(option) for option in group.options],
        "messages": [_message(x) for x in found.messages],
        "links": [{**x, "type": _link(str(x["type"]))} for x in found.links],
        "expires_at": found.expires_at,
    }
    if method.destinations:
        shown["fulfillment_details"] = {"address": _address(method.destinations[0])}
    if group.selected_option_id:
        items = [_variant(line) for line in found.line_items]
        chosen = {"type": "shipping", "option_id": group.selected_option_id, "item_ids": items}
        shown["selected_fulfillment_options"] = [chosen]
    if found.discounts is not None:
        shown["discounts"] = _discounts(found.discounts, found.messages)
    if found.continue_url and found.status == "requires_escalation":
        shown["continue_url"] = found.continue_url
    if found.order is not None:
        confirmed = msgspec.to_builtins(found.order)
        shown["order"] = {**confirmed, "checkout_session_id": found.id, "status": "confirmed"}
    return shown


class _Cart(msgspec.Struct):
    id: str
    currency: str
    line_items: list[_Line]
    totals: list[_Total]
    messages: list[_Message]
    expires_at: str
    continue_url: str


def cart(body: Mapping[str, object]) -> Json:
    """A cart, whose totals are estimates."""
    found = msgspec.convert(body, _Cart)
    return {
        "id": found.id,
        "currency": found.currency.lower(),
        "line_items": [_line(line) for line in found.line_items],
        "totals": _totals(found.totals),
        "messages": [_message(x) for x in found.messages],
        "continue_url": found.continue_url,
        "expires_at": found.expires_at,
    }


class _Event(msgspec.Struct):
    id: str
    type: str
    occurred_at: str
    description: str
    tracking_url: str
    tracking_number: str
    carrier: str


class _Events(msgspec.Struct):
    events: list[_Event]


class _Reference(msgspec.Struct):
    id: str
    quantity: int


class _Adjustment(msgspec.Struct):
    id: str
    type: str
    status: str
    occurred_at: str
    description: str = ""
    line_items: list[_Reference] = []
    totals: list[_Total] = []


class _Order(msgspec.Struct):
    id: str
    label: str
    checkout_id: str
    permalink_url: str
    line_items: list[_Line]
    fulfillment: _Events
    adjustments: list[_Adjustment]
    totals: list[_Total]


def order(entity: Mapping[str, object]) -> Json:
    """The whole order, each time."""
    found = msgspec.convert(entity, _Order)
    events = found.fulfillment.events
    adjustments = [_adjustment(x) for x in found.adjustments]
    back = sum(cast("int", x.get("amount", 0)) for x in adjustments if x["status"] == "completed")
    refunded: list[Json] = []
    if back:
        refunded = [{"type": "amount_refunded", "display_text": "Refunded", "amount": back}]
    return {
        "type": "order",
        "id": found.id,
        "checkout_session_id": found.checkout_id,
        "order_number": found.label,
        "permalink_url": found.permalink_url,
        "status": ORDER_STATUS.get(events[-1].type, "processing") if events else "created",
        "line_items": [_order_line(line) for line in found.line_items],
        "fulfillments": [_parcel(events)] if events else [],
        "adjustments": adjustments,
        "totals": [*_totals(found.totals), *refunded],
    }


def feed(shelf: Shelf) -> Json:
    """Everything on the shelves, each choice of a required group a variant of its own."""
    return {"products": [_product(dish, shelf) for dish in shelf.shop.dishes.values()]}


def _product(dish: Dish, shelf: Shelf) -> Json:
    groups = [group for group in dish.groups if group.required]
    combinations = itertools.product(*(group.values for group in groups))
    described: Json = {"description": {"plain": dish.description}} if dish.description else {}
    return {
        "id": dish.product_id,
        "title": dish.title,
        **described,
        "variants": [
            _shelf_variant(dish, shelf, [group.title for group in groups], choices)
            for choices in combinations
        ],
    }


def _shelf_variant(
    dish: Dish, shelf: Shelf, names: Sequence[str], choices: Sequence[Choice]
) -> Json:
    there = shelf.left(dish) != 0
    titles = [choice.title for choice in choices]
    return {
        "id": variant_id(dish.id, [choice.id for choice in choices]),
        "title": " - ".join([dish.title, " / ".join(titles)]) if titles else dish.title,
        "price": {
            "amount": shelf.price(dish) + sum(choice.price_delta for choice in choices),
            "currency": CURRENCY,
        },
        "availability": {"available": there, "status": "in_stock" if there else "out_of_stock"},
        "categories": [{"value": dish.category, "taxonomy": "merchant"}],
        "variant_options": [
            {"name": name, "value": title} for name, title in zip(names, titles, strict=True)
        ],
        "seller": {"name": shelf.shop.name},
    }


def _handler(bank: str, payee: str) -> Json:
    return {
        "id": HANDLER_ID,
        "name": HANDLER,
        "display_name": "City Bank",
        "version": UCP_VERSION,
        "spec": "https://lapel.dev/specs/city-bank",
        "requires_delegate_payment": True,
        "requires_pci_compliance": False,
        "psp": "city_bank",
        "config_schema": "https://lapel.dev/schemas/city_bank.json",
        "instrument_schemas": ["https://lapel.dev/schemas/city_bank_token.json"],
        "config": {"endpoint": bank, "payee": payee, "merchant_id": payee},
    }


def _variant(line: _Line) -> str:
    return variant_id(line.item.id, line.modifiers)


def _named(line: _Line) -> str:
    chosen = ", ".join(line.modifier_titles)
    return f"{line.item.title} ({chosen})" if chosen else line.item.title


def _line(line: _Line) -> Json:
    count = line.quantity if isinstance(line.quantity, int) else line.quantity["original"]
    goods = line.item.price * count
    return {
        "id": line.id,
        "item": {"id": _variant(line), "name": line.item.title, "unit_amount": line.item.price},
        "quantity": count,
        "name": _named(line),
        "unit_amount": line.item.price,
        "totals": [
            {"type": "items_base_amount", "display_text": "Price", "amount": goods},
            {"type": "subtotal", "display_text": "Subtotal", "amount": goods},
            {"type": "total", "display_text": "Total", "amount": goods},
        ],
    }


def _order_line(line: _Line) -> Json:
    counts = line.quantity if isinstance(line.quantity, dict) else {}
    ordered, current = counts.get("original", 0), counts.get("total", 0)
    return {
        "id": line.id,
        "title": _named(line),
        "quantity": {
            "ordered": ordered,
            "current": current,
            "fulfilled": counts.get("fulfilled", 0),
        },
        "unit_price": line.item.price,
        "subtotal": line.item.price * ordered,
        "status": line.status,
    }


def _totals(totals: Sequence[_Total]) -> list[Json]:
    """What is taken off stands here as what it takes off."""
    shown: list[Json] = []
    for entry in totals:
        amount = -entry.amount if entry.type == _LOWERED else entry.amount
        text = entry.display_text or entry.type.capitalize()
        if entry.type == "subtotal":
            shown.append({"type": "items_base_amount", "display_text": "Items", "amount": amount})
        shown.append({"type": entry.type, "display_text": text, "amount": amount})
    return shown


def _option(option: _Option) -> Json:
    price = option.totals[0].amount
    return {
        "type": "shipping",
        "id": option.id,
        "title": option.title,
        "description": option.description,
        "carrier": option.carrier,
        "earliest_delivery_time": option.earliest_fulfillment_time,
        "latest_delivery_time": option.latest_fulfillment_time,
        "totals": [{"type": "total", "display_text": option.title, "amount": price}],
    }


def _address(place: _Place) -> Json:
    shown: Json = {
        "name": "Customer",
        "line_one": place.street_address,
        "city": place.address_locality,
        "state": "",
        "country": place.address_country,
        "postal_code": place.postal_code,
    }
    if place.extended_address:
        shown["line_two"] = place.extended_address
    return shown


def _message(message: _Message) -> Json:
    shown: Json = {"type": message.type, "content_type": "plain", "content": message.content}
    if message.path:
        shown["param"] = param(message.path)
    if message.type == "error":
        known = {"requires_buyer_input", "requires_buyer_review"}
        shown["code"] = CODES.get(message.code, message.code)
        shown["resolution"] = message.severity if message.severity in known else "recoverable"
    elif message.type == "warning":
        shown["code"] = message.code
    return shown


def param(path: str) -> str:
    """ACP's path to the part of a session that UCP's path leads to."""
    if path.startswith("$.fulfillment."):
        return "$.fulfillment_details.address"
    return "$.payment_data" if path.startswith("$.payment.") else path


def _discounts(found: _Codes, messages: Sequence[_Message]) -> Json:
    refused = [x for x in messages if x.path.startswith("$.discounts.codes[")]
    return {
        "codes": found.codes,
        "applied": [
            {
                "id": f"discount_{number}",
                "coupon": {"id": x.code or "automatic", "name": x.title},
                "amount": x.amount,
                **({"code": x.code} if x.code else {"automatic": True}),
            }
            for number, x in enumerate(found.applied, 1)
        ],
        "rejected": [
            {
                "code": found.codes[int(x.path.partition("[")[2].rstrip("]"))],
                "reason": x.code,
                "message": x.content,
            }
            for x in refused
        ],
    }


def _link(kind: str) -> str:
    return {"terms_of_service": "terms_of_use"}.get(kind, kind)


def _parcel(events: Sequence[_Event]) -> Json:
    last = events[-1]
    return {
        "id": "parcel_1",
        "type": "shipping",
        "status": last.type,
        "carrier": last.carrier,
        "tracking_number": last.tracking_number,
        "tracking_url": last.tracking_url,
        "events": [
            {
                "id": x.id,
                "type": x.type,
                "occurred_at": x.occurred_at,
                "description": x.description,
            }
            for x in events
        ],
    }


def _adjustment(found: _Adjustment) -> Json:
    shown: Json = {
        "id": found.id,
        "type": found.type,
        "status": found.status,
        "occurred_at": found.occurred_at,
        "description": found.description,
        "line_items": [{"id": x.id, "quantity": abs(x.quantity)} for x in found.line_items],
    }
    money = [x.amount for x in found.totals if x.type == "total"]
    if money:
        shown |= {"amount": -money[0], "currency": CURRENCY.lower()}
    return shown
