"""The people whom the user pays: what the user calls them, and the handle that the bank knows."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from lapel.failures import Code
from lapel.store import Store
from lapel.store.schema import contacts

MOST = 1000
LONGEST = 60
"""Characters of a name."""


class ContactError(Exception):
    """`bad_name`, `taken` or `too_many`; the text is for the user."""

    def __init__(self, text: str, *, code: Code) -> None:
        super().__init__(text)
        self.text = text
        self.code: Code = code


@dataclass(frozen=True, slots=True)
class Contact:
    """`bank_name` is how the bank called the holder of the handle when they were saved."""

    id: str
    name: str
    aliases: tuple[str, ...]
    handle: str
    bank_name: str

    def is_called(self, said: str) -> bool:
        """Whether the user may mean this one by a name, a first name or the handle."""
        word = said.casefold().strip()
        names = [x.casefold() for x in (self.name, *self.aliases, self.bank_name)]
        firsts = [name.split(" ", 1)[0] for name in names]
        return word in (*names, *firsts, self.handle.casefold())


class Contacts:
    """The table."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def save(
        self, user_id: str, name: str, handle: str, bank_name: str, aliases: Sequence[str] = ()
    ) -> Contact:
        """Durable on return; the same handle again is called otherwise from now on."""
        words = " ".join(name.split())
        if not words or len(words) > LONGEST:
            raise ContactError(f"a name has 1 to {LONGEST} characters", code="bad_name")
        kept = tuple(" ".join(x.split())[:LONGEST] for x in aliases if x.strip())[:8]
        new = Contact(f"con_{secrets.token_hex(8)}", words, kept, handle, bank_name)

        def work(connection: sa.Connection) -> Contact:
            mine = contacts.c.user_id == user_id
            called = sa.func.lower(contacts.c.name) == words.lower()
            taken = connection.scalar(
                sa.select(contacts.c.id).where(mine, called, contacts.c.handle != handle)
            )
            if taken is not None:
                raise ContactError(f"you have another {words}: choose a longer name", code="taken")
            if (connection.scalar(sa.select(sa.func.count()).where(mine)) or 0) >= MOST:
                raise ContactError(f"there are {MOST} contacts already", code="too_many")
            values = {
                "name": words,
                "aliases": msgspec.json.encode(kept).decode(),
                "bank_name": bank_name,
            }
            known = connection.scalar(
                sa.select(contacts.c.id).where(mine, contacts.c.handle == handle)
            )
            if known is not None:
                connection.execute(contacts.update().where(contacts.c.id == known).values(**values))
                return Contact(known, words, kept, handle, bank_name)
            connection.execute(
                contacts.insert().values(
                    id=new.id, user_id=user_id, handle=handle, added_at=self._clock(), **values
                )
            )
            return new

        return await self._store.write(work)

    async def all(self, user_id: str) -> list[Contact]:
        """By name."""
        columns = contacts.c
        query = (
            sa.select(columns.id, columns.name, columns.aliases, columns.handle, columns.bank_name)
            .where(columns.user_id == user_id)
            .order_by(sa.func.lower(columns.name))
        )

        def work(connection: sa.Connection) -> list[Contact]:
            return [
                Contact(id, name, msgspec.json.decode(aliases, type=tuple[str, ...]), handle, bank)
                for id, name, aliases, handle, bank in connection.execute(query)
            ]

        return await self._store.read(work)

    async def called(self, user_id: str, said: str) -> list[Contact]:
        """Everybody whom the user may mean; one who has exactly that name stands for all."""
        found = [x for x in await self.all(user_id) if x.is_called(said)]
        word = said.casefold().strip()
        exact = [x for x in found if word in (x.name.casefold(), x.handle.casefold())]
        return exact if len(exact) == 1 else found

    async def remove(self, user_id: str, contact_id: str) -> bool:
        """Whether there was such a contact."""
        where = sa.and_(contacts.c.id == contact_id, contacts.c.user_id == user_id)
        return await self._store.write(
            lambda connection: connection.execute(contacts.delete().where(where)).rowcount > 0
        )
