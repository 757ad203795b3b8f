"""Notes in the record: texts that are kept and read back, and do nothing else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from lapel.services.personal.reminders import TooMany
from lapel.store import Store
from lapel.store.schema import notes

MOST = 1000
LONGEST = 2000
"""Characters of a note that are kept."""


@dataclass(frozen=True, slots=True)
class Note:
    id: str
    user_id: str
    text: str
    created_at: float


class Notes:
    """The table."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def add(self, user_id: str, text: str) -> Note:
        """Durable on return. Raises TooMany."""
        note = Note(f"note_{secrets.token_hex(8)}", user_id, text[:LONGEST], self._clock())
        await self.put(note)
        return note

    async def put(self, note: Note) -> None:
        """Write down a note that has an id."""

        def work(connection: sa.Connection) -> None:
            mine = notes.c.user_id == note.user_id
            if (connection.scalar(sa.select(sa.func.count()).where(mine)) or 0) >= MOST:
                raise TooMany(f"there are {MOST} notes already; delete some first")
            connection.execute(
                notes.insert().values(
                    id=note.id, user_id=note.user_id, text=note.text, created_at=note.created_at
                )
            )

        await self._store.write(work)

    async def all(self, user_id: str) -> list[Note]:
        """The newest first."""

        def work(connection: sa.Connection) -> list[Note]:
            rows = connection.execute(
                sa.select(notes.c.id, notes.c.user_id, notes.c.text, notes.c.created_at)
                .where(notes.c.user_id == user_id)
                .order_by(notes.c.created_at.desc(), notes.c.id)
            )
            return [Note(*row) for row in rows]

        return await self._store.read(work)

    async def remove(self, user_id: str, note_id: str) -> bool:
        """Whether there was such a note."""
        return await self._store.write(
            lambda connection: connection.execute(
                notes.delete().where(notes.c.id == note_id, notes.c.user_id == user_id)
            ).rowcount > 0
        )  # fmt: skip
