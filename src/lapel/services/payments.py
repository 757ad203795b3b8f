"""`lapel.commerce.ports.Payments` at a bank that speaks the handler `dev.lapel.city.bank`.

Wire, JSON over HTTP under the handler's `config.endpoint`, money in minor units:
  POST /accounts {owner}                          201 {account, secret, balance, currency}
  GET  /accounts/{id}, /accounts/{id}/entries     200 balance and held; all entries, oldest first
  POST /authorizations {account, amount, currency, payee, handler_id, reference, expires_s}
                                                  201 {id, state, token, amount, currency, payee}
                                                  402 {code, message}: the bank says no
                                                  with capture: at_most less may be captured
  POST /agentic_commerce/delegate_payment         201 {id, created, metadata}: ACP's, for a token
                                                  that one checkout session alone may capture
  GET  /authorizations/{id}                       200 {id, state, amount, captured, refunded}
  POST /authorizations/{id}/void                  200, or 409 {code: already_captured}
  POST /authorizations/{id}/refund {amount?}      200, or 409 {code: refund_too_large}
All but the first carry `Authorization: Bearer <secret>`; every POST carries an Idempotency-Key.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import quote

import httpx
import msgspec
import sqlalchemy as sa

from lapel.commerce.checkout import PaymentTarget
from lapel.commerce.money import Money
from lapel.commerce.ports import (
    BankEntry,
    BankStatement,
    Credential,
    Nonsense,
    Payment,
    PaymentState,
    Refused,
    Unreachable,
)
from lapel.failures import Code
from lapel.services.connectors.ucp.profile import CITY_BANK
from lapel.services.fetch import Answer, decode, fetch
from lapel.services.urls import check
from lapel.store import Store, schema

T = TypeVar("T")

EXPIRES_S = 3600
"""How long a hold lasts when nobody captures it."""

STATEMENT_LIMIT = 64 << 20
"""Bytes of a statement: some hundred thousand entries."""

_NAMESPACE = uuid.UUID("4d5d6a0e-8f3f-5c0b-9f0a-0d6c3d6f2b71")
_WORDS: Mapping[Code, str] = {
    "payment_declined": "The bank declined the payment.",
    "insufficient_funds": "There is not enough money in the account.",
    "limit_exceeded": "The bank does not allow that much at once.",
    "refund_too_large": "That is more than the shop took, so it cannot go back.",
    "already_refunded": "All of that payment was given back already.",
    "not_captured": "The shop took nothing for that payment, so nothing can go back.",
    "unknown_payee": "The bank does not know the shop that asks for the money.",
}
_CODES: Mapping[str, Code] = {"card_declined": "payment_declined", **{x: x for x in _WORDS}}
"""A bank's own words, to Lapel's codes."""
_STATES = {
    "authorized": PaymentState.AUTHORIZED,
    "captured": PaymentState.CAPTURED,
    "voided": PaymentState.VOIDED,
    "expired": PaymentState.VOIDED,
    "refunded": PaymentState.REFUNDED,
}


@dataclass(frozen=True, slots=True)
class Wallet:
    """A user's account at one bank."""

    account: str
    secret: str


class _Account(msgspec.Struct, frozen=True):
    account: str
    secret: str


class _Authorization(msgspec.Struct, frozen=True):
    id: str
    state: str
    token: str = ""
    amount: int | None = None
    currency: str = ""
    payee: str = ""
    captured: int | None = None
    refunded: int | None = None


class _Delegated(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(min_length=1)]
    metadata: dict[str, str]


class _Balance(msgspec.Struct, frozen=True):
    balance: int
    held: int
    currency: str


class _Entry(msgspec.Struct, frozen=True):
    id: int
    kind: str
    amount: int
    at: str
    authorization: str = ""


class _Entries(msgspec.Struct, frozen=True):
    currency: str
    entries: tuple[_Entry, ...]


class _Complaint(msgspec.Struct, frozen=True):
    code: str = ""


