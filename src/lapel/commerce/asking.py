"""What a merchant is asked about an order that it has, from the user's yes to its answer.

The request is noted first, with the terms that the user agreed to, and then put to the merchant
under a key of its own until it answers. A call that has no answer may have had its effect, so it is
repeated with the same key; and a merchant that says no is looked at before it is believed, because
it may have forgotten the key of what it has done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import msgspec
import sqlalchemy as sa

from lapel.commerce import records, request_words
from lapel.commerce.card import card
from lapel.commerce.desk import Desk, key_of
from lapel.commerce.errors import OrderError
from lapel.commerce.fees import cancel_key, refused_key
from lapel.commerce.money import Money
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.ports import MerchantOrder, PortError, Refused
from lapel.commerce.records import Told
from lapel.commerce.request import BookingKind, Cancel, Change, PutOff, Redirect, Request, SendBack
from lapel.commerce.times import seconds
from lapel.commerce.tracking import apply
from lapel.commerce.trips import pickup_key

DONE, REFUSED, SLOW, UNKNOWN = "ask_done", "ask_refused", "ask_slow", "ask_unanswered"
"""Kinds of events about a request."""
_KINDS = {
    Cancel: "cancel_asked",
    Change: "change_asked",
    PutOff: "change_asked",
    Redirect: "change_asked",
    SendBack: "return_asked",
}
_SAY_SO = {
    Cancel: {"ride_canceled", "journey_canceled", "table_canceled", "merchant_canceled"},
    Change: {"journey_changed", "table_changed"},
    PutOff: {"pickup_changed"},
    Redirect: {"destination_changed"},
    SendBack: {"refund_promised", "part_refunded", "adjusted"},
}
"""The merchant's own news that say what was asked is done."""
_ENDS = {DONE: "done", REFUSED: "refused", UNKNOWN: "unanswered"}
_SLOW_S = 30
"""A merchant that has not answered for so long is silent: the user hears that, once."""

# Made here, once: msgspec learns a type at its first use.
_request_of = msgspec.json.Decoder(Request).decode


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `n` counts those of an order, `event` is that in which it was noted.

    `text` is what the user was told at its end.
    """

    n: int
    request: Request
    at: float
    event: int
    state: Literal["open", "done", "refused", "unanswered"] = "open"
    text: str = ""
    known: frozenset[str] = frozenset()
    """The adjustments that had been told of before it was asked."""


def asks(connection: sa.Connection, order_id: str) -> list[Ask]:
    """All requests about an order, oldest first."""
    found: dict[int, Ask] = {}
    adjustments: set[str] = set()
    for event in records.events_of(connection, order_id):
        if "adjustment" in event.data:
            adjustments.add(str(event.data["adjustment"]))
        n, text = event.data.get("ask"), event.data.get("request")
        if not isinstance(n, int):
            continue
        if isinstance(text, str):
            found[n] = Ask(n, _request_of(text), event.at, event.n, known=frozenset(adjustments))
        elif event.kind in _ENDS:
            state = _ENDS[event.kind]
            found[n] = replace(found[n], state=state, text=event.text)
    return list(found.values())


def cancellation(order: Order, most: Money) -> Cancel:
    """To give a booking back for at most this, and for the rest of what was paid for it."""
    kind: BookingKind = "ride"
    if order.draft.journey is not None:
        kind = "journey"
    elif order.draft.table is not None:
        kind = "table"
    paid = order.total or most
    return Cancel(kind, most, Money(max(0, paid.minor - most.minor), most.currency))


def note(connection: sa.Connection, order: Order, request: Request, at: float) -> list[OrderEvent]:
    """Write a request down; nothing new while the very same is open."""
    if not _may_be_asked(order, request):
        raise OrderError(request_words.closed(request), code="closed")
    before = asks(connection, order.id)
    open_ones = [ask.request for ask in before if ask.state == "open"]
    if request in open_ones:
        return []
    if not isinstance(request, SendBack) and any(type(x) is type(request) for x in open_ones):
        raise OrderError(request_words.asked_already(order), code="asked")
    n = len(before)
    match request:
        case Cancel(most=most):
            key = cancel_key(most, n)
        case PutOff(pickup_at=pickup_at):
            key = pickup_key(pickup_at, n)
        case _:
            key = f"u:ask:{n}"
    data = {**card(order), "ask": n, "request": msgspec.json.encode(request).decode()}
    records.set_asked(connection, order.id, asked=True)
    return records.tell(connection, order, at, [Told(_KINDS[type(request)], key, "", data)])


async def carry(desk: Desk, order: Order) -> float | None:
    """Put what is open to the merchant; when to try again, None once nothing is open."""
    if not order.asked:
        return None
    over = order.state not in (OrderState.PLACED, OrderState.DELIVERED)
    again: float | None = None
    for ask in await desk.journal.read(lambda c: asks(c, order.id)):
        if ask.state != "open":
            continue
        if over:  # the merchant has ended it: there is nothing to ask for any more
            await _end(desk, order.id, ask, DONE)
        elif not await _put(desk, order, ask):
            now = desk.clock()
            age = max(now - ask.at, desk.policy.retry_s)
            until = now + min(age, desk.policy.long_retry_most_s)
            again = until if again is None else min(again, until)
    return again


async def _put(desk: Desk, order: Order, ask: Ask) -> bool:
    """Ask, or find out what came of it; whether that is known now."""
    refusal, age = None, desk.clock() - ask.at
    key = key_of(order, f"ask:{ask.n}")
    try:
        if age < desk.policy.ask_for_s:
            report = await desk.merchants.ask(
                order.merchant_id, order.merchant_order_id, ask.request, key
            )
        else:  # the key may be forgotten by now: only look
            report = await _look(desk, order)
    except Refused as error:
        refusal = error
        try:
            report = await _look(desk, order)
        except PortError:
            return False
    except PortError:
        if age >= 2 * desk.policy.ask_for_s:
            await _end(desk, order.id, ask, UNKNOWN, request_words.unanswered(order, ask.request))
            return True
        if age >= _SLOW_S:
            await _tell(desk, order, Told(SLOW, f"u:slow:{ask.n}", request_words.slow(order), {}))
        return False
    if _is_done(ask, report):
        await _end(desk, order.id, ask, DONE, request_words.done(order, ask.request), report)
        return True
    if refusal is not None:
        said = request_words.refused(order, ask.request, refusal.text)
        await _end(desk, order.id, ask, REFUSED, said, report, code=refusal.code)
        return True
    if age >= desk.policy.ask_for_s:
        said = request_words.unanswered(order, ask.request)
        await _end(desk, order.id, ask, UNKNOWN, said, report)
        return True
    return False


async def _look(desk: Desk, order: Order) -> MerchantOrder:
    return await desk.merchants.get_order(order.merchant_id, order.merchant_order_id)


def _may_be_asked(order: Order, request: Request) -> bool:
    """Of a booking, never of what was bought to change one: that is the booking's affair."""
    draft = order.draft
    placed = order.state is OrderState.PLACED and bool(order.merchant_order_id)
    ride = draft.trip if draft.trip is not None and draft.trip.kind == "ride" else None
    booked = {"ride": ride, "journey": draft.journey, "table": draft.table}
    match request:
        case Cancel(kind=kind) | Change(kind=kind):
            return placed and booked[kind] is not None and not draft.is_change
        case Redirect():
            return placed and ride is not None
        case PutOff():
            return placed and ride is not None and bool(ride.pickup_at)
        case SendBack():
            return order.state is OrderState.DELIVERED and bool(request.lines)


