from __future__ import annotations

import asyncio
import threading

import pytest

from lapel.speech.errors import SpeechBusy, SpeechClosed
from lapel.speech.workers import FairQueue, WorkerPool

pytestmark = pytest.mark.unit


def test_owners_take_turns_and_keep_their_order() -> None:
    queue: FairQueue[str] = FairQueue("test", capacity=10, per_owner=5)
    for item in ("a1", "a2", "a3"):
        queue.push("a", item)
    queue.push("b", "b1")
    queue.push("c", "c1")
    queue.push("b", "b2")
    assert [queue.pop() for _ in range(7)] == ["a1", "b1", "c1", "a2", "b2", "a3", None]


def test_a_full_queue_refuses_the_newest() -> None:
    queue: FairQueue[int] = FairQueue("test", capacity=3, per_owner=2)
    queue.push("a", 1)
    queue.push("a", 2)
    with pytest.raises(SpeechBusy):
        queue.push("a", 3)
    queue.push("b", 4)
    with pytest.raises(SpeechBusy) as refused:
        queue.push("c", 5)
    assert refused.value.code == "speech_busy"
    queue.discard("a", 1)
    queue.push("c", 5)
    assert [queue.pop() for _ in range(3)] == [2, 4, 5]


async def test_work_runs_in_threads_and_failures_come_back() -> None:
    pool = WorkerPool("test", 2, capacity=4, per_owner=4)
    assert await pool.run("a", threading.get_ident) != threading.get_ident()

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await pool.run("a", fail)
    await pool.close()
    with pytest.raises(SpeechClosed):
        await pool.run("a", threading.get_ident)


async def test_cancelled_before_its_turn_it_never_starts() -> None:
    pool = WorkerPool("test", 1, capacity=4, per_owner=4)
    gate, ran = threading.Event(), list[str]()
    running = asyncio.create_task(pool.run("a", lambda: gate.wait(10)))
    waiting = asyncio.create_task(pool.run("a", lambda: ran.append("cancelled")))
    behind = asyncio.create_task(pool.run("a", lambda: ran.append("kept")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(running, behind)
    assert ran == ["kept"]
    await pool.close()


async def test_closing_fails_what_waits() -> None:
    pool = WorkerPool("test", 1, capacity=4, per_owner=4)
    gate = threading.Event()
    running = asyncio.create_task(pool.run("a", lambda: gate.wait(10)))
    waiting = asyncio.create_task(pool.run("b", lambda: None))
    await asyncio.sleep(0)
    closing = asyncio.create_task(pool.close())
    with pytest.raises(SpeechClosed):
        await waiting
    gate.set()
    assert await running
    await closing
