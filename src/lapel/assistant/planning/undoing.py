"""What can be taken back of a plan: rides, for the fee that the company states."""

from __future__ import annotations

from lapel.assistant.rides.skill import RidesPort
from lapel.commerce import Money, Order, Orders, OrderState


class RideUndoer:
    """Implements `commerce.Undoer`. A shop's order is the shop's: nobody else can cancel it."""

    def __init__(self, orders: Orders, rides: RidesPort) -> None:
        self._orders = orders
        self._rides = rides

    async def cost(self, order: Order) -> Money | None:
        trip = order.draft.trip
        if trip is None or trip.kind != "ride" or not order.merchant_order_id:
            return None
        found = await self._rides.look(order.merchant_id, order.merchant_order_id)
        fee = found.ride.fee_now if found.ride else None
        return fee or Money(0, found.total.currency)

    async def undo(self, order: Order, most: Money) -> None:
        if order.state is OrderState.CANCELED:
            return
        await self._orders.ask_cancel(order.id, most)
        key = f"{order.id}:plan:{most.minor}"
        gone = await self._rides.cancel(order.merchant_id, order.merchant_order_id, most, key)
        await self._orders.merchant_reports(gone)
