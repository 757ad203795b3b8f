"""What the travel skill needs of the outside."""

from __future__ import annotations

from typing import Protocol

import sqlalchemy as sa

from lapel.commerce import JourneyKind, JourneyOffer, MerchantOrder, Traveller
from lapel.services.travel import Held, PricedChange, Wanted
from lapel.store import Store
from lapel.store.schema import users

UNNAMED = "You"
"""What the first user is called until they say a name."""


class TravelPort(Protocol):
    """What the skill needs of `services.Travel`."""

    async def sells(self, kind: JourneyKind) -> bool: ...
    async def search(self, wanted: Wanted) -> list[JourneyOffer]: ...
    async def hold(self, offer: JourneyOffer, key: str) -> Held: ...
    async def look(self, merchant_id: str, booking_id: str) -> MerchantOrder: ...
    async def price_change(
        self, merchant_id: str, booking_id: str, offer_id: str
    ) -> PricedChange: ...


class NamesPort(Protocol):
    """The name that the user travels under."""

    async def traveller(self) -> Traveller | None:
        """None while the profile has no first and last name."""
        ...

    async def keep(self, traveller: Traveller) -> None: ...


class ProfileName:
    """The name of the user's profile, in the record."""

    def __init__(self, store: Store, user_id: str) -> None:
        self._store = store
        self._user_id = user_id

    async def traveller(self) -> Traveller | None:
        """First names, then the last word; None where there are not two words."""
        words = (await self.full()).split()
        return Traveller(" ".join(words[:-1]), words[-1]) if len(words) > 1 else None

    async def keep(self, traveller: Traveller) -> None:
        await self.keep_full(str(traveller))

    async def full(self) -> str:
        """The name as it stands; empty while there is none."""
        query = sa.select(users.c.name).where(users.c.id == self._user_id)
        name: str | None = await self._store.read(lambda connection: connection.scalar(query))
        return "" if name == UNNAMED else (name or "").strip()

    async def keep_full(self, name: str) -> None:
        change = users.update().where(users.c.id == self._user_id).values(name=name)
        await self._store.write(lambda connection: connection.execute(change))
