"""DBOS, kept in one room: it runs every open order and takes it up again after a crash.

DBOS is a process-wide singleton with threads and an event loop of its own liking (it would replace
the default executor of ours). So it lives on a loop in its own thread; a step hops to Lapel's loop
for its work. A workflow's history holds only states, attempts and times: what an order is stands
in the record. Import this module late: DBOS takes more than a second to load.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from lapel.commerce.desk import Step
from lapel.commerce.errors import EngineError
from lapel.commerce.order import OrderState

T = TypeVar("T")

NAME = "lapel-orders"
VERSION = "1"
"""Fixed: DBOS recovers only workflows of its own version, and ours read the record anyway."""
STEPS = 400
"""Most steps in one workflow: a longer order goes on in a fresh one, so that replay stays short."""
KEEP_S = 7 * 86400.0
"""How long the history of a finished workflow is kept."""
PRUNED = 1000
"""Most workflows that are forgotten at once."""
IDLE_S = 2.0
"""So long a transaction of DBOS may stand still on PostgreSQL before the server ends it."""
_STOP_S = 1.0

_log = logging.getLogger(__name__)
_live: Engine | None = None


class Conduct(Protocol):
    """What the engine runs; called on Lapel's loop."""

    @property
    def ended(self) -> Callable[[str], None]: ...
    async def advance(self, order_id: str, attempt: int) -> Step: ...
    async def wait(self, order_id: str, state: str, until: float) -> None: ...


