"""The city's own interface: directory, addresses, state, speed, and what tests may do to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from city import page
from city.clock import stamp
from city.crash import POINTS, KillSwitch
from city.deliveries import couriers
from city.errors import ProtocolError
from city.faults import OPERATIONS, Fault, Forced, force, forced, forget
from city.http import error_answer, read_body, to_response
from city.pay import people
from city.replay import Answer
from city.rides import ahead, company, rides
from city.shops import acp_shops, older_shops
from city.store import Database, Store, Transaction
from city.streets import Address
from city.tables import houses
from city.tables.bookings import TABLES
from city.travel import offers as travel
from city.ucp import orders
from city.ucp.wire import parse
from city.world import World

DEMO_PLACES = (
    ("office", "Eteläesplanadi 22"),
    ("home", "Liisankatu 21"),
    ("library", "Töölönlahdenkatu 4"),
    ("station", "Kaivokatu 1"),
    ("friend", "Bulevardi 14"),
    ("gym", "Siltasaarenkatu 12"),
)

SCHEMAS = ("food_modifiers", "groceries", "retail")
"""Of the extensions that the City's merchants speak."""


class SpeedRequest(msgspec.Struct):
    speed: Annotated[float, msgspec.Meta(ge=1, le=100_000)]


class FaultRequest(msgspec.Struct):
    fault: Fault
    merchant: str | None = None
    times: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    operation: str | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] | None = None


class NearerRequest(msgspec.Struct):
    seconds: Annotated[float, msgspec.Meta(ge=0, le=90 * 86400)]


class KillRequest(msgspec.Struct):
    point: str
    after: Annotated[int, msgspec.Meta(ge=0)] = 0


