"""The composition root: puts all rooms together and serves them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from lapel import first_run
from lapel.assistant import Ground, Homes, House, RideSkill, SavedPlaces, Skill
from lapel.assistant.helping import HelpSkill
from lapel.assistant.history import HistorySkill
from lapel.assistant.lost import hinting
from lapel.assistant.planning.making import GroceriesMaker
from lapel.assistant.planning.undoing import BookingUndoer
from lapel.assistant.rides.part import RideMaker
from lapel.assistant.tables.part import TableMaker
from lapel.commerce import Books, ConsentError, Orders, Policy, PortError
from lapel.commerce.consent import Vault, public_keys
from lapel.devices import Links, Pairing, StoredAccounts, device_route
from lapel.listening import (
    StartError,
    check_certificate,
    listen,
    refuse_open_door,
    server_config,
    url_of,
)
from lapel.models import Cascade, Listing, open_models
from lapel.services import (
    GRACE_S,
    Accesses,
    AcpClient,
    AcpDoor,
    AcpInbox,
    BankPayments,
    Carts,
    Doors,
    Feeds,
    Food,
    Jwk,
    MerchantRegistry,
    PlatformProfile,
    RetryingMerchants,
    RetryingPayments,
    Rides,
    SigningKeys,
    UcpClient,
    UcpMerchants,
    WebhookInbox,
    open_http,
    ordered_items,
    stored_drafts,
    stored_sessions,
)
from lapel.services.personal import UnknownZone, zone_of
from lapel.settings import Settings
from lapel.speech import SpeechEngines, SpeechSettings, SpeechUnavailable
from lapel.store import Store, StoreError, StoreFenced, Worker
from lapel.verticals import (
    Brains,
    Connected,
    Consents,
    Dining,
    Goods,
    Guide,
    Journeys,
    Payments,
    Personal,
    Planning,
)
from lapel.warming import warm
from lapel.web import (
    Api,
    ConsentApi,
    Gate,
    MerchantsApi,
    SecurityHeaders,
    Webhooks,
    routes,
)

log = logging.getLogger(__name__)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A built gateway: what the web server and `lapel bench` need of it."""

    app: Starlette
    house: House
    links: Links
    orders: Orders
    accounts: StoredAccounts
    store: Store


async def serve(
    folder: Path,
    settings: Settings,
    *,
    demo_places: str | None = None,
    new_keys: bool = False,
    as_json: bool = False,
    say: Say = print,
) -> None:
    """Run Lapel on `folder` until it is told to stop.

    `new_keys` retires the users' keys that the consent key at hand cannot open.
    """
    refuse_open_door(settings)
    check_certificate(settings)
    warm("lapel")
    await asyncio.to_thread(_make, folder)
    listening = listen(settings)
    url = url_of(settings, listening.getsockname()[1])
    with listening:
        try:
            with first_run.only_one(folder):
                name = await asyncio.to_thread(first_run.worker_id, folder)
                start = _Start(
                    folder, settings, listening, url, demo_places, new_keys, as_json, say
                )
                while await _live(start, name):
                    say("Another worker had taken over from this one; it begins anew.")
                    # Another name: the life that took over may be one under the same name.
                    name = f"w_{secrets.token_hex(8)}"
                    start = replace(start, new_keys=False, as_json=False, say=_quiet)
        except first_run.FolderBusy as error:
            raise StartError(str(error), code="folder_busy") from error


@dataclass(frozen=True, slots=True)
class _Start:
    """What every life of this process begins with."""

    folder: Path
    settings: Settings
    listening: socket.socket
    url: str
    demo_places: str | None
    new_keys: bool
    as_json: bool
    say: Say


async def _live(start: _Start, name: str) -> bool:
    """Serve until it is told to stop; True when another worker has taken over from it instead."""
    try:
        async with AsyncExitStack() as stack:
            return await _serve_until(start, name, stack)
    except StoreFenced:
        return True


