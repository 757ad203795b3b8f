"""What a merchant can be asked about an order that it has, with the terms that the user agreed to.

Such a request stands in the record until the merchant has answered it (see `asking`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from lapel.commerce.checkout import Address
from lapel.commerce.money import Money

BookingKind = Literal["ride", "journey", "table"]


class Cancel(msgspec.Struct, frozen=True, tag="cancel", forbid_unknown_fields=True):
    """Give a booking back: it costs `most` at most, and at least `least` comes back."""

    kind: BookingKind
    most: Money
    least: Money


class Change(msgspec.Struct, frozen=True, tag="change", forbid_unknown_fields=True):
    """Another offer of the same company in the place of a booking, for nothing more."""

    kind: Literal["journey", "table"]
    offer_id: str


class Redirect(msgspec.Struct, frozen=True, tag="redirect", forbid_unknown_fields=True):
    """Another destination of a ride, for nothing more."""

    destination: Address


class PutOff(msgspec.Struct, frozen=True, tag="put_off", forbid_unknown_fields=True):
    """Another pick-up time of a ride for later (RFC 3339), for nothing more."""

    pickup_at: str


class ReturnLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many of a line of the merchant's order."""

    line_id: str
    quantity: int


class SendBack(msgspec.Struct, frozen=True, tag="send_back", forbid_unknown_fields=True):
    """Goods on their way back for a fee of `most` at most; `title` is what the user calls them."""

    lines: tuple[ReturnLine, ...]
    most: Money
    title: str


Request = Cancel | Change | PutOff | Redirect | SendBack