class Desk:
    """Endpoints that belong to the city as a whole. `kill` is None unless tests may interfere."""

    def __init__(self, world: World, store: Store, kill: KillSwitch | None) -> None:
        self._world = world
        self._store = store
        self._kill = kill

    def routes(self) -> list[Route]:
        return [
            Route("/", self._status_page),
            Route("/directory", self._guarded(self._directory)),
            Route("/schemas/{name}.json", self._guarded(self._schema)),
            Route("/city/addresses", self._guarded(self._addresses)),
            Route("/city/state", self._guarded(self._state)),
            Route("/city/speed", self._guarded(self._speed), methods=["POST"]),
            Route("/city/faults", self._guarded(self._faults), methods=["GET", "POST", "DELETE"]),
            Route("/city/rides/nearer", self._guarded(self._nearer), methods=["POST"]),
            Route("/city/tables/nearer", self._guarded(self._nearer_tables), methods=["POST"]),
            Route("/city/kill_at", self._guarded(self._kill_at), methods=["POST"]),
        ]

    def _guarded(
        self, handler: Callable[[Request], Awaitable[object]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            try:
                if request.method == "POST":
                    _only_json(request)
                made = Answer(200, msgspec.json.encode(await handler(request)))
            except ProtocolError as error:
                made = error_answer(error.status, {"code": error.code, "message": error.text})
            return to_response(made, request)

        return serve

    async def _read(self, act: Callable[[Transaction], object]) -> object:
        def run(database: Database) -> object:
            with database.transaction() as tx:
                return act(tx)

        return await self._store.run(run)

    async def _status_page(self, request: Request) -> Response:
        def draw(tx: Transaction) -> object:
            return page.draw(self._world, tx, whole="part" not in request.query_params)

        return HTMLResponse(str(await self._read(draw)))

    async def _directory(self, _: Request) -> object:
        now_s = self._world.clock.now_s()
        merchants: list[dict[str, object]] = []
        for slug, shop in self._world.shops.items():
            if shop.protocol != "ucp":
                continue
            address = self._world.address(slug)
            merchants.append(
                {
                    "slug": slug,
                    "name": shop.name,
                    "url": self._world.urls[slug],
                    "aliases": shop.aliases,
                    "tags": shop.tags,
                    "address": str(address),
                    "latitude": address.point[0],
                    "longitude": address.point[1],
                    "open_now": shop.is_open(now_s),
                    "opens_text": shop.opens_text(now_s),
                }
            )
        company_url = self._world.urls[company.SLUG]
        driving = [{"slug": company.SLUG, "name": company.NAME, "url": company_url}]
        going = [
            {"slug": x.slug, "name": x.name, "kind": x.kind, "url": self._world.urls[x.slug]}
            for x in travel.COMPANIES
        ]
        sellers = [
            {"slug": slug, "name": shop.name, "url": self._world.urls[slug]}
            for slug, shop in acp_shops().items()
        ]
        older = [
            {"slug": slug, "name": shop.name, "url": self._world.urls[slug]}
            for slug, shop in older_shops().items()
        ]
        pay_url = self._world.urls[people.SLUG]
        return {
            "bank": self._world.bank_url,
            "merchants": merchants,
            "rides": driving,
            "travel": going,
            "tables": [_company(self._world, each) for each in houses.COMPANIES],
            "acp": sellers,
            "older": older,
            "pay": [{"slug": people.SLUG, "name": people.NAME, "url": pay_url}],
        }

    async def _schema(self, request: Request) -> object:
        from importlib import resources

        name = str(request.path_params["name"])
        if name not in SCHEMAS:
            raise ProtocolError(f"there is no schema {name!r}; use one of {SCHEMAS}", status=404)
        path = resources.files("city").joinpath(f"data/{name}.schema.json")
        return msgspec.Raw(path.read_bytes())

    async def _addresses(self, _: Request) -> object:
        streets = self._world.streets
        found = [(label, streets.find(text)) for label, text in DEMO_PLACES]
        return {"addresses": [_place(label, place) for label, place in found if place is not None]}

    async def _state(self, _: Request) -> object:
        return await self._read(lambda tx: city_state(self._world, tx))

    async def _speed(self, request: Request) -> object:
        asked = parse(await read_body(request), SpeedRequest)
        self._world.clock.set_speed(asked.speed)
        return {"speed": asked.speed}

    async def _faults(self, request: Request) -> object:
        self._allow()
        if request.method == "DELETE":
            await self._read(forget)
        if request.method == "POST":
            asked = parse(await read_body(request), FaultRequest)
            self._check(asked)
            wanted = Forced(
                asked.merchant, asked.fault, asked.times, asked.operation, asked.seconds
            )
            await self._read(lambda tx: force(tx, wanted))
        left = await self._read(forced)
        return {"level": self._world.faults.level, "forced": left}

    async def _nearer(self, request: Request) -> object:
        """Rides for later come nearer, as if so much time had passed."""
        self._allow()
        asked = parse(await read_body(request), NearerRequest)
        return {"rides": await self._read(lambda tx: ahead.bring_nearer(tx, asked.seconds))}

    async def _nearer_tables(self, request: Request) -> object:
        """The same of tables: guests are reminded, come and leave so much sooner."""
        self._allow()
        asked = parse(await read_body(request), NearerRequest)
        return {"steps": await self._read(lambda tx: TABLES.bring_nearer(tx, asked.seconds))}

    async def _kill_at(self, request: Request) -> object:
        kill = self._allow()
        asked = parse(await read_body(request), KillRequest)
        if asked.point not in POINTS:
            raise ProtocolError(f"there is no point {asked.point!r}; use one of {sorted(POINTS)}")
        kill.arm(asked.point, asked.after)
        return {"point": asked.point, "after": asked.after}

    def _allow(self) -> KillSwitch:
        if self._kill is None:
            raise ProtocolError(
                "start the City with --allow-test-controls", code="forbidden", status=403
            )
        return self._kill

    def _check(self, asked: FaultRequest) -> None:
        known = {*self._world.urls, "bank"}
        if asked.merchant is not None and asked.merchant not in known:
            raise ProtocolError(f"there is no merchant {asked.merchant!r}; use {sorted(known)}")
        if asked.operation is not None and asked.operation not in OPERATIONS:
            raise ProtocolError(f"no operation {asked.operation!r}; use {sorted(OPERATIONS)}")


def _company(world: World, company: houses.Company) -> dict[str, object]:
    """Who takes bookings, and where its restaurants are."""
    shown: list[dict[str, object]] = []
    for house in company.houses:
        latitude, longitude = house.point(world.streets)
        shown.append(
            {
                "id": house.id,
                "name": house.name,
                "address": house.street,
                "latitude": latitude,
                "longitude": longitude,
                "cuisines": list(house.cuisines),
            }
        )
    url = world.urls[company.slug]
    return {"slug": company.slug, "name": company.name, "url": url, "restaurants": shown}


def city_state(world: World, tx: Transaction) -> dict[str, object]:
    """Time, couriers, and the orders under way."""
    now_s = world.clock.now_s()
    rows = tx.execute(
        "SELECT id FROM orders WHERE status NOT IN ('delivered', 'canceled') ORDER BY number"
    ).fetchall()
    under_way: list[dict[str, object]] = []
    for (id,) in rows:
        order = orders.load(tx, id)
        at = order.position(now_s)
        under_way.append(
            {
                "id": order.id,
                "merchant": order.merchant,
                "status": order.status,
                "courier": order.plan.courier,
                "position": at,
                "expected_at": stamp(order.plan.promised_s(now_s)),
            }
        )
    return {
        "time": stamp(now_s),
        "speed": world.clock.speed,
        "pace": world.clock.pace,
        "couriers": [{"name": c.name, "at": c.at, "free": c.free_s <= now_s} for c in couriers(tx)],
        "orders": under_way,
        "drivers": [
            {"name": d.name, "car": d.car, "at": d.at, "free": d.free_s <= now_s}
            for d in company.drivers(tx)
        ],
        "rides": [_ride(ride, now_s) for ride in rides.under_way(tx)],
    }


def _ride(ride: rides.Ride, now_s: float) -> dict[str, object]:
    plan = ride.plan
    return {
        "id": ride.id,
        "status": ride.status,
        "driver": plan.driver if plan else None,
        "position": plan.position(now_s) if plan else None,
    }


def _place(label: str, address: Address) -> dict[str, object]:
    return {
        "label": label,
        "street_address": str(address),
        "postal_code": address.postal_code or "00100",
        "address_locality": "Helsinki",
        "address_country": "FI",
        "latitude": address.point[0],
        "longitude": address.point[1],
    }


def _only_json(request: Request) -> None:
    """A page elsewhere in a browser cannot send this type without asking first."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ProtocolError("send Content-Type: application/json", status=415)
