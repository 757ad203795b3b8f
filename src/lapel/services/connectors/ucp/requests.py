"""What Lapel sends: a draft as a UCP checkout request, and the choice of address and delivery.

Every body is a function of the draft and of what the merchant answered to the same key before,
so that a repeated call with the same key repeats the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from lapel.commerce.checkout import Address, DraftLine, OrderDraft
from lapel.commerce.ports import Credential, Nonsense, Refused
from lapel.services.connectors.ucp.booked import journey_body, table_body
from lapel.services.connectors.ucp.groceries import kept_body, line_body
from lapel.services.connectors.ucp.profile import DISCOUNT, FULFILLMENT, MODIFIERS
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.transfers import transfer_body
from lapel.services.connectors.ucp.trips import trip_body
from lapel.services.connectors.ucp.variants import resolve
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody
from lapel.services.connectors.ucp.wire.fulfillment import (
    Destination,
    FulfillmentOption,
    Group,
    Method,
    PostalAddress,
)

SHIPPING, PICKUP = "shipping", "pickup"
NOTE_LIMIT = 200
INSTRUMENT = "bank_token"


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A draft's line in the merchant's terms, and the line itself."""

    draft: DraftLine
    item_id: str
    quantity: int
    modifiers: frozenset[str]
    note: str
    groceries: dict[str, object]

    def body(self) -> dict[str, object]:
        line: dict[str, object] = {"item": {"id": self.item_id}, "quantity": self.quantity}
        if self.modifiers:
            line["modifiers"] = sorted(self.modifiers)
        if self.note:
            line["note"] = self.note
        return line | self.groceries


def asked_lines(draft: OrderDraft, merchant: Merchant) -> tuple[AskedLine, ...]:
    """The lines to send; Refused when this merchant could not carry all that was said."""
    food = MODIFIERS in merchant.profile.capabilities
    return tuple(_asked_line(line, merchant, food) for line in draft.lines)


def create_body(draft: OrderDraft, merchant: Merchant) -> dict[str, object]:
    """Lines and where they go, all in one; of a booking or a transfer, what it is of."""
    if draft.trip is not None:
        return trip_body(draft, merchant)
    if draft.journey is not None:
        return journey_body(draft, merchant)
    if draft.table is not None:
        return table_body(draft, merchant)
    if draft.transfer is not None:
        return transfer_body(draft.transfer, merchant)
    method: dict[str, object] = {"type": _type_of(draft), **_destinations(draft, merchant)}
    body = {**lines_body(draft, merchant), "fulfillment": {"methods": [method]}}
    if not draft.codes:
        body.pop("discounts", None)
    if draft.cart_id:
        body["cart_id"] = draft.cart_id
    return body


def lines_body(draft: OrderDraft, merchant: Merchant) -> dict[str, object]:
    """The first step of an update: new lines, which the merchant then gives ids."""
    if FULFILLMENT not in merchant.profile.capabilities:
        raise _not_offered(draft.pickup, merchant.name)
    context = {
        "address_country": draft.address.country,
        "postal_code": draft.address.postal_code,
    }
    return {
        "line_items": [line.body() for line in asked_lines(draft, merchant)],
        **({} if draft.pickup else {"context": context}),
        **codes_body(draft, merchant),
    }


def codes_body(draft: OrderDraft, merchant: Merchant) -> dict[str, object]:
    """The codes, or that there are none any more: what is not sent may stay as it was."""
    if DISCOUNT not in merchant.profile.capabilities:
        return {}
    return {"discounts": {"codes": list(draft.codes)}}


def address_body(
    checkout: CheckoutBody, draft: OrderDraft, merchant: Merchant
) -> dict[str, object]:
    """The second step of an update: where those lines go. UCP wants their ids in it."""
    method = {
        "type": _type_of(draft),
        "line_item_ids": [line.id for line in checkout.line_items],
        **_destinations(draft, merchant),
    }
    return {
        "line_items": _kept_lines(checkout),
        "fulfillment": {"methods": [method]},
        **codes_body(draft, merchant),
    }


def selection_body(
    checkout: CheckoutBody, draft: OrderDraft, *, codes: dict[str, object] | None = None
) -> dict[str, object] | None:
    """The update that selects our address and the option wanted; None if that is selected.

    Of several places to fetch it at, the merchant's choice or its first. `codes` are sent along:
    an update replaces the whole checkout.
    """
    method = method_of(checkout, pickup=draft.pickup)
    destination = _place(method) if draft.pickup else _find(method, draft.address)
    groups = method.groups or ()
    chosen = [
        (group, wanted_option(group, fastest=draft.fastest)) for group in groups if group.options
    ]
    if (
        method.selected_destination_id == destination.id
        and chosen
        and all(group.selected_option_id == option.id for group, option in chosen)
    ):
        return None
    return {
        **(codes or {}),
        "line_items": _kept_lines(checkout),
        "fulfillment": {
            "methods": [
                {
                    "id": method.id,
                    "type": method.type,
                    "line_item_ids": [line.id for line in checkout.line_items],
                    "destinations": [_echo(destination)],
                    "selected_destination_id": destination.id,
                    "groups": [
                        {"id": group.id, "selected_option_id": option.id}
                        for group, option in chosen
                    ],
                }
            ]
        },
    }


def complete_body(credential: Credential) -> dict[str, object]:
    """With mandates the token is a composite of the bank's and the payment mandate."""
    token = credential.token
    if credential.payment_mandate:
        both = {"token": token, "payment_mandate": credential.payment_mandate}
        token = msgspec.json.encode(both).decode()
    body: dict[str, object] = {
        "payment": {
            "instruments": [
                {
                    "id": credential.authorization_id,
                    "handler_id": credential.handler_id,
                    "type": INSTRUMENT,
                    "selected": True,
                    "credential": {"type": INSTRUMENT, "token": token},
                }
            ]
        }
    }
    if credential.checkout_mandate:
        body["ap2"] = {"checkout_mandate": credential.checkout_mandate}
    return body


