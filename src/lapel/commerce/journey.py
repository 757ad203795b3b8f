"""A flight, a train or a stay as it is agreed to. Its times carry the offset of the place.

The same structs stand in drafts, approvals and receipts: no float is in them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

JourneyKind = Literal["flight", "train", "stay"]


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An airport, a station or a hotel; `zone` is the IANA name of its time zone."""

    code: str
    name: str
    city: str
    country: str
    zone: str


class FareRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changing and giving back cost until `until`, in minor units; None: not allowed."""

    title: str
    change_fee: int | None
    refund_fee: int | None
    until: str

    @property
    def rigid(self) -> bool:
        """Neither to be changed nor to be given back."""
        return self.change_fee is None and self.refund_fee is None


class Traveller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    first_name: str
    last_name: str

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Journey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is bought. `begins` and `ends` are RFC 3339: departure and arrival, or the stay.

    `booking_id` is the merchant's order that this changes, empty for a new booking.
    """

    kind: JourneyKind
    offer_id: str
    number: str
    origin: Stop | None
    destination: Stop
    begins: str
    ends: str
    fare: FareRules
    travellers: tuple[Traveller, ...]
    booking_id: str = ""

    @property
    def departs(self) -> datetime:
        return datetime.fromisoformat(self.begins)

    @property
    def arrives(self) -> datetime:
        return datetime.fromisoformat(self.ends)

    @property
    def day(self) -> date:
        """The local date of its beginning."""
        return self.departs.date()

    @property
    def is_change(self) -> bool:
        return bool(self.booking_id)
