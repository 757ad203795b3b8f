"""What every part of the City shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from city.clock import CityClock
from city.crash import CrashPoints
from city.errors import DataError
from city.faults import Faults
from city.geometry import Point
from city.shops import Shop
from city.streets import Address, Streets
from city.ucp.signatures import Jwk, SigningKey

TRANSPORTS = ("rest", "mcp")


@dataclass(frozen=True, slots=True)
class World:
    """The merchants, the map, the clock and the dice, and where everything is served."""

    shops: Mapping[str, Shop]
    streets: Streets
    clock: CityClock
    faults: Faults
    crash: CrashPoints
    seed: int
    city_url: str
    urls: Mapping[str, str]
    keys: Mapping[str, SigningKey]
    real_s: Callable[[], float] = field(default=time.time)
    transport: str = ""
    """The one way in which all merchants of UCP are spoken to; empty where each has its own."""

    @property
    def bank_url(self) -> str:
        return f"{self.city_url}/bank"

    def published(self, slug: str) -> tuple[Jwk, ...]:
        """The keys of a merchant that its profile lists."""
        return (self.keys[slug].jwk(),)

    def transports(self, slug: str) -> tuple[str, ...]:
        """How a merchant of UCP is spoken to; companies of services take both ways."""
        if self.transport:
            return (self.transport,)
        shop = self.shops.get(slug)
        return TRANSPORTS if shop is None else shop.transports

    def address(self, slug: str) -> Address:
        """Where a merchant is. Raises DataError when its address is not on the map."""
        shop = self.shops[slug]
        found = self.streets.find(shop.street_address)
        if found is None:
            raise DataError(f"merchant {slug!r}: {shop.street_address!r} is not on the map")
        return found

    def door(self, slug: str) -> Point:
        return self.address(slug).point


def payee(slug: str) -> str:
    """A merchant's account at the bank."""
    return f"mer_{slug}"
