"""What Lapel can do besides food: puts each vertical's service, skill and API together.

One class a vertical: `skill` makes one user's part of it, `run` is what it does by itself, `routes`
is its API. `app` asks them in the order of `Verticals.all`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
from starlette.routing import BaseRoute

from lapel.assistant import (
    House,
    LimitsSkill,
    ListSkill,
    PaySkill,
    PayTelling,
    SavedPlaces,
    ShopSkill,
    Skill,
    Teller,
    asked_about_code,
)
from lapel.assistant.connected import ConnectedSkill, told, unknown
from lapel.assistant.guide import GuideSkill
from lapel.assistant.parts import Maker
from lapel.assistant.personal import PersonalSkill, Wording, load_words
from lapel.assistant.planning.cues import PlanTelling
from lapel.assistant.planning.making import GoodsMaker, PeopleFinder, Sharing
from lapel.assistant.planning.skill import PlanSkill
from lapel.assistant.tables import TablesSkill, load_table_words
from lapel.assistant.travel import ProfileName, TravelSkill, load_travel_words
from lapel.assistant.travel.part import JourneyMaker
from lapel.brain import Brain, Menu
from lapel.commerce import Money, Orders, Party, Plan, Plans, Undoer, split_bill
from lapel.services import (
    BankPayments,
    Client,
    Contacts,
    Food,
    MerchantRegistry,
    OwedRecord,
    OwedWish,
    Pay,
    PayWatch,
    Tables,
    Travel,
)
from lapel.services.connected import McpMaps, Servers, ToolCalls
from lapel.services.gcj02 import Gcj02Maps, takes_gcj02
from lapel.services.goods import Groceries, Shopping, ShoppingList
from lapel.services.maps import AmapMaps
from lapel.services.maps import Maps as MapService
from lapel.services.personal import Due, Notes, Reminders, Ringing
from lapel.settings import SERVICES_FILE, Maps
from lapel.store import Store, Worker
from lapel.web import Api, ConnectedApi, LimitsApi, PasskeysApi, PayApi, PersonalApi, relying_party


class Brains:
    """A user's brain is their menus, addresses and usual shop; made anew when one has changed."""

    def __init__(self, store: Store, food: Food, orders: Orders) -> None:
        self._store = store
        self._food = food
        self._orders = orders
        self._made: dict[str, tuple[object, Brain]] = {}

    async def of(self, user_id: str) -> Brain:
        menus = tuple(await self._food.menus())
        labels = tuple(await SavedPlaces(self._store, user_id).labels())
        usual = await self._usual(user_id, menus)
        known = self._made.get(user_id)
        if known is not None and known[0] == (menus, labels, usual):
            return known[1]
        brain = Brain(menus, labels, usual)
        self._made[user_id] = ((menus, labels, usual), brain)
        return brain

    async def _usual(self, user_id: str, menus: tuple[Menu, ...]) -> tuple[str, ...]:
        """The shop that settles a tie: the one last ordered from, else the first in the list."""
        for order in await self._orders.list(user_id, limit=10):
            if order.merchant_order_id and order.draft.is_cart:
                return (order.merchant_id,)
        return tuple(menu.merchant_id for menu in menus[:1])


class Goods:
    """The shopping list and the grocers, and things from stores."""

    def __init__(
        self,
        store: Store,
        orders: Orders,
        registry: MerchantRegistry,
        client: Client,
        food: Food,
        zone: ZoneInfo,
    ) -> None:
        self._store = store
        self._orders = orders
        self._groceries = Groceries(registry, client)
        self._shopping = Shopping(registry, client)
        self._food = food
        self._zone = zone

    def lists(self, user_id: str) -> ListSkill:
        own = ShoppingList(self._store, user_id)
        places = SavedPlaces(self._store, user_id)
        return ListSkill(user_id, self._orders, self._groceries, own, places)

    def shops(self, user_id: str) -> ShopSkill:
        """Asked last: "find me a pharmacy" is for others."""
        places = SavedPlaces(self._store, user_id)
        menus = self._food.menus
        return ShopSkill(user_id, self._orders, self._shopping, menus, places, self._zone)


