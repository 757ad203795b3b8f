"""What the dialogues about goods share: the order that waits for its press, and where things go."""

from __future__ import annotations

from typing import Protocol

from lapel.assistant.rides.grammar import is_no, is_yes
from lapel.assistant.skills import Heard, Outcome
from lapel.commerce import Address, Order, Orders, OrderState

OPEN = frozenset({OrderState.QUOTING, OrderState.AWAITING_APPROVAL})
NOT_ORDERED = "It is not ordered yet. Press to confirm, or say cancel."


class PlacesPort(Protocol):
    """The user's addresses: each with its other names, and whether it is the default."""

    async def all(self) -> list[tuple[Address, tuple[str, ...], bool]]: ...


async def default_place(places: PlacesPort) -> Address | None:
    """Where things go when nobody says where."""
    known = await places.all()
    default = [address for address, _, is_default in known if is_default]
    return (default or [address for address, _, _ in known] or [None])[0]


async def latest(
    orders: Orders, user_id: str, kind: str, states: frozenset[OrderState] = OPEN
) -> Order | None:
    """The newest order of this kind in one of these states."""
    found = await orders.list(user_id, limit=20)
    return next((x for x in found if x.draft.kind == kind and x.state in states), None)


async def about_open(orders: Orders, user_id: str, kind: str, heard: Heard) -> Outcome | None:
    """Words like yes and cancel while such an order waits for its press, and no cart is open."""
    text = heard.utterance.text
    if heard.cart_open or not (is_yes(text) or is_no(text)):
        return None
    order = await latest(orders, user_id, kind)
    if order is None:
        return None
    if is_yes(text):
        return Outcome(NOT_ORDERED)
    await orders.cancel(order.id)
    return Outcome(awaited=order.id)


async def drop(orders: Orders, order_id: str | None) -> None:
    """The turn that began the order is taken back; one that is paid for already stays."""
    order = None if order_id is None else await orders.get(order_id)
    if order is not None and order.state in OPEN:
        await orders.cancel(order.id)
