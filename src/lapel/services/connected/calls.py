"""The record of calls: written down before a tool runs, so that a crash repeats none of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from lapel.services.connected.model import State, ToolCall
from lapel.store import Store, schema

KEPT = 500
"""Calls kept a user; the oldest that are over make room."""


class ToolCalls:
    """Every move is from a state that is named: two gestures never run one call twice."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, call: ToolCall) -> None:
        table = schema.tool_calls

        def write(at: sa.Connection) -> None:
            at.execute(sa.insert(table).values(**_row(call)))
            mine = table.c.user_id == call.user_id
            old = sa.select(table.c.id).where(mine).order_by(table.c.asked_at.desc()).offset(KEPT)
            ids = list(at.scalars(old))
            over = table.c.state.not_in([State.ASKING, State.RUNNING, State.QUESTIONED])
            if ids:
                at.execute(sa.delete(table).where(table.c.id.in_(ids), over))

        await self._store.write(write)

    async def get(self, call_id: str) -> ToolCall | None:
        table = schema.tool_calls
        query = sa.select(table.c.body).where(table.c.id == call_id)
        text = await self._store.read(lambda at: at.scalar(query))
        return None if text is None else msgspec.json.decode(text, type=ToolCall)

    async def of(self, user_id: str, state: State) -> tuple[ToolCall, ...]:
        """The user's calls in that state, the oldest first."""
        table = schema.tool_calls
        query = (
            sa.select(table.c.body)
            .where(table.c.user_id == user_id, table.c.state == state.value)
            .order_by(table.c.asked_at, table.c.id)
        )
        texts = await self._store.read(lambda at: list(at.scalars(query)))
        return tuple(msgspec.json.decode(text, type=ToolCall) for text in texts)

    async def latest(self, user_id: str, limit: int = 50) -> tuple[ToolCall, ...]:
        """The newest first."""
        table = schema.tool_calls
        query = sa.select(table.c.body).where(table.c.user_id == user_id)
        query = query.order_by(table.c.asked_at.desc()).limit(limit)
        texts = await self._store.read(lambda at: list(at.scalars(query)))
        return tuple(msgspec.json.decode(text, type=ToolCall) for text in texts)

    async def move(
        self, call_id: str, start: Collection[State], state: State, **changes: Any
    ) -> ToolCall | None:
        """The call after the move; None when it was not in one of the states it starts from."""
        table = schema.tool_calls

        def write(at: sa.Connection) -> ToolCall | None:
            text = at.scalar(sa.select(table.c.body).where(table.c.id == call_id))
            call = None if text is None else msgspec.json.decode(text, type=ToolCall)
            if call is None or call.state not in start:
                return None
            moved = msgspec.structs.replace(call, state=state, **changes)
            at.execute(sa.update(table).where(table.c.id == call_id).values(**_row(moved)))
            return moved

        return await self._store.write(write)

    async def interrupted(self, begun_before: float) -> tuple[ToolCall, ...]:
        """Calls that have run for longer than any can: whoever ran them has ended in between.

        Whether they happened nobody knows. Each is found once, by one worker.
        """
        table = schema.tool_calls
        query = sa.select(table.c.body).where(table.c.state == State.RUNNING.value)
        texts = await self._store.read(lambda at: list(at.scalars(query)))
        calls = [msgspec.json.decode(text, type=ToolCall) for text in texts]
        cut = [call.id for call in calls if call.began_at < begun_before]
        found = [await self.move(x, {State.RUNNING}, State.UNKNOWN) for x in cut]
        return tuple(call for call in found if call is not None)


def _row(call: ToolCall) -> dict[str, object]:
    return {
        "id": call.id,
        "user_id": call.user_id,
        "state": call.state.value,
        "asked_at": call.asked_at,
        "body": msgspec.json.encode(call).decode(),
    }
