"""Orders that crash tests bring to their end: what the user and the merchants do, again and again, as those do who saw a crash.

A scenario is one entry of `SCENARIOS`. Whatever it names is tried by every crash test of this folder.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from commerce_market import APPLES, EACH, FLIGHT, GROCERIES, KEEPS, RIDE_LATER, RYE, Market
from commerce_town import FEE, LATTES, TOTAL, sending
from commerce_world import ON_SCREEN, TAP

from lapel.assistant.planning.undoing import BookingUndoer
from lapel.assistant.travel.booked import Bookings
from lapel.commerce import (
    Evidence,
    LimitTerms,
    Money,
    Order,
    OrderDraft,
    OrderError,
    Orders,
    OrderState,
    Party,
    PutOff,
    ReturnLine,
    SendBack,
    Unreachable,
    ledger,
)
from lapel.store import Store

ENDS = (OrderState.DELIVERED, OrderState.REFUNDED, OrderState.FAILED, OrderState.CANCELED)
HOUR_LATER = "2030-06-01T07:30:00+03:00"
RETURNED = EACH
START = ("quoted", "approval_needed", "approved", "paid")
SHOP = (Party("blue", "Blue"),)
SCREEN = replace(TAP, gesture="approve", device_name="Phone", shown_on=("Phone",))


@dataclass(frozen=True)
class Scene:
    """One order among others, by a user of its own in a town of its own."""

    orders: Orders
    store: Store
    town: Market
    user: str
    order_id: str

    async def told(self) -> list[str]:
        return [event.kind for event in await self.orders.history(self.order_id)]

    async def hears(self, *kinds: str, canceled: bool = False) -> None:
        """The merchant reports the order as it stands, and what happened to it."""
        order = await self.orders.get(self.order_id)
        assert order is not None
        await self.orders.merchant_reports(
            self.town.report(order.checkout_id, *kinds, canceled=canceled)
        )


Act = Callable[[Scene, Order], Awaitable[None]]


async def _nothing(_: Scene, __: Order) -> None:
    return


async def _no_preparation(_: Scene) -> None:
    return


@dataclass(frozen=True)
class Scenario:
    """What is told, in this order; what is paid in the end, in minor units; and where the order then stands.

    `placed` and `delivered` are what is done whenever the order stands so, as often as it is looked
    at; an `OrderError` there says that it was done before. `knobs` are the town's.
    """

    told: tuple[str, ...]
    kept: int
    state: str = "delivered"
    wanted: OrderDraft = LATTES
    knobs: tuple[tuple[str, str], ...] = ()
    given_back: int = 0
    placed: Act = _nothing
    delivered: Act = _nothing
    approving: Act = _nothing
    """Just before the user approves."""
    before: Callable[[Scene], Awaitable[None]] = _no_preparation
    """Before the order; again after a crash."""
    evidence: Evidence = TAP
    last: str = ""
    """What is told last, where the order's state is its last one before that."""
    any_order: bool = False
    booked: bool = False
    """Whether it is counted to a standing limit."""

    async def is_over(self, scene: Scene, order: Order) -> bool:
        """Whether the order is at its end, with nothing on its way and nothing to be paid."""
        if order.state not in ENDS:
            return False
        if self.kept and self.state == "delivered" and order.receipt is None:
            return False
        now = await scene.store.read(lambda c: ledger.standing(c, scene.order_id))
        if self.last and (await scene.told())[-1] != self.last:
            return False
        return not now.get(ledger.TRANSIT)

    async def behave(self, scene: Scene, order: Order) -> None:
        """The user approves what is asked; the merchant does what the scenario wants."""
        if order.state is OrderState.AWAITING_APPROVAL:
            await self._approve(scene, order)
        # What was done a moment ago, or by the merchant itself, is closed.
        with suppress(OrderError, Unreachable):
            match order.state:
                case OrderState.PLACED:
                    await self.placed(scene, order)
                case OrderState.DELIVERED:
                    await self.delivered(scene, order)
                case _:
                    pass

    async def _approve(self, scene: Scene, order: Order) -> None:
        for approval in await scene.orders.pending_approvals(scene.user):
            if approval.limit_id or approval.order_id != scene.order_id:
                continue
            await self.approving(scene, order)
            await scene.orders.decide(
                approval.id, "approve", self.evidence, checkout_hash=approval.checkout_hash
            )


async def _set_a_limit(scene: Scene) -> None:
    """The user sets a standing limit, unless it stands already."""
    standing = scene.orders.standing
    if await standing.live(scene.user):
        return
    terms = LimitTerms("EUR", 2000, 2000, "day", int(time.time()) + 3600, SHOP)
    limit = await standing.propose(scene.user, terms)
    await standing.decide(limit.id, "approve", SCREEN, terms_hash=limit.terms.hash())


