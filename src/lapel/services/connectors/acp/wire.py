"""The wire shapes of ACP sessions, orders and feeds; what Lapel does not use is ignored."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.services.connectors.ucp.wire.amounts import Amount, Count, Id, Quantity

Text = Annotated[str, msgspec.Meta(max_length=4000)]
Url = Annotated[str, msgspec.Meta(max_length=2048)]
Key = Annotated[str, msgspec.Meta(max_length=128)]
_EMPTY = msgspec.Raw(b"{}")


class Total(msgspec.Struct, frozen=True):
    type: str
    amount: Amount
    display_text: Text = ""


class ItemRef(msgspec.Struct, frozen=True):
    id: Id
    name: Text = ""
    unit_amount: Amount | None = None


class Line(msgspec.Struct, frozen=True):
    id: Id
    item: ItemRef
    quantity: Quantity
    totals: tuple[Total, ...]
    name: Text = ""
    unit_amount: Amount | None = None


class Address(msgspec.Struct, frozen=True):
    line_one: Text = ""
    line_two: Text | None = ""
    city: Text = ""
    country: Text = ""
    postal_code: Text = ""


class FulfillmentDetails(msgspec.Struct, frozen=True):
    address: Address | None = None


class Window(msgspec.Struct, frozen=True):
    end: Text = ""


class FulfillmentOption(msgspec.Struct, frozen=True):
    type: str
    id: Id
    title: Text = ""
    totals: tuple[Total, ...] = ()
    description: Text | None = ""
    latest_delivery_time: Text | None = None
    delivery_window: Window | None = None


class SelectedOption(msgspec.Struct, frozen=True):
    type: str
    option_id: Id
    item_ids: tuple[Id, ...]


class Message(msgspec.Struct, frozen=True):
    type: str
    content: Text
    code: Text = ""
    resolution: Text = ""
    param: Text | None = None


class Handler(msgspec.Struct, frozen=True):
    id: Id
    name: Text
    config: msgspec.Raw = _EMPTY


class PaymentOffer(msgspec.Struct, frozen=True):
    handlers: tuple[Handler, ...] = ()


class Capabilities(msgspec.Struct, frozen=True):
    payment: PaymentOffer | None = None


class Coupon(msgspec.Struct, frozen=True):
    name: Text = ""


class AppliedDiscount(msgspec.Struct, frozen=True):
    amount: Amount
    code: Text | None = None
    coupon: Coupon | None = None


class RejectedDiscount(msgspec.Struct, frozen=True):
    code: Text
    reason: Text
    message: Text | None = ""


class Discounts(msgspec.Struct, frozen=True):
    codes: tuple[Text, ...] = ()
    applied: tuple[AppliedDiscount, ...] = ()
    rejected: tuple[RejectedDiscount, ...] = ()


class LineQuantity(msgspec.Struct, frozen=True):
    ordered: Count
    current: Count
    fulfilled: Count = 0


class OrderLine(msgspec.Struct, frozen=True):
    id: Id
    quantity: LineQuantity


class Event(msgspec.Struct, frozen=True):
    id: Id
    type: Text
    occurred_at: Text
    description: Text | None = ""


class Fulfillment(msgspec.Struct, frozen=True):
    id: Id
    type: str
    status: Text = ""
    tracking_url: Url | None = ""
    events: tuple[Event, ...] = ()


class AdjustedLine(msgspec.Struct, frozen=True):
    id: Id
    quantity: int


class Adjustment(msgspec.Struct, frozen=True):
    id: Id
    type: Text
    status: Text
    line_items: tuple[AdjustedLine, ...] = ()
    amount: Amount | None = None
    currency: Text = ""
    description: Text | None = ""


class Order(msgspec.Struct, frozen=True):
    id: Key
    checkout_session_id: Key
    permalink_url: Url
    status: Text = ""
    line_items: tuple[OrderLine, ...] = ()
    fulfillments: tuple[Fulfillment, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    totals: tuple[Total, ...] = ()


class _Version(msgspec.Struct, frozen=True):
    version: Text = ""


class Session(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    status: str
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Za-z]{3}$")]
    line_items: tuple[Line, ...]
    totals: tuple[Total, ...]
    capabilities: Capabilities
    fulfillment_options: tuple[FulfillmentOption, ...]
    messages: tuple[Message, ...]
    protocol: _Version | None = None
    fulfillment_details: FulfillmentDetails | None = None
    selected_fulfillment_options: tuple[SelectedOption, ...] = ()
    expires_at: Text | None = ""
    continue_url: Url | None = ""
    discounts: Discounts | None = None
    order: Order | None = None


class Cart(msgspec.Struct, frozen=True):
    """What is kept before there is a session; its totals are estimates."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Za-z]{3}$")]
    line_items: tuple[Line, ...]
    totals: tuple[Total, ...]
    messages: tuple[Message, ...] = ()


class OrderEvent(msgspec.Struct, frozen=True):
    """A webhook: the whole order each time."""

    type: Text
    data: Order


class Complaint(msgspec.Struct, frozen=True):
    """The body of a 4xx or 5xx."""

    type: Text = ""
    code: Text = ""
    message: Text = ""
    param: Text | None = None


class Price(msgspec.Struct, frozen=True):
    amount: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Description(msgspec.Struct, frozen=True):
    plain: Text = ""


class Availability(msgspec.Struct, frozen=True):
    available: bool = True
    status: Text = ""


class VariantOption(msgspec.Struct, frozen=True):
    name: Text
    value: Text


class Category(msgspec.Struct, frozen=True):
    value: Text


class Variant(msgspec.Struct, frozen=True):
    id: Id
    title: Text
    price: Price | None = None
    availability: Availability | None = None
    variant_options: tuple[VariantOption, ...] = ()
    categories: tuple[Category, ...] = ()


class Product(msgspec.Struct, frozen=True):
    id: Id
    variants: tuple[Variant, ...]
    title: Text = ""
    description: Description | None = None


class Feed(msgspec.Struct, frozen=True):
    products: tuple[Product, ...]
