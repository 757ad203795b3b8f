"""The member `journey` of the extension `dev.lapel.travel`, and its own verbs."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.services.connectors.ucp.wire.amounts import Amount, Count, Id, Message


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
