"""A restaurant's HTTP interface: UCP over REST with the extension `dev.lapel.tables`."""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta
from html import escape
from itertools import groupby

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from city.geometry import Point, distance_m
from city.maps import landmark
from city.replay import Answer
from city.store import Store
from city.tables import bookings, sittings
from city.tables.bookings import TABLES
from city.tables.checkouts import CHECKOUTS, changed
from city.tables.houses import TIME_ZONE, Company, House
from city.tables.offers import offers
from city.tables.terms import bookable, fee_now, offer_json, sold_out
from city.tables.wire import CancelRequest, ChangeRequest, SearchRequest
from city.ucp.company import Act, Call, CompanyServer
from city.ucp.counter import Counter
from city.ucp.envelope import metadata
from city.ucp.one_line import LIFE_S
from city.ucp.platforms import Platforms
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import CHECKOUT, OFFERED_BY_TABLES
from city.ucp.wire import parse
from city.world import World

MOST_OFFERS = 100
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class TableCompany(CompanyServer):
    """The endpoints of one company."""

    def __init__(self, world: World, store: Store, platforms: Platforms, company: Company) -> None:
        config = {
            "name": company.name,
            "aliases": list(company.aliases),
            "restaurants": [house.name for house in company.houses],
            "time_zone": TIME_ZONE,
        }
        super().__init__(world, store, platforms, company.slug, OFFERED_BY_TABLES, config)
        self._company = company

    def app(self) -> Starlette:
        houses = "".join(f"<li>{_described(house)}" for house in self._company.houses)
        about = f"Nobody really cooks, and the money is worth nothing.<ul>{houses}</ul>"
        page = self.page(self._company.name, about, TABLES.told)
        calls = [
            Call("POST", "/tables/search", "search", self._search, ("search_tables", "table")),
            *self.sessions(CHECKOUTS.verbs(TABLES.order)),
            Call("POST", "/tables/{id}/change", "update", self._change, ("change_table", "table")),
            Call("POST", "/tables/{id}/cancel", "cancel", self._cancel, ("cancel_table", "table")),
        ]
        return Starlette(
            routes=[*self.routes(calls), Route("/o/{id}", page), Route("/{name:path}", page)]
        )

    # The extension's own verbs.

    def _search(self, _: Request, body: bytes) -> Act:
        asked = parse(body, SearchRequest)

        def act(counter: Counter) -> Answer:
            shown: Json = {"ucp": metadata(counter.platform.shared, CHECKOUT)}
            return counter.respond(shown | self._found(counter, asked))

        return act

    def _found(self, counter: Counter, asked: SearchRequest) -> Json:
        world = self._world
        near = self._near(asked)
        if isinstance(near, Note):
            return _none(near)
        houses = [house for house in self._company.houses if self._fits(house, asked, near)]
        if houses and all(house.largest < asked.party for house in houses):
            text = f"no table is for more than {max(house.largest for house in houses)}"
            return _none(Note("error", "party_too_large", text, "$.party"))
        wanted = datetime.combine(asked.date, time.fromisoformat(asked.time))
        tolerance = timedelta(minutes=asked.tolerance_minutes)
        found: list[Json] = []
        for house in houses:
            for offer in offers(house, wanted, tolerance, asked.party):
                rest = sittings.left(world, counter.tx, offer) if bookable(world, offer) else 0
                if rest:
                    found.append(offer_json(world.streets, offer, rest))
        if not found:
            return _none(Note("error", "no_table", "there is no table like that then", "$.time"))
        shown: Json = {"offers": found[:MOST_OFFERS], "messages": []}
        if near is not None:
            shown["near"] = {"latitude": near[0], "longitude": near[1]}
        return shown

    def _near(self, asked: SearchRequest) -> Point | Note | None:
        if asked.near is not None:
            return asked.near.latitude, asked.near.longitude
        if not asked.place:
            return None
        point = landmark(self._world, asked.place)
        if point is None:
            text = "nothing of that name is on the map"
            return Note("error", "place_unknown", text, "$.place")
        return point

    def _fits(self, house: House, asked: SearchRequest, near: Point | None) -> bool:
        if asked.restaurant not in ("", house.id) or not house.fits(asked.words):
            return False
        return near is None or distance_m(house.point(self._world.streets), near) <= asked.radius_m

    def _change(self, request: Request, body: bytes) -> Act:
        asked, id = parse(body, ChangeRequest), str(request.path_params["id"])

        def act(counter: Counter) -> Answer:
            world, tx = self._world, counter.tx
            if TABLES.booking(counter, id) is None:
                return counter.missing("Booking")
            found = changed(counter, id, asked.offer)
            if isinstance(found, Note):
                return TABLES.answer(counter, id, [found])
            booking, terms, offer = found
            notes: list[Note] = []
            applied = False
            if not sittings.left(world, tx, offer, id):
                notes = [sold_out(offer)]
            elif asked.apply and terms.total <= 0:
                holder = f"{id}:{secrets.token_hex(6)}"
                applied = sittings.take(world, tx, offer, holder, world.real_s() + LIFE_S, id)
                terms = msgspec.structs.replace(terms, holder=holder)
                bookings.apply_change(world, tx, booking, terms)
            return TABLES.answer(counter, id, notes, {"applied": applied, "owed": terms.total})

        return act

    def _cancel(self, request: Request, body: bytes) -> Act:
        asked, id = parse(body, CancelRequest), str(request.path_params["id"])

        def act(counter: Counter) -> Answer:
            booking = TABLES.booking(counter, id)
            if booking is None:
                return counter.missing("Booking")
            kept, notes = TABLES.unrefunded(booking), list[Note]()
            fee = fee_now(self._world, booking.contents.terms, kept)
            if booking.status in TABLES.over or booking.status == "seated":
                text = "the table is taken or given away"
                notes.append(Note("error", "booking_over", text))
            elif fee > asked.most:
                text = f"canceling now costs {fee / 100:.2f} EUR"
                notes.append(Note("error", "fee_too_low", text, "$.most"))
            else:
                TABLES.cancel(self._world, counter.tx, booking, "guest", kept - fee)
            return TABLES.answer(counter, id, notes)

        return act


def _none(note: Note) -> Json:
    return {"offers": [], "messages": [note.json()]}


def _described(house: House) -> str:
    """A house for people: where it is, what it cooks, when it is open."""
    week: list[str] = []
    for hours, days in groupby(range(7), lambda day: house.week[day]):
        first, *_, last = [*days] * 2
        named = _DAYS[first] if first == last else f"{_DAYS[first]}-{_DAYS[last]}"
        times = ", ".join(f"{x.opens:%H:%M}-{x.closes:%H:%M}" for x in hours)
        week.append(f"{named} {times or 'closed'}")
    menus = "".join(f"<br>{escape(x.title)}, {x.price / 100:.2f} EUR" for x in house.menus)
    kitchen = escape(", ".join(house.cuisines))
    where = f"<b>{escape(house.name)}</b>, {escape(house.street)}: {kitchen}"
    return f"{where}<br>{'; '.join(week)}{menus}"
