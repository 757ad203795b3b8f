"""Brings up what is due, once each, over crashes and restarts.

First the telling is made durable (it has an id that is the same when it is tried again), then the
reminder moves on. A crash in between repeats the telling under the same id, which tells nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from lapel.faults import fault
from lapel.services.personal.reminders import Due, Reminders

log = logging.getLogger(__name__)

LOOK_S = 20.0
"""Looked at this often though nothing is due: the machine's clock may be set."""
AGAIN_S = 1.0


class Ringing:
    """`run` it in a task. `bring_up` must be durable on return and repeatable."""

    def __init__(
        self,
        reminders: Reminders,
        bring_up: Callable[[Due], Awaitable[None]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reminders = reminders
        self._bring_up = bring_up
        self._clock = clock
        self._moved = asyncio.Event()
        reminders.moved = self._moved.set

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                wait_s = await self._round()
            except Exception as error:  # the boundary of one round: the next must still come
                log.error("cannot tell reminders, again in %s s: %s", AGAIN_S, fault(error))
                wait_s = AGAIN_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._moved.wait()

    async def _round(self) -> float:
        """Bring up what is due; how long until the next look, in seconds."""
        self._moved.clear()
        while due := await self._reminders.due(self._clock()):
            for entry in due:
                await self._bring_up(entry)
                await self._reminders.brought_up(entry, self._clock())
        upcoming = await self._reminders.next_due()
        if upcoming is None:
            return LOOK_S
        return min(LOOK_S, max(0.0, upcoming - self._clock()))
