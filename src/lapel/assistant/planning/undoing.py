"""What can be taken back of a plan: bookings, for what their company says that it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from lapel.assistant.rides.booked import RidesPort
from lapel.assistant.tables.ports import TablesPort
from lapel.assistant.travel.ports import TravelPort
from lapel.commerce import (
    Money,
    Order,
    Orders,
    OrderState,
    Refused,
    Unreachable,
    cancellation,
)


@dataclass(frozen=True, slots=True)
class BookingUndoer:
    """Implements `commerce.Undoer`. A shop's order is the shop's: nobody else can cancel it."""

    orders: Orders
    rides: RidesPort
    travel: TravelPort
    tables: TablesPort

    async def cost(self, order: Order) -> Money | None:
        if not order.merchant_order_id:
            return None
        draft = order.draft
        if draft.trip is not None and draft.trip.kind == "ride":
            return await self._of_ride(order)
        if draft.journey is not None and not draft.journey.is_change:
            return await self._of_journey(order)
        if draft.table is not None and not draft.table.is_change:
            found = await self.tables.look(order.merchant_id, order.merchant_order_id)
            return found.table.fee_now if found.table else None
        return None

    async def undo(self, order: Order, most: Money) -> None:
        """Asks for it; raises `Unreachable` until the company has answered."""
        if order.state not in (OrderState.PLACED, OrderState.DELIVERED):
            return
        wanted = cancellation(order, most)
        before = [ask for ask in await self.orders.asks(order.id) if ask.request == wanted]
        if not before:
            await self.orders.ask(order.id, wanted)
        elif before[-1].state in ("refused", "unanswered"):
            raise Refused(before[-1].text)
        elif before[-1].state == "done":
            return
        raise Unreachable("the company has not answered yet")

    async def _of_ride(self, order: Order) -> Money:
        found = await self.rides.look(order.merchant_id, order.merchant_order_id)
        fee = found.ride.fee_now if found.ride else None
        return fee or Money(0, found.total.currency)

    async def _of_journey(self, order: Order) -> Money | None:
        """What is lost of the price; a fare that gives nothing back cannot be undone."""
        found = await self.travel.look(order.merchant_id, order.merchant_order_id)
        back = found.journey.refund_now if found.journey else None
        paid = order.total or found.total
        return Money(paid.minor - back.minor, paid.currency) if back and back.minor else None
