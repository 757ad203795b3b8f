"""Puts the City together and serves it: one process, one port for the city and one a merchant."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from city.acp.api import Seller
from city.acp.events import dressed
from city.bank import ledger
from city.bank.api import Bank
from city.clock import ZONE, CityClock, opening_s
from city.crash import KillSwitch, NoCrash
from city.deliveries import hire
from city.desk import Desk
from city.errors import DataError
from city.faults import Faults, Level
from city.maps import MapService
from city.older.api import OlderShop
from city.older.events import dresser
from city.pay import people
from city.pay.api import Siirto
from city.pay.bank import Asking
from city.pay.desk import PeopleDesk
from city.replay import forget_old
from city.rides import company
from city.rides.api import RideCompany
from city.shops import acp_shops, city_shops, city_stores, older_shops
from city.simulation import advance, save_clock, saved_clock
from city.store import Database, Store, Transaction, only_process, put_fact, recall, remember
from city.streets import helsinki
from city.tables import houses
from city.tables.api import TableCompany
from city.travel import offers as travel
from city.travel.api import TravelCompany
from city.ucp.api import Merchant
from city.ucp.completing import recover
from city.ucp.platforms import Platforms
from city.ucp.signatures import SigningKey, new_pem
from city.warming import warm
from city.webhooks import Dress, Sender
from city.world import World, payee

TICK_S = 0.1
SAVE_EVERY = 10
CONCURRENT = 256
GRACE_S = 3
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Transport(StrEnum):
    """How merchants of UCP are spoken to: each in its own ways, or all in one."""

    OWN = "own"
    REST = "rest"
    MCP = "mcp"


@dataclass(frozen=True, slots=True)
class Options:
    data: Path
    host: str = "127.0.0.1"
    port: int = 8700
    speed: float = 60.0
    start: str = "12:00"
    seed: int = 7
    faults: Level = Level.NONE
    transport: Transport = Transport.OWN
    allow_remote: bool = False
    allow_test_controls: bool = False


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the City is reached."""

    city: str
    bank: str
    merchants: tuple[str, ...]
    rides: tuple[str, ...] = ()
    travel: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    pay: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    acp: tuple[str, ...] = ()
    """Merchants that speak ACP."""
    older: tuple[str, ...] = ()
    """Merchants that speak UCP 2026-01-11 alone."""


