"""Journeys as orders: what must agree with what was asked, and what the company reports of them."""

from __future__ import annotations

from lapel.commerce import journey_words
from lapel.commerce.booked import Kind
from lapel.commerce.checkout import Checkout
from lapel.commerce.journey import Journey
from lapel.commerce.money import Money
from lapel.commerce.order import Order
from lapel.commerce.ports import MerchantOrder


def same(journey: Journey, checkout: Checkout) -> bool:
    """Whether a checkout is for exactly this journey: times, places, rules and names."""
    return checkout.journey == journey


def _kept(report: MerchantOrder) -> Money | None:
    return report.journey.fee_kept if report.journey else None


def _told(order: Order, report: MerchantOrder, kind: str) -> tuple[str, dict[str, object]]:
    journey, status = order.draft.journey, report.journey
    about: dict[str, object] = {}
    if status is not None:
        journey = status.journey
        about["journey"] = {
            "number": journey.number,
            "begins": status.expected_begins or journey.begins,
            "ends": status.expected_ends or journey.ends,
        }
    return "" if journey is None else journey_words.step(kind, journey, status), about


JOURNEYS = Kind(
    events={
        "delayed": "journey_delayed",
        "disrupted": "journey_disrupted",
        "changed": "journey_changed",
        "begun": "journey_begun",
        "ended": "journey_over",
    },
    overtaken=frozenset({"journey_delayed", "journey_disrupted"}),
    done=frozenset({"journey_over", "change_done"}),
    canceled="journey_canceled",
    kept=_kept,
    told=_told,
    called_off=journey_words.CALLED_OFF,
)
