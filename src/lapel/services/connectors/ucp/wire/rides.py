"""The member `trip` of the extension `dev.lapel.rides`, and its own verbs."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.services.connectors.ucp.wire.amounts import (
    Amount,
    Degrees,
    Envelope,
    Id,
    Message,
    Minutes,
    Price,
)


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
    free_until: str = ""


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
    pickup_at: str = ""


class TripChange(msgspec.Struct, frozen=True):
    """What a request for another destination or time came to; `difference` is in minor units."""

    applied: bool
    difference: Amount


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


class PlacesBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    places: tuple[TripPlace, ...] = ()
