"""What is done with a booked journey: told, changed, given back, replaced by another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

import msgspec

from lapel.assistant.ordering import RECENT
from lapel.assistant.travel import choosing
from lapel.assistant.travel.ports import TravelPort
from lapel.commerce import (
    Cancel,
    Change,
    Journey,
    JourneyKind,
    JourneyOffer,
    JourneyStatus,
    Money,
    Order,
    Orders,
    OrderState,
    Refused,
)
from lapel.services.personal import When
from lapel.services.travel import PricedChange, Wanted


@dataclass(frozen=True, slots=True)
class Booking:
    """A placed order and what its company says of it now."""

    order: Order
    status: JourneyStatus
    paid: Money
    """What was paid for this order, less what came back of it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A way to change a booking, priced. `journey` is what it would be, for its traveller."""

    booking: Booking
    offer: JourneyOffer
    journey: Journey
    change: PricedChange


@dataclass(slots=True)
class Bookings:
    """One user's booked journeys."""

    user_id: str
    orders: Orders
    travel: TravelPort
    zone: ZoneInfo

    async def find(self, kind: JourneyKind | None, now: float) -> Booking | None:
        """The next one of that kind, as it is now; what the company tells is noted."""
        found: list[tuple[float, Order]] = []
        for order in await self.orders.list(self.user_id, limit=RECENT):
            journey = order.draft.journey
            if journey is None or journey.is_change or not order.merchant_order_id:
                continue
            if order.state is OrderState.PLACED and kind in (None, journey.kind):
                found.append((journey.departs.timestamp(), order))
        # A delay or a change may have moved it: what began long ago is looked at last.
        for _, order in sorted(found, key=lambda x: (x[0] < now - 86400, x[0])):
            booking = await self._look(order)
            if booking.status.status not in ("ended", "canceled"):
                return booking
        return None

    async def price(self, booking: Booking, said: When, now: float) -> Changed | None:
        """The nearest to the same time at the same fare on the day that was said."""
        current = booking.status.journey
        wanted = choosing.asked(said, now, self.zone)
        nights = (current.arrives.date() - current.day).days
        offers = await self.travel.search(
            Wanted(
                current.kind,
                current.destination.code,
                wanted.day,
                current.origin.code if current.origin else "",
                max(1, nights),
            )
        )
        ours = [x for x in offers if x.merchant_id == booking.order.merchant_id]
        ours = [x for x in ours if x.journey.offer_id != current.offer_id]
        grouped = choosing.departures(ours)
        if wanted.part is not None and grouped:
            grouped = choosing.fitting(grouped, wanted) or grouped
        at: time = wanted.clock or current.departs.time()
        left = [offer for departure in grouped for offer in departure.offers]
        offer = choosing.like(left, current.fare.title, at)
        return None if offer is None else await self.price_offer(booking, offer)

    async def price_offer(self, booking: Booking, offer: JourneyOffer) -> Changed:
        order = booking.order
        change = await self.travel.price_change(
            order.merchant_id, order.merchant_order_id, offer.journey.offer_id
        )
        journey = msgspec.structs.replace(
            offer.journey,
            travellers=booking.status.journey.travellers,
            booking_id=order.merchant_order_id,
        )
        return Changed(booking, offer, journey, change)

    async def change(self, wanted: Changed) -> None:
        """Ask for a change that costs nothing; the order's news says how it ended."""
        await self.orders.ask(
            wanted.booking.order.id, Change("journey", wanted.offer.journey.offer_id)
        )

    async def cancel(self, booking: Booking, back: Money) -> None:
        """Give it back for what the user was told; the order's news says how it ended."""
        fee = Money(max(0, booking.paid.minor - back.minor), back.currency)
        await self.orders.ask(booking.order.id, Cancel("journey", fee, back))

    async def _look(self, order: Order) -> Booking:
        found = await self.travel.look(order.merchant_id, order.merchant_order_id)
        await self.orders.merchant_reports(found)
        if found.journey is None:
            raise Refused("The company does not say how that booking stands.")
        total = order.total or found.total
        back = sum(amount.minor for amount in found.refunds)
        paid = Money(total.minor - back, total.currency)
        return Booking(order, found.journey, paid)
