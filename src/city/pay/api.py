"""Siirto's HTTP interface: UCP over REST with the extension `dev.lapel.pay`, and its pages."""

from __future__ import annotations

from html import escape

import segno
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from city.bank import ledger
from city.pay import checkouts, codes, people
from city.pay.people import SLUG
from city.pay.wire import CodeRequest, PayeeRequest, TransferCheckoutRequest
from city.replay import Answer
from city.store import Store
from city.ucp.company import Act, Call, CompanyServer, Verbs
from city.ucp.counter import Counter
from city.ucp.envelope import metadata
from city.ucp.platforms import Platforms
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import CHECKOUT, OFFERED_BY_PAY
from city.ucp.wire import parse
from city.world import World


class Siirto(CompanyServer):
    """The endpoints of the City's payment service."""

    def __init__(self, world: World, store: Store, platforms: Platforms) -> None:
        config = {
            "name": people.NAME,
            "aliases": list(people.ALIASES),
            "codes": codes.prefix(world, SLUG),
        }
        super().__init__(world, store, platforms, SLUG, OFFERED_BY_PAY, config)

    def app(self) -> Starlette:
        verbs = Verbs(
            TransferCheckoutRequest,
            checkouts.create,
            checkouts.read,
            checkouts.update,
            checkouts.complete,
            checkouts.cancel,
            checkouts.order,
        )
        calls = [
            Call("POST", "/pay/payees", "lookup", self._payee, ("find_payee", "transfer")),
            Call("POST", "/pay/codes", "lookup", self._code, ("read_code", "transfer")),
            *self.sessions(verbs),
        ]
        return Starlette(
            routes=[
                *self.routes(calls),
                Route("/till/{shop}", self._till),
                Route("/{name:path}", self._page),
            ]
        )

    # The extension's own verbs.

    def _payee(self, _: Request, body: bytes) -> Act:
        asked = parse(body, PayeeRequest)

        def act(counter: Counter) -> Answer:
            found = people.by_handle(counter.tx, asked.handle)
            if found is None:
                text = f"nobody has the handle {asked.handle!r}"
                note = Note("error", "payee_not_found", text, severity="unrecoverable")
                return counter.refuse(note)
            shared = metadata(counter.platform.shared, CHECKOUT)
            party = {"handle": found.handle, "name": found.name}
            return counter.respond({"ucp": shared, "payee": party})

        return act

    def _code(self, _: Request, body: bytes) -> Act:
        asked = parse(body, CodeRequest)

        def act(counter: Counter) -> Answer:
            found = checkouts.look_at_code(counter.world, counter.tx, asked.code)
            if isinstance(found, Note):
                return counter.refuse(found)
            shown: Json = {**found.json(), "amount": found.amount or None}
            return counter.respond(
                {"ucp": metadata(counter.platform.shared, CHECKOUT), "transfer": shown}
            )

        return act

    # Without UCP.

    async def _till(self, request: Request) -> Response:
        """A shop's till: a fresh code to be scanned, for `?amount=` cents or an open amount."""
        shop = self._world.shops.get(str(request.path_params["shop"]))
        said = request.query_params.get("amount", "")
        if shop is None or (said and not (said.isdecimal() and 0 < int(said) <= 10**6)):
            return HTMLResponse("<!doctype html><title>No till</title><p>There is no till.", 404)
        amount = int(said) if said else None
        note = request.query_params.get("note", "")[:140]
        code = codes.make(self._world, SLUG, shop.slug, amount, note)
        cost = "any amount" if amount is None else f"{amount / 100:.2f} {ledger.CURRENCY}"
        return HTMLResponse(
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(shop.name)}</title>"
            f"<h1>{escape(shop.name)}</h1><p>Scan to pay {cost}. The code lasts 15 minutes.</p>"
            f"{picture(code)}<p style=overflow-wrap:anywhere><small>{escape(code)}</small>"
        )

    async def _page(self, request: Request) -> Response:
        """What people see in a browser; nothing can be paid there."""
        name = str(request.path_params.get("name", ""))
        if name not in ("", "terms", "privacy") and not name.startswith(("o/", "c/")):
            return HTMLResponse("<!doctype html><title>Not found</title><p>Not found.", 404)
        tills = "".join(
            f"<li><a href='/till/{slug}'>{escape(shop.name)}</a></li>"
            for slug, shop in self._world.shops.items()
        )
        return HTMLResponse(
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{people.NAME}</title>"
            f"<h1>{people.NAME}</h1><p>Moves money between people of the City, which is worth "
            f"nothing. The tills of the shops show codes to pay by:</p><ul>{tills}</ul></html>"
        )


def picture(code: str) -> str:
    """The code as an SVG for a page."""
    return segno.make(code, error="m", micro=False).svg_inline(scale=4, border=4, light="white")
