"""A priced cart at one merchant, in the shape and the states of a UCP checkout.

Its hash is what an approval is bound to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec

from lapel.commerce.journey import Journey
from lapel.commerce.money import Money
from lapel.commerce.table import Table
from lapel.commerce.times import seconds


class CheckoutStatus(StrEnum):
    INCOMPLETE = "incomplete"
    REQUIRES_ESCALATION = "requires_escalation"
    READY_FOR_COMPLETE = "ready_for_complete"
    COMPLETE_IN_PROGRESS = "complete_in_progress"
    COMPLETED = "completed"
    CANCELED = "canceled"


Substitution = Literal["", "none", "ask", "similar"]
"""What a grocer may bring in the place of what is missing: nothing, what the user says yes to when
asked, or something similar that is no dearer. Empty at merchants who know no such thing."""


class DraftLine(msgspec.Struct, frozen=True):
    """One line that the user wants.

    `item_id` is the merchant's variant id; `options` are the merchant's option value ids. `grams`
    is how much is wanted of what is sold by weight, in a line of quantity 1.
    """

    item_id: str
    title: str
    quantity: int
    options: tuple[str, ...] = ()
    option_titles: tuple[str, ...] = ()
    note: str = ""
    grams: int = 0
    substitution: Substitution = ""
    substitution_max: int = 0
    """The most that something else may cost, in minor units; 0: the line's price."""


class Address(msgspec.Struct, frozen=True):
    """A place of the user's. `label` is what they call it ("office")."""

    label: str
    street: str
    city: str
    postal_code: str
    country: str
    latitude: float
    longitude: float
    instructions: str = ""


TripKind = Literal["ride", "change", "time", "tip"]


class Trip(msgspec.Struct, frozen=True):
    """A ride, a change of a ride's destination or of its time, or a tip for its driver.

    `ride_id` is the merchant's order that is changed or tipped; `tip` is in minor units.
    `pickup_at` is RFC 3339 with the offset of the place, empty for a ride that begins at once.
    """

    kind: TripKind
    destination: Address
    pickup: Address | None = None
    ride_id: str = ""
    tip: int = 0
    pickup_at: str = ""

    def is_ahead(self, now: float) -> bool:
        """Whether it is a ride that begins later than now."""
        return bool(self.pickup_at) and seconds(self.pickup_at) > now


TransferKind = Literal["send", "request", "code"]


class Transfer(msgspec.Struct, frozen=True):
    """Money for a person or a shop; `kind` says what it answers.

    `payee` is a handle, `name` whose it is: both as the bank states them. `request_id` names the
    payee's request, `code` is the text of a scanned code.
    """

    kind: TransferKind
    payee: str
    name: str
    amount: Money
    note: str = ""
    request_id: str = ""
    code: str = ""


class OrderDraft(msgspec.Struct, frozen=True):
    """What the user asked for, complete enough to be priced."""

    merchant_id: str
    lines: tuple[DraftLine, ...]
    address: Address
    said: str = ""
    codes: tuple[str, ...] = ()
    """Discount codes that the user named, in capitals."""
    fastest: bool = False
    """The fastest delivery rather than the cheapest."""
    trip: Trip | None = None
    transfer: Transfer | None = None
    plan: str = ""
    """The plan that it is a part of, which asks and answers for it."""
    kind: Literal["", "groceries", "goods"] = ""
    """What was gathered otherwise than by talking about a cart."""
    cart_id: str = ""
    """The merchant's cart that holds these lines already, from which the checkout is made."""
    pickup: bool = False
    """The user fetches it: `address` is `TO_BE_FETCHED`, and nothing of theirs is told."""
    journey: Journey | None = None
    hold_id: str = ""
    """What the company keeps for this journey since before it was asked about."""
    table: Table | None = None

    @property
    def is_booking(self) -> bool:
        """A ride, a journey or a table: nothing is delivered, and its skill looks after it."""
        return self.trip is not None or self.journey is not None or self.table is not None

    @property
    def is_change(self) -> bool:
        """Whether it changes what is booked already, and is no booking of its own."""
        booked = self.journey or self.table
        return booked is not None and booked.is_change

    @property
    def is_cart(self) -> bool:
        """Whether words about a cart are about it: a booking or a shopping list has its own."""
        return self.is_goods and not self.kind and not self.plan

    @property
    def is_goods(self) -> bool:
        """Whether something is brought: no booking, and no money for somebody."""
        return not self.is_booking and self.transfer is None


TO_BE_FETCHED = Address("pick-up", "", "", "", "", 0.0, 0.0)
"""Where a draft goes that the user picks up; the merchant says which place of its own it is."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """What is known of a weighed line before it is weighed. `unit_price` is for a kilogram.

    The line's own price is for `max_grams`: the most that it can come to.
    """

    grams: int
    max_grams: int
    unit_price: Money
    estimate: Money


@dataclass(frozen=True, slots=True)
class CheckoutLine:
    item_id: str
    title: str
    quantity: int
    unit_price: Money
    total: Money
    options: tuple[str, ...] = ()
    note: str = ""
    id: str = ""
    """The merchant's, where it is needed to tell what became of the line."""
    substitution: Substitution = ""
    weighing: Weighing | None = None
    substitution_max: int = 0
    """The most that something else may cost, in minor units; 0: the line's price."""


@dataclass(frozen=True, slots=True)
class Total:
    """One line of the merchant's totals.

    `kind` is UCP's: `subtotal`, `fulfillment`, `tax`, `fee`, `discount`, `total`.
    """

    kind: str
    label: str
    amount: Money


