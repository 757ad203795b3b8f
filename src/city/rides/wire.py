"""What platforms send to a ride company besides UCP's own; unknown fields are ignored."""

from __future__ import annotations

from typing import Annotated

import msgspec

from city.ucp.wire import Buyer, Id, LineRequest, Text

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]

Moment = Annotated[str, msgspec.Meta(max_length=40)]


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A postal address with its coordinates, which are what counts."""

    latitude: Latitude
    longitude: Longitude
    street_address: Text = ""
    postal_code: Text = ""
    address_locality: Text = ""
    address_country: Text = ""
    instructions: Text = ""


class TripRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ride (pick-up and destination), a change of one (`ride_id` and what is new), or a tip.

    `pickup_at` is RFC 3339 with an offset; without it a ride begins at once.
    """

    pickup: Place | None = None
    destination: Place | None = None
    ride_id: Id | None = None
    tip: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    pickup_at: Moment = ""


class RideCheckoutRequest(msgspec.Struct, omit_defaults=True):
    line_items: Annotated[list[LineRequest], msgspec.Meta(min_length=1, max_length=1)]
    trip: TripRequest
    buyer: Buyer | None = None


class EstimateRequest(msgspec.Struct):
    pickup: Place
    destination: Place
    pickup_at: Moment = ""


class PlacesRequest(msgspec.Struct):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5


class CancelRequest(msgspec.Struct):
    """`most` is the highest fee that the rider agrees to, in minor units."""

    most: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class DestinationRequest(msgspec.Struct):
    """Without `apply` it is only a question."""

    destination: Place
    apply: bool = True


class PickupRequest(msgspec.Struct):
    """Without `apply` it is only a question."""

    pickup_at: Moment
    apply: bool = True