async def _serve_until(start: _Start, name: str, stack: AsyncExitStack) -> bool:
    folder, settings, say = start.folder, start.settings, start.say
    store = await _record(folder, settings, stack)
    worker = await _join(store, name, start, stack)
    token = await first_run.sign_in_token(StoredAccounts(store), folder)
    await first_run.places(store, StoredAccounts(store), start.demo_places)
    if start.new_keys:
        await _retire_lost_keys(store, folder, settings, say)
    gateway = await build(store, folder, settings, start.url, stack, say, worker)
    server = uvicorn.Server(server_config(gateway.app, settings))
    certificate = settings.server.tls_certificate
    ready = _Ready(folder, start.url, token, certificate, start.as_json, say)
    await _run(server, start.listening.dup(), ready, worker)
    return worker is not None and worker.lost.is_set()


async def _join(store: Store, name: str, start: _Start, stack: AsyncExitStack) -> Worker | None:
    """Among the workers of a shared record; None where the record is this process's alone."""
    if not store.shared:
        return None
    url = start.settings.server.worker_url or start.url
    worker = await Worker.join(store, name, url, start.settings.store.lease_s)
    stack.push_async_callback(worker.leave)
    return worker


def _quiet(_: str) -> None:
    """What was said at the first start need not be said again."""


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StartError(
            f"cannot use the data folder {str(folder)!r} ({error.strerror})", code="bad_file"
        ) from error


async def _record(folder: Path, settings: Settings, stack: AsyncExitStack) -> Store:
    where = settings.store.url or folder / "lapel.db"
    try:
        store = await Store.open(where, lease_s=settings.store.lease_s)
    except StoreError as error:
        raise StartError(str(error), code=error.code) from error
    stack.push_async_callback(store.close)
    return store


