"""The wire shapes of UCP checkouts, orders and catalogues; what Lapel does not use is ignored."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from lapel.commerce.checkout import SignedTerms
from lapel.services.connectors.ucp.profile import HandlerEntry

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Amount = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Message(msgspec.Struct, frozen=True):
    type: str
    code: str = ""
    content: str = ""
    severity: str = ""
    path: str | None = None


class Envelope(msgspec.Struct, frozen=True):
    version: str
    status: str = "success"
    payment_handlers: dict[str, tuple[HandlerEntry, ...]] = {}


class TotalEntry(msgspec.Struct, frozen=True):
    type: str
    amount: Amount
    display_text: str | None = None


class ItemEntry(msgspec.Struct, frozen=True):
    id: Id
    title: str
    price: Amount


Grams = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class GroceryTerms(msgspec.Struct, frozen=True):
    """The member `groceries` of a checkout's line, by the extension `dev.lapel.groceries`.

    `unit_price` is for a kilogram; the weights are 0 for what is not weighed.
    """

    substitution: Literal["none", "ask", "similar"] = "none"
    substitution_max: Amount | None = None
    grams: Grams = 0
    max_grams: Grams = 0
    unit_price: Amount = 0
    estimate: Amount = 0


class LineEntry(msgspec.Struct, frozen=True):
    id: Id
    item: ItemEntry
    quantity: Quantity
    totals: tuple[TotalEntry, ...]
    modifiers: tuple[Id, ...] | None = ()
    note: str | None = ""
    groceries: GroceryTerms | None = None


class PostalAddress(msgspec.Struct, frozen=True):
    street_address: str | None = ""
    address_locality: str | None = ""
    postal_code: str | None = ""
    address_country: str | None = ""


class Destination(msgspec.Struct, frozen=True):
    """Where it is brought; of what is fetched, a place of the merchant's: `name`, `address`."""

    id: str = ""
    name: str | None = ""
    address: PostalAddress | None = None
    street_address: str | None = ""
    address_locality: str | None = ""
    postal_code: str | None = ""
    address_country: str | None = ""
    extended_address: str | None = ""
    latitude: float | None = None
    longitude: float | None = None
    instructions: str | None = ""


class FulfillmentOption(msgspec.Struct, frozen=True):
    id: Id
    title: str = ""
    description: str | None = ""
    totals: tuple[TotalEntry, ...] = ()
    latest_fulfillment_time: str | None = None


class Group(msgspec.Struct, frozen=True):
    id: Id
    options: tuple[FulfillmentOption, ...] | None = ()
    selected_option_id: str | None = None


class Method(msgspec.Struct, frozen=True):
    id: Id
    type: str
    line_item_ids: tuple[str, ...] = ()
    destinations: tuple[Destination, ...] | None = ()
    selected_destination_id: str | None = None
    groups: tuple[Group, ...] | None = ()


class Fulfillment(msgspec.Struct, frozen=True):
    methods: tuple[Method, ...] | None = ()


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


Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Degrees = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class TripPlace(msgspec.Struct, frozen=True):
    latitude: Degrees
    longitude: Degrees
    street_address: str | None = ""
    address_locality: str | None = ""
    postal_code: str | None = ""
    address_country: str | None = ""
    instructions: str | None = ""
    title: str | None = ""


class TripCancellation(msgspec.Struct, frozen=True):
    free_minutes: Minutes = 0
    fee: Amount = 0
    fee_now: Amount | None = None


class TripDriver(msgspec.Struct, frozen=True):
    name: str = ""
    car: str = ""
    plate: str = ""


class TripBody(msgspec.Struct, frozen=True):
    """The member `trip` of the extension `dev.lapel.rides`."""

    kind: str = ""
    status: str = ""
    pickup: TripPlace | None = None
    destination: TripPlace | None = None
    ride_id: str = ""
    surge_percent: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    pickup_minutes: Minutes | None = None
    duration_minutes: Minutes | None = None
    eta_minutes: Minutes | None = None
    cancellation: TripCancellation | None = None
    driver: TripDriver | None = None


