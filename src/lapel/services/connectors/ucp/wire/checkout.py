"""A checkout and a cart."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.commerce.checkout import SignedTerms
from lapel.services.connectors.ucp.wire.amounts import (
    Amount,
    Envelope,
    Id,
    Message,
    Quantity,
    TotalEntry,
)
from lapel.services.connectors.ucp.wire.fulfillment import Fulfillment
from lapel.services.connectors.ucp.wire.groceries import GroceryTerms
from lapel.services.connectors.ucp.wire.pay import TransferBody
from lapel.services.connectors.ucp.wire.rides import TripBody
from lapel.services.connectors.ucp.wire.tables import TableBody
from lapel.services.connectors.ucp.wire.travel import JourneyBody


class ItemEntry(msgspec.Struct, frozen=True):
    id: Id
    title: str
    price: Amount


class LineEntry(msgspec.Struct, frozen=True):
    id: Id
    item: ItemEntry
    quantity: Quantity
    totals: tuple[TotalEntry, ...]
    modifiers: tuple[Id, ...] | None = ()
    note: str | None = ""
    groceries: GroceryTerms | None = None


class OrderConfirmation(msgspec.Struct, frozen=True):
    id: Id
    permalink_url: str = ""


class AppliedDiscount(msgspec.Struct, frozen=True):
    title: str
    amount: Amount
    code: str | None = None


class Discounts(msgspec.Struct, frozen=True):
    codes: tuple[str, ...] | None = ()
    applied: tuple[AppliedDiscount, ...] | None = ()


class CheckoutBody(msgspec.Struct, frozen=True):
    """A checkout, or (`ucp.status` is `error`) only messages that say why there is none."""

    ucp: Envelope
    id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    status: str = ""
    currency: str = ""
    line_items: tuple[LineEntry, ...] = ()
    totals: tuple[TotalEntry, ...] = ()
    messages: tuple[Message, ...] | None = ()
    fulfillment: Fulfillment | None = None
    continue_url: str | None = ""
    order: OrderConfirmation | None = None
    signed: SignedTerms | None = msgspec.field(default=None, name="dev.lapel.signed")
    """Not of the wire: the client sets it once the merchant's signature is verified."""
    discounts: Discounts | None = None
    trip: TripBody | None = None
    transfer: TransferBody | None = None
    journey: JourneyBody | None = None
    table: TableBody | None = None


class CartBody(msgspec.Struct, frozen=True):
    """A cart, whose totals are estimates, or the reasons why there is none."""

    ucp: Envelope
    id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    currency: str = ""
    line_items: tuple[LineEntry, ...] = ()
    totals: tuple[TotalEntry, ...] = ()
    messages: tuple[Message, ...] | None = ()