async def build(
    store: Store,
    folder: Path,
    settings: Settings,
    url: str,
    stack: AsyncExitStack,
    say: Say,
    worker: Worker | None = None,
) -> Gateway:
    """Everything but the web server; `stack` takes it down again in order."""
    engines = await _engines(folder, settings, stack, say)
    http = await stack.enter_async_context(open_http())
    if worker is not None:
        http.event_hooks = {"request": [_fence(worker)]}
    registry = MerchantRegistry(store, http, time.time)
    keys = SigningKeys(store, time.time)
    vault = await _vault(store, folder, settings)
    profile = _profile(keys, store, settings.server.public_url.rstrip("/") or url)
    ucp = UcpClient(
        http,
        registry,
        keys,
        profile_url=profile.url,
        clock=time.time,
        feeds=Feeds(http, settings.commerce.feeds),
    )
    accesses = Accesses(store)
    acp = AcpClient(http, accesses, stored_sessions(store), clock=time.time)
    client = Doors(ucp, acp)
    door = AcpDoor(http, accesses, acp, profile.origin)
    food = Food(registry, client, http, clock=time.time, wanted=ordered_items(store), acp=door)
    stack.push_async_callback(food.close)
    merchants = UcpMerchants(
        registry,
        client,
        stored_drafts(store),
        clock=time.time,
        defaults=food.defaults,
        sold_out=food.sold_out,
        seen=food.seen,
        mandates=True,
    )
    payments = BankPayments(store, http, sandboxes=settings.commerce.banks)
    policy = Policy(
        max_order=settings.commerce.max_order_minor,
        max_journey=settings.commerce.max_journey_minor,
        screen_over=settings.commerce.screen_over_minor,
        approval_s=settings.commerce.approval_s,
        undo_s=settings.commerce.undo_s,
        refund_late_s=settings.commerce.refund_late_s,
    )
    patient = RetryingPayments(payments)
    orders = Orders(
        store,
        RetryingMerchants(merchants),
        patient,
        policy,
        settings.store.url or folder / "workflows.db",
        vault=vault,
        worker=worker,
    )
    books = Books(store, patient)
    accounts = StoredAccounts(store)
    await _users_keys(accounts, store, vault)
    pairing = Pairing(store, accounts)
    brains = Brains(store, food, orders)
    personal = Personal(store, _zone(settings))
    rides = Rides(registry, client)
    money = Payments(store, registry, client, payments, orders)
    journeys = Journeys(store, registry, client, _zone(settings))
    dining = Dining(store, registry, client, _zone(settings))
    undoer = BookingUndoer(orders, rides, journeys.travel, dining.tables)
    planning = Planning(store, orders, undoer, money, worker)
    goods = Goods(store, orders, registry, client, food, _zone(settings))
    connected = Connected(store, folder)
    stack.push_async_callback(connected.servers.close)
    guide = Guide(store, http, settings.maps, connected.servers)
    thinker = Cascade(Listing(folder), await stack.enter_async_context(open_models()))
    stack.push_async_callback(thinker.close)

    consents = Consents(orders, planning.plans, registry, settings.server.public_url or url)

    def skills(user_id: str) -> list[Skill]:
        riding = RideSkill(user_id, orders, rides, SavedPlaces(store, user_id))
        guiding, shops = guide.skill(user_id), goods.shops(user_id)
        listing = goods.lists(user_id)
        tables = dining.skill(user_id, orders, guiding, shops)
        makers = (
            TableMaker(tables),
            journeys.maker(user_id),
            RideMaker(riding),
            GroceriesMaker(listing.part),
        )
        return [
            planning.skill(user_id, makers, lambda: brains.of(user_id), store),
            consents.skill(user_id, house),
            personal.skill(user_id),
            listing,
            riding,
            money.skill(user_id),
            tables,
            journeys.skill(user_id, orders),
            guiding,
            connected.skill(user_id, house),
            shops,
            HistorySkill(user_id, orders, books, _zone(settings)),
            HelpSkill(),
        ]

    house = House(
        Ground(
            store=store,
            orders=orders,
            brain=brains.of,
            places=lambda user_id: SavedPlaces(store, user_id),
            track=food.track,
            carts=Carts(registry, client, time.time),
            engines=engines,
            settings=settings.conversation,
            skills=skills,
            plans=planning.plans,
            lost=hinting(),
            thinker=thinker,
        ),
        Homes(store, worker),
    )
    stack.push_async_callback(house.close)
    await orders.start()
    stack.push_async_callback(orders.stop)
    links = await stack.enter_async_context(Links(house, pairing, speech=engines is not None))
    chore = asyncio.create_task(food.know(settings.commerce.merchants))
    stack.push_async_callback(_end, chore)
    await house.take_up()
    beside = (personal.run, money.run, connected.run, planning.run)
    for running in (work(house) for work in beside):
        stack.push_async_callback(_end, asyncio.create_task(running))
    inbox = WebhookInbox(store, registry, url=profile.webhook_url, clock=time.time)
    acp_inbox = AcpInbox(store, registry, accesses, merchants, clock=time.time)
    gate = Gate(accounts)
    speech = engines is not None
    api = Api(
        gate,
        accounts,
        pairing,
        links,
        orders,
        food,
        house,
        store,
        books,
        speech=speech,
    )
    app = Starlette(
        routes=routes(
            gate,
            api,
            ConsentApi(api, store, vault),
            MerchantsApi(api, food, payments, configured=settings.commerce.merchants),
            Webhooks(profile, inbox, acp_inbox, orders),
            device_route(links),
            [
                *personal.routes(api),
                *money.routes(api, house),
                *consents.routes(api, house),
                *connected.routes(api),
            ],
        ),
        middleware=[Middleware(SecurityHeaders)],
    )
    return Gateway(app, house, links, orders, accounts, store)


def _fence(worker: Worker) -> Callable[[httpx.Request], Awaitable[None]]:
    """Nothing that changes the world leaves a worker whose part another may have by now."""

    async def fence(request: httpx.Request) -> None:
        if request.method != "GET":
            await worker.check()

    return fence


def _zone(settings: Settings) -> ZoneInfo:
    try:
        return zone_of(settings.personal.time_zone)
    except UnknownZone as error:
        raise StartError(f"personal.time_zone: {error}", code=error.code) from error


async def _vault(store: Store, folder: Path, settings: Settings) -> Vault:
    """The users' keys; a Lapel that could not sign with them does not start."""
    try:
        vault = await asyncio.to_thread(Vault.open, folder, settings.consent.key)
        await store.read(vault.check)
    except ConsentError as error:
        raise StartError(error.text, code=error.code) from error
    return vault


