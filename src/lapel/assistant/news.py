"""News of a user's orders: from the durable order events to cues, each event exactly once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field

import msgspec

from lapel.assistant import compose
from lapel.assistant.afterwards import why_of
from lapel.assistant.goods import cues as goods
from lapel.assistant.limits import cues as limits
from lapel.assistant.offers import with_offer
from lapel.assistant.planning.cues import lost as plan_lost
from lapel.commerce import (
    Approval,
    ApprovalState,
    Order,
    OrderEvent,
    Orders,
    OrderState,
    Plans,
    Takes,
)
from lapel.commerce.trips import is_waiting
from lapel.devices import Cue
from lapel.faults import fault

log = logging.getLogger(__name__)

CLOSES = frozenset(
    {
        "approved", "refused", "lapsed", "canceled", "revised", "price_changed", "over_limit",
        "limit_ended",
    }
)  # fmt: skip
"""Events that put an end to a question."""
ASKS = frozenset({"approval_needed", "within_limit"})
"""Events that put a question, or tell what answers itself when its undo window ends."""
ANSWERS = frozenset({"refused", "lapsed", "canceled", "over_limit", "quote_failed", "escalated"})
"""Events that answer the turn in which the order was asked for, as its price would have."""
OVER = (ANSWERS - {"escalated"}) | {
    "placed",
    "payment_declined",
    "place_failed",
    "refunded",
    "trouble",
}
"""Events after which the cart is no longer in the user's hands. `approved` is none of them: a price
that has changed meanwhile brings the question back."""
TRACKED = frozenset(
    {
        "picked_up", "on_the_way", "late", "driver_assigned", "driver_arriving", "driver_here",
        "on_trip",
    }
)  # fmt: skip
CLOSED = frozenset(
    {
        "delivered", "refunded", "merchant_canceled", "trouble", "driver_canceled", "dropped_off",
        "ride_canceled", "tipped", "destination_changed", "time_changed", "journey_over",
        "journey_canceled", "change_done", "table_over", "table_missed", "table_canceled",
    }
)  # fmt: skip
_ANSWERED = frozenset({"substitution_answered", "substitution_closed"})
OF_PLAN = frozenset(
    {
        "approval_needed", "approved", "canceled", "lapsed", "over_limit", "price_changed",
        "quote_failed",
    }
)  # fmt: skip
"""Events of a part that its plan tells, with what they mean for the whole."""
GONE = frozenset({"merchant_canceled", "ride_canceled", "journey_canceled", "table_canceled"})
"""What ends a booking or an order that was bought."""
UNDER_WAY = frozenset(
    {
        OrderState.PAYING,
        OrderState.PLACING,
        OrderState.PLACED,
        OrderState.REFUNDING,
        OrderState.TROUBLE,
    }
)
_BATCH = 50
_RECENT = 10
"""Orders looked at for what is under way."""


@dataclass(slots=True)
class News:
    """What a batch of events comes to. `after` is the last event in it."""

    after: int
    cues: list[Cue] = field(default_factory=list[Cue])
    taken_down: set[str] = field(default_factory=set[str])
    over: list[str] = field(default_factory=list[str])
    track: tuple[Order, str, int] | None = None
    untrack: list[str] = field(default_factory=list[str])
    answers: dict[str, Cue] = field(default_factory=dict[str, Cue])
    """Order id -> the cue that answers the turn in which it was asked for."""
    more: bool = False


class OrderNews:
    """Reads one user's events from the record."""

    def __init__(
        self,
        orders: Orders,
        user_id: str,
        how: Callable[[], str],
        clock: Callable[[], float] = time.time,
        plans: Plans | None = None,
    ) -> None:
        self._orders = orders
        self._plans = plans
        self._user_id = user_id
        self._how = how
        self._clock = clock

    async def since(
        self, after: int, notes: dict[str, tuple[str, ...]], replaced: Container[str] = ()
    ) -> News:
        """News after event `after`; `notes` are words to put before the price, by order id.

        That an order in `replaced` was cancelled is not worth telling.
        """
        events = await self._orders.events(self._user_id, after, _BATCH)
        news = News(events[-1].n if events else after, more=len(events) == _BATCH)
        for event in events:
            order = await self._orders.get(event.order_id)
            if order is None:
                continue
            for approval_id in await self._closed_approvals(event):
                news.taken_down.add(compose.approval_topic(approval_id))
            if event.kind in _ANSWERED:
                topic = goods.substitution_topic(order.id, event.data.get("line_id"))
                news.taken_down.add(topic)
            if event.data.get("escalated") or event.kind == "escalated":
                news.taken_down.add(compose.escalation_topic(order.id))
            in_plan = order.draft.plan and event.kind in OF_PLAN
            if in_plan or (event.kind == "canceled" and order.id in replaced):
                continue
            asks = event.kind == "approval_needed"
            takes = await self._orders.takes(order) if asks else "press"
            try:
                why = why_of(await self._orders.history(order.id), event)
                self._read(event, order, news, notes.get(order.id, ()), takes=takes, why=why)
            except Exception as error:  # the boundary of one event: the rest must be told
                log.error("a %s event is told plainly: %s", event.kind, fault(error))
                news.cues.append(compose.plain(event))
            if event.kind in GONE and order.draft.plan:
                news.cues += await self._of_plan(order)
        return news

    async def _of_plan(self, order: Order) -> list[Cue]:
        """What it means for its plan that a part is cancelled when the plan is over."""
        plan = await self._plans.get(order.draft.plan) if self._plans else None
        over = plan is not None and plan.state in ("done", "kept", "billing")
        return [plan_lost(plan, order.id)] if plan is not None and over else []

    def _read(
        self,
        event: OrderEvent,
        order: Order,
        news: News,
        notes: tuple[str, ...],
        *,
        takes: Takes = "press",
        why: OrderEvent | None = None,
    ) -> None:
        asked = order.approval
        if event.kind in ASKS:
            if asked is not None and asked.state is ApprovalState.PENDING:
                cue = self._question(order, asked, notes, takes=takes)
                news.cues.append(cue)
                news.answers[order.id] = cue
            return
        if event.kind in OVER:
            news.over.append(order.id)
        if event.kind == "escalated":
            cue = self._escalation(order, event, notes)
        else:
            cue = compose.order_step(order, event)
            cue = cue and with_offer(cue, order, event, why)
        if cue is not None:
            news.cues.append(cue)
            if event.kind in ANSWERS:
                news.answers[order.id] = cue
        if event.kind in ("placed", "billed") and order.receipt:
            news.cues.append(compose.receipt(order, event))
        _courier(event, order, news)

    def _question(
        self, order: Order, asked: Approval, notes: tuple[str, ...] = (), *, takes: Takes
    ) -> Cue:
        now = self._clock()
        if asked.limit_id:
            return compose.window(order, asked, now=now, notes=notes)
        return compose.approval(order, asked, now=now, how=self._how(), notes=notes, takes=takes)

    def _escalation(self, order: Order, event: OrderEvent, notes: tuple[str, ...]) -> Cue | None:
        """None once the order went on: a link that leads nowhere is not worth telling."""
        if order.state is not OrderState.ESCALATED:
            return None
        return compose.escalation(order, event, now=self._clock(), notes=notes)

    async def pending(self, told: int) -> list[Cue]:
        """The questions that can still be answered, and the pages that wait for the user.

        Of those asked up to event `told`: a newer one is news for all devices, not for one.
        """
        asked: list[Cue] = []
        for approval in await self._orders.pending_approvals(self._user_id):
            order = await self._orders.get(approval.order_id)
            last = await self._last(approval.order_id, "approval_needed")
            if order is not None and last is not None and last.n <= told:
                takes = await self._orders.takes(order)
                asked.append(self._question(order, approval, takes=takes))
        passkey = bool(await self._orders.passkeys.of(self._user_id))
        for limit in await self._orders.standing.asked(self._user_id):
            asked.append(limits.question(limit, now=self._clock(), passkey=passkey))
        for order in await self._orders.list(self._user_id, _RECENT):
            if order.state is OrderState.ESCALATED:
                last = await self._last(order.id, "escalated")
                if last is not None and last.n <= told:
                    asked.append(compose.escalation(order, last, now=self._clock()))
        return asked

    async def _last(self, order_id: str, kind: str) -> OrderEvent | None:
        history = await self._orders.history(order_id)
        return next((event for event in reversed(history) if event.kind == kind), None)

    async def under_way(self, told: int) -> News:
        """The orders that run: what was told last of each, without a sound, and whom to follow."""
        news = News(told)
        for order in reversed(await self._orders.list(self._user_id, _RECENT)):
            if order.state not in UNDER_WAY:
                continue
            last: Cue | None = None
            history = await self._orders.history(order.id)
            if is_waiting(order.draft, [event.kind for event in history]):
                continue  # a ride for later is not under way before somebody drives it
            for event in history:
                if event.n <= told:
                    _courier(event, order, news)
                    last = compose.order_step(order, event) or last
            if last is not None:
                news.cues.append(msgspec.structs.replace(last, speech="", haptic=None))
        return news

    async def _closed_approvals(self, event: OrderEvent) -> list[str]:
        """The question that this event put an end to; it may be of an earlier round of pricing."""
        if event.kind not in CLOSES:
            return []
        asked = [
            earlier.data.get("approval_id")
            for earlier in await self._orders.history(event.order_id)
            if earlier.kind in ASKS and earlier.n < event.n
        ]
        return [approval_id for approval_id in asked[-1:] if isinstance(approval_id, str)]


def _courier(event: OrderEvent, order: Order, news: News) -> None:
    url = event.data.get("tracking_url")
    if event.kind in TRACKED and isinstance(url, str) and url:
        news.track = (order, url, compose.step_of(order, event.kind))
    if event.kind in CLOSED:
        news.untrack.append(order.id)
        if news.track is not None and news.track[0].id == order.id:
            news.track = None
