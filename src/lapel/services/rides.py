"""The rides vertical: what a ride costs, where places are, and what may be done with a booked one.

Booking, changing to somewhere dearer and tipping are orders (`commerce`): they cost money.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from lapel.commerce.checkout import Address
from lapel.commerce.money import Money
from lapel.commerce.ports import MerchantOrder, Nonsense, PortError, Refused
from lapel.services.asking import ask_all
from lapel.services.connectors.ucp.arithmetic import check_currency
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.mapping import to_order
from lapel.services.connectors.ucp.profile import RIDES
from lapel.services.connectors.ucp.refusals import errors_of, plain, refusal
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.trips import address_of, place_body
from lapel.services.connectors.ucp.wire.order import OrderBody
from lapel.services.connectors.ucp.wire.rides import EstimateBody, PlacesBody, RideClassEntry

T = TypeVar("T")

MOST_OFFERS = 20
CHANGE, TIP = "destination_change", "tip"
"""The items of a checkout that changes a ride's destination, or tips its driver."""


@dataclass(frozen=True, slots=True)
class RideOffer:
    """One class of one company, at the price of now. `pickup_minutes` is None when none is free."""

    merchant_id: str
    merchant_name: str
    id: str
    title: str
    price: Money
    seats: int
    surge_percent: int
    pickup_minutes: int | None
    duration_minutes: int | None


@dataclass(frozen=True, slots=True)
class Redirected:
    """`order` is the ride; `owed` is what the new destination costs more, None once it is set."""

    order: MerchantOrder
    owed: Money | None


class Rides:
    """Companies that drive people, and what they say. Nothing is kept."""

    def __init__(self, registry: MerchantRegistry, client: Client) -> None:
        self._registry = registry
        self._client = client

    async def companies(self) -> list[Merchant]:
        """Those known, in the order they were added."""
        return [x for x in await self._registry.all() if RIDES in x.profile.capabilities]

    async def estimate(self, pickup: Address, destination: Address) -> list[RideOffer]:
        """What all companies offer, the cheapest first.

        A company that does not answer is left out; when none does, its error is raised.
        """
        body = {"pickup": place_body(pickup), "destination": place_body(destination)}
        companies = await self.companies()
        answers, failures = await ask_all(self._estimate(each, body) for each in companies)
        offers = [offer for found in answers for offer in found]
        if failures and not offers:
            raise failures[0]
        return sorted(offers, key=lambda x: (x.price.minor, x.merchant_name))[:MOST_OFFERS]

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
        merchant = await self._registry.get(merchant_id)
        path = f"/orders/{quote(ride_id, safe='')}"
        body = await self._client.read(merchant, path, OrderBody)
        return self._order(body, merchant, ride_id)

    async def cancel(self, merchant_id: str, ride_id: str, most: Money, key: str) -> MerchantOrder:
        """Cancel a booked ride for a fee of at most `most`; Refused (`fee_changed`) if it is more.

        The same key again has no second effect.
        """
        merchant = await self._registry.get(merchant_id)
        path = f"/rides/{quote(ride_id, safe='')}/cancel"
        body = await self._client.write(
            merchant, "POST", path, {"most": most.minor}, key, OrderBody
        )
        return self._order(body, merchant, ride_id)

    async def redirect(
        self, merchant_id: str, ride_id: str, destination: Address, key: str
    ) -> Redirected:
        """Change the destination where that costs nothing more; else say what it would cost."""
        merchant = await self._registry.get(merchant_id)
        path = f"/rides/{quote(ride_id, safe='')}/destination"
        sent = {"destination": place_body(destination)}
        body = await self._client.write(merchant, "POST", path, sent, key, OrderBody)
        order = self._order(body, merchant, ride_id)
        if body.change is None:
            raise Nonsense(f"{merchant.name!r} does not say what became of the destination")
        if body.change.applied:
            return Redirected(order, None)
        if body.change.difference <= 0:
            raise Nonsense(f"{merchant.name!r} refuses a destination that costs nothing more")
        return Redirected(order, Money(body.change.difference, order.total.currency))

    async def _estimate(self, company: Merchant, body: object) -> list[RideOffer]:
        found = await self._ask(company, "/rides/estimate", body, EstimateBody)
        errors = errors_of(found.messages)
        if errors and not found.classes:
            raise refusal(errors, company.name, None, fallback="no_trip")
        return [_offer(company, entry) for entry in found.classes[:MOST_OFFERS]]

    async def _ask(self, company: Merchant, path: str, body: object, shape: type[T]) -> T:
        # A question changes nothing: it must not be answered from before.
        key = str(uuid.uuid4())
        return await self._client.write(company, "POST", path, body, key, shape)

    def _order(self, body: OrderBody, merchant: Merchant, ride_id: str) -> MerchantOrder:
        errors = errors_of(body.messages)
        if errors:
            raise refusal(errors, merchant.name, None, fallback="refused")
        if body.ucp.status == "error":
            raise Refused(f"{merchant.name} does not know that ride.", code="not_found")
        order = to_order(body, merchant.id, merchant.profile.url)
        if order.id != ride_id or order.ride is None:
            raise Nonsense(f"{merchant.name!r} answers with something else than ride {ride_id!r}")
        return order


def _offer(company: Merchant, entry: RideClassEntry) -> RideOffer:
    check_currency(entry.price.currency)
    return RideOffer(
        merchant_id=company.id,
        merchant_name=plain(company.name, 80),
        id=entry.id,
        title=plain(entry.title, 60),
        price=Money(entry.price.amount, entry.price.currency),
        seats=entry.seats,
        surge_percent=entry.surge_percent,
        pickup_minutes=(entry.pickup_minutes or 1) if entry.available else None,
        duration_minutes=entry.duration_minutes,
    )
