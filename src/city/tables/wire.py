"""What platforms send to a restaurant besides UCP's own; unknown fields are ignored."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from city.ucp.wire import Buyer, Id, LineRequest, Text

Degrees = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class Near(msgspec.Struct):
    latitude: Degrees
    longitude: Degrees


class SearchRequest(msgspec.Struct):
    """`date` and `time` are local to the restaurants. `place` is words where there is no `near`."""

    date: date
    time: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    party: Annotated[int, msgspec.Meta(ge=1, le=100)]
    tolerance_minutes: Annotated[int, msgspec.Meta(ge=0, le=720)] = 60
    words: Text = ""
    restaurant: Text = ""
    near: Near | None = None
    place: Text = ""
    radius_m: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 2000


class TableRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A booking for its guest, or the change of one (`booking_id`)."""

    action: Literal["book", "change"] = "book"
    guest: Annotated[str, msgspec.Meta(max_length=80)] = ""
    booking_id: Id | None = None


class TableCheckoutRequest(msgspec.Struct, omit_defaults=True):
    line_items: Annotated[list[LineRequest], msgspec.Meta(min_length=1, max_length=1)]
    table: TableRequest
    buyer: Buyer | None = None


class ChangeRequest(msgspec.Struct):
    """Without `apply` it is only priced."""

    offer: Id
    apply: bool = False


class CancelRequest(msgspec.Struct):
    """`most` is the highest fee that the guest agrees to, in minor units."""

    most: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0