class Engine:
    """One at a time in a process; `start` again after `stop` needs a new one.

    `where` is DBOS's own file, or the URL of a PostgreSQL that several processes share; there each
    of them has an `executor` of its own, and DBOS brings back only what that one ran.
    """

    def __init__(self, where: Path | str, conduct: Conduct, executor: str = "lapel") -> None:
        self._conduct = conduct
        self._executor = executor
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="orders-engine", daemon=True)
        self._lapel_loop = asyncio.get_running_loop()
        self._where = where
        self._file = _file(where) if isinstance(where, Path) else None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._following: set[str] = set()
        self._stopping = False

    async def start(self) -> None:
        """Launch; what was pending when the process died goes on by itself, within seconds."""
        global _live
        if _live is not None:
            self._loop.close()
            raise EngineError("another order engine runs in this process: stop it first")
        _live = self
        self._thread.start()
        try:
            await self._call(self._launch())
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop where it stands; nothing is lost that a step had committed."""
        global _live
        self._stopping = True
        await self._call(self._cancel_all())
        await asyncio.to_thread(DBOS.destroy)
        await self._call(self._cancel_all())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()
        if self._file is not None:
            self._file.dispose()
        _live = None

    async def follow(self, order_id: str, *, again: bool = False) -> None:
        """Run the order; durable on return. `again` for one whose first workflow has ended."""
        name = f"{order_id}~{uuid.uuid4().hex[:8]}" if again else order_id
        await self._call(self._begin(order_id, name))

    def follows(self, order_id: str) -> bool:
        """Whether a workflow runs the order at this moment."""
        return order_id in self._following

    @property
    def following(self) -> frozenset[str]:
        """The orders that a workflow runs at this moment."""
        return frozenset(self._following)

    async def abandon(self, executors: Sequence[str]) -> None:
        """End the workflows of executors that are no more: their orders have fresh ones."""
        if executors:
            await self._call(self._abandon(list(executors)))

    async def prune(self, now: float) -> bool:
        """Forget some of the workflows that ended long ago; whether there may be more of them."""
        return await self._call(self._prune(now - KEEP_S))

    async def run(self, order_id: str) -> str:
        """The workflow's body: step, wait, step, until the order needs nothing more."""
        if order_id in self._following:
            return "already followed"
        self._following.add(order_id)
        try:
            return await self._run(order_id)
        finally:
            self._following.discard(order_id)
            if not self._stopping:
                call_soon = self._lapel_loop.call_soon_threadsafe
                Context().run(call_soon, self._conduct.ended, order_id)

    async def _run(self, order_id: str) -> str:
        state, attempt = OrderState.QUOTING.value, 0
        for _ in range(STEPS):
            step = await DBOS.run_step_async({"name": state}, self._advance, order_id, attempt)
            if step["done"]:
                return step["state"]
            state, attempt = step["state"], step["attempt"]
            if step["until"] is not None:
                until = step["until"]
                await DBOS.run_step_async({"name": "wait"}, self._wait, order_id, state, until)
        return "goes on"

    async def _advance(self, order_id: str, attempt: int) -> dict[str, Any]:
        step = await self._hop(lambda: self._conduct.advance(order_id, attempt))
        return {
            "state": step.state.value,
            "attempt": step.attempt,
            "until": step.until,
            "done": step.done,
        }

    async def _wait(self, order_id: str, state: str, until: float) -> bool:
        await self._hop(lambda: self._conduct.wait(order_id, state, until))
        return True

    async def _begin(self, order_id: str, name: str) -> None:
        with SetWorkflowID(name):
            await DBOS.start_workflow_async(_order, order_id)

    async def _abandon(self, executors: list[str]) -> None:
        found = await DBOS.list_workflows_async(
            status=["PENDING", "ENQUEUED"],
            executor_id=executors,
            load_input=False,
            load_output=False,
        )
        if found:
            await DBOS.cancel_workflows_async([workflow.workflow_id for workflow in found])

    async def _prune(self, before: float) -> bool:
        old = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            completed_before=datetime.fromtimestamp(before, UTC).isoformat(),
            limit=PRUNED,
            load_input=False,
            load_output=False,
        )
        if old:
            await DBOS.delete_workflows_async([workflow.workflow_id for workflow in old])
        return len(old) == PRUNED

    async def _launch(self) -> None:
        logger = logging.getLogger("dbos")
        if not logger.handlers:
            # DBOS adds a console handler to a logger without one, and its messages quote arguments.
            logger.addHandler(logging.NullHandler())
        config: DBOSConfig = {
            "name": NAME,
            "system_database_url": f"sqlite:///{self._where}",
            "application_version": VERSION,
            "executor_id": self._executor,
            "log_level": "CRITICAL",
            "serializer": DBOSPortableJSONSerializer(),
            "max_executor_threads": 8,
            "notification_listener_polling_interval_sec": 0.2,
        }
        if self._file is not None:
            config["system_database_engine"] = self._file
        else:
            # Its tables stand beside the record, in a schema of their own. Nothing of ours waits
            # for a message of DBOS, so it need not listen.
            config["system_database_url"] = str(self._where)
            config["use_listen_notify"] = False
            config["db_engine_kwargs"] = {"pool_size": 6, "max_overflow": 4}
            # A worker that is paused within a transaction must not hold the others up.
            config["sys_db_idle_transaction_timeout_sec"] = IDLE_S
        DBOS(config=config)
        DBOS.launch()

    async def _cancel_all(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_S)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _call(self, work: Coroutine[Any, Any, T]) -> T:
        """Await on the engine's loop, from Lapel's; without the context of a step."""
        future = Context().run(asyncio.run_coroutine_threadsafe, work, self._loop)
        return await asyncio.wrap_future(future)

    async def _hop(self, work: Callable[[], Awaitable[T]]) -> T:
        """Await on Lapel's loop, from the engine's; a cancelled step cancels its work."""
        if self._stopping:
            raise asyncio.CancelledError
        future = Context().run(
            asyncio.run_coroutine_threadsafe, self._tracked(work), self._lapel_loop
        )
        return await asyncio.wrap_future(future)

    async def _tracked(self, work: Callable[[], Awaitable[T]]) -> T:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            return await work()
        finally:
            if task is not None:
                self._tasks.discard(task)


@DBOS.workflow(name="order", max_recovery_attempts=None)
async def _order(order_id: str) -> str:
    if _live is None:
        raise EngineError("no order engine runs in this process")
    return await _live.run(order_id)


def _file(path: Path) -> sa.Engine:
    """DBOS's default keeps a rollback journal and is five times slower."""
    engine = sa.create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
        setattr(connection, "isolation_level", "IMMEDIATE")  # noqa: B010  # not in the protocol
        cursor = connection.cursor()
        for pragma in (
            "busy_timeout=30000",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