async def _costs_more(scene: Scene, _: Order) -> None:
    scene.town.set("price:latte", 550)


async def _merchant_cancels(scene: Scene, _: Order) -> None:
    await scene.hears(canceled=True)


async def _answer(scene: Scene, order: Order) -> None:
    """The user says yes to what is offered; the grocer weighs once it has heard that."""
    for event in await scene.orders.history(scene.order_id):
        if event.kind == "substitution_asked":
            line_id, item_id = str(event.data["line_id"]), str(event.data["item_id"])
            await scene.orders.answer_substitution(scene.order_id, line_id, item_id, True)
    if scene.town.fact(order.merchant_order_id, "answer"):
        scene.town.pack(order.merchant_order_id)
        await scene.hears()


async def _give_back(scene: Scene, _: Order) -> None:
    """Asked once: a crash must not make the user ask again."""
    if "cancel_asked" in await scene.told():
        return
    zone = ZoneInfo("Europe/Helsinki")
    bookings = Bookings(scene.user, scene.orders, scene.town, zone)  # type: ignore[arg-type]
    booking = await bookings.find("flight", time.time())
    if booking is not None:
        assert booking.status.refund_now is not None
        await bookings.cancel(booking, booking.status.refund_now)


async def _cancel_ride(scene: Scene, order: Order) -> None:
    if "cancel_asked" in await scene.told():
        return
    undoer = BookingUndoer(scene.orders, scene.town, scene.town, scene.town)  # type: ignore[arg-type]
    await undoer.undo(order, Money(KEEPS, "EUR"))


async def _put_off_and_cancel(scene: Scene, order: Order) -> None:
    """Each asked once, the second after the company has answered the first."""
    told = await scene.told()
    if "change_asked" not in told:
        await scene.orders.ask(scene.order_id, PutOff(HOUR_LATER))
    elif "ask_done" in told:
        await _cancel_ride(scene, order)


async def _send_back(scene: Scene, order: Order) -> None:
    """The user sends one thing back, asking once; its report comes until heard."""
    told = await scene.told()
    if "return_asked" not in told:
        one = SendBack((ReturnLine("li_0", 1),), Money(0, "EUR"), "the latte")
        await scene.orders.ask(scene.order_id, one)
    elif "ask_done" in told and not scene.town.knob("heard"):
        scene.town.take_back(order.merchant_order_id)
        await scene.hears()
        scene.town.set("heard", 1)


BROUGHT = (("events", "delivered"),)
SCENARIOS = {
    "delivered": Scenario((*START, "placed", "delivered"), TOTAL, knobs=BROUGHT),
    "shop refuses": Scenario(
        (*START, "place_failed", "refunded"),
        0,
        "refunded",
        knobs=(("refuse:complete", "We are out of milk."),),
    ),
    "merchant cancels": Scenario(
        (*START, "placed", "merchant_canceled", "refunded"),
        0,
        "refunded",
        placed=_merchant_cancels,
    ),
    "within a limit": Scenario(
        ("quoted", "within_limit", *START[2:], "placed", "delivered"),
        TOTAL,
        knobs=BROUGHT,
        before=_set_a_limit,
        booked=True,
    ),
    "reprice": Scenario(
        (*START, "price_changed", *START, "placed", "delivered"),
        1760,
        knobs=BROUGHT,
        approving=_costs_more,
    ),
    "transfer": Scenario(
        (*START, "placed", "transferred"),
        2000,
        wanted=sending(),
        knobs=(("events", "transferred"),),
        evidence=ON_SCREEN,
    ),
    "groceries": Scenario(
        (
            *START,
            "placed",
            "substitution_asked",
            "substitution_answered",
            "substitution_sent",
            "substitution_closed",
            "billed",
            "delivered",
        ),
        APPLES + RYE + FEE,
        wanted=GROCERIES,
        placed=_answer,
        any_order=True,  # the grocer's answer and its bill may overtake each other
    ),
    "journey given back": Scenario(
        (*START, "placed", "cancel_asked", "journey_canceled", "ask_done"),
        KEEPS,
        "canceled",
        wanted=FLIGHT,
        last="ask_done",
        placed=_give_back,
    ),
    "ride for later put off and canceled": Scenario(
        (
            *START,
            "placed",
            "change_asked",
            "pickup_changed",
            "ask_done",
            "cancel_asked",
            "ride_canceled",
            "ask_done",
        ),
        KEEPS,
        "canceled",
        wanted=RIDE_LATER,
        last="ask_done",
        placed=_put_off_and_cancel,
    ),
    "sent back": Scenario(
        (
            *START,
            "placed",
            "delivered",
            "return_asked",
            "refund_promised",
            "ask_done",
            "part_refunded",
        ),
        TOTAL - RETURNED,
        knobs=BROUGHT,
        given_back=RETURNED,
        delivered=_send_back,
        last="part_refunded",
    ),
}
