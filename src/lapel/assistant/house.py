"""All assistants of this process, one a user, and the way from links and orders to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import sqlalchemy as sa

from lapel.assistant.actor import Assistant, Ground
from lapel.assistant.homes import Homes
from lapel.assistant.outbox import Outbox
from lapel.commerce import OrderEvent
from lapel.devices import Cue, DeviceEvent, Elsewhere, Link
from lapel.faults import fault
from lapel.store.schema import conversations, order_events, users

log = logging.getLogger(__name__)

AGAIN_S = 1.0
"""An assistant that failed is replaced after this."""


class House:
    """Implements `devices.DeviceHost`. An assistant begins when a device or an order needs it."""

    def __init__(self, ground: Ground, homes: Homes | None = None) -> None:
        self._ground = ground
        self._homes = homes or Homes(ground.store)
        self._assistants: dict[str, Assistant] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._links: dict[str, dict[str, Link]] = {}
        self._handed: set[asyncio.Task[None]] = set()
        self._closed = False
        self._unsubscribe = ground.orders.subscribe(self._order_moved)
        self._unhear = self._homes.hear_kept(self._kept)

    @property
    def assistants(self) -> dict[str, Assistant]:
        return self._assistants

    def of(self, user_id: str, joining: Link | None = None) -> Assistant:
        """The user's assistant, begun if it was not there, with the devices that are.

        There are some where the last one failed. `joining` is on its way in by itself.
        """
        assistant = self._assistants.get(user_id)
        if assistant is None:
            assistant = Assistant(user_id, self._ground)
            self._assistants[user_id] = assistant
            task = asyncio.create_task(assistant.run(), name=f"assistant {user_id}")
            task.add_done_callback(lambda done: self._ended(user_id, done))
            self._tasks[user_id] = task
            for link in self._links.get(user_id, {}).values():
                if link is not joining:
                    self._hand_over(assistant, link)
        return assistant

    def _ended(self, user_id: str, task: asyncio.Task[None]) -> None:
        self._assistants.pop(user_id, None)
        self._tasks.pop(user_id, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("an assistant ended, another takes over: %s", fault(error))
            asyncio.get_running_loop().call_later(AGAIN_S, self._replace, user_id)

    def _replace(self, user_id: str) -> None:
        """A new assistant for a user whose last one failed, if nothing has called for one yet."""
        if not self._closed:
            self.of(user_id)

    def _hand_over(self, successor: Assistant, link: Link) -> None:
        task = asyncio.create_task(successor.joined(link))
        self._handed.add(task)
        task.add_done_callback(self._handed.discard)

    async def tell(self, user_id: str, cues: Sequence[Cue]) -> None:
        """Bring something up by itself; durable on return (`skills.Teller`)."""
        await Outbox(self._ground.store, user_id, self._ground.clock).add(cues)
        if self._homes.is_here(user_id):
            self.of(user_id).kept()
        else:
            await self._homes.tell_kept(user_id)

    async def take_up(self) -> None:
        """Begin the assistants of everybody who is waiting to be told something.

        Among several workers each begins where the user's first device comes.
        """
        if not self._homes.alone:
            return
        for user_id in await self._ground.store.read(_waiting_users):
            self.of(user_id)

    async def close(self) -> None:
        """End every assistant."""
        self._closed = True
        self._unsubscribe()
        self._unhear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def joined(self, link: Link) -> None:
        self._links.setdefault(link.user_id, {})[link.session_id] = link
        elsewhere = await self._homes.settle(link.user_id)
        if elsewhere is not None:
            self._links.get(link.user_id, {}).pop(link.session_id, None)
            link.send_away(Elsewhere(elsewhere))
            return
        await self.of(link.user_id, joining=link).joined(link)

    async def resumed(self, link: Link) -> None:
        if self._homes.is_here(link.user_id):
            await self.of(link.user_id).resumed(link)

    async def lost(self, link: Link) -> None:
        if self._homes.is_here(link.user_id):
            self.of(link.user_id).lost(link)

    async def left(self, link: Link) -> None:
        mine = self._links.get(link.user_id, {})
        mine.pop(link.session_id, None)
        if not mine:
            self._links.pop(link.user_id, None)
        if not self._homes.is_here(link.user_id):
            return
        self.of(link.user_id).left(link)
        if not mine and not self._homes.alone:
            await self._move_out(link.user_id)

    async def _move_out(self, user_id: str) -> None:
        """The last device has left: the assistant ends, to begin where the next one comes."""
        await self.of(user_id).settled()
        if user_id in self._links:
            return
        task = self._tasks.get(user_id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._homes.leave(user_id)

    async def happened(self, link: Link, event: DeviceEvent) -> None:
        if self._homes.is_here(link.user_id):
            await self.of(link.user_id).happened(link, event)

    def _order_moved(self, event: OrderEvent) -> None:
        if self._homes.is_here(event.user_id):
            self.of(event.user_id).orders_moved()

    def _kept(self, user_id: str) -> None:
        """Another worker wrote into an outbox; after a break in hearing, perhaps into any."""
        for one in (user_id,) if user_id else list(self._assistants):
            if self._homes.is_here(one):
                self.of(one).kept()


def _waiting_users(connection: sa.Connection) -> list[str]:
    # From the users: one look at the end of each one's events, however many there are.
    told = (
        sa.select(conversations.c.told_event)
        .where(conversations.c.user_id == users.c.id)
        .scalar_subquery()
    )
    untold = sa.exists().where(
        order_events.c.user_id == users.c.id, order_events.c.n > sa.func.coalesce(told, 0)
    )
    return list(connection.scalars(sa.select(users.c.id).where(untold)))
