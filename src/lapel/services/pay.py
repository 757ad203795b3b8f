"""The pay vertical: who is behind a name, what a code says, who asks whom for money.

Moving money is an order (`commerce`). What is here asks the payment service about others, and the
user's own bank about the user; nothing is kept.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import msgspec

from lapel.commerce.money import Money
from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.failures import Code
from lapel.services.connectors.ucp.arithmetic import check_currency
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.profile import PAY
from lapel.services.connectors.ucp.refusals import errors_of, plain, refusal
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.wire.pay import CodeBody, PartyBody, PayeeBody
from lapel.services.fetch import Answer, decode
from lapel.services.payments import BankPayments

T = TypeVar("T")

LONGEST_CODE = 1024
"""Characters of a code that Lapel passes on."""
NAME_LIMIT, NOTE_LIMIT, HANDLE_LIMIT = 80, 140, 64

_REFUSALS: Mapping[str, tuple[Code, str]] = {
    "own_account": ("own_account", "That is your own account."),
    "payee_not_found": ("unknown_payee", "Nobody has that name there."),
    "request_closed": ("request_closed", "That request is paid, declined or expired."),
    "not_found": ("unknown_request", "There is no such request any more."),
    "currency_unsupported": ("currency_unsupported", "Your bank does not keep that currency."),
}
"""A bank's own word -> Lapel's code and words."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who can be paid, as their bank states it."""

    handle: str
    name: str


