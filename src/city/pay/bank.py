"""Payment requests at the bank: what the holder of an account may ask and answer.

Under the bank's endpoint, with `Authorization: Bearer <secret>`. Errors are {"code", "message"}.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from city.bank import ledger
from city.bank.ledger import Account
from city.errors import BankRefusal, ProtocolError
from city.http import Exchange, error_answer, once, read_body, to_response
from city.pay import people, requests
from city.pay.wire import AskRequest
from city.replay import Answer, key_for
from city.store import Database, Store, Transaction
from city.ucp.wire import parse
from city.world import World

Act = Callable[[Transaction, Account], Answer]


class Asking:
    """POST and GET /bank/requests, POST /bank/requests/{id}/decline and /cancel."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._exchange = Exchange(world, store, "bank")

    def routes(self) -> list[Route]:
        def route(path: str, method: str, read: Callable[[Request, bytes], Act]) -> Route:
            return Route(f"/bank{path}", self._endpoint(read), methods=[method])

        return [
            route("/requests", "GET", self._list),
            route("/requests", "POST", self._make),
            route("/requests/{id}/decline", "POST", self._answering("declined")),
            route("/requests/{id}/cancel", "POST", self._answering("canceled")),
        ]

    def _endpoint(
        self, read: Callable[[Request, bytes], Act]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            try:
                body = await read_body(request)
                operation = "read" if request.method == "GET" else "create"
                act = self._as_holder(request, body, read(request, body))
                made = await self._exchange.run(operation, act)
            except (ProtocolError, BankRefusal) as error:
                fields = {"code": error.code, "message": error.text}
                made = error_answer(error.status, fields)
            return to_response(made, request)

        return serve

    def _as_holder(self, request: Request, body: bytes, act: Act) -> Callable[[Database], Answer]:
        secret = request.headers.get("authorization", "").removeprefix("Bearer ").strip()

        def in_transaction(tx: Transaction) -> Answer:
            account = ledger.login(tx, secret)
            if account is None:
                raise BankRefusal("this secret is of no account", code="unauthorized", status=401)
            return act(tx, account)

        def alone(database: Database) -> Answer:
            with database.transaction() as tx:
                return in_transaction(tx)

        if request.method == "GET":
            return alone
        scope = f"bank requests {hashlib.sha256(secret.encode()).hexdigest()[:32]}"
        header = request.headers.get("idempotency-key")
        key = key_for(scope, header, request.method, request.url.path, body)
        return lambda database: once(database, key, self._world.real_s(), in_transaction)

    def _list(self, _: Request, __: bytes) -> Act:
        def act(tx: Transaction, account: Account) -> Answer:
            me = people.welcome(tx, account.id, account.owner)
            found = requests.of(tx, account.id, self._world.real_s())
            listed = {
                direction: [requests.shown(tx, each) for each in some]
                for direction, some in found.items()
            }
            return Answer(200, msgspec.json.encode({"handle": me.handle, **listed}))

        return act

    def _make(self, _: Request, body: bytes) -> Act:
        asked = parse(body, AskRequest)

        def act(tx: Transaction, account: Account) -> Answer:
            if asked.currency != ledger.CURRENCY:
                text = f"{asked.currency!r} is not {ledger.CURRENCY}"
                raise BankRefusal(text, code="currency_unsupported", status=422)
            payer = people.by_handle(tx, asked.payer)
            if payer is None:
                text = f"nobody has the handle {asked.payer!r}"
                raise BankRefusal(text, code="payee_not_found", status=404)
            me = people.welcome(tx, account.id, account.owner)
            wanted = requests.Wanted(me, payer, asked.amount, asked.note, asked.expires_s)
            made = requests.make(self._world, tx, wanted)
            return Answer(201, msgspec.json.encode(requests.shown(tx, made)))

        return act

    def _answering(self, state: str) -> Callable[[Request, bytes], Act]:
        """The payer declines, the payee cancels; a stranger sees no request at all."""

        def read(request: Request, _: bytes) -> Act:
            def act(tx: Transaction, account: Account) -> Answer:
                id = str(request.path_params["id"])
                found = requests.load(tx, id, self._world.real_s())
                who = found.payer if state == "declined" else found.payee
                if account.id != who:
                    raise BankRefusal("there is no such request", code="not_found", status=404)
                closed = requests.close(tx, found, state)
                return Answer(200, msgspec.json.encode(requests.shown(tx, closed)))

            return act

        return read
