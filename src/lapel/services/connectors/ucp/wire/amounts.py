"""What all shapes are made of: ids, amounts, messages, totals."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.services.connectors.ucp.profile import HandlerEntry

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Amount = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Message(msgspec.Struct, frozen=True):
    type: str
    code: str = ""
    content: str = ""
    severity: str = ""
    path: str | None = None


class Envelope(msgspec.Struct, frozen=True):
    version: str
    status: str = "success"
    payment_handlers: dict[str, tuple[HandlerEntry, ...]] = {}


class TotalEntry(msgspec.Struct, frozen=True):
    type: str
    amount: Amount
    display_text: str | None = None


Grams = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Degrees = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class ProtocolError(msgspec.Struct, frozen=True):
    """The body of a 4xx or 5xx."""

    code: str = ""
    content: str = ""


class Price(msgspec.Struct, frozen=True):
    amount: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    currency: Currency
