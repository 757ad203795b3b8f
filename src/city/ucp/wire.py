"""What platforms send to merchants. Unknown fields are ignored, as UCP demands of its versions."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec

from city.errors import ProtocolError

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(max_length=200)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class ItemReference(msgspec.Struct):
    id: Id


class GroceriesRequest(msgspec.Struct, omit_defaults=True):
    """How much of what is weighed, and what may be brought in its place.

    `substitution_max` is the most that this may cost, in minor units; absent: the line's price.
    """

    grams: Annotated[int, msgspec.Meta(ge=1, le=50_000)] | None = None
    substitution: Literal["none", "ask", "similar"] = "none"
    substitution_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None


class LineRequest(msgspec.Struct, omit_defaults=True):
    item: ItemReference
    quantity: Annotated[int, msgspec.Meta(ge=1, le=99)]
    id: Id | None = None
    modifiers: Annotated[list[Id], msgspec.Meta(max_length=40)] = []
    note: Text = ""
    groceries: GroceriesRequest | None = None


class PostalAddress(msgspec.Struct, omit_defaults=True):
    street_address: Text | None = None
    postal_code: Text | None = None
    address_locality: Text | None = None
    address_country: Text | None = None


class Destination(msgspec.Struct, omit_defaults=True):
    """A postal address; the last three fields belong to the modifiers extension.

    With `name` it is a place of the merchant's own, where things are picked up, at `address`.
    """

    id: Id | None = None
    name: Text | None = None
    address: PostalAddress | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    street_address: Text | None = None
    extended_address: Text | None = None
    postal_code: Text | None = None
    address_locality: Text | None = None
    address_region: Text | None = None
    address_country: Text | None = None
    phone_number: Text | None = None
    latitude: float | None = None
    longitude: float | None = None
    instructions: Text | None = None


class GroupRequest(msgspec.Struct, omit_defaults=True):
    id: Id | None = None
    selected_option_id: Id | None = None


class MethodRequest(msgspec.Struct, omit_defaults=True):
    type: Id = "shipping"
    id: Id | None = None
    destinations: Annotated[list[Destination], msgspec.Meta(max_length=10)] = []
    selected_destination_id: Id | None = None
    groups: Annotated[list[GroupRequest], msgspec.Meta(max_length=10)] = []


class FulfillmentRequest(msgspec.Struct, omit_defaults=True):
    methods: Annotated[list[MethodRequest], msgspec.Meta(max_length=10)] = []


class Buyer(msgspec.Struct, omit_defaults=True):
    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None
    phone_number: Text | None = None


class DiscountsRequest(msgspec.Struct, omit_defaults=True):
    codes: Annotated[list[Id], msgspec.Meta(max_length=20)] = []


class CheckoutRequest(msgspec.Struct, omit_defaults=True):
    line_items: Annotated[list[LineRequest], msgspec.Meta(min_length=1, max_length=50)]
    buyer: Buyer | None = None
    fulfillment: FulfillmentRequest | None = None
    discounts: DiscountsRequest | None = None
    cart_id: Id | None = None


class Credential(msgspec.Struct):
    type: Id
    token: Annotated[str, msgspec.Meta(max_length=16_000)] = ""


class Instrument(msgspec.Struct):
    id: Id
    handler_id: Id
    type: Id
    credential: Credential | None = None
    selected: bool | None = None


class PaymentRequest(msgspec.Struct):
    instruments: Annotated[list[Instrument], msgspec.Meta(max_length=10)] = []


class Ap2Request(msgspec.Struct):
    checkout_mandate: Annotated[str, msgspec.Meta(max_length=200_000)] = ""


class CompleteRequest(msgspec.Struct):
    payment: PaymentRequest
    ap2: Ap2Request | None = None

    def chosen(self) -> Instrument | None:
        """The selected instrument, or the only one."""
        offered = self.payment.instruments
        selected = [i for i in offered if i.selected]
        if len(selected) == 1:
            return selected[0]
        return offered[0] if len(offered) == 1 else None


class SubstitutionAnswer(msgspec.Struct):
    line_item_id: Id
    item_id: Id
    accept: bool


class ReturnedLine(msgspec.Struct):
    id: Id
    quantity: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1


class ReturnRequest(msgspec.Struct):
    """`most_fee` is the highest fee that the buyer agrees to, in minor units."""

    line_items: Annotated[list[ReturnedLine], msgspec.Meta(min_length=1, max_length=50)]
    most_fee: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class PriceFilter(msgspec.Struct):
    min: int | None = None
    max: int | None = None


class Filters(msgspec.Struct):
    categories: list[Id] = []
    price: PriceFilter | None = None
    available: bool | None = None


class Page(msgspec.Struct):
    limit: Annotated[int, msgspec.Meta(ge=1)] = 10
    cursor: Text = ""


class SearchRequest(msgspec.Struct):
    query: Text = ""
    filters: Filters | None = None
    pagination: Page | None = None


class LookupRequest(msgspec.Struct):
    ids: Annotated[list[Id], msgspec.Meta(min_length=1)]
    filters: Filters | None = None


class ProductRequest(msgspec.Struct):
    id: Id
    filters: Filters | None = None


def parse(body: bytes, type_: type[T]) -> T:
    """Raises ProtocolError (400) with the place that does not fit."""
    try:
        return msgspec.json.decode(body or b"{}", type=type_)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ProtocolError(f"the request does not fit the schema: {error}") from error
