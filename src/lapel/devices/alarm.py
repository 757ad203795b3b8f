"""One timer that fires at or before the time that is wanted, moved as seldom as possible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """A later `set` costs nothing: the alarm goes off early and is set again by its owner."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at: float | None) -> None:
        if at is None:
            self.cancel()
            return
        if self._handle is not None:
            if self._handle.when() <= at:
                return
            self._handle.cancel()
        self._handle = self._loop.call_at(at, self._fire)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self) -> None:
        self._handle = None
        self._ring()
