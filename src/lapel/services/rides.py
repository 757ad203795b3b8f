"""The rides vertical: what a ride costs, where places are, and what may be done with a booked one.

Booking, changing to what is dearer and tipping are orders (`commerce`): they cost money. A time is
that of the place of the pick-up, whose zone the company states.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from lapel.commerce.checkout import Address
from lapel.commerce.money import Money
from lapel.commerce.ports import MerchantOrder, Nonsense, PortError, Refused
from lapel.services.asking import ask_all
from lapel.services.booked import Booked
from lapel.services.connectors.ucp.arithmetic import check_currency
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.profile import RIDES, RidesAhead
from lapel.services.connectors.ucp.refusals import errors_of, plain, refusal
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.trips import address_of, place_body
from lapel.services.connectors.ucp.wire.rides import EstimateBody, PlacesBody, RideClassEntry
from lapel.services.personal import AlreadyPast, When, resolve

T = TypeVar("T")

MOST_OFFERS = 20
CHANGE, TIME, TIP = "destination_change", "pickup_change", "tip"
"""The items of a checkout that changes a ride's destination or time, or tips its driver."""
Pickup = When | datetime
"""When to be picked up: as it was said, or a moment with an offset."""


@dataclass(frozen=True, slots=True)
class RideOffer:
    """One class of one company, at the price of its time.

    `pickup_minutes` is None when none is free. A ride for later has `pickup_at` instead, RFC 3339
    in the clock of the place, and `available` says whether there is a driver then.
    """

    merchant_id: str
    merchant_name: str
    id: str
    title: str
    price: Money
    seats: int
    surge_percent: int
    pickup_minutes: int | None
    duration_minutes: int | None
    pickup_at: str = ""
    available: bool = True

    @property
    def to_be_had(self) -> bool:
        return self.available and (bool(self.pickup_at) or self.pickup_minutes is not None)


@dataclass(frozen=True, slots=True)
class Redirected:
    """`order` is the ride; `owed` is what the change costs more.

    `applied` by a company that makes at once what costs nothing more.
    """

    order: MerchantOrder
    owed: Money
    applied: bool


