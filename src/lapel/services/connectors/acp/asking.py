"""UCP's request bodies in ACP's terms: only what was sent changes, so only that is translated."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.services.connectors.acp.access import Access
from lapel.services.connectors.acp.sessions import option_of

Json = dict[str, object]

BUYER = "Customer"
"""ACP wants a name with every address; the user's own is not told."""


class _Item(msgspec.Struct):
    id: str


class _Line(msgspec.Struct):
    item: _Item
    quantity: int


class _Place(msgspec.Struct):
    street_address: str = ""
    address_locality: str = ""
    postal_code: str = ""
    address_country: str = ""
    extended_address: str = ""


class _Group(msgspec.Struct):
    selected_option_id: str = ""


class _Method(msgspec.Struct):
    destinations: tuple[_Place, ...] = ()
    groups: tuple[_Group, ...] = ()


class _Fulfillment(msgspec.Struct):
    methods: tuple[_Method, ...] = ()


class _Codes(msgspec.Struct):
    codes: tuple[str, ...] = ()


class _Checkout(msgspec.Struct):
    line_items: tuple[_Line, ...] = ()
    fulfillment: _Fulfillment | None = None
    discounts: _Codes | None = None


class _Credential(msgspec.Struct):
    type: str
    token: str


class _Instrument(msgspec.Struct):
    handler_id: str
    credential: _Credential


class _Instruments(msgspec.Struct):
    instruments: Annotated[tuple[_Instrument, ...], msgspec.Meta(min_length=1)]


class _Complete(msgspec.Struct):
    payment: _Instruments


def create(body: object, access: Access) -> Json:
    """A new session; Lapel can be asked for no intervention, since it has none to offer."""
    asked = msgspec.convert(body, _Checkout)
    capabilities: Json = {"interventions": {"supported": []}}
    if asked.discounts:
        capabilities["extensions"] = ["discount"]
    return {
        **_changes(asked),
        "currency": access.currency.lower(),
        "capabilities": capabilities,
    }


def cart(body: object) -> Json:
    """All that a cart holds; where it goes and for whom is not told."""
    asked = msgspec.convert(body, _Checkout)
    return {"line_items": [_line(line) for line in asked.line_items]}


def update(body: object) -> Json:
    """New lines, another address, other codes, or the choice of a delivery option.

    ACP wants the kind of that option and all items with it.
    """
    asked = msgspec.convert(body, _Checkout)
    wanted = [group.selected_option_id for method in _methods(asked) for group in method.groups]
    if not wanted:
        return _changes(asked)
    kind, option_id = option_of(wanted[0])
    items = sorted({line.item.id for line in asked.line_items})
    chosen: Json = {"type": kind, "option_id": option_id, "item_ids": items}
    return {"selected_fulfillment_options": [chosen], **_codes(asked)}


def complete(body: object) -> Json:
    asked = msgspec.convert(body, _Complete)
    instrument = asked.payment.instruments[0]
    return {
        "payment_data": {
            "handler_id": instrument.handler_id,
            "instrument": {
                "type": instrument.credential.type,
                "credential": {"type": "spt", "token": instrument.credential.token},
            },
        }
    }


def canonical(body: object) -> bytes:
    """Sorted and without spaces: what `Signature` is over."""
    return msgspec.json.encode(body, order="deterministic")


def _changes(asked: _Checkout) -> Json:
    found = _codes(asked)
    if asked.line_items:
        found["line_items"] = [_line(line) for line in asked.line_items]
    places = [x for method in _methods(asked) for x in method.destinations]
    if places:
        found["fulfillment_details"] = {"address": _address(places[0])}
    return found


def _codes(asked: _Checkout) -> Json:
    if asked.discounts is None:
        return {}
    return {"discounts": {"codes": list(asked.discounts.codes)}}


def _line(line: _Line) -> Json:
    """The schema knows no quantity, the specification's text does: it is sent where it matters."""
    many: Json = {"quantity": line.quantity} if line.quantity > 1 else {}
    return {"id": line.item.id, **many}


def _address(place: _Place) -> Json:
    second: Json = {"line_two": place.extended_address} if place.extended_address else {}
    return {
        "name": BUYER,
        "line_one": place.street_address,
        "city": place.address_locality,
        "state": "",
        "country": place.address_country,
        "postal_code": place.postal_code,
        **second,
    }


def _methods(asked: _Checkout) -> tuple[_Method, ...]:
    return asked.fulfillment.methods if asked.fulfillment else ()
