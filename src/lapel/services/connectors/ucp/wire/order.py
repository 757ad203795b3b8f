"""An order, as it is read and as webhooks bring it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.services.connectors.ucp.wire.amounts import (
    Amount,
    Count,
    Envelope,
    Id,
    Message,
    TotalEntry,
)
from lapel.services.connectors.ucp.wire.groceries import BilledTerms, NamedItem, OrderGroceries
from lapel.services.connectors.ucp.wire.retail import OrderRetail
from lapel.services.connectors.ucp.wire.rides import TripBody, TripChange
from lapel.services.connectors.ucp.wire.tables import TableBody, TableChange
from lapel.services.connectors.ucp.wire.travel import JourneyBody, JourneyChange


class OrderQuantity(msgspec.Struct, frozen=True):
    total: Count
    original: Count = 0
    fulfilled: Count = 0


class OrderLine(msgspec.Struct, frozen=True):
    id: Id
    quantity: OrderQuantity
    item: NamedItem | None = None
    totals: tuple[TotalEntry, ...] | None = ()
    groceries: BilledTerms | None = None


class FulfillmentEvent(msgspec.Struct, frozen=True):
    id: Id
    type: str
    occurred_at: str
    description: str | None = ""
    tracking_url: str | None = ""


class OrderFulfillment(msgspec.Struct, frozen=True):
    events: tuple[FulfillmentEvent, ...] | None = ()


class AdjustedLine(msgspec.Struct, frozen=True):
    id: Id
    quantity: int


class Adjustment(msgspec.Struct, frozen=True):
    id: Id
    type: str
    status: str
    totals: tuple[TotalEntry, ...] | None = ()
    line_items: tuple[AdjustedLine, ...] | None = ()
    description: str | None = ""
    fee: Amount | None = None


class OrderBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    checkout_id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    currency: str = ""
    permalink_url: str = ""
    line_items: tuple[OrderLine, ...] = ()
    fulfillment: OrderFulfillment | None = None
    adjustments: tuple[Adjustment, ...] | None = ()
    totals: tuple[TotalEntry, ...] = ()
    messages: tuple[Message, ...] | None = ()
    trip: TripBody | None = None
    change: TripChange | None = None
    groceries: OrderGroceries | None = None
    retail: OrderRetail | None = None
    journey: JourneyBody | None = None
    journey_change: JourneyChange | None = None
    table: TableBody | None = None
    table_change: TableChange | None = None
