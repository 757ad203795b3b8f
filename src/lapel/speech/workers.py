"""Threads for the engines: bounded, and fair between the owners of the work."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from lapel.speech.errors import SpeechBusy, SpeechClosed

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Owners take turns; the work of one owner keeps its order.

    Policy when full (`capacity` in all, `per_owner` for one): the newest is refused.
    """

    def __init__(self, name: str, capacity: int, per_owner: int) -> None:
        self._name, self._capacity, self._per_owner = name, capacity, per_owner
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def push(self, owner: str, item: T) -> None:
        mine = self._waiting.get(owner)
        if self._count >= self._capacity:
            raise SpeechBusy(self._name, self._count)
        if mine is None:
            mine = self._waiting[owner] = deque()
        elif len(mine) >= self._per_owner:
            raise SpeechBusy(self._name, len(mine))
        mine.append(item)
        self._count += 1

    def pop(self) -> T | None:
        """The oldest item of the owner who has waited longest for a turn."""
        if not self._waiting:
            return None
        owner, mine = self._waiting.popitem(last=False)
        item = mine.popleft()
        self._count -= 1
        if mine:
            self._waiting[owner] = mine
        return item

    def discard(self, owner: str, item: T) -> None:
        """Take back an item that is no longer wanted, if it still waits."""
        mine = self._waiting.get(owner)
        if mine is None or item not in mine:
            return
        mine.remove(item)
        self._count -= 1
        if not mine:
            del self._waiting[owner]


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    work: Callable[[], object]
    done: asyncio.Future[object]


class WorkerPool:
    """`threads` at work, a FairQueue before them; to be used from one event loop."""

    def __init__(self, name: str, threads: int, *, capacity: int, per_owner: int) -> None:
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"lapel-{name}")
        self._queue: FairQueue[_Job] = FairQueue(name, capacity, per_owner)
        self._busy = 0
        self._closed = False

    async def run(self, owner: str, work: Callable[[], T]) -> T:
        """The result of `work`, done in a thread. Cancelled before its turn, it is never started.

        Raises SpeechBusy where the queue is full, SpeechClosed after `close`.
        """
        if self._closed:
            raise SpeechClosed
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._queue.push(owner, job)
        self._start()
        try:
            return cast(T, await job.done)
        except asyncio.CancelledError:
            self._queue.discard(owner, job)
            raise

    async def close(self) -> None:
        """Refuse new work, drop what waits, and let what runs come to its end."""
        self._closed = True
        while (job := self._queue.pop()) is not None:
            if not job.done.done():
                job.done.set_exception(SpeechClosed())
        await asyncio.to_thread(self._executor.shutdown, wait=True)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        while self._busy < self._threads and (job := self._queue.pop()) is not None:
            self._busy += 1
            running = self._executor.submit(job.work)
            running.add_done_callback(
                lambda ended, job=job: loop.call_soon_threadsafe(self._finish, job, ended)
            )

    def _finish(self, job: _Job, ended: Future[object]) -> None:
        self._busy -= 1
        if not job.done.done():
            if error := ended.exception():
                job.done.set_exception(error)
            else:
                job.done.set_result(ended.result())
        if not self._closed:
            self._start()
