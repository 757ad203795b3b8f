"""What a merchant is asked about an order that it has: one call for each kind of request."""

from __future__ import annotations

from urllib.parse import quote

from lapel.commerce.money import Money
from lapel.commerce.ports import MerchantOrder, Nonsense, Refused
from lapel.commerce.request import Cancel, Change, PutOff, Redirect, Request, SendBack
from lapel.commerce.words import spoken
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.mapping import to_order
from lapel.services.connectors.ucp.refusals import errors_of, refusal
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.trips import place_body
from lapel.services.connectors.ucp.wire.order import OrderBody


async def ask(
    client: Client, merchant: Merchant, order_id: str, request: Request, key: str
) -> MerchantOrder:
    """The order after it; Refused when nothing was done."""
    path, sent = _call(quote(order_id, safe=""), request)
    body = await client.write(merchant, "POST", path, sent, key, OrderBody)
    order = order_of(body, merchant, order_id)
    _check(body, order, request)
    return order


def order_of(body: OrderBody, merchant: Merchant, order_id: str) -> MerchantOrder:
    """The very order that was asked about; Refused for what its messages say is wrong."""
    errors = errors_of(body.messages)
    if errors:
        raise refusal(errors, merchant.name, None, fallback="refused")
    if body.ucp.status == "error":
        raise Refused(f"{merchant.name} does not know that any more.", code="not_found")
    order = to_order(body, merchant.id, merchant.profile.url)
    if order.id != order_id:
        raise Nonsense(f"{merchant.name!r} answers with another order than {order_id!r}")
    return order


def _call(order_id: str, request: Request) -> tuple[str, dict[str, object]]:
    match request:
        case Cancel(kind="ride"):
            return f"/rides/{order_id}/cancel", {"most": request.most.minor}
        case Cancel(kind="table"):
            return f"/tables/{order_id}/cancel", {"most": request.most.minor}
        case Cancel():
            return f"/travel/{order_id}/cancel", {"least": request.least.minor}
        case Change(kind=kind, offer_id=offer_id):
            path = "tables" if kind == "table" else "travel"
            return f"/{path}/{order_id}/change", {"offer": offer_id, "apply": True}
        case Redirect():
            destination = place_body(request.destination)
            return f"/rides/{order_id}/destination", {"destination": destination, "apply": True}
        case PutOff():
            return f"/rides/{order_id}/pickup", {"pickup_at": request.pickup_at, "apply": True}
        case SendBack():
            lines = [{"id": x.line_id, "quantity": x.quantity} for x in request.lines]
            sent: dict[str, object] = {"line_items": lines, "most_fee": request.most.minor}
            return f"/orders/{order_id}/returns", sent


def _check(body: OrderBody, order: MerchantOrder, request: Request) -> None:
    """A change is to what was asked, for nothing: one that would cost something is none."""
    match request:
        case Change(kind="table", offer_id=offer_id):
            change = body.table_change
            owed = None if change is None else change.owed
            asked = order.table is not None and order.table.table.offer_id == offer_id
        case Change(offer_id=offer_id):
            change = body.journey_change
            owed = None if change is None else change.owed
            asked = order.journey is not None and order.journey.journey.offer_id == offer_id
        case Redirect() | PutOff():
            change = body.change
            owed = None if change is None else change.difference
            asked = order.ride is not None
        case _:
            return
    if change is None or owed is None:
        raise Nonsense("the company does not say what became of the change")
    if change.applied and (owed > 0 or not asked):
        raise Nonsense("the company has made another change than was asked for, or a dearer one")
    if not change.applied:
        cost = spoken(Money(owed, order.total.currency)) if owed > 0 else "something else"
        raise Refused(f"That costs {cost} by now.", code="costs_more")