class BankPayments:
    """The port. Pays only at endpoints that are in the user's wallet, or sandboxes of the settings.

    `sandboxes` are the endpoints of banks with play money, where an account is opened when first
    needed. What a merchant says of its bank is never enough.
    """

    def __init__(
        self, store: Store, http: httpx.AsyncClient, *, sandboxes: Collection[str] = ()
    ) -> None:
        self._store = store
        self._http = http
        self._sandboxes = frozenset(check(url).rstrip("/") for url in sandboxes)
        self._opening = asyncio.Lock()

    async def authorize(
        self, user_id: str, target: PaymentTarget, amount: Money, checkout_hash: str, key: str
    ) -> Credential:
        """Hold exactly `amount` for exactly this payee. Refused carries the bank's reason."""
        wallet = await self._wallet(user_id, target)
        if amount.minor <= 0:
            raise Nonsense(f"cannot pay {amount}; an amount must be more than nothing")
        if target.session:
            return await self._delegate(target, wallet, amount, key)
        body: dict[str, object] = {
            "account": wallet.account,
            "amount": amount.minor,
            "currency": amount.currency,
            "payee": target.payee,
            "handler_id": target.handler_id,
            "reference": checkout_hash,
            "expires_s": EXPIRES_S,
        }
        if target.at_most:
            body["capture"] = "at_most"
        answer = await self._post(target, "/authorizations", wallet, body, key)
        if answer.status != 201:
            raise _refused(answer)
        held = decode(answer.body, _Authorization, target.endpoint)
        if not held.token or held.state not in _STATES:
            raise Nonsense(f"the bank at {target.endpoint!r} gave no token for the payment")
        if (held.amount, held.currency, held.payee) != (
            amount.minor,
            amount.currency,
            target.payee,
        ):
            raise Nonsense(f"the bank at {target.endpoint!r} holds something else than {amount}")
        return Credential(held.id, held.token, target.handler, target.handler_id)

    async def _delegate(
        self, target: PaymentTarget, wallet: Wallet, amount: Money, key: str
    ) -> Credential:
        """ACP's delegated payment: one use, so much, in this session, by this merchant, until."""
        wanted = {
            "max_amount": amount.minor,
            "currency": amount.currency.lower(),
            "checkout_session_id": target.session,
            "merchant_id": target.payee,
            "expires_at": target.session_expires_at,
        }
        body: dict[str, object] = {
            "payment_method": {
                "type": "card",
                "card_number_type": "network_token",
                "number": wallet.account,
                "display_card_funding_type": "debit",
                "metadata": {},
            },
            "allowance": {"reason": "one_time", **wanted},
            "risk_signals": [],
            "metadata": {"handler_id": target.handler_id},
        }
        path = "/agentic_commerce/delegate_payment"
        answer = await self._post(target, path, wallet, body, key)
        if answer.status != 201:
            raise _refused(answer)
        made = decode(answer.body, _Delegated, target.endpoint)
        if any(made.metadata.get(name) != str(value) for name, value in wanted.items()):
            raise Nonsense(f"the bank at {target.endpoint!r} allows something else than {amount}")
        id = made.metadata.get("authorization_id", "")
        if not id:
            raise Nonsense(f"the bank at {target.endpoint!r} does not say what it holds")
        return Credential(id, made.id, target.handler, target.handler_id)

    async def state(
        self, user_id: str, target: PaymentTarget, authorization_id: str
    ) -> PaymentState:
        """What has become of an authorization; an expired one counts as voided."""
        return _state_of(await self._read(user_id, target, authorization_id), target)

    async def payment(self, user_id: str, target: PaymentTarget, authorization_id: str) -> Payment:
        """An authorization with its sums; a bank that sends none moves whole amounts only."""
        return _payment_of(await self._read(user_id, target, authorization_id), target)

    async def refund(
        self, user_id: str, target: PaymentTarget, authorization_id: str, amount: Money, key: str
    ) -> Payment:
        """Give a part back. Refused: `refund_too_large`, `already_refunded`, `not_captured`."""
        wallet = await self._wallet(user_id, target)
        if amount.minor <= 0:
            raise Nonsense(f"cannot give {amount} back; it must be more than nothing")
        path = f"/authorizations/{quote(authorization_id, safe='')}/refund"
        answer = await self._post(target, path, wallet, {"amount": amount.minor}, key)
        return _payment_of(answer, target)

    async def statements(self, user_id: str) -> tuple[BankStatement, ...]:
        """The user's accounts at all banks, whole: entries are not paged."""
        found = await self._store.read(lambda at: _wallets(at, user_id))
        return tuple([await self._statement(endpoint, wallet) for endpoint, wallet in found])

    async def _statement(self, endpoint: str, wallet: Wallet) -> BankStatement:
        url = f"{endpoint}/accounts/{quote(wallet.account, safe='')}"
        headers = _bearer(wallet.secret)
        listed = await fetch(
            self._http, "GET", f"{url}/entries", headers=headers, limit=STATEMENT_LIMIT
        )
        answer = await fetch(self._http, "GET", url, headers=headers)
        for each in (listed, answer):
            if each.status != 200:
                raise _refused(each)
        account = decode(answer.body, _Balance, endpoint)
        entries = decode(listed.body, _Entries, endpoint)
        return BankStatement(
            endpoint,
            Money(account.balance, account.currency),
            Money(account.held, account.currency),
            tuple(
                BankEntry(
                    str(x.id), x.kind, x.authorization, Money(x.amount, entries.currency), x.at
                )
                for x in entries.entries
            ),
        )

    async def _read(self, user_id: str, target: PaymentTarget, authorization_id: str) -> Answer:
        wallet = await self._wallet(user_id, target)
        path = f"/authorizations/{quote(authorization_id, safe='')}"
        return await fetch(
            self._http, "GET", target.endpoint + path, headers=_bearer(wallet.secret)
        )

    async def release(
        self, user_id: str, target: PaymentTarget, authorization_id: str, key: str
    ) -> PaymentState:
        """Void it if nothing was captured, refund it if it was."""
        wallet = await self._wallet(user_id, target)
        path = f"/authorizations/{quote(authorization_id, safe='')}"
        answer = await self._post(target, f"{path}/void", wallet, {}, f"{key}/void")
        if answer.status == 409:
            complaint = _complaint(answer)
            if complaint == "already_refunded":
                return PaymentState.REFUNDED
            if complaint == "already_captured":
                answer = await self._post(target, f"{path}/refund", wallet, {}, f"{key}/refund")
        return _state_of(answer, target)

    async def as_holder(
        self, user_id: str, endpoint: str, path: str, body: object = None, key: str = ""
    ) -> Answer:
        """Call the user's bank with the account's secret: GET, or with a `key` POST.

        `{account}` in `path` stands for the user's account.
        """
        target = PaymentTarget(CITY_BANK, "", endpoint, "")
        wallet = await self._wallet(user_id, target)
        path = path.replace("{account}", quote(wallet.account, safe=""))
        if not key:
            headers = _bearer(wallet.secret)
            return await fetch(
                self._http, "GET", endpoint + path, headers=headers, limit=STATEMENT_LIMIT
            )
        return await self._post(target, path, wallet, body, key)

    async def can_pay_at(self, user_id: str, endpoint: str) -> bool:
        """Whether the user has, or may open, an account at this bank."""
        wallet = await self._store.read(lambda at: _find(at, user_id, endpoint.rstrip("/")))
        return wallet is not None or endpoint.rstrip("/") in self._sandboxes

    async def _wallet(self, user_id: str, target: PaymentTarget) -> Wallet:
        endpoint = target.endpoint.rstrip("/")
        wallet = await self._store.read(lambda at: _find(at, user_id, endpoint))
        if wallet is not None and target.handler == CITY_BANK:
            return wallet
        if target.handler != CITY_BANK or endpoint not in self._sandboxes:
            raise Refused(
                f"The shop wants to be paid by {target.handler!r} at a bank that is not in the "
                "wallet.",
                code="unknown_payment_handler",
            )
        async with self._opening:
            wallet = await self._store.read(lambda at: _find(at, user_id, endpoint))
            return wallet or await self._open(user_id, endpoint)

    async def _open(self, user_id: str, endpoint: str) -> Wallet:
        """A play-money account; its key makes sure that a crash in between opens one only.

        The owner's name is of this bank alone: two banks cannot find out that it is one user.
        """
        headers = {"content-type": "application/json", "idempotency-key": _key(user_id, endpoint)}
        answer = await fetch(
            self._http,
            "POST",
            f"{endpoint}/accounts",
            headers=headers,
            content=msgspec.json.encode({"owner": _key(f"{endpoint}/owner", user_id)}),
        )
        if answer.status not in (200, 201):
            raise _refused(answer)
        opened = decode(answer.body, _Account, endpoint)
        wallet = Wallet(opened.account, opened.secret)
        return await self._store.write(lambda at: _keep(at, user_id, endpoint, wallet))

    async def _post(
        self, target: PaymentTarget, path: str, wallet: Wallet, body: object, key: str
    ) -> Answer:
        headers = {
            **_bearer(wallet.secret),
            "content-type": "application/json",
            "idempotency-key": _key(target.endpoint, key),
        }
        return await fetch(
            self._http,
            "POST",
            target.endpoint + path,
            headers=headers,
            content=msgspec.json.encode(body),
        )


