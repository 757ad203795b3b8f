"""Journeys as orders: what must agree with what was asked, and what the company reports of them."""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import fees, journey_words, records
from lapel.commerce.card import card, money
from lapel.commerce.checkout import Checkout, OrderDraft
from lapel.commerce.journey import Journey
from lapel.commerce.money import Money
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.ports import JourneyStatus, MerchantEvent, MerchantOrder
from lapel.commerce.records import Told

_KINDS = {
    "delayed": "journey_delayed",
    "disrupted": "journey_disrupted",
    "changed": "journey_changed",
    "begun": "journey_begun",
    "ended": "journey_over",
}
_OVERTAKEN = frozenset({"journey_delayed", "journey_disrupted"})
"""What is no news any more once the booking was changed, given back, or has begun."""
_DONE = frozenset({"journey_over", "change_done"})
ENDS = frozenset({*_DONE, "journey_canceled"})
"""Kinds of events after which nothing more happens to such an order."""
FOLLOW_S = 24 * 3600.0
"""So long after its end a journey is still followed."""
FAR_S = 36 * 3600.0
LOOK_S = 3600.0
"""How often a company is asked about a journey that begins later than `FAR_S`."""


def same(journey: Journey, checkout: Checkout) -> bool:
    """Whether a checkout is for exactly this journey: times, places, rules and names."""
    return checkout.journey == journey


def followed_until(draft: OrderDraft) -> float:
    """Until when a placed journey is followed at least; 0 for orders of anything else."""
    return 0.0 if draft.journey is None else draft.journey.arrives.timestamp() + FOLLOW_S


def patience_s(draft: OrderDraft, now: float, usual_s: float) -> float:
    """How long to wait before the company is asked again; long while the journey is far away."""
    journey = draft.journey
    far = journey is not None and journey.departs.timestamp() - now > FAR_S
    return max(usual_s, LOOK_S) if far else usual_s


def apply(
    connection: sa.Connection, order: Order, report: MerchantOrder, keys: set[str], at: float
) -> list[OrderEvent]:
    """Write what is new in a report about a placed journey, or about the change of one."""
    news = _news(order, report, keys)
    if report.canceled:
        return _canceled(connection, order, report, keys, news, at)
    fees.expect_refunds(connection, order, report, at)
    if any(told.kind in _DONE for told in news):
        return records.move(connection, order, OrderState.DELIVERED, at, *news)
    events = records.tell(connection, order, at, news)
    if events:
        records.touch(connection, order.id, at)
    return events


def _canceled(
    connection: sa.Connection,
    order: Order,
    report: MerchantOrder,
    keys: set[str],
    news: list[Told],
    at: float,
) -> list[OrderEvent]:
    """What was kept is believed only as far as the user agreed to it; else all comes back."""
    kept = report.journey.fee_kept if report.journey else None
    most = fees.agreed(keys)
    paid = order.total or report.total
    back = sum(amount.minor for amount in report.refunds)
    honest = kept is not None and most is not None and kept.minor <= most
    if kept is not None and kept.minor > 0 and honest and back + kept.minor == paid.minor:
        said = journey_words.canceled(kept, Money(back, kept.currency))
        told = Told("journey_canceled", "m:canceled", said, {**card(order), "fee": money(kept)})
        fees.expect_refunds(connection, order, report, at)
        return records.move(connection, order, OrderState.CANCELED, at, *news, told)
    if kept is not None and not honest and kept.minor > 0:
        said = journey_words.KEEPS_TOO_MUCH
    elif kept is not None and kept.minor > 0:
        said = journey_words.GIVES_TOO_LITTLE
    else:
        said = journey_words.CANCELED if most is not None else journey_words.CALLED_OFF
    told = Told("merchant_canceled", "m:canceled", said, card(order))
    return records.move(connection, order, OrderState.REFUNDING, at, *news, told)


def _news(order: Order, report: MerchantOrder, keys: set[str]) -> list[Told]:
    """What was not told yet, without what has been overtaken since."""
    told: list[Told] = []
    for event in report.events:
        kind = _KINDS.get(event.kind)
        if kind is None:
            continue
        if kind == "journey_changed" and order.draft.journey and order.draft.journey.is_change:
            kind = "change_done"
        told.append(_told(order, kind, event, report.journey))
    last = len(told) - 1
    return [
        each
        for n, each in enumerate(told)
        if each.key not in keys and not (each.kind in _OVERTAKEN and (report.canceled or n < last))
    ]


def _told(order: Order, kind: str, event: MerchantEvent, status: JourneyStatus | None) -> Told:
    data: dict[str, object] = {
        **card(order),
        "merchant_event": event.id,
        "merchant_at": event.at,
        "merchant_text": event.text,
    }
    journey = order.draft.journey
    if status is not None:
        journey = status.journey
        data["journey"] = {
            "number": journey.number,
            "begins": status.expected_begins or journey.begins,
            "ends": status.expected_ends or journey.ends,
        }
    said = "" if journey is None else journey_words.step(kind, journey, status)
    return Told(kind, f"m:{kind}:{event.id}", said, data)
