"""Orders in virtual time, in a process that may die between any two touches of the world or of the disk.

What dies is the process alone: a request that has left it arrives, a commit that was begun stands or does not.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parents[1] / "assistant" / "virtual"))

import pytest
from commerce_market import Market
from commerce_world import _users
from stage.engine import LoopEngine
from stage.loop import wall
from stage.record import Record

import lapel.commerce.driving
from lapel.assistant.planning.undoing import BookingUndoer
from lapel.commerce import Money, Order, Orders, Plan, Plans, Policy
from lapel.commerce.consent import Vault

T = TypeVar("T")
ANSWER_S = 0.1
LATE_S = 30.0
"""Longer than Lapel waits for an answer."""


class Life:
    """The life of a process. It ends at a touch; whatever is left of it then waits for ever."""

    def __init__(self) -> None:
        self.number = 0
        self.fuse = 0
        """It ends at the touch with this number, if that is not 0."""
        self.over = asyncio.Event()

    async def touch(self, mine: int) -> None:
        if mine == self.number and not self.over.is_set() and self.fuse:
            self.fuse -= 1
            if self.fuse == 0:
                self.over.set()
        if mine != self.number or self.over.is_set():
            await asyncio.Event().wait()

    def again(self) -> None:
        self.number += 1
        self.fuse = 0
        self.over = asyncio.Event()


class MortalRecord(Record):
    def __init__(self, life: Life) -> None:
        super().__init__()
        self._life = life

    async def write(self, work: Callable[..., T]) -> T:
        mine = self._life.number
        await self._life.touch(mine)
        answer = await self._do(work)
        await self._life.touch(mine)
        return answer


class MortalTown(Market):
    """`late["complete"]` counts the requests that arrive only after Lapel has given them up."""

    def __init__(self, life: Life) -> None:
        super().__init__(Path(":memory:"))
        self._life = life
        self.late: dict[str, int] = defaultdict(int)
        self.on_their_way: set[asyncio.Task[Any]] = set()

    async def _read(self, op, work):
        return await self._sent(op, super()._read(op, work))

    async def _write(self, op, key, body, work, kind):
        return await self._sent(op, super()._write(op, key, body, work, kind))

    async def _sent(self, op: str, served: Coroutine[Any, Any, T]) -> T:
        mine = self._life.number
        try:
            await self._life.touch(mine)
        except asyncio.CancelledError:
            served.close()
            raise
        task = asyncio.ensure_future(self._arrives(op, served))
        self.on_their_way.add(task)
        task.add_done_callback(self._arrived)
        try:
            answer = await asyncio.shield(task)
        finally:
            await self._life.touch(mine)
        return answer

    async def _arrives(self, op: str, served: Awaitable[T]) -> T:
        late = self.late[op] > 0
        self.late[op] -= late
        await asyncio.sleep(LATE_S if late else ANSWER_S / 2)
        answer = await served
        await asyncio.sleep(ANSWER_S / 2)
        return answer

    def _arrived(self, task: asyncio.Task[Any]) -> None:
        self.on_their_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be dead


class Teller:
    """Tells the user of plans; the user outlives the process, and remembers how each ended."""

    def __init__(self, life: Life, told: dict[str, set[str]]) -> None:
        self._life = life
        self._told = told

    async def ask(self, plan: Plan, orders: Sequence[Order]) -> None:
        await self._life.touch(self._life.number)

    async def choose(self, plan: Plan) -> None:
        await self._life.touch(self._life.number)

    async def ended(self, plan: Plan) -> None:
        mine = self._life.number
        await self._life.touch(mine)
        self._told[plan.id].add(plan.state)
        await self._life.touch(mine)

    async def charged(self, plan: Plan, total: Money) -> None:
        await self._life.touch(self._life.number)


class Mortal:
    """A Lapel, the town around it, and what outlives it: the record."""

    def __init__(self) -> None:
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(lapel.commerce.driving, "_engine_class", lambda: LoopEngine)
        self.life = Life()
        self.record = MortalRecord(self.life)
        self.town = MortalTown(self.life)
        # Days pass, and most of the looks at a merchant would find nothing.
        self.policy = Policy(track_most_s=7200.0)
        self.endings: dict[str, set[str]] = defaultdict(set)
        """How each plan was told to have ended."""
        self.dead = True

    async def open(self) -> None:
        await self.record.write(_users)
        await self.revive()

    async def revive(self) -> None:
        """A new process on the record as it stands; it may die while it starts."""
        if not self.dead:
            await self.bury()
        self.orders = Orders(
            self.record,  # type: ignore[arg-type]
            self.town,
            self.town,
            self.policy,
            Path("unused"),
            clock=wall,
            vault=Vault(bytes(32)),
        )
        town: Any = self.town
        self.plans = Plans(
            self.record,  # type: ignore[arg-type]
            self.orders,
            Teller(self.life, self.endings),
            BookingUndoer(self.orders, town, town, town),
            wall,
        )
        self.dead = False
        self._carrying = asyncio.ensure_future(self._carry())
        await self.lives(self.orders.start())

    async def lives(self, doing: Coroutine[Any, Any, T]) -> T | None:
        """The result, or None when the process died of it; raises what it raises."""
        work = asyncio.ensure_future(doing)
        death = asyncio.ensure_future(self.life.over.wait())
        await asyncio.wait({work, death}, return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        if work.done():
            return work.result()
        await self.bury()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return None

    async def bury(self) -> None:
        """Nothing of a dead process does anything any more."""
        if not self.dead:
            self.dead = True
            self.life.again()
            self._carrying.cancel()
            await asyncio.gather(self._carrying, return_exceptions=True)
            await self.orders.stop()

    async def _carry(self) -> None:
        await self.plans.run()

    async def close(self) -> None:
        await self.bury()
        for task in self.town.on_their_way:
            task.cancel()
        await asyncio.gather(*self.town.on_their_way, return_exceptions=True)
        self._patch.undo()
        self.town.db.close()
        self.record.close()
