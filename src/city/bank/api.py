"""The bank's HTTP interface: what a wallet and a merchant call. Errors are {"code", "message"}."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from city.bank import ledger
from city.bank.ledger import Account, Authorization
from city.clock import stamp_utc
from city.errors import BankRefusal, ProtocolError
from city.faults import Fault
from city.http import Exchange, error_answer, once, read_body, to_response
from city.pay import people
from city.replay import Answer, key_for
from city.store import Database, Store, Transaction
from city.ucp.wire import parse
from city.world import World

LONGEST_S = 7 * 24 * 3600.0
"""How long a hold may last."""

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Amount = Annotated[int, msgspec.Meta(gt=0, le=10**9)]
Act = Callable[[Database], Answer]


class OpenRequest(msgspec.Struct):
    """`merchant` is for shops of others than the City's: they capture, and start with nothing."""

    owner: Short
    kind: Literal["customer", "merchant"] = "customer"


class AuthorizeRequest(msgspec.Struct):
    account: Short
    amount: Amount
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    payee: Short
    handler_id: Short
    reference: Short
    expires_s: Annotated[int, msgspec.Meta(ge=60, le=7 * 24 * 3600)] = 900
    capture: Literal["exact", "at_most"] = "exact"


class Allowance(msgspec.Struct, forbid_unknown_fields=True):
    """ACP's: one use, at most so much, in one session, by one merchant, until then."""

    reason: Literal["one_time"]
    max_amount: Amount
    currency: Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]
    checkout_session_id: Short
    merchant_id: Short
    expires_at: datetime


class PaymentMethod(msgspec.Struct):
    """The card of this bank is the account itself, as a network token."""

    type: Literal["card"]
    card_number_type: Literal["fpan", "network_token"]
    number: Short
    display_card_funding_type: Literal["credit", "debit", "prepaid"]
    metadata: dict[str, str]


class DelegateRequest(msgspec.Struct):
    payment_method: PaymentMethod
    allowance: Allowance
    risk_signals: list[dict[str, object]]
    metadata: dict[str, str]


class CaptureRequest(msgspec.Struct):
    token: Short
    amount: Amount
    reference: Short


