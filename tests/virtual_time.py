"""An event loop whose clock jumps to the next timer: half a minute of conversation in milliseconds.

Everything that waits on the loop (`asyncio.sleep`, `wait_for`, `call_at`, `loop.time()`) lives in this time. It
starts at 0 and passes alike in every run. In one test:

    def test_a_long_silence() -> None:
        async def scene() -> None: ...
        run(scene())

For every asynchronous test of a folder, in its `conftest.py`:

    def pytest_asyncio_loop_factories(config, item):
        return {"virtual": VirtualTimeLoop}

It is for code that waits for timers and for itself. A thread or another process does not live in this time:
where nothing but them could go on, the loop raises `NothingLeft` instead of hanging. Sockets to oneself work: what
has arrived is read before the clock jumps.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class NothingLeft(RuntimeError):
    """A task waits for something that no timer and no socket will bring."""


class _JumpingSelector(selectors.DefaultSelector):
    """Reports what is ready now; otherwise moves the clock by the time that it was asked to wait."""

    now: float = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise NothingLeft(
                "the test waits for something that no timer and no socket will bring;"
                " threads and other processes do not live in virtual time"
            )
        self.now += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(scene: Coroutine[Any, Any, Result]) -> Result:
    """Run one coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(scene)
