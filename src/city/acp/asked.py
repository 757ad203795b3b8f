"""An agent's request as the shop's own kind of cart."""

from __future__ import annotations

import msgspec

from city.acp.vocabulary import parts_of
from city.acp.wire import Address, Cart, Complete, Create, Item, Update
from city.errors import ProtocolError
from city.ucp.checkout_json import CURRENCY
from city.ucp.wire import (
    CheckoutRequest,
    Destination,
    DiscountsRequest,
    FulfillmentRequest,
    GroupRequest,
    ItemReference,
    LineRequest,
    MethodRequest,
)


def create(asked: Create) -> CheckoutRequest:
    if asked.currency.upper() != CURRENCY:
        raise ProtocolError(f"this shop sells in {CURRENCY}", code="unsupported")
    details = asked.fulfillment_details
    return CheckoutRequest(
        line_items=_lines(asked.line_items),
        fulfillment=_fulfillment(details.address if details else None),
        discounts=DiscountsRequest(asked.discounts.codes) if asked.discounts else None,
    )


def cart(asked: Cart) -> CheckoutRequest:
    return CheckoutRequest(line_items=_lines(asked.line_items))


def update(asked: Update, before: CheckoutRequest) -> CheckoutRequest:
    """Only what is sent changes."""
    details = asked.fulfillment_details
    changed = before.fulfillment
    if details is not None:
        changed = _fulfillment(details.address)
    if asked.selected_fulfillment_options and changed is not None:
        wanted = asked.selected_fulfillment_options[0].option_id
        for method in changed.methods:
            method.groups = [GroupRequest(selected_option_id=wanted)]
    codes = before.discounts
    if asked.discounts is not None:
        codes = DiscountsRequest(asked.discounts.codes)
    lines = before.line_items if asked.line_items is None else _lines(asked.line_items)
    return CheckoutRequest(line_items=lines, fulfillment=changed, discounts=codes)


def complete(asked: Complete) -> bytes:
    """As the shop's till takes it."""
    data = asked.payment_data
    credential = {"type": data.instrument.type, "token": data.instrument.credential.token}
    instrument = {
        "id": "pay_1",
        "handler_id": data.handler_id,
        "type": data.instrument.type,
        "selected": True,
        "credential": credential,
    }
    return msgspec.json.encode({"payment": {"instruments": [instrument]}})


def _lines(items: list[Item]) -> list[LineRequest]:
    """The same thing twice is one line of two."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item.id] = counts.get(item.id, 0) + item.quantity
    found: list[LineRequest] = []
    for variant, quantity in counts.items():
        dish, choices = parts_of(variant)
        found.append(LineRequest(ItemReference(dish), quantity, modifiers=choices))
    return found


def _fulfillment(address: Address | None) -> FulfillmentRequest | None:
    if address is None:
        return None
    door = Destination(
        street_address=address.line_one,
        extended_address=address.line_two or None,
        postal_code=address.postal_code,
        address_locality=address.city,
        address_country=address.country,
    )
    return FulfillmentRequest([MethodRequest(destinations=[door])])
