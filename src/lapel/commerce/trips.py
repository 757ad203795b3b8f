"""Rides as orders: what must agree with what was asked, and what the company reports of them."""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import fees, ledger, records, words
from lapel.commerce.card import card, money
from lapel.commerce.checkout import Checkout, Trip
from lapel.commerce.money import Money
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.ports import MerchantEvent, MerchantOrder, RideStatus
from lapel.commerce.records import Told

_KINDS = {
    "driver_assigned": "driver_assigned",
    "driver_arriving": "driver_arriving",
    "arrived": "driver_here",
    "picked_up": "on_trip",
    "dropped_off": "dropped_off",
    "driver_canceled": "driver_canceled",
    "delayed": "late",
    "destination_changed": "destination_changed",
    "tipped": "tipped",
}
_STAGES = ("driver_assigned", "driver_arriving", "driver_here", "on_trip", "dropped_off")
_PASSING = frozenset({"driver_assigned", "driver_arriving"})
_DONE = frozenset({"dropped_off", "destination_changed", "tipped"})
ENDS = frozenset({*_DONE, "ride_canceled"})
"""Kinds of events after which nothing more happens to such an order."""


def same(trip: Trip, checkout: Checkout) -> bool:
    """Whether a checkout is for exactly this trip, and a tip for exactly this amount."""
    if checkout.trip is None or checkout.trip.trip != trip:
        return False
    return trip.kind != "tip" or checkout.total.minor == trip.tip


def apply(
    connection: sa.Connection, order: Order, report: MerchantOrder, keys: set[str], at: float
) -> list[OrderEvent]:
    """Write what is new in a report about a placed ride, a change or a tip."""
    news = _progress(order, report, keys)
    if report.canceled:
        return _canceled(connection, order, report, keys, news, at)
    news += _refunds(order, report)
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
    """A fee is believed only when the user agreed to one as high; else all the money comes back."""
    kept = report.ride.fee_kept if report.ride else None
    agreed = fees.agreed(keys)
    if kept is not None and 0 < kept.minor <= (agreed or 0):
        back = sum(amount.minor for amount in report.refunds)
        data = {**card(order), "fee": money(kept)}
        said = words.ride_canceled(kept, Money(back, kept.currency))
        told = Told("ride_canceled", "m:canceled", said, data)
        ledger.refund_due(connection, order, Money(back, kept.currency), "due:fee", at)
        return records.move(connection, order, OrderState.CANCELED, at, *news, told)
    said = words.NO_DRIVER_LEFT if agreed is None else words.RIDE_CANCELED
    told = Told("merchant_canceled", "m:canceled", said, card(order))
    return records.move(connection, order, OrderState.REFUNDING, at, *news, told)


def _progress(order: Order, report: MerchantOrder, keys: set[str]) -> list[Told]:
    """What was not told yet. Each driver who gives the ride up begins its stages anew.

    A driver who has gone again, or is already here, need not be announced as coming.
    """
    told: list[Told] = []
    stages: list[Told] = []
    round_, reached = 0, _reached(keys, 0)
    for event in report.events:
        kind = _KINDS.get(event.kind)
        if kind == "driver_canceled":
            told.append(_told(order, kind, f"m:{round_}:{kind}", event, report))
            round_, stages = round_ + 1, []
            reached = _reached(keys, round_)
        elif kind in _STAGES:
            if _STAGES.index(kind) > reached:
                reached = _STAGES.index(kind)
                kept = [each for each in stages if each.kind not in _PASSING]
                stages = [*kept, _told(order, kind, f"m:{round_}:{kind}", event, report)]
        elif kind is not None:
            told.append(_told(order, kind, f"m:{kind}:{event.id}", event, report))
    return [each for each in (*told, *stages) if each.key not in keys]


def _reached(keys: set[str], round_: int) -> int:
    """The furthest stage that was told of one driver."""
    return max((i for i, stage in enumerate(_STAGES) if f"m:{round_}:{stage}" in keys), default=-1)


def _told(order: Order, kind: str, key: str, event: MerchantEvent, report: MerchantOrder) -> Told:
    ride = report.ride or RideStatus("")
    data: dict[str, object] = {
        **card(order),
        "merchant_event": event.id,
        "merchant_at": event.at,
        "merchant_text": event.text,
        "tracking_url": event.tracking_url,
        "driver": {"name": ride.driver, "car": ride.car, "plate": ride.plate},
    }
    return Told(kind, key, words.ride_step(kind, ride, order.draft), data)


def _refunds(order: Order, report: MerchantOrder) -> list[Told]:
    """What went back for a destination that costs less, each part once."""
    return [
        Told(
            "part_refunded",
            f"m:adj:{x.status}:{x.id}",
            words.part_refunded(-x.amount),
            {**card(order), "adjustment": x.id, "amount": money(x.amount)},
        )
        for x in report.adjustments
        if x.status == "completed" and x.amount is not None and x.amount.minor < 0
    ]
