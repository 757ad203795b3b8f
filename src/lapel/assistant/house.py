"""All assistants of this process, one a user, and the way from links and orders to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import sqlalchemy as sa

from lapel.assistant.actor import Assistant, Ground
from lapel.assistant.outbox import Outbox
from lapel.commerce import OrderEvent
from lapel.devices import Cue, DeviceEvent, Link
from lapel.store.schema import conversations, order_events

log = logging.getLogger(__name__)


class House:
    """Implements `devices.DeviceHost`. An assistant begins when a device or an order needs it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._assistants: dict[str, Assistant] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unsubscribe = ground.orders.subscribe(self._order_moved)

    @property
    def assistants(self) -> dict[str, Assistant]:
        return self._assistants

    def of(self, user_id: str) -> Assistant:
        """The user's assistant, begun if it was not there."""
        assistant = self._assistants.get(user_id)
        if assistant is None:
            assistant = Assistant(user_id, self._ground)
            self._assistants[user_id] = assistant
            task = asyncio.create_task(assistant.run(), name=f"assistant {user_id}")
            task.add_done_callback(lambda done: self._ended(user_id, done))
            self._tasks[user_id] = task
        return assistant

    def _ended(self, user_id: str, task: asyncio.Task[None]) -> None:
        self._assistants.pop(user_id, None)
        self._tasks.pop(user_id, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("an assistant ended", exc_info=task.exception())

    async def tell(self, user_id: str, cues: Sequence[Cue]) -> None:
        """Bring something up by itself; durable on return (`skills.Teller`)."""
        await Outbox(self._ground.store, user_id, self._ground.clock).add(cues)
        self.of(user_id).kept()

    async def take_up(self) -> None:
        """Begin the assistants of everybody who is waiting to be told something."""
        for user_id in await self._ground.store.read(_waiting_users):
            self.of(user_id)

    async def close(self) -> None:
        """End every assistant."""
        self._unsubscribe()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def joined(self, link: Link) -> None:
        await self.of(link.user_id).joined(link)

    async def resumed(self, link: Link) -> None:
        await self.of(link.user_id).resumed(link)

    async def lost(self, link: Link) -> None:
        self.of(link.user_id).lost(link)

    async def left(self, link: Link) -> None:
        self.of(link.user_id).left(link)

    async def happened(self, link: Link, event: DeviceEvent) -> None:
        await self.of(link.user_id).happened(link, event)

    def _order_moved(self, event: OrderEvent) -> None:
        self.of(event.user_id).orders_moved()


def _waiting_users(connection: sa.Connection) -> list[str]:
    untold = (
        sa.select(order_events.c.user_id)
        .outerjoin(conversations, conversations.c.user_id == order_events.c.user_id)
        .where(order_events.c.n > sa.func.coalesce(conversations.c.told_event, 0))
    )
    return list(connection.scalars(untold.distinct()))
