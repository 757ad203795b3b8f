"""Where each user's assistant lives, when several workers share the record.

A row names the epoch of the worker; it counts while that life lasts. The devices of a user all
come to that worker, since one conversation cannot be led in two places.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from lapel.store import Store, Worker, insert, is_live
from lapel.store.schema import homes, workers

KEPT = "kept"
"""Announced with a user's id when another worker wrote into that user's outbox."""


class Homes:
    """Who lives here; everybody does where no other process works on the record."""

    def __init__(self, store: Store, worker: Worker | None = None) -> None:
        self._store = store
        self._worker = worker
        self._here: set[str] = set()

    @property
    def alone(self) -> bool:
        return self._worker is None

    def is_here(self, user_id: str) -> bool:
        return self._worker is None or user_id in self._here

    async def settle(self, user_id: str) -> str | None:
        """None when the user lives here from now on, else the URL of the worker where they do."""
        worker = self._worker
        if worker is None:
            return None
        elsewhere = await self._store.write(lambda c: _claim(c, user_id, worker.epoch))
        if elsewhere is None:
            self._here.add(user_id)
        return elsewhere

    async def leave(self, user_id: str) -> None:
        """The user's last device has left: another worker may have them."""
        worker = self._worker
        if worker is None:
            return
        self._here.discard(user_id)
        await self._store.write(
            lambda c: c.execute(
                homes.delete().where(homes.c.user_id == user_id, homes.c.epoch == worker.epoch)
            )
        )

    def hear_kept(self, heard: Callable[[str], None]) -> Callable[[], None]:
        """Call back with each user whose outbox another worker wrote into; "" for anybody's."""
        return _nothing if self._worker is None else self._worker.hear(KEPT, heard)

    async def tell_kept(self, user_id: str) -> None:
        """Let the worker where the user lives look into the outbox."""
        worker = self._worker
        if worker is not None:
            await self._store.write(lambda c: worker.announce(c, KEPT, user_id))


def _nothing() -> None:
    return


def _claim(connection: sa.Connection, user_id: str, epoch: int) -> str | None:
    mine = homes.c.user_id == user_id
    connection.execute(
        homes.update().where(mine, sa.not_(is_live(homes.c.epoch))).values(epoch=epoch)
    )
    new = insert(connection, homes).values(user_id=user_id, epoch=epoch)
    connection.execute(new.on_conflict_do_nothing(index_elements=["user_id"]))
    return connection.scalar(
        sa.select(workers.c.url)
        .join(homes, homes.c.epoch == workers.c.epoch)
        .where(mine, homes.c.epoch != epoch)
    )