class Consents:
    """Standing limits and passkeys; `url` is where browsers find this Lapel."""

    def __init__(self, orders: Orders, plans: Plans, registry: MerchantRegistry, url: str) -> None:
        self._orders = orders
        self._plans = plans
        self._registry = registry
        self._party = relying_party(url)

    def skill(self, user_id: str, teller: Teller) -> Skill:
        return LimitsSkill(user_id, self._orders, self._shops, teller, time.time)

    def routes(self, api: Api, house: House) -> Sequence[BaseRoute]:
        orders = self._orders
        limits = LimitsApi(
            api, orders.standing, orders.ceilings, orders.passkeys, self._shops, house
        )
        passkeys = PasskeysApi(api, orders, self._plans, house, self._party)
        return [*limits.routes(), *passkeys.routes()]

    async def _shops(self) -> Sequence[Party]:
        return [Party(merchant.id, merchant.name) for merchant in await self._registry.all()]


class Planning:
    """Plans of several things: made of a sentence, bought part by part, shared when bought."""

    def __init__(
        self,
        store: Store,
        orders: Orders,
        undoer: Undoer,
        money: Payments,
        worker: Worker | None = None,
    ) -> None:
        self._money = money
        self._telling = PlanTelling(money.share)
        self.plans = Plans(store, orders, self._telling, undoer, time.time, worker)

    def skill(
        self,
        user_id: str,
        makers: Sequence[Maker],
        brain: Callable[[], Awaitable[Brain]],
        store: Store,
    ) -> Skill:
        """`makers` in the order in which their parts are bought."""
        goods = GoodsMaker(brain, SavedPlaces(store, user_id))
        people = PeopleFinder(user_id, self._money.contacts)
        return PlanSkill(user_id, self.plans, makers, goods, people)

    async def run(self, teller: Teller) -> None:
        """Carry plans on, until cancelled."""
        self._telling.teller = teller
        await self.plans.run()


class Guide:
    """Maps: ways, distances and guidance, by the service that is set, else by a connected one."""

    def __init__(
        self, store: Store, http: httpx.AsyncClient, settings: Maps, servers: Servers
    ) -> None:
        self._store = store
        self._connected = None if settings.url else McpMaps(servers)
        maps = self._connected or AmapMaps(http, settings.url, settings.key)
        shifted = takes_gcj02(settings.url, settings.datum)
        self._maps: MapService = Gcj02Maps(maps) if shifted else maps

    def skill(self, user_id: str) -> GuideSkill:
        places = SavedPlaces(self._store, user_id)
        if self._connected is None:
            return GuideSkill(user_id, self._maps, places)
        return GuideSkill(user_id, self._maps, places, ready=self._connected.ready)


class Payments:
    """Money between people: contacts, transfers, requests, and the codes of shops."""

    def __init__(
        self,
        store: Store,
        registry: MerchantRegistry,
        client: Client,
        bank: BankPayments,
        orders: Orders,
    ) -> None:
        self._store = store
        self._pay = Pay(registry, client, bank)
        self.contacts = Contacts(store, time.time)
        self._owed = OwedRecord(store, time.time)
        self._orders = orders
        self._skills: dict[str, PaySkill] = {}

    def skill(self, user_id: str) -> PaySkill:
        """The user's; the same one for words and for scanned codes."""
        if user_id not in self._skills:
            self._skills[user_id] = PaySkill(
                user_id, self._orders, self._pay, self.contacts, self._owed
            )
        return self._skills[user_id]

    def routes(self, api: Api, teller: Teller) -> Sequence[BaseRoute]:
        async def ask(user_id: str, text: str) -> None:
            await teller.tell(user_id, [asked_about_code(text)])

        return PayApi(api, self._pay, self.contacts, self.skill, ask, time.time).routes()

    async def share(self, plan: Plan, total: Money) -> None:
        """Ask those who share the bill of a plan for their parts; the same plan asks once."""
        sharing = msgspec.json.decode(plan.memo or "{}", type=Sharing)
        if not sharing.people:
            return
        shares = split_bill(total, [None] * len(sharing.people))
        wishes = [
            OwedWish(handle, name, share, "our plan", f"plan:{plan.id}")
            for (handle, name), share in zip(sharing.people, shares, strict=True)
        ]
        await self._owed.ask(plan.user_id, wishes)

    async def run(self, teller: Teller) -> None:
        """Send what the user asks for, and bring up what comes in, until cancelled."""
        await PayWatch(self._pay, self._owed, self._store, PayTelling(teller)).run()


