"""What Lapel can do besides food: puts each vertical's service, skill and API together.

One class a vertical: `skill` makes one user's part of it, `run` is what it does by itself, `routes`
is its API. `app` asks them in the order of `Verticals.all`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import httpx
from starlette.routing import BaseRoute

from lapel.assistant import ListSkill, SavedPlaces, Skill, Teller
from lapel.assistant.guide import GuideSkill
from lapel.assistant.personal import PersonalSkill, Wording, load_words
from lapel.commerce import Orders
from lapel.services import Client, MerchantRegistry
from lapel.services.gcj02 import Gcj02Maps, takes_gcj02
from lapel.services.goods import Groceries, ShoppingList
from lapel.services.maps import AmapMaps
from lapel.services.maps import Maps as MapService
from lapel.services.personal import Due, Notes, Reminders, Ringing
from lapel.settings import Maps
from lapel.store import Store
from lapel.web import Api, PersonalApi


class Goods:
    """The shopping list and the grocers."""

    def __init__(
        self, store: Store, orders: Orders, registry: MerchantRegistry, client: Client
    ) -> None:
        self._store = store
        self._orders = orders
        self._groceries = Groceries(registry, client)

    def skills(self, user_id: str) -> Sequence[Skill]:
        own = ShoppingList(self._store, user_id)
        places = SavedPlaces(self._store, user_id)
        return (ListSkill(user_id, self._orders, self._groceries, own, places),)


class Guide:
    """Maps: ways, distances and guidance, where a map service is set."""

    def __init__(self, store: Store, http: httpx.AsyncClient, settings: Maps) -> None:
        self._store = store
        self._maps = _maps_of(http, settings) if settings.url else None

    def skills(self, user_id: str) -> Sequence[Skill]:
        if self._maps is None:
            return ()
        return (GuideSkill(user_id, self._maps, SavedPlaces(self._store, user_id)),)


def _maps_of(http: httpx.AsyncClient, settings: Maps) -> MapService:
    maps = AmapMaps(http, settings.url, settings.key)
    return Gcj02Maps(maps) if takes_gcj02(settings.url, settings.datum) else maps


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