async def _retire_lost_keys(store: Store, folder: Path, settings: Settings, say: Say) -> None:
    try:
        vault = await asyncio.to_thread(Vault.open, folder, settings.consent.key)
    except ConsentError as error:
        raise StartError(error.text, code=error.code) from error
    count = await store.write(lambda c: vault.retire_lost(c, time.time()))
    if count:
        say(f"{count} lost {'key' if count == 1 else 'keys'} retired; new ones sign from now on.")
    else:
        say("No key is lost: --new-keys did nothing.")


async def _users_keys(accounts: StoredAccounts, store: Store, vault: Vault) -> None:
    """Every user has a key before any merchant reads and keeps the profile that lists it."""
    for user in await accounts.users():
        await store.write(lambda c, user_id=user.id: vault.ensure(c, user_id, time.time()))


def _profile(keys: SigningKeys, store: Store, origin: str) -> PlatformProfile:
    async def users_keys() -> tuple[Jwk, ...]:
        since = time.time() - GRACE_S
        found = await store.read(lambda c: public_keys(c, retired_after=since))
        return tuple(Jwk(kid=key.id, use="sig", alg="ES256", **key.jwk) for key in found)

    try:
        return PlatformProfile(keys, origin=origin, users_keys=users_keys)
    except PortError as error:
        raise StartError(
            f"merchants would not accept this address of Lapel: {error.text}. Set "
            "server.public_url to the one at which they reach it"
        ) from error


async def _engines(
    folder: Path, settings: Settings, stack: AsyncExitStack, say: Say
) -> SpeechEngines | None:
    if not settings.speech.enabled:
        return None
    wanted = SpeechSettings(
        model_dir=Path(settings.speech.model_dir) if settings.speech.model_dir else None,
        language=settings.speech.language,
        recognizer_workers=settings.speech.workers,
        cache_dir=folder / "models",
    )
    try:
        engines = await SpeechEngines.load(wanted, say)
    except SpeechUnavailable as error:
        say(f"Without speech: {error}")
        return None
    stack.push_async_callback(engines.close)
    return engines


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is said and written down once the gateway listens."""

    folder: Path
    url: str
    token: str
    certificate: str
    as_json: bool
    say: Say

    def announce(self) -> Path:
        link = f"{self.url}/?token={self.token}"
        file = self.folder / "running.json"
        found = {"url": self.url, "pid": os.getpid()}
        if self.certificate:
            found["certificate"] = str(Path(self.certificate).resolve())
        file.write_text(json.dumps(found), "utf-8")
        if self.as_json:
            print(json.dumps({"url": self.url, "token": self.token}), flush=True)
        else:
            self.say(f"\n  Lapel is ready. Open this link:\n\n    {link}\n\n  Ctrl-C stops it.\n")
        return file


async def _run(
    server: uvicorn.Server, listening: socket.socket, ready: _Ready, worker: Worker | None
) -> None:
    """Serve until a signal, or until the worker is lost.

    uvicorn's own signal handlers would let a second signal cut things short.
    """
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)
    lost = asyncio.create_task(_when_lost(worker, stop))
    task = asyncio.create_task(_serve(server, listening))
    # uvicorn has no event for this; it takes a few milliseconds.
    while not server.started and not task.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    file = ready.announce() if server.started else None
    try:
        await task
    finally:
        await _end(lost)
        if worker is not None and worker.lost.is_set():
            # Until the next life listens to signals, one ends the process, which loses nothing.
            for number in (signal.SIGINT, signal.SIGTERM):
                with contextlib.suppress(NotImplementedError):
                    loop.remove_signal_handler(number)
        if file is not None:
            file.unlink(missing_ok=True)


async def _when_lost(worker: Worker | None, stop: Callable[[], None]) -> None:
    if worker is not None:
        await worker.lost.wait()
        stop()


async def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    # `serve` would install signal handlers of its own; `_serve` is what it wraps.
    await server._serve(sockets=[listening])  # pyright: ignore[reportPrivateUsage]