class Journeys:
    """Flights, trains and hotels."""

    def __init__(
        self, store: Store, registry: MerchantRegistry, client: Client, zone: ZoneInfo
    ) -> None:
        self._store = store
        self.travel = Travel(registry, client)
        self._words = load_travel_words()
        self._zone = zone

    def maker(self, user_id: str) -> Maker:
        """Journeys as parts of plans."""
        places, names = SavedPlaces(self._store, user_id), ProfileName(self._store, user_id)
        return JourneyMaker(self.travel, places, names, self._words, self._zone)

    def skill(self, user_id: str, orders: Orders) -> Skill:
        return TravelSkill(
            user_id,
            orders,
            self.travel,
            SavedPlaces(self._store, user_id),
            ProfileName(self._store, user_id),
            self._words,
            self._zone,
        )


class Dining:
    """Tables in restaurants."""

    def __init__(
        self, store: Store, registry: MerchantRegistry, client: Client, zone: ZoneInfo
    ) -> None:
        self._store = store
        self.tables = Tables(registry, client)
        self._words = load_table_words()
        self._zone = zone

    def skill(
        self, user_id: str, orders: Orders, guide: GuideSkill, shops: ShopSkill
    ) -> TablesSkill:
        """`shops` may have a list open in which a table is a piece of furniture."""
        return TablesSkill(
            user_id,
            orders,
            self.tables,
            SavedPlaces(self._store, user_id),
            ProfileName(self._store, user_id),
            self._words,
            self._zone,
            guide,
            shops.lists,
        )


class Personal:
    """Reminders, timers and notes."""

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        self._zone = zone
        self._words = load_words()
        self._reminders = Reminders(store, time.time)
        self._notes = Notes(store, time.time)

    def skill(self, user_id: str) -> Skill:
        return PersonalSkill(user_id, self._reminders, self._notes, self._words, self._zone)

    def routes(self, api: Api) -> Sequence[BaseRoute]:
        found = PersonalApi(api, self._reminders, self._notes, self._words, self._zone)
        return found.routes()

    async def run(self, teller: Teller) -> None:
        """Bring up what is due, until cancelled."""
        wording = Wording(self._words, self._zone)

        async def bring_up(due: Due) -> None:
            await teller.tell(due.reminder.user_id, [wording.due(due)])

        await Ringing(self._reminders, bring_up).run()


LONGEST_CALL_S = 120.0
"""No call of a tool takes so long, nor waits so long for its server's line."""


class Connected:
    """MCP servers as services."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._calls = ToolCalls(store)
        self._folder = folder
        self.servers = Servers(store, self._commands, time.time)

    def skill(self, user_id: str, teller: Teller) -> Skill:
        return ConnectedSkill(user_id, self.servers, self._calls, teller)

    def routes(self, api: Api) -> Sequence[BaseRoute]:
        return ConnectedApi(api, self.servers, self._calls).routes()

    async def run(self, teller: Teller) -> None:
        """Tell of calls that a crash has cut: whether they happened is not known."""
        while True:
            for call in await self._calls.interrupted(time.time() - LONGEST_CALL_S):
                await teller.tell(call.user_id, [told(call, unknown(call))])
            await asyncio.sleep(LONGEST_CALL_S / 2)

    def _commands(self) -> Mapping[str, Sequence[str]]:
        try:
            text = (self._folder / SERVICES_FILE).read_bytes()
            return msgspec.json.decode(text, type=dict[str, tuple[str, ...]])
        except (OSError, msgspec.DecodeError):
            return {}
