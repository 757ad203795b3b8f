"""The member `table` of the extension `dev.lapel.tables`, and its own verbs."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.services.connectors.ucp.wire.amounts import Amount, Count, Degrees, Id, Message, Price


class RestaurantBody(msgspec.Struct, frozen=True):
    id: Id
    name: Id
    street_address: str
    address_locality: str
    latitude: Degrees
    longitude: Degrees
    time_zone: str
    postal_code: str = ""
    address_country: str = ""
    cuisines: tuple[str, ...] = ()


class TableCancellation(msgspec.Struct, frozen=True):
    free_until: str
    fee: Amount
    fee_now: Amount | None = None


class TableBody(msgspec.Struct, frozen=True, kw_only=True):
    """The member `table` of checkouts and orders, and (with `id`, `price`) an offer of a search."""

    restaurant: RestaurantBody
    begins: str
    ends: str
    party: Annotated[int, msgspec.Meta(ge=1, le=100)]
    prepaid: str
    per_person: Amount
    cancellation: TableCancellation
    menu: str = ""
    id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    price: Price | None = None
    left: Count = 1
    action: str = "book"
    offer: Annotated[str, msgspec.Meta(max_length=128)] = ""
    guest: str = ""
    booking_id: str = ""
    status: str = ""
    expected_begins: str = ""


class NearBody(msgspec.Struct, frozen=True):
    """The place from which a search looked."""

    latitude: Degrees
    longitude: Degrees


class TablesBody(msgspec.Struct, frozen=True):
    """The answer to a search."""

    offers: tuple[TableBody, ...] = ()
    near: NearBody | None = None
    messages: tuple[Message, ...] | None = ()


class TableChange(msgspec.Struct, frozen=True):
    """What a change costs, and whether it is made; `owed` below nothing goes back."""

    applied: bool
    owed: int
