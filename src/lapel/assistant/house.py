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
from lapel.faults import fault
from lapel.store.schema import conversations, order_events

log = logging.getLogger(__name__)

AGAIN_S = 1.0
"""An assistant that failed is replaced after this."""


class House:
    """Implements `devices.DeviceHost`. An assistant begins when a device or an order needs it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._assistants: dict[str, Assistant] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._links: dict[str, dict[str, Link]] = {}
        self._handed: set[asyncio.Task[None]] = set()
        self._closed = False
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
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("an assistant ended, another takes over: %s", fault(error))
            asyncio.get_running_loop().call_later(AGAIN_S, self._replace, user_id)

    def _replace(self, user_id: str) -> None:
        """A new assistant for a user whose last one failed, with the devices that are there."""
        if self._closed or user_id in self._assistants:
            return
        successor = self.of(user_id)
        for link in self._links.get(user_id, {}).values():
            self._hand_over(successor, link)

    def _hand_over(self, successor: Assistant, link: Link) -> None:
        task = asyncio.create_task(successor.joined(link))
        self._handed.add(task)
        task.add_done_callback(self._handed.discard)

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
        self._closed = True
        self._unsubscribe()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def joined(self, link: Link) -> None:
        self._links.setdefault(link.user_id, {})[link.session_id] = link
        await self.of(link.user_id).joined(link)

    async def resumed(self, link: Link) -> None:
        await self.of(link.user_id).resumed(link)

    async def lost(self, link: Link) -> None:
        self.of(link.user_id).lost(link)

    async def left(self, link: Link) -> None:
        mine = self._links.get(link.user_id, {})
        mine.pop(link.session_id, None)
        if not mine:
            self._links.pop(link.user_id, None)
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
