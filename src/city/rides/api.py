"""The ride company's HTTP interface: UCP over REST with the extension `dev.lapel.rides`."""

from __future__ import annotations

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from city.http import error_answer, to_response
from city.replay import Answer
from city.rides import ahead, checkouts, company, quotes, rides
from city.rides.checkouts import CHECKOUTS, drive_of, ride_of
from city.rides.company import SLUG
from city.rides.quotes import estimate
from city.rides.wire import (
    CancelRequest,
    DestinationRequest,
    EstimateRequest,
    PickupRequest,
    PlacesRequest,
)
from city.store import Database, Store
from city.streets import Address
from city.ucp.company import Act, Call, CompanyServer
from city.ucp.counter import Counter
from city.ucp.envelope import metadata
from city.ucp.platforms import Platforms
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import CHECKOUT, OFFERED_BY_RIDES
from city.ucp.wire import parse
from city.world import World


class RideCompany(CompanyServer):
    """The endpoints of Lokki."""

    def __init__(self, world: World, store: Store, platforms: Platforms) -> None:
        config = {
            "name": company.NAME,
            "aliases": list(company.ALIASES),
            "ahead": ahead.config(world),
        }
        super().__init__(world, store, platforms, SLUG, OFFERED_BY_RIDES, config)

    def app(self) -> Starlette:
        page = self.page(
            company.NAME,
            "Drives people through the City. Nobody really drives, and the money is worth nothing.",
            _told,
        )
        calls = [
            Call("POST", "/rides/estimate", "search", self._estimate, ("estimate_rides", "ride")),
            Call("POST", "/rides/places", "lookup", self._places, ("suggest_places", "ride")),
            *self.sessions(CHECKOUTS.verbs(self._order)),
            Call("POST", "/rides/{id}/cancel", "cancel", self._cancel, ("cancel_ride", "ride")),
            Call(
                "POST",
                "/rides/{id}/destination",
                "update",
                self._destination,
                ("change_destination", "ride"),
            ),
            Call("POST", "/rides/{id}/pickup", "update", self._pickup, ("change_pickup", "ride")),
        ]
        return Starlette(
            routes=[
                *self.routes(calls),
                Route("/track/{tracking}", self._track),
                Route("/o/{id}", page),
                Route("/{name:path}", page),
            ]
        )

    # The extension's own verbs.

    def _estimate(self, _: Request, body: bytes) -> Act:
        asked = parse(body, EstimateRequest)

        def act(counter: Counter) -> Answer:
            found = estimate(counter.world, counter.tx, asked)
            shared = counter.platform.shared
            return counter.respond({"ucp": metadata(shared, CHECKOUT), **found})

        return act

    def _places(self, _: Request, body: bytes) -> Act:
        asked = parse(body, PlacesRequest)

        def act(counter: Counter) -> Answer:
            found = self._world.streets.suggest(asked.text, asked.limit)
            shown: Json = {
                "ucp": metadata(counter.platform.shared, CHECKOUT),
                "places": [_place(address) for address in found],
            }
            return counter.respond(shown)

        return act

    def _cancel(self, request: Request, body: bytes) -> Act:
        asked = parse(body, CancelRequest)

        def act(counter: Counter) -> Answer:
            ride = drive_of(counter, request.path_params["id"])
            if ride is None:
                return counter.missing("Ride")
            fee = rides.fee_now(self._world, counter.tx, ride)
            notes: list[Note] = []
            if rides.is_over(ride):
                notes.append(Note("error", "ride_over", "the ride is over"))
            elif ride.status == "picked_up":
                notes.append(Note("error", "ride_under_way", "the ride is under way"))
            elif fee > asked.most:
                text = f"canceling now costs {fee / 100:.2f} EUR"
                notes.append(Note("error", "fee_too_low", text, "$.most"))
            else:
                rides.cancel(self._world, counter.tx, ride, "rider", fee)
            return self._shown(counter, ride.id, notes)

        return act

    def _destination(self, request: Request, body: bytes) -> Act:
        asked = parse(body, DestinationRequest)

        def act(counter: Counter) -> Answer:
            ride = drive_of(counter, request.path_params["id"])
            if ride is None:
                return counter.missing("Ride")
            if rides.is_over(ride):
                return self._shown(counter, ride.id, [Note("error", "ride_over", "it is over")])
            before = ride.contents.terms
            after = quotes.longer(self._world, rides.class_of(ride), before, asked.destination)
            if isinstance(after, Note):
                return self._shown(counter, ride.id, [after])
            difference = after.total - before.total
            applied = asked.apply and difference <= 0
            if applied:
                rides.give_back(self._world, counter.tx, ride, -difference)
                rides.redirect(self._world, counter.tx, ride, after)
            change: Json = {"applied": applied, "difference": difference}
            return self._shown(counter, ride.id, [], change)

        return act

    def _pickup(self, request: Request, body: bytes) -> Act:
        asked = parse(body, PickupRequest)

        def act(counter: Counter) -> Answer:
            ride = drive_of(counter, request.path_params["id"])
            if ride is None:
                return counter.missing("Ride")
            after = checkouts.another_time(counter, ride, asked.pickup_at)
            if isinstance(after, Note):
                return self._shown(counter, ride.id, [after])
            difference = after.total - ride.contents.terms.total
            applied = asked.apply and difference <= 0
            if applied:
                rides.give_back(self._world, counter.tx, ride, -difference)
                rides.put_off(self._world, counter.tx, ride, after)
            change: Json = {"applied": applied, "difference": difference}
            return self._shown(counter, ride.id, [], change)

        return act

    def _shown(
        self, counter: Counter, id: str, notes: list[Note], change: Json | None = None
    ) -> Answer:
        ride = rides.load(counter.tx, id)
        body = rides.entity(self._world, counter.tx, ride, self._world.clock.now_s())
        body["messages"] = [note.json() for note in notes]
        if change is not None:
            body["change"] = change
        return counter.respond(body)

    def _order(self, counter: Counter, id: str) -> Answer:
        ride = ride_of(counter, id)
        if ride is None or not counter.platform.signed:
            return counter.missing("Order")
        return self._shown(counter, ride.id, [])

    # Without UCP.

    async def _track(self, request: Request) -> Response:
        tracking = str(request.path_params["tracking"])

        def find(database: Database) -> Answer:
            with database.transaction() as tx:
                ride = rides.find(tx, "tracking", tracking)
            if ride is None:
                return error_answer(404, {"code": "not_found", "content": "no such ride"})
            shown = rides.tracking(self._world, ride, self._world.clock.now_s())
            return Answer(200, msgspec.json.encode(shown))

        return to_response(await self._store.run(find), request)


def _told(database: Database, id: str) -> list[tuple[str, float]]:
    with database.transaction() as tx:
        return [(text, at_s) for _, _, text, at_s in rides.BOOK.events(tx, id)]


def _place(address: Address) -> Json:
    return {
        "title": str(address),
        "street_address": str(address),
        "postal_code": address.postal_code or "00100",
        "address_locality": "Helsinki",
        "address_country": "FI",
        "latitude": address.point[0],
        "longitude": address.point[1],
    }
