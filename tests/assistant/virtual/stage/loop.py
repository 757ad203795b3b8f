"""Virtual time in which even `to_thread` does not leave the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from virtual_time import VirtualTimeLoop

Result = TypeVar("Result")

DAY = 1_764_000_000.0
"""When the tests begin, in seconds since 1970."""


class Loop(VirtualTimeLoop):
    """Work for other threads is done at once, on the loop: threads do not live in virtual time."""

    def _run_once(self) -> None:
        # A turn of the loop takes a nanosecond: a timer that asyncio rings a hair too early, and
        # that is set again for the same time, would otherwise ring for ever.
        self._jumping.now += 1e-9
        super()._run_once()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., Result], *args: object
    ) -> asyncio.Future[Result]:
        future: asyncio.Future[Result] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # the boundary of a worker: the caller gets its error
            future.set_exception(error)
        return future


def wall() -> float:
    """The time of day in virtual time."""
    return DAY + asyncio.get_running_loop().time()