@dataclass(frozen=True, slots=True)
class CheckoutMessage:
    """What the merchant says about the checkout; `severity` is UCP's."""

    code: str
    text: str
    severity: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class PaymentTarget:
    """Where and how this merchant wants to be paid: one entry of its UCP payment handlers."""

    handler: str
    handler_id: str
    endpoint: str
    payee: str
    at_most: bool = False
    """The final price comes later (weighed goods) and may be lower; never higher."""
    session: str = ""
    """The one checkout session that the token is for, at merchants that want it bound (ACP)."""
    session_expires_at: str = ""
    """RFC 3339; when that session ends, and with it the token."""


@dataclass(frozen=True, slots=True)
class SignedTerms:
    """The checkout as the merchant signed it: a compact JWS, verified when it was read.

    `audience` is what the merchant is called in mandates, `key` its public JWK as JSON.
    """

    jws: str
    audience: str
    key: str


@dataclass(frozen=True, slots=True)
class TripTerms:
    """What a merchant says of a trip. The minutes may change until the ride begins.

    Canceling is free until `free_until` (RFC 3339) for a ride for later, else for `free_minutes`.
    """

    trip: Trip
    surge_percent: int = 0
    free_minutes: int = 0
    cancel_fee: Money | None = None
    pickup_minutes: int | None = None
    duration_minutes: int | None = None
    free_until: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    merchant_id: str
    merchant_name: str
    id: str
    status: CheckoutStatus
    lines: tuple[CheckoutLine, ...]
    totals: tuple[Total, ...]
    total: Money
    address: Address
    payment: PaymentTarget | None
    messages: tuple[CheckoutMessage, ...] = ()
    continue_url: str = ""
    order_id: str = ""
    eta_minutes: int | None = None
    signed: SignedTerms | None = None
    """Of a merchant that speaks AP2: such a checkout is completed with mandates only."""
    trip: TripTerms | None = None
    transfer: Transfer | None = None
    pickup: bool = False
    """To be fetched at `address`, a place of the merchant's whose `label` is its name."""
    journey: Journey | None = None
    table: Table | None = None

    @property
    def billed_later(self) -> bool:
        """Whether the merchant picks and weighs first, and takes its money then."""
        target = self.payment
        return target is not None and target.at_most and any(x.substitution for x in self.lines)

    @property
    def estimate(self) -> Money:
        """What it will cost if everything weighs what was asked; `total` is the most."""
        less = sum(x.total.minor - x.weighing.estimate.minor for x in self.lines if x.weighing)
        return Money(self.total.minor - less, self.total.currency)

    def hash(self) -> str:
        """SHA-256 (hex) over what the user agrees to: who is paid, for what, how much, where."""
        return hashlib.sha256(self.agreed()).hexdigest()

    def agreed(self) -> bytes:
        """What the user agrees to, as one text."""
        agreed: dict[str, object] = {
            "merchant": self.merchant_id,
            "checkout": self.id,
            "payee": self.payment.payee if self.payment else "",
            "lines": [
                [
                    x.item_id,
                    x.title,
                    x.quantity,
                    x.unit_price.minor,
                    x.total.minor,
                    sorted(x.options),
                    x.note,
                    *_agreed_groceries(x),
                ]
                for x in self.lines
            ],
            "totals": [[x.kind, x.amount.minor] for x in self.totals],
            "total": [self.total.minor, self.total.currency],
            "address": _place(self.address),
        }
        if self.trip is not None:
            agreed["trip"] = _agreed_trip(self.trip)
        if self.transfer is not None:
            agreed["transfer"] = _agreed_transfer(self.transfer)
        if self.pickup:
            agreed["pickup"] = self.address.label
        if self.journey is not None:
            agreed["journey"] = self.journey
        if self.table is not None:
            agreed["table"] = self.table
        if self.payment is not None and self.payment.at_most:
            agreed["at_most"] = True
        return msgspec.json.encode(agreed, order="deterministic")


def _place(address: Address) -> list[object]:
    return [
        address.street,
        address.city,
        address.postal_code,
        address.country,
        address.latitude,
        address.longitude,
        address.instructions,
    ]


def _agreed_groceries(line: CheckoutLine) -> list[object]:
    """What may come instead, and the weights; nothing of other lines."""
    if not line.substitution:
        return []
    weighing = line.weighing
    most: list[object] = [{"most": line.substitution_max}] if line.substitution_max else []
    if weighing is None:
        return [line.substitution, *most]
    return [
        line.substitution,
        weighing.grams,
        weighing.max_grams,
        weighing.unit_price.minor,
        weighing.estimate.minor,
        *most,
    ]


def _agreed_transfer(transfer: Transfer) -> list[object]:
    return [
        transfer.kind,
        transfer.payee,
        transfer.name,
        transfer.amount.minor,
        transfer.amount.currency,
        transfer.note,
        transfer.request_id,
        transfer.code,
    ]


def _agreed_trip(terms: TripTerms) -> list[object]:
    """From where, where to, when, and what canceling costs; the minutes are no promise."""
    trip = terms.trip
    later = [trip.pickup_at, terms.free_until] if trip.pickup_at else []
    return [
        trip.kind,
        trip.ride_id,
        trip.tip,
        None if trip.pickup is None else _place(trip.pickup),
        _place(trip.destination),
        terms.surge_percent,
        terms.free_minutes,
        None if terms.cancel_fee is None else [terms.cancel_fee.minor, terms.cancel_fee.currency],
        *later,
    ]