class PartyBody(msgspec.Struct, frozen=True):
    """A person or a shop, as the bank calls them."""

    handle: Id
    name: str = ""


class TransferBody(msgspec.Struct, frozen=True):
    """The member `transfer` of the extension `dev.lapel.pay`; `amount` is None where it is open."""

    kind: str
    payee: PartyBody
    currency: Currency
    amount: Amount | None = None
    note: str | None = ""
    request_id: str = ""
    code: str = ""
    state: str = ""


class JourneyPlace(msgspec.Struct, frozen=True):
    code: Id
    name: Id
    city: str
    country: str
    time_zone: str


class JourneyFare(msgspec.Struct, frozen=True):
    title: str
    change_fee: Amount | None = None
    refund_fee: Amount | None = None
    until: str = ""


class JourneyTraveller(msgspec.Struct, frozen=True):
    first_name: str
    last_name: str


class JourneyPrice(msgspec.Struct, frozen=True):
    amount: Amount
    currency: str


class JourneyBody(msgspec.Struct, frozen=True, kw_only=True):
    """The extension `dev.lapel.travel`'s member `journey`, and (with `id`, `price`) its offers."""

    kind: str
    number: Id
    destination: JourneyPlace = msgspec.field(name="to")
    origin: JourneyPlace | None = msgspec.field(name="from", default=None)
    begins: str
    ends: str
    fare: JourneyFare
    id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    price: JourneyPrice | None = None
    left: Count = 1
    action: str = "book"
    offer: Annotated[str, msgspec.Meta(max_length=128)] = ""
    travellers: tuple[JourneyTraveller, ...] = ()
    booking_id: str = ""
    status: str = ""
    expected_begins: str = ""
    expected_ends: str = ""
    refund_now: Amount | None = None
    change_fee_now: Amount | None = None
    choices: tuple[JourneyBody, ...] = ()


class JourneysBody(msgspec.Struct, frozen=True):
    """The answer to a search."""

    offers: tuple[JourneyBody, ...] = ()
    messages: tuple[Message, ...] | None = ()


class HoldEntry(msgspec.Struct, frozen=True):
    id: Id
    expires_at: str
    offer: JourneyBody


class HoldBody(msgspec.Struct, frozen=True):
    hold: HoldEntry | None = None
    messages: tuple[Message, ...] | None = ()


class JourneyChange(msgspec.Struct, frozen=True):
    """What a change costs, and whether it is made; `owed` below nothing goes back."""

    applied: bool
    difference: int
    fee: Amount
    owed: int


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


class CartBody(msgspec.Struct, frozen=True):
    """A cart, whose totals are estimates, or the reasons why there is none."""

    ucp: Envelope
    id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    currency: str = ""
    line_items: tuple[LineEntry, ...] = ()
    totals: tuple[TotalEntry, ...] = ()
    messages: tuple[Message, ...] | None = ()


class OrderQuantity(msgspec.Struct, frozen=True):
    total: Count
    original: Count = 0
    fulfilled: Count = 0


class NamedItem(msgspec.Struct, frozen=True):
    id: str = ""
    title: str = ""


class BilledTerms(msgspec.Struct, frozen=True):
    """The member `groceries` of a line of an order that is packed."""

    grams: Grams = 0
    unit_price: Amount = 0
    missing: bool = False


class ReturnTermsBody(msgspec.Struct, frozen=True):
    """What a store keeps of a return, and until when it takes one; `until` only once delivered."""

    fee: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    post_paid_by: str = ""
    until: str = ""


class OrderRetail(msgspec.Struct, frozen=True):
    """The member `retail` of an order, by the extension `dev.lapel.retail`."""

    returns: ReturnTermsBody | None = None


class OrderLine(msgspec.Struct, frozen=True):
    id: Id
    quantity: OrderQuantity
    item: NamedItem | None = None
    totals: tuple[TotalEntry, ...] | None = ()
    groceries: BilledTerms | None = None


class OfferedItem(msgspec.Struct, frozen=True):
    id: Id
    title: str
    total: Amount


class QuestionEntry(msgspec.Struct, frozen=True):
    line_item_id: Id
    offered: OfferedItem
    item: NamedItem | None = None


