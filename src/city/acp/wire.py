"""What agents send to a seller. Unknown fields are errors, as ACP's schemas have it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(max_length=200)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Item(Strict):
    """`quantity` stands in the specification's text, though not in its schema."""

    id: Id
    name: Text = ""
    unit_amount: int | None = None
    quantity: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1


class Cart(Strict):
    """A cart to be made, or what takes the place of all that is in one."""

    line_items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=50)]
    buyer: dict[str, object] | None = None
    locale: Text = ""


class Address(Strict):
    name: Text
    line_one: Text
    city: Text
    state: Text
    country: Text
    postal_code: Text
    line_two: Text = ""
    company: Text = ""


class FulfillmentDetails(Strict):
    name: Text = ""
    phone_number: Text = ""
    email: Text = ""
    address: Address | None = None


class Discounts(Strict):
    codes: Annotated[list[Id], msgspec.Meta(max_length=20)] = []


class Interventions(Strict):
    supported: list[Literal["3ds", "biometric", "address_verification"]] = []
    required: list[Literal["3ds", "biometric"]] = []
    enforcement: Literal["always", "conditional", "optional"] = "optional"
    display_context: Text = ""
    redirect_context: Text = ""
    max_redirects: int = 0
    max_interaction_depth: int = 0


class Capabilities(Strict):
    payment: dict[str, object] | None = None
    interventions: Interventions | None = None
    extensions: list[object] = []


class Selected(Strict):
    type: Literal["shipping", "digital", "pickup", "local_delivery"]
    option_id: Id
    item_ids: list[Id]


class Create(Strict):
    line_items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=50)]
    currency: Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]
    capabilities: Capabilities
    buyer: dict[str, object] | None = None
    fulfillment_details: FulfillmentDetails | None = None
    discounts: Discounts | None = None
    locale: Text = ""
    timezone: Text = ""
    order_notes: Text = ""


class Update(Strict):
    line_items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=50)] | None = None
    buyer: dict[str, object] | None = None
    fulfillment_details: FulfillmentDetails | None = None
    selected_fulfillment_options: list[Selected] | None = None
    discounts: Discounts | None = None
    order_notes: Text = ""


class Credential(Strict):
    type: Id
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Instrument(Strict):
    type: Id
    credential: Credential


class PaymentData(Strict):
    handler_id: Id
    instrument: Instrument
    billing_address: Address | None = None


class Complete(Strict):
    payment_data: PaymentData
    buyer: dict[str, object] | None = None
    order_notes: Text = ""


class Enrol(Strict):
    """Not ACP's: `dev.lapel.enrolment`."""

    platform: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    webhook_url: Annotated[str, msgspec.Meta(max_length=2048)] = ""
