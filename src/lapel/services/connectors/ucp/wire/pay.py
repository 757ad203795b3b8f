"""The member `transfer` of the extension `dev.lapel.pay`, and its own verbs."""

from __future__ import annotations

import msgspec

from lapel.services.connectors.ucp.wire.amounts import Amount, Currency, Envelope, Id, Message


class PartyBody(msgspec.Struct, frozen=True):
    """A person or a shop, as the bank calls them."""

    handle: Id
    name: str = ""


class TransferBody(msgspec.Struct, frozen=True):
    """The member `transfer` of the extension `dev.lapel.pay`; `amount` is None where it is open."""

    kind: str
    payee: PartyBody
    currency: Currency
    amount: Amount | None = None
    note: str | None = ""
    request_id: str = ""
    code: str = ""
    state: str = ""


class PayeeBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    payee: PartyBody | None = None
    messages: tuple[Message, ...] | None = ()


class CodeBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    transfer: TransferBody | None = None
    messages: tuple[Message, ...] | None = ()
