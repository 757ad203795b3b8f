"""A WebSocket in memory: ordered, a little late, and easily cut."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from lapel.devices.connection import SocketClosed

Data = str | bytes


class Cable:
    """Implements the gateway's `Socket`; the device is at the other end."""

    def __init__(
        self, late_s: float, arrived: Callable[[Data], None], closed: Callable[[int], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._late_s = late_s
        self._arrived = arrived
        self._closed = closed
        self._up: deque[Data] = deque()
        self._down: deque[Data] = deque()
        self._inbox: deque[Data] = deque()
        self._news = asyncio.Event()
        self.open = True
        self.sent: list[tuple[float, Data]] = []
        """Everything that the gateway put on the wire, and when."""

    # The gateway's end.

    async def receive(self) -> Data:
        while True:
            if self._inbox:
                return self._inbox.popleft()
            if not self.open:
                raise SocketClosed
            self._news.clear()
            await self._news.wait()

    async def send(self, data: Data) -> None:
        if not self.open:
            raise SocketClosed
        self.sent.append((self._loop.time(), data))
        self._down.append(data)
        self._loop.call_later(self._late_s, self._deliver_down)

    async def close(self, code: int) -> None:
        if self.open:
            await asyncio.sleep(1.5 * self._late_s)  # what was sent before still arrives
            self.cut(code)

    # The device's end.

    def put(self, data: Data) -> None:
        if self.open:
            self._up.append(data)
            self._loop.call_later(self._late_s, self._deliver_up)

    def cut(self, code: int = 1006) -> None:
        """It is gone, and what was under way with it."""
        if self.open:
            self.open = False
            self._up.clear()
            self._down.clear()
            self._news.set()
            self._closed(code)

    def _deliver_up(self) -> None:
        if self._up:
            self._inbox.append(self._up.popleft())
            self._news.set()

    def _deliver_down(self) -> None:
        if self._down:
            self._arrived(self._down.popleft())
