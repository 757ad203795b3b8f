"""What platforms and wallets send to Siirto besides UCP's own; unknown fields are ignored."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from city.ucp.wire import Buyer, Id, LineRequest

Note = Annotated[str, msgspec.Meta(max_length=140)]
Cents = Annotated[int, msgspec.Meta(gt=0, le=1_000_000)]
CodeText = Annotated[str, msgspec.Meta(max_length=4096)]


class TransferRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom and how much; `request_id` or `code` says what it answers."""

    kind: Literal["send", "request", "code"]
    payee: Id
    amount: Cents
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    note: Note = ""
    request_id: Id | None = None
    code: CodeText = ""


class TransferCheckoutRequest(msgspec.Struct, omit_defaults=True):
    line_items: Annotated[list[LineRequest], msgspec.Meta(min_length=1, max_length=1)]
    transfer: TransferRequest
    buyer: Buyer | None = None


class PayeeRequest(msgspec.Struct):
    handle: Id


class CodeRequest(msgspec.Struct):
    code: CodeText


class AskRequest(msgspec.Struct):
    """The holder of an account asks somebody for money."""

    payer: Id
    amount: Cents
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    note: Note = ""
    expires_s: Annotated[int, msgspec.Meta(ge=60, le=30 * 24 * 3600)] = 7 * 24 * 3600


class PersonAsks(msgspec.Struct):
    """What a test or a visitor lets one of the City's people do; the newest customer is meant."""

    amount: Cents
    note: Note = ""
    to: Id | None = None


class NewCode(msgspec.Struct):
    shop: Id
    amount: Cents | None = None
    note: Note = ""
