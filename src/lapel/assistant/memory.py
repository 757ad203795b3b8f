"""What a conversation remembers over a restart: the frame, the order, what was told and said."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa

from lapel.brain import Frame
from lapel.store import Store
from lapel.store.schema import conversations, utterances

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Frame).decode

KEPT = 500
"""Utterances kept a user."""


@dataclass(slots=True)
class ConversationState:
    """`told_event` is the last order event that the user has been told of."""

    frame: Frame = field(default_factory=Frame)
    order_id: str | None = None
    told_event: int = 0
    updated_at: float = 0.0


class Memory:
    """One user's row."""

    def __init__(self, store: Store, user_id: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._user_id = user_id
        self._clock = clock

    async def load(self) -> ConversationState:
        """The state as it was saved; a fresh one, written down, where there is none."""

        def work(connection: sa.Connection) -> ConversationState:
            row = connection.execute(
                sa.select(conversations).where(conversations.c.user_id == self._user_id)
            ).first()
            if row is None:
                state = ConversationState(updated_at=self._clock())
                connection.execute(
                    conversations.insert().values(user_id=self._user_id, **_columns(state))
                )
                return state
            return ConversationState(
                _decode(row.frame), row.order_id, row.told_event, row.updated_at
            )

        return await self._store.write(work)

    async def save(self, state: ConversationState) -> None:
        """Write frame and order down; `told_event` is the outbox's to move."""
        values = _columns(state)
        del values["told_event"]
        await self._store.write(
            lambda connection: connection.execute(
                conversations.update()
                .where(conversations.c.user_id == self._user_id)
                .values(**values)
            )
        )

    async def note(self, device_id: str, source: str, text: str, reply: str) -> None:
        """Keep what was said and answered, the last few hundred."""
        now = self._clock()

        def work(connection: sa.Connection) -> None:
            mine = utterances.c.user_id == self._user_id
            connection.execute(
                utterances.insert().values(
                    user_id=self._user_id,
                    device_id=device_id,
                    source=source,
                    text=text,
                    reply=reply,
                    at=now,
                )
            )
            old = sa.select(utterances.c.n).where(mine).order_by(utterances.c.n.desc()).offset(KEPT)
            connection.execute(utterances.delete().where(utterances.c.n.in_(old)))

        await self._store.write(work)


def _columns(state: ConversationState) -> dict[str, object]:
    return {
        "frame": _encode(state.frame).decode(),
        "order_id": state.order_id,
        "told_event": state.told_event,
        "updated_at": state.updated_at,
    }
