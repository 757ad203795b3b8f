"""What the skill of tables needs of the outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lapel.assistant.skills import Outcome
from lapel.commerce import MerchantOrder, TableOffer
from lapel.services.maps import Place, Point
from lapel.services.tables import PricedChange, Wanted


class TablesPort(Protocol):
    """What the skill needs of `services.Tables`."""

    async def companies(self) -> Sequence[object]: ...
    async def search(self, wanted: Wanted) -> list[TableOffer]: ...
    async def look(self, merchant_id: str, booking_id: str) -> MerchantOrder: ...
    async def price_change(
        self, merchant_id: str, booking_id: str, offer_id: str
    ) -> PricedChange: ...


class GuestPort(Protocol):
    """The name that the user's tables are kept under."""

    async def full(self) -> str:
        """Empty while the profile has none."""
        ...

    async def keep_full(self, name: str) -> None: ...


class MapPort(Protocol):
    """Where places are, and the way to them, if there is a map."""

    async def point(self, name: str) -> Point | None: ...

    async def walk_m(self, start: Point, end: Point) -> int | None:
        """Metres to walk."""
        ...

    async def lead(self, target: Place) -> Outcome | None: ...


class NoMap:
    """Without a map a company finds the place that is said."""

    async def point(self, name: str) -> Point | None:
        return None

    async def walk_m(self, start: Point, end: Point) -> int | None:
        return None

    async def lead(self, target: Place) -> Outcome | None:
        return None
