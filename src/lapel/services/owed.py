"""Money that is asked for: what the user asks of others, written down before it is sent, and what
others ask of the user; followed until it is paid, declined or over.

A request leaves under its own id as the idempotency key: a crash between any two steps asks once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lapel.commerce.money import Money
from lapel.store import Store
from lapel.store.schema import money_requests, pay_cursors

ASKED, ASKS = "out", "in"
"""Directions: the user asks, somebody asks the user."""
SENDING, OPEN, REFUSED, CANCELED = "sending", "open", "refused", "canceled"
LIVE = frozenset({SENDING, OPEN})
COUNTS = frozenset({SENDING, OPEN, "paid"})
"""States in which somebody has been asked for their share."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to ask of whom. `about` is what it is a share of, so that it is asked for once."""

    handle: str
    name: str
    amount: Money
    note: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Owed:
    """One request; `bank_id` is the bank's name for it, once it has one."""

    id: str
    user_id: str
    direction: str
    bank_id: str
    handle: str
    name: str
    amount: Money
    note: str
    about: str
    state: str


class OwedRecord:
    """The table."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self.moved: Callable[[], None] = lambda: None
        """Called when there is something to send."""

    async def ask(self, user_id: str, wishes: Sequence[Wish]) -> list[str]:
        """Write all of them down, or none; those about the same are not asked for again."""
        now = self._clock()

        def work(connection: sa.Connection) -> list[str]:
            made: list[str] = []
            for wish in wishes:
                id = f"ask_{secrets.token_hex(12)}"
                about = wish.about or id
                if _is_asked(connection, user_id, about, wish.handle):
                    continue
                connection.execute(
                    money_requests.insert().values(
                        id=id,
                        user_id=user_id,
                        direction=ASKED,
                        bank_id="",
                        handle=wish.handle,
                        name=wish.name,
                        amount_minor=wish.amount.minor,
                        currency=wish.amount.currency,
                        note=wish.note,
                        about=about,
                        state=SENDING,
                        created_at=now,
                    )
                )
                made.append(id)
            return made

        made = await self._store.write(work)
        self.moved()
        return made

    async def note(self, owed: Owed) -> None:
        """Keep that the user was told of a request of somebody else's."""
        now = self._clock()

        def work(connection: sa.Connection) -> None:
            known = sa.select(money_requests.c.id).where(money_requests.c.id == owed.id)
            if connection.execute(known).first() is None:
                connection.execute(
                    money_requests.insert().values(
                        id=owed.id,
                        user_id=owed.user_id,
                        direction=owed.direction,
                        bank_id=owed.bank_id,
                        handle=owed.handle,
                        name=owed.name,
                        amount_minor=owed.amount.minor,
                        currency=owed.amount.currency,
                        note=owed.note,
                        about=owed.about,
                        state=owed.state,
                        created_at=now,
                    )
                )

        await self._store.write(work)

    async def set(self, id: str, state: str, *, bank_id: str | None = None) -> None:
        values = {"state": state} if bank_id is None else {"state": state, "bank_id": bank_id}
        change = money_requests.update().where(money_requests.c.id == id).values(**values)
        await self._store.write(lambda connection: connection.execute(change))

    async def withdraw(self, id: str) -> Owed | None:
        """Never send it, if it is not sent yet; else the request, to be taken back at the bank."""

        def work(connection: sa.Connection) -> Owed | None:
            done = connection.execute(
                money_requests.update()
                .where(money_requests.c.id == id, money_requests.c.state == SENDING)
                .values(state=CANCELED)
            )
            found = _listed(connection, money_requests.c.id == id)
            return None if done.rowcount or not found else found[0]

        return await self._store.write(work)

    async def of(self, user_id: str, direction: str, *states: str) -> list[Owed]:
        """The newest first."""
        return await self._store.read(
            lambda connection: _listed(
                connection,
                money_requests.c.user_id == user_id,
                money_requests.c.direction == direction,
                money_requests.c.state.in_(states),
            )
        )

    async def about(self, user_id: str, about: str) -> list[Owed]:
        """What was asked for as shares of one thing, and still counts."""
        return await self._store.read(
            lambda connection: _listed(
                connection,
                money_requests.c.user_id == user_id,
                money_requests.c.about == about,
                money_requests.c.state.in_(COUNTS),
            )
        )

    async def to_send(self) -> list[Owed]:
        """Of all users, the oldest first."""
        found = await self._store.read(
            lambda connection: _listed(connection, money_requests.c.state == SENDING)
        )
        return found[::-1]

    async def cursor(self, user_id: str) -> int:
        """The last entry of the user's account of which the user was told."""
        query = sa.select(pay_cursors.c.entry).where(pay_cursors.c.user_id == user_id)
        return await self._store.read(lambda connection: connection.scalar(query) or 0)

    async def advance(self, user_id: str, entry: int) -> None:
        def work(connection: sa.Connection) -> None:
            mine = pay_cursors.c.user_id == user_id
            changed = connection.execute(
                pay_cursors.update().where(mine, pay_cursors.c.entry < entry).values(entry=entry)
            )
            known = connection.scalar(sa.select(pay_cursors.c.entry).where(mine))
            if not changed.rowcount and known is None:
                connection.execute(pay_cursors.insert().values(user_id=user_id, entry=entry))

        await self._store.write(work)


def _is_asked(connection: sa.Connection, user_id: str, about: str, handle: str) -> bool:
    found = connection.scalar(
        sa.select(money_requests.c.id).where(
            money_requests.c.user_id == user_id,
            money_requests.c.about == about,
            money_requests.c.handle == handle,
            money_requests.c.state.in_(COUNTS),
        )
    )
    return found is not None


def _listed(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Owed]:
    rows = connection.execute(
        sa.select(money_requests)
        .where(*where)
        .order_by(money_requests.c.created_at.desc(), money_requests.c.id.desc())
    )
    return [
        Owed(
            row.id,
            row.user_id,
            row.direction,
            row.bank_id,
            row.handle,
            row.name,
            Money(row.amount_minor, row.currency),
            row.note,
            row.about,
            row.state,
        )
        for row in rows
    ]