class RefundRequest(msgspec.Struct):
    amount: Amount | None = None
    reference: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Bank:
    """The bank's endpoints. A refusal (402) is kept under its key; other errors are not."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._exchange = Exchange(world, store, "bank")

    def routes(self) -> list[Route]:
        def route(path: str, method: str, operation: str, handler: _Handler) -> Route:
            return Route(f"/bank{path}", self._endpoint(operation, handler), methods=[method])

        return [
            route("/accounts", "POST", "read", self._open),
            route("/accounts/{id}", "GET", "read", self._account),
            route("/accounts/{id}/entries", "GET", "read", self._entries),
            route("/authorizations", "POST", "authorize", self._authorize),
            route("/agentic_commerce/delegate_payment", "POST", "authorize", self._delegate),
            route("/authorizations/{id}", "GET", "read", self._authorization),
            route("/authorizations/{id}/void", "POST", "void", self._void),
            route("/authorizations/{id}/refund", "POST", "refund", self._refund),
            route("/captures", "POST", "capture", self._capture),
        ]

    def _endpoint(
        self, operation: str, handler: _Handler
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            try:
                act = handler(request, await read_body(request))
                made = await self._exchange.run(operation, act)
            except (ProtocolError, BankRefusal) as error:
                fields = {"code": error.code, "message": error.text}
                made = error_answer(error.status, fields)
            return to_response(made, request)

        return serve

    def _open(self, request: Request, body: bytes) -> Act:
        asked = parse(body, OpenRequest)
        now_s = self._world.real_s()

        def act(tx: Transaction) -> Answer:
            id, secret = f"acc_{secrets.token_hex(8)}", f"sec_{secrets.token_urlsafe(24)}"
            ledger.open_account(tx, asked.owner, asked.kind, id, secret, now_s)
            if asked.kind == "customer":
                people.welcome(tx, id, asked.owner)
            opened = {
                "account": id,
                "secret": secret,
                "balance": ledger.balance(tx, id),
                "held": 0,
                "currency": ledger.CURRENCY,
            }
            return Answer(201, msgspec.json.encode(opened))

        if request.headers.get("idempotency-key") is None:
            return lambda database: _alone(database, act)
        key = key_for("bank", request.headers["idempotency-key"], "POST", request.url.path, body)
        return lambda database: once(database, key, now_s, act)

    def _account(self, request: Request, _: bytes) -> Act:
        def act(tx: Transaction) -> Answer:
            account = _own(tx, request)
            balance = ledger.balance(tx, account.id)
            held = ledger.held(tx, account.id, self._world.real_s())
            shown = {
                "account": account.id,
                "owner": account.owner,
                "handle": people.welcome(tx, account.id, account.owner).handle,
                "balance": balance,
                "held": held,
                "available": balance - held,
                "currency": account.currency,
            }
            return Answer(200, msgspec.json.encode(shown))

        return lambda database: _alone(database, act)

    def _entries(self, request: Request, _: bytes) -> Act:
        def act(tx: Transaction) -> Answer:
            account = _own(tx, request)
            shown: list[dict[str, object]] = [
                {
                    "id": id,
                    "transfer": transfer,
                    "amount": amount,
                    "kind": kind,
                    "counterparty": counterparty,
                    "reference": reference,
                    "authorization": authorization,
                    "at": stamp_utc(at_s),
                }
                for (
                    id,
                    transfer,
                    amount,
                    kind,
                    counterparty,
                    reference,
                    authorization,
                    at_s,
                ) in ledger.entries(tx, account.id)
            ]
            for entry in shown:
                entry |= people.told(tx, str(entry["counterparty"]), str(entry["authorization"]))
            whole = {"account": account.id, "currency": account.currency, "entries": shown}
            return Answer(200, msgspec.json.encode(whole))

        return lambda database: _alone(database, act)

    def _authorize(self, request: Request, body: bytes) -> Act:
        asked = parse(body, AuthorizeRequest)
        now_s = self._world.real_s()

        def act(tx: Transaction) -> Answer:
            account = _login(tx, request)
            if account.id != asked.account:
                raise BankRefusal("the secret is of another account", code="forbidden", status=403)
            hold = ledger.Hold(
                account=asked.account,
                payee=asked.payee,
                amount=asked.amount,
                currency=asked.currency,
                handler_id=asked.handler_id,
                reference=asked.reference,
                expires_s=now_s + asked.expires_s,
                at_most=asked.capture == "at_most",
            )
            made = self._held(tx, hold, now_s)
            if isinstance(made, Answer):
                return made
            return Answer(201, msgspec.json.encode({**_shown(made), "token": made.token}))

        return self._write(request, body, act, "authorize")

    def _delegate(self, request: Request, body: bytes) -> Act:
        """ACP's: the whole allowance is held, and the answer's id is the token that captures it."""
        asked, now_s = parse(body, DelegateRequest), self._world.real_s()
        allowed = asked.allowance
        expires_s = allowed.expires_at.timestamp()
        if not now_s < expires_s <= now_s + LONGEST_S:
            raise BankRefusal("expires_at must be within a week", code="invalid", status=400)

        def act(tx: Transaction) -> Answer:
            account = _login(tx, request)
            if account.id != asked.payment_method.number:
                raise BankRefusal("the secret is of another account", code="forbidden", status=403)
            hold = ledger.Hold(
                account=account.id,
                payee=allowed.merchant_id,
                amount=allowed.max_amount,
                currency=allowed.currency.upper(),
                handler_id=asked.metadata.get("handler_id", "acp"),
                reference=allowed.checkout_session_id,
                expires_s=expires_s,
                session=allowed.checkout_session_id,
            )
            made = self._held(tx, hold, now_s)
            if isinstance(made, Answer):
                return made
            echoed = msgspec.json.decode(body)["allowance"]
            told = {name: str(value) for name, value in echoed.items()}
            given = {
                "id": made.token,
                "created": stamp_utc(now_s),
                "metadata": {**told, "authorization_id": made.id},
            }
            return Answer(201, msgspec.json.encode(given))

        return self._write(request, body, act, "authorize")

    def _held(self, tx: Transaction, hold: ledger.Hold, now_s: float) -> Authorization | Answer:
        """The hold, or the answer that says why the bank will not."""
        try:
            self._perhaps_decline(tx, hold.payee)
            made = ledger.authorize(tx, hold, now_s)
        except BankRefusal as error:
            if error.status != 402:
                raise
            return error_answer(402, {"code": error.code, "message": error.text})
        self._world.crash.passing("in_authorize")
        return made

    def _perhaps_decline(self, tx: Transaction, payee: str) -> None:
        merchant = payee.removeprefix("mer_") if payee.startswith("mer_") else people.SLUG
        if self._world.faults.strike(tx, Fault.DECLINE_PAYMENT, merchant) is not None:
            raise BankRefusal("the card was declined", code="card_declined", status=402)

    def _authorization(self, request: Request, _: bytes) -> Act:
        def act(tx: Transaction) -> Answer:
            return Answer(200, msgspec.json.encode(_shown(self._ours(tx, request))))

        return lambda database: _alone(database, act)

    def _void(self, request: Request, body: bytes) -> Act:
        def change(tx: Transaction) -> Authorization:
            return ledger.void(tx, self._mine(tx, request).id, self._world.real_s())

        return self._release(request, body, change)

    def _refund(self, request: Request, body: bytes) -> Act:
        asked = parse(body, RefundRequest) if body else RefundRequest()

        def change(tx: Transaction) -> Authorization:
            id = self._ours(tx, request).id
            return ledger.refund(tx, id, self._world.real_s(), asked.amount, asked.reference)

        return self._release(request, body, change)

    def _release(
        self, request: Request, body: bytes, change: Callable[[Transaction], Authorization]
    ) -> Act:
        def act(tx: Transaction) -> Answer:
            changed = change(tx)
            self._world.crash.passing("in_release")
            return Answer(200, msgspec.json.encode(_shown(changed)))

        return self._write(request, body, act, "release")

    def _capture(self, request: Request, body: bytes) -> Act:
        asked = parse(body, CaptureRequest)
        now_s = self._world.real_s()

        def act(tx: Transaction) -> Answer:
            payee = _login(tx, request)
            paid = ledger.capture(tx, asked.token, asked.amount, payee.id, asked.reference, now_s)
            return Answer(200, msgspec.json.encode({**_shown(paid), "reference": asked.reference}))

        return self._write(request, body, act, None)

    def _mine(self, tx: Transaction, request: Request) -> Authorization:
        """The payer's."""
        found = self._ours(tx, request)
        if found.account != _login(tx, request).id:
            raise BankRefusal("there is no such authorization", code="not_found", status=404)
        return found

    def _ours(self, tx: Transaction, request: Request) -> Authorization:
        """The payer's or the payee's."""
        account = _login(tx, request)
        found = ledger.find(tx, str(request.path_params["id"]), self._world.real_s())
        if found is None or account.id not in (found.account, found.payee):
            raise BankRefusal("there is no such authorization", code="not_found", status=404)
        return found

    def _write(
        self,
        request: Request,
        body: bytes,
        act: Callable[[Transaction], Answer],
        points: str | None,
    ) -> Act:
        header = request.headers.get("idempotency-key")
        who = request.headers.get("authorization", "")
        scope = f"bank {hashlib.sha256(who.encode()).hexdigest()[:32]}"
        key = key_for(scope, header, request.method, request.url.path, body)
        crash = self._world.crash

        def run(database: Database) -> Answer:
            if points is not None:
                crash.passing("before_authorize" if points == "authorize" else "before_release")
            made = once(database, key, self._world.real_s(), act)
            if points is not None:
                crash.passing("after_authorize" if points == "authorize" else "after_release")
            return made

        return run


_Handler = Callable[[Request, bytes], Act]


def _alone(database: Database, act: Callable[[Transaction], Answer]) -> Answer:
    with database.transaction() as tx:
        return act(tx)


def _login(tx: Transaction, request: Request) -> Account:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    account = ledger.login(tx, secret.strip()) if scheme.lower() == "bearer" else None
    if account is None:
        raise BankRefusal("send Authorization: Bearer <secret>", code="unauthorized", status=401)
    return account


def _own(tx: Transaction, request: Request) -> Account:
    account = _login(tx, request)
    if account.id != request.path_params["id"]:
        raise BankRefusal("the secret is of another account", code="forbidden", status=403)
    return account


def _shown(made: Authorization) -> dict[str, object]:
    return {
        "id": made.id,
        "state": made.state,
        "amount": made.amount,
        "capture": "at_most" if made.at_most else "exact",
        "captured": made.captured,
        "refunded": made.refunded,
        "currency": made.currency,
        "payee": made.payee,
        "reference": made.reference,
        "expires_at": stamp_utc(made.expires_s),
    }
