"""What can be taken back of a plan: bookings, for what their company says that it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from lapel.assistant.rides.booked import RidesPort
from lapel.assistant.tables.ports import TablesPort
from lapel.assistant.travel.ports import TravelPort
from lapel.commerce import MerchantOrder, Money, Order, Orders, OrderState


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
        if order.state is OrderState.CANCELED:
            return
        await self.orders.ask_cancel(order.id, most)
        key = f"{order.id}:plan:{most.minor}"
        await self.orders.merchant_reports(await self._cancel(order, most, key))

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

    async def _cancel(self, order: Order, most: Money, key: str) -> MerchantOrder:
        merchant_id, id = order.merchant_id, order.merchant_order_id
        if order.draft.table is not None:
            return await self.tables.cancel(merchant_id, id, most, key)
        if order.draft.journey is None:
            return await self.rides.cancel(merchant_id, id, most, key)
        paid = order.total or most
        least = Money(paid.minor - most.minor, paid.currency)
        return await self.travel.cancel(merchant_id, id, least, key)
