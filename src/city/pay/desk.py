"""What a visitor lets the City's people and shops do: ask for money, give some, show a code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from city.bank import ledger
from city.errors import BankRefusal, ProtocolError
from city.http import error_answer, read_body, to_response
from city.pay import codes, people, requests
from city.pay.people import Party
from city.pay.wire import NewCode, PersonAsks
from city.replay import Answer
from city.store import Database, Store, Transaction
from city.ucp.quote import Json
from city.ucp.wire import parse
from city.world import World

ASKED_S = 7 * 24 * 3600.0


class PeopleDesk:
    """POST /city/people/{handle}/ask and /pay, GET /city/people, POST /city/codes."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store

    def routes(self) -> list[Route]:
        return [
            Route("/city/people", self._serve(self._list)),
            Route("/city/people/{handle}/ask", self._serve(self._ask), methods=["POST"]),
            Route("/city/people/{handle}/pay", self._serve(self._pay), methods=["POST"]),
            Route("/city/codes", self._serve(self._new_code), methods=["POST"]),
        ]

    def _serve(
        self, act: Callable[[Request, bytes, Transaction], Json]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            body = await read_body(request)

            def run(database: Database) -> Json:
                with database.transaction() as tx:
                    return act(request, body, tx)

            try:
                kind = request.headers.get("content-type", "").partition(";")[0]
                if request.method == "POST" and kind != "application/json":
                    # A page elsewhere in a browser cannot send this type without asking first.
                    raise ProtocolError("send Content-Type: application/json", status=415)
                made = Answer(200, msgspec.json.encode(await self._store.run(run)))
            except (ProtocolError, BankRefusal) as error:
                made = error_answer(error.status, {"code": error.code, "message": error.text})
            return to_response(made, request)

        return serve

    def _list(self, _: Request, __: bytes, tx: Transaction) -> Json:
        rows = tx.execute("SELECT handle, account, name FROM handles ORDER BY handle").fetchall()
        found = [
            {"handle": handle, "name": name, "balance": ledger.balance(tx, account)}
            for handle, account, name in rows
        ]
        return {"people": found}

    def _ask(self, request: Request, body: bytes, tx: Transaction) -> Json:
        asked = parse(body, PersonAsks)
        payee, payer = self._both(request, tx, asked)
        wanted = requests.Wanted(payee, payer, asked.amount, asked.note, ASKED_S)
        return requests.shown(tx, requests.make(self._world, tx, wanted))

    def _pay(self, request: Request, body: bytes, tx: Transaction) -> Json:
        asked = parse(body, PersonAsks)
        payer, payee = self._both(request, tx, asked)
        now_s = self._world.real_s()
        ledger.give(tx, payer.account, payee.account, asked.amount, asked.note, now_s)
        return {"paid": asked.amount, "to": payee.handle}

    def _new_code(self, _: Request, body: bytes, __: Transaction) -> Json:
        asked = parse(body, NewCode)
        if asked.shop not in self._world.shops:
            raise ProtocolError(f"there is no shop {asked.shop!r}", status=404)
        code = codes.make(self._world, people.SLUG, asked.shop, asked.amount, asked.note)
        matrix = [list(row) for row in segno.make(code, error="m", micro=False).matrix]
        return {"code": code, "matrix": matrix}

    def _both(self, request: Request, tx: Transaction, asked: PersonAsks) -> tuple[Party, Party]:
        """The person of the path, and whom they mean."""
        person = people.by_handle(tx, str(request.path_params["handle"]))
        other = people.by_handle(tx, asked.to) if asked.to else people.newest_customer(tx)
        if person is None or other is None:
            raise ProtocolError("there is nobody of that name", code="not_found", status=404)
        return person, other
