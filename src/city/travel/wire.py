"""What platforms send to a travel company besides UCP's own; unknown fields are ignored."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from city.ucp.wire import Buyer, Id, LineRequest, Text

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class SearchRequest(msgspec.Struct):
    """Places are codes or names as people say them; `start` is not needed for a stay."""

    date: date
    end: Annotated[Text, msgspec.Meta(min_length=1)] = msgspec.field(name="to")
    start: Text = msgspec.field(name="from", default="")
    nights: Annotated[int, msgspec.Meta(ge=1, le=14)] = 1


class HoldRequest(msgspec.Struct):
    offer: Id


class Traveller(msgspec.Struct, frozen=True):
    first_name: Name
    last_name: Name


class JourneyRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A booking for its traveller, or the change of one (`booking_id`)."""

    action: Literal["book", "change"] = "book"
    travellers: Annotated[tuple[Traveller, ...], msgspec.Meta(max_length=1)] = ()
    booking_id: Id | None = None
    hold_id: Id | None = None


class TravelCheckoutRequest(msgspec.Struct, omit_defaults=True):
    line_items: Annotated[list[LineRequest], msgspec.Meta(min_length=1, max_length=1)]
    journey: JourneyRequest
    buyer: Buyer | None = None


class ChangeRequest(msgspec.Struct):
    """Without `apply` it is only priced."""

    offer: Id
    apply: bool = False


class CancelRequest(msgspec.Struct):
    """`least` is the lowest refund that the traveller agrees to, in minor units."""

    least: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0
