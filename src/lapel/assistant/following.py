"""Following a courier: asks the merchant where it is and moves it on every screen with a map."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lapel.assistant import compose
from lapel.commerce import Order
from lapel.devices import Cue, MapView
from lapel.services import Tracking


class Following:
    """Follows one order at a time a user; the newest that is on its way."""

    def __init__(
        self,
        fetch: Callable[[str, str], Awaitable[Tracking | None]],
        show: Callable[[Cue], None],
        every_s: float,
    ) -> None:
        self._fetch = fetch
        self._show = show
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None
        self._order_id = ""

    def start(self, order: Order, tracking_url: str, at: int) -> None:
        """Follow `order`; an order that is followed already goes on with its new step."""
        self.stop()
        self._order_id = order.id
        self._task = asyncio.create_task(self._run(order, tracking_url, at))

    def stop(self, order_id: str = "") -> None:
        """Stop following (only `order_id`, where one is named)."""
        if self._task is not None and order_id in ("", self._order_id):
            self._task.cancel()
            self._task = None

    async def _run(self, order: Order, tracking_url: str, at: int) -> None:
        tick = 0
        while True:
            seen = await self._fetch(order.merchant_id, tracking_url)
            if seen is not None:
                view = MapView(
                    route=seen.route,
                    courier=seen.courier,
                    destination=seen.destination,
                    streets=seen.streets,
                )
                self._show(compose.where(order, view, seen.eta_minutes, at, tick, seen.who))
                tick += 1
            await asyncio.sleep(self._every_s)
