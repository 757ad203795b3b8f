"""A travel company's HTTP interface: UCP over REST with the extension `dev.lapel.travel`."""

from __future__ import annotations

import secrets
from datetime import timedelta

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from city.replay import Answer
from city.store import Store
from city.travel import bookings, checkouts, seats
from city.travel.bookings import JOURNEYS
from city.travel.offers import Company, priced, services
from city.travel.terms import Terms, offer_json, refund, sold_out
from city.travel.wire import CancelRequest, ChangeRequest, HoldRequest, SearchRequest
from city.ucp.company import Act, Call, CompanyServer
from city.ucp.counter import Counter
from city.ucp.envelope import metadata
from city.ucp.one_line import LIFE_S
from city.ucp.platforms import Platforms
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import CHECKOUT, OFFERED_BY_TRAVEL
from city.ucp.wire import parse
from city.world import World

FARTHEST = timedelta(days=330)
"""Nothing is sold for later than this."""
MOST_OFFERS = 60


class TravelCompany(CompanyServer):
    """The endpoints of one company."""

    def __init__(self, world: World, store: Store, platforms: Platforms, company: Company) -> None:
        config = {
            "name": company.name,
            "aliases": list(company.aliases),
            "kinds": [company.kind],
        }
        super().__init__(world, store, platforms, company.slug, OFFERED_BY_TRAVEL, config)
        self._company = company

    def app(self) -> Starlette:
        about = "Nobody really travels, and the money is worth nothing."
        page = self.page(self._company.name, about, JOURNEYS.told)
        calls = [
            Call("POST", "/travel/search", "search", self._search, ("search_travel", "travel")),
            Call("POST", "/travel/holds", "create", self._hold, ("hold_travel", "travel")),
            *self.sessions(checkouts.CHECKOUTS.verbs(JOURNEYS.order)),
            Call(
                "POST", "/travel/{id}/change", "update", self._change, ("change_booking", "travel")
            ),
            Call(
                "POST", "/travel/{id}/cancel", "cancel", self._cancel, ("cancel_booking", "travel")
            ),
        ]
        return Starlette(
            routes=[
                *self.routes(calls),
                Route("/o/{id}", page),
                Route("/{name:path}", page),
            ]
        )

    # The extension's own verbs.

    def _search(self, _: Request, body: bytes) -> Act:
        asked = parse(body, SearchRequest)

        def act(counter: Counter) -> Answer:
            shown: Json = {"ucp": metadata(counter.platform.shared, CHECKOUT)}
            return counter.respond(shown | self._found(counter, asked))

        return act

    def _found(self, counter: Counter, asked: SearchRequest) -> Json:
        world, company = self._world, self._company
        going, fault = services(company, asked.start, asked.end, asked.date, asked.nights)
        if fault:
            text = "nothing goes from or to a place of that name"
            return _none(Note("error", "place_unknown", text, f"$.{fault}"))
        now_s = world.real_s()
        open_ones = [
            each
            for each in going
            if now_s < each.begins.timestamp() < now_s + FARTHEST.total_seconds()
        ]
        offers: list[Json] = []
        for service in open_ones:
            for offer in priced(company, service):
                rest = seats.left(world, counter.tx, company, offer)
                if rest:
                    offers.append(offer_json(offer, rest))
        if not offers:
            text = "there is nothing on that day"
            return _none(Note("error", "no_connection", text, "$.date"))
        return {"offers": offers[:MOST_OFFERS], "messages": []}

    def _hold(self, _: Request, body: bytes) -> Act:
        asked = parse(body, HoldRequest)
        return lambda counter: checkouts.hold(counter, asked)

    def _change(self, request: Request, body: bytes) -> Act:
        asked, id = parse(body, ChangeRequest), str(request.path_params["id"])

        def act(counter: Counter) -> Answer:
            if JOURNEYS.booking(counter, id) is None:
                return counter.missing("Booking")
            found = checkouts.changed(counter, id, asked.offer)
            if isinstance(found, Note):
                return JOURNEYS.answer(counter, id, [found])
            booking, terms, offer = found
            notes: list[Note] = []
            applied = asked.apply and terms.total <= 0
            if applied:
                holder = f"{booking.id}:{secrets.token_hex(6)}"
                until_s = self._world.real_s() + LIFE_S
                company = self._company
                applied = seats.take(self._world, counter.tx, company, offer, holder, until_s)
                notes = [] if applied else [sold_out(offer)]
                if applied:
                    terms = msgspec.structs.replace(terms, holder=holder)
                    bookings.apply_change(self._world, counter.tx, booking, terms)
            return JOURNEYS.answer(counter, id, notes, _change_json(terms, applied=applied))

        return act

    def _cancel(self, request: Request, body: bytes) -> Act:
        asked, id = parse(body, CancelRequest), str(request.path_params["id"])

        def act(counter: Counter) -> Answer:
            booking = JOURNEYS.booking(counter, id)
            if booking is None:
                return counter.missing("Booking")
            world, tx = self._world, counter.tx
            terms, notes = booking.contents.terms, list[Note]()
            back = refund(world, tx, terms, JOURNEYS.unrefunded(booking))
            if booking.status in JOURNEYS.over or booking.status == "begun":
                text = "the journey has begun or is over"
                notes.append(Note("error", "booking_over", text))
            elif back < asked.least:
                text = f"canceling now gives {back / 100:.2f} EUR back"
                notes.append(Note("error", "refund_too_low", text, "$.least"))
            else:
                JOURNEYS.cancel(world, tx, booking, "traveller", back)
            return JOURNEYS.answer(counter, id, notes)

        return act


def _none(note: Note) -> Json:
    return {"offers": [], "messages": [note.json()]}


def _change_json(terms: Terms, *, applied: bool) -> Json:
    return {
        "applied": applied,
        "difference": terms.difference,
        "fee": terms.fee,
        "owed": terms.total,
    }