def _find(at: sa.Connection, user_id: str, endpoint: str) -> Wallet | None:
    table = schema.wallets
    query = sa.select(table.c.account, table.c.secret).where(
        table.c.user_id == user_id, table.c.endpoint == endpoint
    )
    row = at.execute(query).first()
    return Wallet(row.account, row.secret) if row else None


def _wallets(at: sa.Connection, user_id: str) -> list[tuple[str, Wallet]]:
    table = schema.wallets
    query = sa.select(table.c.endpoint, table.c.account, table.c.secret).where(
        table.c.user_id == user_id
    )
    rows = at.execute(query.order_by(table.c.endpoint))
    return [(row.endpoint, Wallet(row.account, row.secret)) for row in rows]


def _keep(at: sa.Connection, user_id: str, endpoint: str, wallet: Wallet) -> Wallet:
    known = _find(at, user_id, endpoint)
    if known is not None:
        return known
    at.execute(
        sa.insert(schema.wallets).values(
            user_id=user_id,
            handler=CITY_BANK,
            endpoint=endpoint,
            account=wallet.account,
            secret=wallet.secret,
        )
    )
    return wallet


def _state_of(answer: Answer, target: PaymentTarget) -> PaymentState:
    if answer.status != 200:
        raise _refused(answer)
    said = decode(answer.body, _Authorization, target.endpoint)
    state = _STATES.get(said.state)
    if state is None:
        raise Nonsense(f"the bank at {target.endpoint!r} knows a state {said.state[:40]!r}")
    return state