@dataclass(frozen=True, slots=True)
class Payee:
    """Somebody who can be paid by the service `merchant_id`."""

    merchant_id: str
    party: Party


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the payment service says of a code; `amount` is None where the payer says how much."""

    payee: Payee
    amount: Money | None
    currency: str
    note: str
    code: str


@dataclass(frozen=True, slots=True)
class MoneyRequest:
    """Money that somebody asks of somebody. `other` is the one who is not the user.

    `state` is `open`, `paid`, `declined`, `canceled` or `expired`.
    """

    id: str
    other: Party
    amount: Money
    note: str
    state: str


@dataclass(frozen=True, slots=True)
class Requests:
    """The user's requests, newest first, and the handle by which others reach the user."""

    handle: str
    incoming: tuple[MoneyRequest, ...]
    outgoing: tuple[MoneyRequest, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """Money that came into the user's account; `n` grows."""

    n: int
    amount: Money
    sender: str
    note: str


class _Request(msgspec.Struct, frozen=True):
    id: str
    state: str
    payee: PartyBody
    payer: PartyBody
    amount: int
    currency: str
    note: str = ""


class _Requests(msgspec.Struct, frozen=True):
    handle: str = ""
    incoming: tuple[_Request, ...] = ()
    outgoing: tuple[_Request, ...] = ()


class _Entry(msgspec.Struct, frozen=True):
    id: int
    kind: str
    amount: int
    counterparty_name: str = ""
    note: str = ""
    reference: str = ""
    authorization: str = ""


class _Entries(msgspec.Struct, frozen=True):
    currency: str
    entries: tuple[_Entry, ...]


class _Complaint(msgspec.Struct, frozen=True):
    code: str = ""


class Pay:
    """Services that move money between people, and the user's bank."""

    def __init__(self, registry: MerchantRegistry, client: Client, payments: BankPayments) -> None:
        self._registry = registry
        self._client = client
        self._payments = payments

    async def service(self) -> Merchant | None:
        """The one that is used: the first that was added."""
        for merchant in await self._registry.all():
            if PAY in merchant.profile.capabilities:
                return merchant
        return None

    async def payee(self, handle: str) -> Payee:
        """Who has that handle or telephone number. Refused: `unknown_payee`, `no_service`."""
        service = await self._need()
        body = {"handle": handle[:HANDLE_LIMIT]}
        found = await self._ask(service, "/pay/payees", body, PayeeBody)
        if found.payee is None:
            raise refusal(errors_of(found.messages), service.name, None, fallback="unknown_payee")
        return Payee(service.id, _party(found.payee))

    async def code(self, text: str) -> Scanned:
        """Who is behind a scanned code, and how much, in the words of who issued it.

        A code is only ever passed on to the service whose codes begin like it; no URL in it is
        opened. Refused: `bad_code`, `code_expired`, `already_paid`.
        """
        service = await self._need()
        prefix = service.profile.code_prefix
        fits = len(text) <= LONGEST_CODE and text.isascii() and text.isprintable()
        if not prefix or not fits or not text.startswith(prefix):
            raise Refused("That is no code that I can pay by.", code="bad_code")
        found = await self._ask(service, "/pay/codes", {"code": text}, CodeBody)
        said = found.transfer
        if said is None:
            raise refusal(errors_of(found.messages), service.name, None, fallback="bad_code")
        if said.code != text or said.kind != "code":
            raise Nonsense(f"{service.name!r} answers about another code")
        currency = check_currency(said.currency)
        amount = None if said.amount is None else Money(said.amount, currency)
        if amount is not None and amount.minor <= 0:
            raise Nonsense(f"{service.name!r} has a code for {amount}")
        note = plain(said.note or "", NOTE_LIMIT)
        return Scanned(Payee(service.id, _party(said.payee)), amount, currency, note, text)

    async def requests(self, user_id: str) -> Requests:
        """Whom the user asks and who asks the user; the newest hundred each."""
        answer = await self._at_bank(user_id, "/requests")
        found = decode(answer.body, _Requests, "the bank")
        return Requests(
            plain(found.handle, HANDLE_LIMIT),
            tuple(_request(x, x.payee) for x in found.incoming),
            tuple(_request(x, x.payer) for x in found.outgoing),
        )

    async def ask(
        self, user_id: str, handle: str, amount: Money, note: str, key: str
    ) -> MoneyRequest:
        """Ask somebody for money. The same key again asks once. Refused says why not."""
        body = {
            "payer": handle[:HANDLE_LIMIT],
            "amount": amount.minor,
            "currency": amount.currency,
            "note": note[:NOTE_LIMIT],
        }
        answer = await self._at_bank(user_id, "/requests", body, key)
        made = decode(answer.body, _Request, "the bank")
        request = _request(made, made.payer)
        if request.amount != amount:
            raise Nonsense(f"the bank asks for {request.amount} instead of {amount}")
        return request

    async def close(self, user_id: str, request_id: str, *, declines: bool) -> None:
        """Decline what somebody asks of the user, or take back what the user asks."""
        verb = "decline" if declines else "cancel"
        path = f"/requests/{quote(request_id, safe='')}/{verb}"
        await self._at_bank(user_id, path, {}, f"{request_id}:{verb}")

    async def received(self, user_id: str, after: int) -> list[Received]:
        """Money that came in after entry `after`, oldest first; what was given back is not."""
        answer = await self._at_bank(user_id, "/accounts/{account}/entries")
        found = decode(answer.body, _Entries, "the bank")
        currency = check_currency(found.currency)
        return [
            Received(
                x.id,
                Money(x.amount, currency),
                plain(x.counterparty_name, NAME_LIMIT) or "Somebody",
                plain(x.note or ("" if x.authorization else x.reference), NOTE_LIMIT),
            )
            for x in found.entries
            if x.id > after and x.kind == "payment" and x.amount > 0
        ]

    async def _need(self) -> Merchant:
        service = await self.service()
        if service is None:
            raise Refused(
                "I know no payment service yet. Add one with: lapel merchants add.",
                code="no_service",
            )
        return service

    async def _ask(self, service: Merchant, path: str, body: object, shape: type[T]) -> T:
        # A question changes nothing: it must not be answered from before.
        return await self._client.write(service, "POST", path, body, str(uuid.uuid4()), shape)

    async def _at_bank(self, user_id: str, path: str, body: object = None, key: str = "") -> Answer:
        service = await self._need()
        answer = await self._payments.as_holder(user_id, service.profile.bank, path, body, key)
        if answer.status in (200, 201):
            return answer
        if answer.status >= 500 or answer.status in (408, 425, 429):
            raise Unreachable(f"the bank answers {answer.status}")
        said = decode(answer.body, _Complaint, "the bank").code
        if said in _REFUSALS:
            code, words = _REFUSALS[said]
            raise Refused(words, code=code)
        raise Nonsense(f"the bank answers {answer.status} {said[:64]!r}")


def _party(body: PartyBody) -> Party:
    return Party(plain(body.handle, HANDLE_LIMIT), plain(body.name, NAME_LIMIT))


def _request(body: _Request, other: PartyBody) -> MoneyRequest:
    if body.amount <= 0:
        raise Nonsense(f"the bank lists a request for {body.amount}")
    amount = Money(body.amount, check_currency(body.currency))
    return MoneyRequest(body.id, _party(other), amount, plain(body.note, NOTE_LIMIT), body.state)