def _is_done(ask: Ask, report: MerchantOrder) -> bool:
    """Whether the merchant's order is as it was asked to be."""
    match ask.request:
        case Cancel():
            return report.canceled
        case Change(kind="table", offer_id=offer_id):
            return report.table is not None and report.table.table.offer_id == offer_id
        case Change(offer_id=offer_id):
            return report.journey is not None and report.journey.journey.offer_id == offer_id
        case PutOff(pickup_at=pickup_at):
            told = report.ride.pickup_at if report.ride else ""
            return bool(told) and seconds(told) == seconds(pickup_at)
        case Redirect(destination=destination):
            return report.ride is not None and report.ride.goes_to(destination)
        case SendBack(lines=lines):
            wanted = {line.line_id: line.quantity for line in lines}
            return any(
                x.kind == "return" and x.id not in ask.known and dict(x.lines) == wanted
                for x in report.adjustments
            )


async def _end(
    desk: Desk,
    order_id: str,
    ask: Ask,
    kind: str,
    said: str = "",
    report: MerchantOrder | None = None,
    **data: object,
) -> None:
    """Write down what came of it, with what the merchant reports; news of its own says enough."""
    now = desk.clock()

    def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
        order = records.load(connection, order_id)
        news = [] if report is None else apply(connection, order, report, now)
        text = said
        if kind == DONE:
            later = [each for each in records.events_of(connection, order_id) if each.n > ask.event]
            text = "" if any(each.kind in _SAY_SO[type(ask.request)] for each in later) else said
        if kind == REFUSED and isinstance(ask.request, Cancel):
            key = refused_key(ask.n)
        else:
            key = f"u:ask:{ask.n}:{kind}"
        about = {**card(order), "ask": ask.n, **data}
        news += records.tell(connection, order, now, [Told(kind, key, text, about)])
        left = any(each.state == "open" for each in asks(connection, order_id))
        records.set_asked(connection, order_id, asked=left)
        return None, news

    await desk.journal.commit(work)


async def _tell(desk: Desk, order: Order, told: Told) -> None:
    now = desk.clock()
    told = replace(told, data={**card(order), **told.data})
    await desk.journal.commit(lambda c: (None, records.tell(c, order, now, [told])))