def run(options: Options, ready: Callable[[Addresses], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises DataError when it cannot start."""
    if options.host not in LOOPBACK and not options.allow_remote:
        raise DataError(
            f"host {options.host!r} is not loopback; add --allow-remote if you mean it",
            code="remote_refused",
        )
    with only_process(options.data):
        database = Database(options.data / "city.sqlite3")
        try:
            asyncio.run(_serve(options, database, ready))
        finally:
            database.close()


async def _serve(options: Options, database: Database, ready: Callable[[Addresses], None]) -> None:
    warm("city")
    slugs = list(all_slugs())
    sockets = _bind(options, database, 1 + len(slugs))
    kill = KillSwitch() if options.allow_test_controls else None
    world = _world(options, database, slugs, sockets, kill)
    recover(world, database)
    advance(world, database)
    store = Store(database)
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        apps = _apps(options, world, store, client, kill)
        servers = [_server(app) for app in apps]
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        try:
            async with asyncio.TaskGroup() as group:
                for server, bound in zip(servers, sockets, strict=True):
                    group.create_task(server.serve(sockets=[bound]))
                beating = group.create_task(_beat(world, store))
                posting = group.create_task(_post(_sender(world, store, client)))
                for server in servers:
                    await server.listening.wait()
                ready(_addresses(world))
                await stop.wait()
                beating.cancel()
                posting.cancel()
                for server in servers:
                    server.should_exit = True
        finally:
            await store.run(lambda db: save_clock(world, db))
            store.close()


def _addresses(world: World) -> Addresses:
    return Addresses(
        city=world.city_url,
        bank=world.bank_url,
        merchants=tuple(world.urls[slug] for slug in city_shops()),
        rides=(world.urls[company.SLUG],),
        travel=tuple(world.urls[each.slug] for each in travel.COMPANIES),
        tables=tuple(world.urls[each.slug] for each in houses.COMPANIES),
        stores=tuple(world.urls[slug] for slug in city_stores()),
        acp=tuple(world.urls[slug] for slug in acp_shops()),
        older=tuple(world.urls[slug] for slug in older_shops()),
        pay=(world.urls[people.SLUG],),
    )


def _sender(world: World, store: Store, client: httpx.AsyncClient) -> Sender:
    dress = dict[str, Dress](dict.fromkeys(acp_shops(), dressed))
    return Sender(world, store, client, dress | dict.fromkeys(older_shops(), dresser(world)))


async def _beat(world: World, store: Store) -> None:
    """Events as they fall due; the clock on the disk about once a second."""
    beats = 0
    while True:
        await store.run(lambda database: advance(world, database))
        beats += 1
        if beats % SAVE_EVERY == 0:
            await store.run(lambda database: save_clock(world, database))
        await asyncio.sleep(TICK_S)


async def _post(sender: Sender) -> None:
    while True:
        if not await sender.round():
            await asyncio.sleep(TICK_S)


def _apps(
    options: Options,
    world: World,
    store: Store,
    client: httpx.AsyncClient,
    kill: KillSwitch | None,
) -> list[Starlette]:
    platforms = Platforms(client)
    routes = [
        *Desk(world, store, kill).routes(),
        *Bank(world, store).routes(),
        *MapService(world).routes(),
        *Asking(world, store).routes(),
        *PeopleDesk(world, store).routes(),
    ]
    apps = [Starlette(routes=routes)]
    apps += [Merchant(world, store, platforms, slug).app() for slug in city_shops()]
    apps.append(RideCompany(world, store, platforms).app())
    apps += [TravelCompany(world, store, platforms, each).app() for each in travel.COMPANIES]
    apps.append(Siirto(world, store, platforms).app())
    apps += [Merchant(world, store, platforms, slug).app() for slug in city_stores()]
    apps += [Seller(world, store, platforms, slug).app() for slug in acp_shops()]
    apps += [TableCompany(world, store, platforms, each).app() for each in houses.COMPANIES]
    apps += [OlderShop(world, store, platforms, slug).app() for slug in older_shops()]
    if not options.allow_remote:
        allowed = [*LOOPBACK, options.host, "[::1]"]
        for app in apps:
            app.user_middleware.append(Middleware(TrustedHostMiddleware, allowed_hosts=allowed))
    return apps


class _Server(uvicorn.Server):
    """Leaves signals to the City, which has several servers to stop, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _server(app: Starlette) -> _Server:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        limit_concurrency=CONCURRENT,
        timeout_graceful_shutdown=GRACE_S,
        ws="none",
    )
    return _Server(config)


def _world(
    options: Options,
    database: Database,
    slugs: list[str],
    sockets: list[socket.socket],
    kill: KillSwitch | None,
) -> World:
    urls = [_url(options.host, bound) for bound in sockets]
    with database.transaction() as tx:
        city_s = saved_clock(tx)
        if city_s is None:
            city_s = opening_s(datetime.now(ZONE), options.start)
        keys = {slug: _key(tx, slug) for slug in slugs}
        world = World(
            shops={**city_shops(), **city_stores(), **acp_shops(), **older_shops()},
            streets=helsinki(),
            clock=CityClock(city_s, options.speed),
            faults=Faults(options.faults, options.seed),
            crash=kill or NoCrash(),
            seed=options.seed,
            city_url=urls[0],
            urls=dict(zip(slugs, urls[1:], strict=True)),
            keys=keys,
            transport="" if options.transport is Transport.OWN else options.transport,
        )
        found(world, tx)
    return world


def found(world: World, tx: Transaction) -> None:
    """Everything that must be there from the beginning: accounts and couriers."""
    now_s = world.real_s()
    ledger.ensure_account(tx, "The mint", "mint", ledger.MINT, "-", now_s)
    for slug, shop in world.shops.items():
        secret = remember(tx, f"bank_secret:{slug}", f"sec_{new_secret()}")
        ledger.ensure_account(tx, shop.name, "merchant", payee(slug), secret, now_s)
    others = [(company.SLUG, company.NAME), (people.SLUG, people.NAME)]
    others += [(x.slug, x.name) for x in (*travel.COMPANIES, *houses.COMPANIES)]
    for slug, name in others:
        secret = remember(tx, f"bank_secret:{slug}", f"sec_{new_secret()}")
        ledger.ensure_account(tx, name, "merchant", payee(slug), secret, now_s)
    people.settle_in(world, tx, now_s)
    hire(tx, world.streets, world.seed)
    company.engage(tx, world.streets, world.seed)
    forget_old(tx, now_s)


def all_slugs() -> tuple[str, ...]:
    """Whoever has a port, in the order of the ports."""
    companies = (company.SLUG, *(each.slug for each in travel.COMPANIES), people.SLUG)
    restaurants = (each.slug for each in houses.COMPANIES)
    return (*city_shops(), *companies, *city_stores(), *acp_shops(), *restaurants, *older_shops())


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def _key(tx: Transaction, slug: str) -> SigningKey:
    return SigningKey.load(f"{slug}-1", remember(tx, f"key:{slug}", new_pem()))


def _bind(options: Options, database: Database, count: int) -> list[socket.socket]:
    """The ports in order; with port 0 those of the last start as far as they are free."""
    wanted = [options.port + i if options.port else 0 for i in range(count)]
    if options.port == 0:
        with database.transaction() as tx:
            kept = recall(tx, "ports")
        before = msgspec.json.decode(kept, type=list[int]) if kept else []
        wanted = before if len(before) == count else wanted
    bound = [_socket(options.host, port, fallback=options.port == 0) for port in wanted]
    with database.transaction() as tx:
        ports = [int(s.getsockname()[1]) for s in bound]
        put_fact(tx, "ports", msgspec.json.encode(ports).decode())
        put_fact(tx, "host", options.host)
    return bound


def _socket(host: str, port: int, *, fallback: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol unnamed, asyncio leaves Nagle on: 40 ms more for every small answer.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except (OSError, OverflowError) as error:
        made.close()
        if fallback and port:
            return _socket(host, 0, fallback=False)
        why = error.strerror if isinstance(error, OSError) else "a port is 0 to 65535"
        raise DataError(
            f"cannot listen on {host}:{port}: {why}; give another --port",
            code="port_taken",
        ) from error
    return made


def _url(host: str, bound: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{bound.getsockname()[1]}"


def merchant_urls(database: Database) -> Mapping[str, str]:
    """Where the merchants of the last start listened, by slug."""
    with database.transaction() as tx:
        ports, host = recall(tx, "ports"), recall(tx, "host")
    if ports is None or host is None:
        return {}
    numbers = msgspec.json.decode(ports, type=list[int])
    return {
        slug: f"http://{host}:{port}" for slug, port in zip(all_slugs(), numbers[1:], strict=False)
    }