class OrderGroceries(msgspec.Struct, frozen=True):
    """The member `groceries` of an order: how far it is, and what the buyer is asked."""

    status: str = ""
    questions: tuple[QuestionEntry, ...] | None = ()


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


class TripChange(msgspec.Struct, frozen=True):
    """What a request for another destination came to; `difference` is in minor units."""

    applied: bool
    difference: Amount


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


class ProtocolError(msgspec.Struct, frozen=True):
    """The body of a 4xx or 5xx."""

    code: str = ""
    content: str = ""


class Price(msgspec.Struct, frozen=True):
    amount: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    currency: Currency


class Description(msgspec.Struct, frozen=True):
    plain: str = ""


class SelectedOption(msgspec.Struct, frozen=True):
    name: str
    label: str


class OptionLabel(msgspec.Struct, frozen=True):
    label: str


class ProductOption(msgspec.Struct, frozen=True):
    name: str
    values: tuple[OptionLabel, ...]


class Availability(msgspec.Struct, frozen=True):
    available: bool = True


class Variant(msgspec.Struct, frozen=True):
    id: Id
    title: str
    price: Price
    availability: Availability | None = None
    options: tuple[SelectedOption, ...] | None = ()


class Category(msgspec.Struct, frozen=True):
    value: str


class ModifierValue(msgspec.Struct, frozen=True):
    id: Id
    title: str
    aliases: tuple[str, ...] = ()
    price_delta: Amount = 0
    available: bool = True


class ModifierGroup(msgspec.Struct, frozen=True):
    id: Id
    title: str
    values: tuple[ModifierValue, ...]
    required: bool = False
    multiple: bool = False
    default: str | None = None


class SoldBy(msgspec.Struct, frozen=True):
    """The member `groceries` of a product: how it is sold, and what it can stand in for."""

    sold_by: str = "piece"
    piece_grams: Grams = 0
    size: str = ""
    like: str = ""


class Product(msgspec.Struct, frozen=True):
    id: Id
    title: str
    variants: tuple[Variant, ...]
    description: Description | None = None
    options: tuple[ProductOption, ...] | None = ()
    categories: tuple[Category, ...] | None = ()
    aliases: tuple[str, ...] | None = ()
    modifier_groups: tuple[ModifierGroup, ...] | None = ()
    groceries: SoldBy | None = None


class Page(msgspec.Struct, frozen=True):
    has_next_page: bool = False
    cursor: str | None = None


class Business(msgspec.Struct, frozen=True):
    name: str = ""
    open_now: bool = True
    opens_text: str | None = ""


class DeliveryWay(msgspec.Struct, frozen=True):
    """One way in which a store brings things; the minutes are from now."""

    id: Id
    title: str
    price: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    latest_minutes: Annotated[int, msgspec.Meta(ge=0, le=10**6)]
    free_from: Annotated[int, msgspec.Meta(ge=0, le=10**12)] | None = None


class RetailTerms(msgspec.Struct, frozen=True):
    """The member `retail` of a search's answer."""

    delivery: tuple[DeliveryWay, ...] = ()


class SearchBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    products: tuple[Product, ...] = ()
    retail: RetailTerms | None = None
    pagination: Page | None = None
    business: Business | None = None
    messages: tuple[Message, ...] | None = ()


class LookupBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    products: tuple[Product, ...] = ()
    messages: tuple[Message, ...] | None = ()


class ProductBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    product: Product | None = None
    messages: tuple[Message, ...] | None = ()


class RideClassEntry(msgspec.Struct, frozen=True):
    id: Id
    title: str
    price: Price
    seats: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 4
    available: bool = True
    surge_percent: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    pickup_minutes: Minutes | None = None
    duration_minutes: Minutes | None = None


class EstimateBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    classes: tuple[RideClassEntry, ...] = ()
    messages: tuple[Message, ...] | None = ()


class PayeeBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    payee: PartyBody | None = None
    messages: tuple[Message, ...] | None = ()


class CodeBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    transfer: TransferBody | None = None
    messages: tuple[Message, ...] | None = ()


class PlacesBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    places: tuple[TripPlace, ...] = ()
