"""A table in a restaurant as it is agreed to. Its times carry the offset of the place.

The same structs stand in drafts, approvals and receipts: no float is in them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Prepaid = Literal["deposit", "menu"]
"""What is paid in advance: a deposit that counts towards the bill, or a set menu for everybody."""


class Restaurant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`zone` is the IANA name of its time zone."""

    id: str
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    zone: str


class TableTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Canceling is free until `free_until` (RFC 3339), then `fee` is kept, in minor units.

    Of who does not come, everything is kept.
    """

    free_until: str
    fee: int


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is booked. `begins` and `ends` are RFC 3339: from when until when it is theirs.

    `per_person` is in minor units; `menu` is the title of the set menu. `guest` is the name that
    the table is kept under, empty in an offer. `booking_id` is the merchant's order that this
    changes, empty for a new booking.
    """

    offer_id: str
    restaurant: Restaurant
    begins: str
    ends: str
    party: int
    prepaid: Prepaid
    per_person: int
    cancellation: TableTerms
    menu: str = ""
    guest: str = ""
    booking_id: str = ""

    @property
    def starts(self) -> datetime:
        return datetime.fromisoformat(self.begins)

    @property
    def leaves(self) -> datetime:
        """When the table is for others again."""
        return datetime.fromisoformat(self.ends)

    @property
    def is_change(self) -> bool:
        return bool(self.booking_id)
