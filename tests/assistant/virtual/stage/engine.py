"""Runs orders on the loop, in place of DBOS, which has threads; the steps are the real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lapel.commerce.engine import Conduct


class LoopEngine:
    """It forgets everything when it stops: the next one takes the orders up from the record."""

    following: frozenset[str] = frozenset()

    def __init__(self, path: Path, conduct: Conduct, executor: str) -> None:
        self._conduct = conduct
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def follow(self, order_id: str, *, again: bool = False) -> None:
        if order_id not in self._tasks:
            self._tasks[order_id] = asyncio.create_task(self._run(order_id))

    def follows(self, order_id: str) -> bool:
        return order_id in self._tasks

    async def abandon(self, executors: Sequence[str]) -> None:
        assert not executors, "on the stage nobody else works"

    async def prune(self, now: float) -> bool:
        return False

    async def _run(self, order_id: str) -> None:
        attempt = 0
        while True:
            step = await self._conduct.advance(order_id, attempt)
            if step.done:
                break
            attempt = step.attempt
            if step.until is not None:
                await self._conduct.wait(order_id, step.state.value, step.until)
        if self._tasks.pop(order_id, None) is not None:
            self._conduct.ended(order_id)
