"""The record without its threads: the store's `write` and `read` on SQLite in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from lapel.store.schema import metadata

T = TypeVar("T")

LATENCY_S = 0.002
"""Half of it passes before the work and half after, so that other tasks come in between."""


class Record:
    """It outlives the gateway that writes it. Work that was begun is done, whoever gives up."""

    def __init__(self) -> None:
        self._engine = sa.create_engine("sqlite://", poolclass=StaticPool)
        self.broken: list[Exception] = []
        """The next reads and writes fail with these."""
        self.slow_s = 0.0

        @event.listens_for(self._engine, "connect")
        def configure(connection, _: object) -> None:
            connection.execute("PRAGMA foreign_keys=ON")

        metadata.create_all(self._engine)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        return await asyncio.shield(asyncio.ensure_future(self._do(work)))

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._do(work)

    def look(self, statement: sa.Select[tuple[object, ...]]) -> list[sa.Row[tuple[object, ...]]]:
        """What the record says, without a moment passing."""
        with self._engine.connect() as connection:
            return list(connection.execute(statement))

    def close(self) -> None:
        self._engine.dispose()

    async def _do(self, work: Callable[[sa.Connection], T]) -> T:
        await asyncio.sleep(LATENCY_S / 2 + self.slow_s)
        if self.broken:
            raise self.broken.pop(0)
        with self._engine.begin() as connection:
            result = work(connection)
        await asyncio.sleep(LATENCY_S / 2)
        return result