def _payment_of(answer: Answer, target: PaymentTarget) -> Payment:
    state = _state_of(answer, target)
    said = decode(answer.body, _Authorization, target.endpoint)
    if said.amount is None or not said.currency:
        raise Nonsense(f"the bank at {target.endpoint!r} does not say what it holds")
    moved = state in (PaymentState.CAPTURED, PaymentState.REFUNDED)
    captured = said.captured if said.captured is not None else said.amount * moved
    back = captured if state is PaymentState.REFUNDED else 0
    refunded = said.refunded if said.refunded is not None else back
    if not 0 <= refunded <= captured <= said.amount:
        raise Nonsense(f"the sums of the bank at {target.endpoint!r} do not fit together")
    return Payment(
        state,
        Money(said.amount, said.currency),
        Money(captured, said.currency),
        Money(refunded, said.currency),
    )


def _refused(answer: Answer) -> Refused | Unreachable | Nonsense:
    if answer.status >= 500 or answer.status in (408, 425, 429):
        return Unreachable(f"the bank answers {answer.status}; its effect is unknown")
    said = _complaint(answer)
    code = _CODES.get(said)
    if code is not None:
        return Refused(_WORDS[code], code=code)
    match answer.status:
        case 402:
            return Refused("The bank declined the payment.", code="payment_declined")
        case 404:
            return Refused("The bank does not know that payment.", code="unknown_authorization")
        case 401 | 403:
            return Refused("The bank does not accept the wallet's key.", code="wallet_refused")
        case _:
            return Nonsense(f"the bank answers {answer.status} {said[:64]!r}")


def _complaint(answer: Answer) -> str:
    try:
        return decode(answer.body, _Complaint, "the bank").code
    except Nonsense:
        return ""


def _bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def _key(scope: str, key: str) -> str:
    """The same key always travels as the same UUID, and never meets another scope's."""
    return str(uuid.uuid5(_NAMESPACE, f"{scope}\n{key}"))
