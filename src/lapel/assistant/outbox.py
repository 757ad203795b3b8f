"""The durable outbox of cues: what the user must be told is written down before it is told.

A cue stays undelivered until a device says that it has acted on it, over restarts and dead
batteries. Of several undelivered cues with one topic only the newest is still worth telling.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from lapel.devices import Cue
from lapel.store import Store
from lapel.store.schema import conversations, cues

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Cue).decode

KEPT = 200
"""Cues kept a user; older delivered ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A cue that no device has acted on yet."""

    cue: Cue
    created_at: float


class Outbox:
    """One user's outbox."""

    def __init__(self, store: Store, user_id: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._user_id = user_id
        self._clock = clock

    async def add(self, new: Sequence[Cue], told_event: int | None = None) -> None:
        """Write `new` down, together with the order event up to which the user has been told."""
        now = self._clock()

        def work(connection: sa.Connection) -> None:
            for cue in new:
                self._insert(connection, cue, now)
            if told_event is not None:
                connection.execute(
                    conversations.update()
                    .where(conversations.c.user_id == self._user_id)
                    .values(told_event=told_event)
                )

        await self._store.write(work)

    def _insert(self, connection: sa.Connection, cue: Cue, now: float) -> None:
        known = sa.select(cues.c.n).where(cues.c.id == cue.id)
        if connection.execute(known).first() is not None:
            return
        mine = cues.c.user_id == self._user_id
        connection.execute(
            cues.update()
            .where(mine, cues.c.topic == cue.topic, cues.c.delivered_at.is_(None))
            .values(delivered_at=now, delivered_to="superseded")
        )
        connection.execute(
            cues.insert().values(
                user_id=self._user_id,
                id=cue.id,
                topic=cue.topic,
                body=_encode(cue).decode(),
                created_at=now,
                expires_at=None if cue.expires_s is None else now + cue.expires_s,
            )
        )
        old = sa.select(cues.c.n).where(mine).order_by(cues.c.n.desc()).offset(KEPT)
        connection.execute(cues.delete().where(cues.c.n.in_(old), cues.c.delivered_at.is_not(None)))

    async def delivered(self, cue_id: str, device_id: str) -> None:
        """A device has acted on it."""
        now = self._clock()
        await self._store.write(
            lambda connection: connection.execute(
                cues.update()
                .where(cues.c.id == cue_id, cues.c.delivered_at.is_(None))
                .values(delivered_at=now, delivered_to=device_id)
            )
        )

    async def withdraw(self, topic: str) -> None:
        """What is not yet told about `topic` needs no telling any more."""
        now = self._clock()
        await self._store.write(
            lambda connection: connection.execute(
                cues.update()
                .where(
                    cues.c.user_id == self._user_id,
                    cues.c.topic == topic,
                    cues.c.delivered_at.is_(None),
                )
                .values(delivered_at=now, delivered_to="withdrawn")
            )
        )

    async def waiting(self) -> list[Waiting]:
        """Undelivered cues that have not expired, oldest first, with what is left of their time."""
        now = self._clock()

        def work(connection: sa.Connection) -> list[Waiting]:
            rows = connection.execute(
                sa.select(cues.c.body, cues.c.created_at, cues.c.expires_at)
                .where(cues.c.user_id == self._user_id, cues.c.delivered_at.is_(None))
                .where(sa.or_(cues.c.expires_at.is_(None), cues.c.expires_at > now))
                .order_by(cues.c.n)
            )
            return [
                Waiting(_shortened(_decode(body), expires_at, now), created_at)
                for body, created_at, expires_at in rows
            ]

        return await self._store.read(work)


def _shortened(cue: Cue, expires_at: float | None, now: float) -> Cue:
    if expires_at is None:
        return cue
    return msgspec.structs.replace(cue, expires_s=max(0.0, expires_at - now))
