"""What is done with a booked table: looked at, changed, given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lapel.assistant.ordering import Ordering
from lapel.assistant.tables import choosing
from lapel.assistant.tables.ports import TablesPort
from lapel.assistant.tables.reading import Wish
from lapel.commerce import (
    Cancel,
    Change,
    Money,
    Order,
    Orders,
    OrderState,
    Refused,
    TableOffer,
    TableStatus,
)
from lapel.services.personal import At, Clock, Date, When, resolve
from lapel.services.tables import PricedChange, Wanted

OVER = frozenset({"ended", "no_show", "canceled"})
WITHIN = timedelta(minutes=45)
"""So far from the time that was said another one is offered."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A placed order and what its restaurant says of it now.

    `paid` is what was paid for this order, less what came back of it.
    """

    order: Order
    status: TableStatus
    paid: Money


@dataclass(frozen=True, slots=True)
class Changed:
    """A way to change a booking, priced."""

    booking: Booking
    offer: TableOffer
    change: PricedChange


@dataclass(slots=True)
class Bookings:
    """One user's booked tables."""

    ordering: Ordering
    orders: Orders
    tables: TablesPort

    async def find(self, named: str, now: float) -> Booking | None:
        """The next one (at the restaurant that is named); what it tells is noted."""
        found: list[tuple[float, Order]] = []
        for order in await self.ordering.all(frozenset({OrderState.PLACED})):
            table = order.draft.table
            if table is None or table.is_change or not order.merchant_order_id:
                continue
            offer = TableOffer(order.merchant_id, "", table, Money(0, "EUR"), order.draft.address)
            if not named or choosing.called(named, [offer]):
                found.append((table.starts.timestamp(), order))
        # A change may have moved it: what began long ago is looked at last.
        for _, order in sorted(found, key=lambda x: (x[0] < now - 86400, x[0])):
            booking = await self._look(order)
            if booking.status.status not in OVER:
                return booking
        return None

    async def price(self, booking: Booking, said: Wish, now: float) -> Changed | None:
        """The table there that is nearest to what was said; None where there is none like it.

        Raises AlreadyPast.
        """
        table = booking.status.table
        zone = ZoneInfo(table.restaurant.zone)
        moment = resolve(_moment(table.starts, said.when), now, zone)
        wall = datetime.fromtimestamp(moment.due_at, zone)
        offers = await self.tables.search(
            Wanted(
                said.party or table.party,
                wall.date(),
                wall.time(),
                WITHIN,
                merchant_id=booking.order.merchant_id,
                restaurant_id=table.restaurant.id,
            )
        )
        same = [x for x in offers if (x.table.prepaid, x.table.menu) == (table.prepaid, table.menu)]
        ahead = [x for x in same or offers if x.table.starts.timestamp() > now]
        if not ahead:
            return None
        order, offer = booking.order, ahead[0]
        change = await self.tables.price_change(
            order.merchant_id, order.merchant_order_id, offer.table.offer_id
        )
        return Changed(booking, offer, change)

    async def change(self, wanted: Changed) -> None:
        """Ask for a change that costs nothing; the order's news says how it ended."""
        offer_id = wanted.offer.table.offer_id
        await self.orders.ask(wanted.booking.order.id, Change("table", offer_id))

    async def cancel(self, booking: Booking, fee: Money) -> None:
        """Give it back for at most the fee that was told; the order's news says how it ended."""
        back = Money(max(0, booking.paid.minor - fee.minor), fee.currency)
        await self.orders.ask(booking.order.id, Cancel("table", fee, back))

    async def _look(self, order: Order) -> Booking:
        found = await self.tables.look(order.merchant_id, order.merchant_order_id)
        await self.orders.merchant_reports(found)
        if found.table is None:
            raise Refused("The restaurant does not say how that booking stands.")
        total = order.total or found.total
        back = sum(amount.minor for amount in found.refunds)
        return Booking(order, found.table, Money(total.minor - back, total.currency))


def _moment(booked: datetime, said: When | None) -> When:
    """What was said, with the day or the time of the booking where it was not."""
    if said is not None and not isinstance(said, At):
        return said
    day = said.day if said is not None else None
    clock = said.clock if said is not None else None
    kept = Clock(booked.hour % 12 or 12, booked.minute, "am" if booked.hour < 12 else "pm")
    return At(day or Date(booked.day, booked.month), clock or kept)