def method_of(checkout: CheckoutBody, *, pickup: bool) -> Method:
    """The method that brings everything to the door, or has it ready at the shop."""
    methods = (checkout.fulfillment.methods if checkout.fulfillment else None) or ()
    for method in methods:
        if method.type == (PICKUP if pickup else SHIPPING):
            return method
    raise _not_offered(pickup, "This shop")


def _not_offered(pickup: bool, shop: str) -> Refused:
    if pickup:
        return Refused(f"{shop} has no pick-up; it delivers only.", code="no_pickup")
    return Refused(f"{shop} does not deliver that.", code="no_delivery")


def _type_of(draft: OrderDraft) -> str:
    return PICKUP if draft.pickup else SHIPPING


def _destinations(draft: OrderDraft, merchant: Merchant) -> dict[str, object]:
    """Ours; where it is fetched is the merchant's to say, and nothing of the user's is told."""
    return {} if draft.pickup else {"destinations": [_destination(draft.address, merchant)]}


def _place(method: Method) -> Destination:
    found = [place for place in method.destinations or () if place.id]
    for place in found:
        if place.id == method.selected_destination_id:
            return place
    if not found:
        raise Nonsense("the merchant names no place to fetch it at", code="address_changed")
    return found[0]


def cheapest(group: Group) -> FulfillmentOption:
    """The cheapest option, the first of several; a merchant's own preference does not count."""
    return min(group.options or (), key=option_price)


def wanted_option(group: Group, *, fastest: bool) -> FulfillmentOption:
    """The fastest as far as the merchant says when each arrives; else the cheapest."""
    timed = [x for x in group.options or () if arrival_s(x) is not None]
    if not fastest or len(timed) < len(group.options or ()):
        return cheapest(group)
    return min(timed, key=lambda option: (arrival_s(option) or 0.0, option_price(option)))


def arrival_s(option: FulfillmentOption) -> float | None:
    """When it is there at the latest, in seconds since 1970; None where the merchant is silent."""
    try:
        return datetime.fromisoformat(option.latest_fulfillment_time or "").timestamp()
    except (ValueError, OverflowError):
        return None


def option_price(option: FulfillmentOption) -> int:
    totals = {entry.type: entry.amount for entry in option.totals}
    if "total" not in totals:
        raise Nonsense(f"the delivery option {option.id!r} has no total")
    return totals["total"]


def is_same_place(destination: Destination, address: Address) -> bool:
    pairs = (
        (destination.street_address, address.street),
        (destination.address_locality, address.city),
        (destination.postal_code, address.postal_code),
        (destination.address_country, address.country),
    )
    return all(_folded(theirs or "") == _folded(ours) for theirs, ours in pairs)


def _kept_lines(checkout: CheckoutBody) -> list[dict[str, object]]:
    return [
        {
            "id": line.id,
            "item": {"id": line.item.id},
            "quantity": line.quantity,
            **({"modifiers": list(line.modifiers)} if line.modifiers else {}),
            **({"note": line.note} if line.note else {}),
            **kept_body(line.groceries),
        }
        for line in checkout.line_items
    ]


def _find(method: Method, address: Address) -> Destination:
    for destination in method.destinations or ():
        if destination.id and is_same_place(destination, address):
            return destination
    raise Nonsense("the merchant does not list the address it was given", code="address_changed")


def _asked_line(line: DraftLine, merchant: Merchant, food: bool) -> AskedLine:
    shop = merchant.name
    item_id, modifiers = resolve(line.item_id, line.options)
    note = " ".join(line.note.split())
    if modifiers and not food:
        raise Refused(f"{shop} cannot make {line.title} like that.", code="option_invalid")
    if note and not food:
        raise Refused(f"{shop} takes no notes for the kitchen.", code="note_not_supported")
    if len(note) > NOTE_LIMIT:
        raise Refused(f"The note for {line.title} is too long.", code="note_not_supported")
    weighed = line_body(line, merchant)
    return AskedLine(line, item_id, line.quantity, frozenset(modifiers), note, weighed)


def _destination(address: Address, merchant: Merchant) -> dict[str, object]:
    food = MODIFIERS in merchant.profile.capabilities
    body: dict[str, object] = {
        "street_address": address.street,
        "address_locality": address.city,
        "postal_code": address.postal_code,
        "address_country": address.country,
    }
    if food:
        body |= {"latitude": address.latitude, "longitude": address.longitude}
    if address.instructions:
        body["instructions" if food else "extended_address"] = address.instructions
    return body


def _echo(destination: Destination) -> dict[str, object]:
    at = destination.address
    fields: dict[str, object] = {
        "id": destination.id,
        "name": destination.name,
        "address": {} if at is None else _postal(at),
        "street_address": destination.street_address,
        "address_locality": destination.address_locality,
        "postal_code": destination.postal_code,
        "address_country": destination.address_country,
        "extended_address": destination.extended_address,
        "latitude": destination.latitude,
        "longitude": destination.longitude,
        "instructions": destination.instructions,
    }
    return {name: value for name, value in fields.items() if value not in (None, "", {})}


def _postal(address: PostalAddress) -> dict[str, object]:
    fields: dict[str, object] = {
        "street_address": address.street_address,
        "address_locality": address.address_locality,
        "postal_code": address.postal_code,
        "address_country": address.address_country,
    }
    return {name: value for name, value in fields.items() if value}


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
