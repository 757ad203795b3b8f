"""The food vertical: which merchants there are, what each sells now, and where a delivery is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx

from lapel.brain.menu import Menu, MenuItem
from lapel.commerce.ports import PortError
from lapel.services.connectors.acp.access import Access
from lapel.services.connectors.acp.door import AcpDoor
from lapel.services.connectors.acp.profile import ACP
from lapel.services.connectors.ucp.catalogue import read_menu
from lapel.services.connectors.ucp.checkup import CheckUp, PaysAt, check_up
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.lookup import FullProducts
from lapel.services.connectors.ucp.profile import BOOKED, GROCERIES, PAY, RETAIL, SEARCH
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.variants import is_variant_value
from lapel.services.tracking import Tracking, track

log = logging.getLogger(__name__)

AGAIN_S = 15.0
"""A merchant that cannot be added yet is tried again this often."""
REFRESH_S = 180.0
"""Menus older than this are read again when somebody asks."""
RETRY_S = 30.0
"""A merchant that did not answer is left alone this long."""
FORGET_S = 3600.0
"""A menu that could not be renewed for this long is not shown any more."""
AT_ONCE = 8
PATIENCE_S = 2.0
"""How long somebody who asks waits for a merchant that was never read, or has just sold out."""


@dataclass(slots=True)
class _Shelf:
    """The last menu of a merchant, and when to try again."""

    menu: Menu | None = None
    read_at: float = float("-inf")
    next_at: float = float("-inf")
    failure: PortError | None = None
    awaited: bool = True
    """Whether the menu that is there, if any, is known not to be good enough."""
    full: FullProducts = field(default_factory=FullProducts)


class Food:
    """Merchants and their menus. Menus are kept in memory; a dead merchant hides no other.

    Old menus are renewed in the background by one task; nobody waits for a slow merchant's.
    """

    def __init__(
        self,
        registry: MerchantRegistry,
        client: Client,
        http: httpx.AsyncClient,
        *,
        clock: Callable[[], float],
        wanted: Callable[[str], Awaitable[Sequence[str]]] | None = None,
        acp: AcpDoor | None = None,
    ) -> None:
        """`wanted` names the items that the menu of a merchant must hold however large it is."""
        self._acp = acp
        self._registry = registry
        self._client = client
        self._http = http
        self._clock = clock
        self._wanted = wanted
        self._shelves: dict[str, _Shelf] = {}
        self._reading: asyncio.Task[None] | None = None

    async def add_merchant(self, url: str, access: Access | None = None) -> Merchant:
        """Get to know the merchant at `url`; port errors say why that cannot be.

        `access` is what a seller that speaks ACP has given by hand; others are not told of it.
        """
        met = await self._registry.meet(url)
        if met.profile.protocol == ACP and self._acp is not None:
            met = await self._acp.admit(met, access)
        merchant = await self._registry.keep(met)
        self._shelves.pop(merchant.id, None)
        return merchant

    async def know(self, urls: Sequence[str]) -> None:
        """Add every one of them; one that cannot be had yet is tried again until it can."""
        left = list(urls)
        while left:
            for url in list(left):
                try:
                    await self.add_merchant(url)
                except PortError as error:
                    log.warning("merchant %s cannot be added yet: %s", url, error.code)
                else:
                    left.remove(url)
            if left:
                await asyncio.sleep(AGAIN_S)
        await self.menus(refresh=True)

    async def merchants(self) -> tuple[Merchant, ...]:
        """Every known merchant, in the order they were added."""
        return await self._registry.all()

    async def check_merchant(self, url: str, pays_at: PaysAt) -> CheckUp:
        """What the merchant at `url` offers and lacks; nothing is bought and nothing remembered."""
        if self._acp is not None:
            try:
                met = await self._registry.meet(url)
            except PortError:
                return await check_up(self._http, self._client, url, pays_at)
            if met.profile.protocol == ACP:
                return await self._acp.check_up(met)
        return await check_up(self._http, self._client, url, pays_at)

    async def remove_merchant(self, merchant_id: str) -> Merchant:
        """Forget a merchant; Refused (`orders_running`) while an order there is under way."""
        merchant = await self._registry.remove(merchant_id)
        if self._acp is not None:
            await self._acp.forget(merchant_id)
        self._shelves.pop(merchant_id, None)
        return merchant

    async def menus(self, refresh: bool = False) -> list[Menu]:
        """The menus of all merchants that can be had, in the order they were added.

        What is older than three minutes is renewed for the next time; with `refresh` everything is
        read first, however long it takes.
        """
        merchants = [x for x in await self._registry.all() if sells_by_menu(x)]
        if refresh:
            await self._finish()
            self._begin([x.id for x in merchants])
            await self._finish()
        else:
            if self._reading is None or self._reading.done():
                self._begin([x.id for x in merchants if self._is_due(x.id)])
            if any(self._shelf(x.id).awaited for x in merchants) and self._reading:
                await asyncio.wait([self._reading], timeout=PATIENCE_S)
        oldest = self._clock() - FORGET_S
        shelves = [self._shelf(x.id) for x in merchants]
        return [shelf.menu for shelf in shelves if shelf.menu and shelf.read_at >= oldest]

    async def close(self) -> None:
        """Stop renewing."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def sold_out(self, merchant_id: str) -> None:
        """A merchant said that something is gone: its menu is read again the next time."""
        shelf = self._shelf(merchant_id)
        shelf.next_at, shelf.awaited = float("-inf"), True

    def failures(self) -> dict[str, PortError]:
        """Merchants whose menu could not be read the last time, by id."""
        return {key: shelf.failure for key, shelf in self._shelves.items() if shelf.failure}

    def defaults(self, merchant_id: str, item_id: str) -> frozenset[str] | None:
        """The modifiers that a merchant may add by itself to an item, if its menu is known."""
        shelf = self._shelves.get(merchant_id)
        item = _find(shelf.menu, item_id) if shelf and shelf.menu else None
        if item is None:
            return None
        return frozenset(
            group.default
            for group in item.groups
            if group.default is not None and not is_variant_value(group.default)
        )

    def seen(self, merchant_id: str, item_id: str) -> tuple[MenuItem | None, float]:
        """The item as the menu has it, if it is there, and how many seconds ago that was read."""
        shelf = self._shelves.get(merchant_id)
        if shelf is None or shelf.menu is None:
            return None, float("inf")
        return _find(shelf.menu, item_id), self._clock() - shelf.read_at

    async def track(self, merchant_id: str, tracking_url: str) -> Tracking | None:
        """Where the courier is; None while that cannot be had."""
        try:
            merchant = await self._registry.get(merchant_id)
            return await track(self._http, merchant, tracking_url)
        except PortError:
            return None

    def _shelf(self, merchant_id: str) -> _Shelf:
        return self._shelves.setdefault(merchant_id, _Shelf())

    def _is_due(self, merchant_id: str) -> bool:
        return self._clock() >= self._shelf(merchant_id).next_at

    def _begin(self, merchant_ids: list[str]) -> None:
        if merchant_ids:
            self._reading = asyncio.create_task(self._read_all(merchant_ids), name="menus")

    async def _finish(self) -> None:
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def _read_all(self, merchant_ids: list[str]) -> None:
        room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for merchant_id in merchant_ids:
                tasks.create_task(self._read(merchant_id, room))

    async def _read(self, merchant_id: str, room: asyncio.Semaphore) -> None:
        shelf = self._shelf(merchant_id)
        async with room:
            try:
                merchant = await self._registry.get(merchant_id)
                menu = await read_menu(self._client, merchant, wanted=self._wanted, full=shelf.full)
            except PortError as error:
                shelf.failure, shelf.awaited = error, False
                shelf.next_at = self._clock() + RETRY_S
                return
        now = self._clock()
        shelf.menu, shelf.failure, shelf.awaited = menu, None, False
        shelf.read_at, shelf.next_at = now, now + REFRESH_S


def sells_by_menu(merchant: Merchant) -> bool:
    """Not so a store or a company that is booked: carts are not said out of those."""
    offered = merchant.profile.capabilities
    if offered & {GROCERIES, RETAIL}:
        return False
    return SEARCH in offered or not offered.intersection((PAY, *BOOKED))


def _find(menu: Menu, item_id: str) -> MenuItem | None:
    return next((item for item in menu.items if item.id == item_id), None)