class Rides:
    """Companies that drive people, and what they say. Nothing is kept."""

    def __init__(
        self, registry: MerchantRegistry, client: Client, clock: Callable[[], float] = time.time
    ) -> None:
        self._registry = registry
        self._client = client
        self._clock = clock
        self._booked = Booked(registry, client, "/rides", lambda order: order.ride)

    async def companies(self) -> list[Merchant]:
        """Those known, in the order they were added."""
        return [x for x in await self._registry.all() if RIDES in x.profile.capabilities]

    async def estimate(
        self, pickup: Address, destination: Address, at: Pickup | None = None
    ) -> list[RideOffer]:
        """What all companies offer, the cheapest first; for now, or to be picked up `at` a time.

        A company that does not answer is left out; when none does, its error is raised. Refused
        (`no_rides_ahead`, `pickup_too_soon`, `pickup_too_far`) for a time that none takes,
        AlreadyPast for one that is over.
        """
        body: dict[str, object] = {
            "pickup": place_body(pickup),
            "destination": place_body(destination),
        }
        companies = await self.companies()
        if companies and at is not None and not any(x.profile.ahead for x in companies):
            said = f"{companies[0].name} takes no rides for later."
            raise Refused(said, code="no_rides_ahead")
        if at is not None:
            companies = [x for x in companies if x.profile.ahead]
        now = self._clock()
        answers, failures = await ask_all(self._estimate(x, body, at, now) for x in companies)
        offers = [offer for found in answers for offer in found]
        if failures and not offers:
            raise failures[0]
        return sorted(offers, key=lambda x: (x.price.minor, x.merchant_name))[:MOST_OFFERS]

    async def zone(self, merchant_id: str) -> ZoneInfo | None:
        """Where the company drives; None for one that takes no rides for later."""
        ahead = (await self._registry.get(merchant_id)).profile.ahead
        return None if ahead is None else ahead.zone

    async def places(self, text: str, limit: int = 5) -> list[Address]:
        """Places that somebody may mean by `text`, of the first company that knows any."""
        for company in await self.companies():
            body = {"text": text[:200], "limit": limit}
            try:
                found = await self._ask(company, "/rides/places", body, PlacesBody)
            except PortError:
                continue
            if found.places:
                return [address_of(place) for place in found.places[:limit]]
        return []

    async def look(self, merchant_id: str, ride_id: str) -> MerchantOrder:
        """The ride as the company has it now."""
        return await self._booked.look(merchant_id, ride_id)

    async def price_destination(
        self, merchant_id: str, ride_id: str, destination: Address
    ) -> Redirected:
        """What another destination would cost more; nothing happens."""
        sent: dict[str, object] = {"destination": place_body(destination)}
        return await self._price(merchant_id, ride_id, "destination", sent)

    async def price_pickup(self, merchant_id: str, ride_id: str, pickup_at: str) -> Redirected:
        """What another pick-up time would cost more; Refused (`pickup_fixed`) when too late."""
        return await self._price(merchant_id, ride_id, "pickup", {"pickup_at": pickup_at})

    async def _price(
        self, merchant_id: str, ride_id: str, what: str, sent: dict[str, object]
    ) -> Redirected:
        body, order = await self._booked.price(merchant_id, ride_id, what, {**sent, "apply": False})
        if body.change is None:
            raise Nonsense(f"the company does not say what another {what} of {ride_id!r} costs")
        more = max(0, body.change.difference)
        return Redirected(order, Money(more, order.total.currency), body.change.applied)

    async def _estimate(
        self, company: Merchant, body: dict[str, object], at: Pickup | None, now: float
    ) -> list[RideOffer]:
        pickup_at = ""
        if at is not None and company.profile.ahead is not None:
            pickup_at = _pickup_at(company.name, company.profile.ahead, at, now)
            body = {**body, "pickup_at": pickup_at}
        found = await self._ask(company, "/rides/estimate", body, EstimateBody)
        errors = errors_of(found.messages)
        if errors and not found.classes:
            raise refusal(errors, company.name, None, fallback="no_trip")
        return [_offer(company, entry, pickup_at) for entry in found.classes[:MOST_OFFERS]]

    async def _ask(self, company: Merchant, path: str, body: object, shape: type[T]) -> T:
        # A question changes nothing: it must not be answered from before.
        key = str(uuid.uuid4())
        return await self._client.write(company, "POST", path, body, key, shape)


def _pickup_at(name: str, ahead: RidesAhead, at: Pickup, now: float) -> str:
    """The time in the clock of the place, to the minute; Refused where it is none to be had."""
    due = at.timestamp() if isinstance(at, datetime) else resolve(at, now, ahead.zone).due_at
    due = 60.0 * math.ceil(due / 60)
    if due <= now:
        raise AlreadyPast("that has already passed")
    if due - now < 60 * ahead.least_minutes:
        said = f"{name} books rides at least {ahead.least_minutes} minutes ahead."
        raise Refused(f"{said} Ask for a ride now instead.", code="pickup_too_soon")
    if due - now > 86400 * ahead.most_days:
        said = f"{name} books rides at most {ahead.most_days} days ahead."
        raise Refused(said, code="pickup_too_far")
    return datetime.fromtimestamp(due, ahead.zone).isoformat(timespec="seconds")


def _offer(company: Merchant, entry: RideClassEntry, pickup_at: str) -> RideOffer:
    check_currency(entry.price.currency)
    minutes = (entry.pickup_minutes or 1) if entry.available and not pickup_at else None
    return RideOffer(
        merchant_id=company.id,
        merchant_name=plain(company.name, 80),
        id=entry.id,
        title=plain(entry.title, 60),
        price=Money(entry.price.amount, entry.price.currency),
        seats=entry.seats,
        surge_percent=entry.surge_percent,
        pickup_minutes=minutes,
        duration_minutes=entry.duration_minutes,
        pickup_at=pickup_at,
        available=entry.available,
    )
