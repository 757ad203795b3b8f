"""The tables vertical: which restaurants have one when, and what may be done with a booked one.

Booking, and changing for money, are orders (`commerce`): their draft has the `Table` of an offer.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import msgspec

from lapel.commerce.checkout import DraftLine, OrderDraft
from lapel.commerce.money import Money
from lapel.commerce.ports import MerchantOrder, Nonsense, Refused, TableOffer
from lapel.services.asking import ask_all
from lapel.services.booked import Booked
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.profile import TABLES
from lapel.services.connectors.ucp.refusals import errors_of, refusal
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.tables import offer_of
from lapel.services.connectors.ucp.wire.tables import TablesBody
from lapel.services.maps import Point
from lapel.services.navigation import distance_m

MOST_OFFERS = 100
TOLERANCE = timedelta(minutes=60)
RADIUS_M = 2000
_BLUR_M = 1000
"""By so much a place may be off once it is rounded to hundredths of a degree."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table for `party` at a local date and time of the restaurant's, give or take `tolerance`.

    `cuisine` is words for what they cook, or a restaurant's name; empty for any. `near` is a point
    of the user's, which companies learn to about a kilometre only; or `place` is words for a place,
    which they are told as they are. Neither: anywhere. `merchant_id` and `restaurant_id` ask one
    restaurant alone, as for a change.
    """

    party: int
    day: date
    at: time
    tolerance: timedelta = TOLERANCE
    cuisine: str = ""
    near: Point | None = None
    place: str = ""
    radius_m: int = RADIUS_M
    merchant_id: str = ""
    restaurant_id: str = ""

    @property
    def wall(self) -> datetime:
        """What the clocks show there."""
        return datetime.combine(self.day, self.at)


@dataclass(frozen=True, slots=True)
class PricedChange:
    """What changing a booking comes to: what is `owed` below nothing comes back.

    `order` is the booking as it is now.
    """

    order: MerchantOrder
    owed: Money


def draft_of(offer: TableOffer, guest: str, said: str = "", booking_id: str = "") -> OrderDraft:
    """The order of this offer for a guest, or (with a `booking_id`) of the dearer change to it."""
    table = msgspec.structs.replace(offer.table, guest=guest, booking_id=booking_id)
    title = f"{table.restaurant.name}, table for {table.party}"
    return OrderDraft(
        merchant_id=offer.merchant_id,
        lines=(DraftLine(table.offer_id, title, 1),),
        address=offer.address,
        said=said,
        table=table,
    )


class Tables:
    """Restaurants, and what they say. Nothing is kept."""

    def __init__(self, registry: MerchantRegistry, client: Client) -> None:
        self._registry = registry
        self._client = client
        self._booked = Booked(registry, client, "/tables", lambda order: order.table)

    async def companies(self) -> list[Merchant]:
        """Those known that book tables, in the order they were added."""
        return [x for x in await self._registry.all() if TABLES in x.profile.capabilities]

    async def search(self, wanted: Wanted) -> list[TableOffer]:
        """What all have, the nearest to the time first, then to the place, then the cheapest.

        A company that has nothing or does not answer is left out; when none has anything, the
        reason of the first is raised, a refusal (`no_table`, `place_unknown`, `party_too_large`)
        before a silence. Raises nothing and gives nothing where no company is known.
        """
        companies = await self.companies()
        if wanted.merchant_id:
            companies = [x for x in companies if x.id == wanted.merchant_id]
        answers, failures = await ask_all(self._search(each, wanted) for each in companies)
        offers = [offer for found in answers for offer in found]
        if failures and not offers:
            raise next((x for x in failures if isinstance(x, Refused)), failures[0])
        offers.sort(key=lambda x: _rank(x, wanted))
        return offers[:MOST_OFFERS]

    async def look(self, merchant_id: str, booking_id: str) -> MerchantOrder:
        """The booking as the restaurant has it now."""
        return await self._booked.look(merchant_id, booking_id)

    async def price_change(self, merchant_id: str, booking_id: str, offer_id: str) -> PricedChange:
        """What changing to that offer of the same restaurant comes to; nothing happens."""
        asked = {"offer": offer_id}
        body, order = await self._booked.price(merchant_id, booking_id, "change", asked)
        change = body.table_change
        if change is None:
            raise Nonsense(f"the restaurant does not say what changing {booking_id!r} costs")
        if change.applied:
            raise Nonsense(f"the restaurant has changed {booking_id!r}, which nobody agreed to")
        return PricedChange(order, Money(change.owed, order.total.currency))

    async def _search(self, company: Merchant, wanted: Wanted) -> list[TableOffer]:
        # A question changes nothing: it must not be answered from before.
        key = str(uuid.uuid4())
        asked = _asked(wanted)
        found = await self._client.write(company, "POST", "/tables/search", asked, key, TablesBody)
        errors = errors_of(found.messages)
        if errors and not found.offers:
            raise refusal(errors, company.name, None, fallback="no_table")
        near = wanted.near
        if near is None and found.near is not None:
            near = (found.near.latitude, found.near.longitude)
        offers = [_measured(offer_of(x, company), near) for x in found.offers[:MOST_OFFERS]]
        return [offer for offer in offers if _fits(offer, wanted)]


def _asked(wanted: Wanted) -> dict[str, object]:
    asked: dict[str, object] = {
        "date": wanted.day.isoformat(),
        "time": wanted.at.strftime("%H:%M"),
        "tolerance_minutes": int(wanted.tolerance.total_seconds() // 60),
        "party": wanted.party,
    }
    if wanted.cuisine:
        asked["words"] = wanted.cuisine[:200]
    if wanted.restaurant_id:
        asked["restaurant"] = wanted.restaurant_id
    if wanted.near is not None:
        latitude, longitude = wanted.near
        asked["near"] = {"latitude": round(latitude, 2), "longitude": round(longitude, 2)}
        asked["radius_m"] = wanted.radius_m + _BLUR_M
    elif wanted.place:
        asked["place"] = wanted.place[:200]
        asked["radius_m"] = wanted.radius_m
    return asked


def _measured(offer: TableOffer, near: Point | None) -> TableOffer:
    if near is None:
        return offer
    there = (offer.address.latitude, offer.address.longitude)
    return replace(offer, distance_m=round(distance_m(near, there)))


def _fits(offer: TableOffer, wanted: Wanted) -> bool:
    """What is something else than was asked is no offer."""
    table = offer.table
    far = offer.distance_m is not None and offer.distance_m > wanted.radius_m
    other = wanted.restaurant_id not in ("", table.restaurant.id)
    return (
        table.party == wanted.party
        and _off_by(offer, wanted) <= wanted.tolerance
        and not far
        and not other
    )


def _off_by(offer: TableOffer, wanted: Wanted) -> timedelta:
    return abs(offer.table.starts.replace(tzinfo=None) - wanted.wall)


def _rank(offer: TableOffer, wanted: Wanted) -> tuple[timedelta, int, int, str]:
    name = offer.table.restaurant.name
    return _off_by(offer, wanted), offer.distance_m or 0, offer.price.minor, name
