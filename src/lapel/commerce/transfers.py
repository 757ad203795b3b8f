"""Transfers as orders: what must agree with what was asked, and what the bank reports of them."""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce.booked import settle
from lapel.commerce.card import card
from lapel.commerce.checkout import Checkout, Transfer
from lapel.commerce.fees import adjustments_told
from lapel.commerce.order import Order, OrderEvent
from lapel.commerce.ports import MerchantOrder
from lapel.commerce.records import Told

TRANSFERRED = "transferred"


def same(transfer: Transfer, checkout: Checkout) -> bool:
    """Whether a checkout pays exactly this, to exactly them, and nothing on top."""
    return checkout.transfer == transfer and checkout.total == transfer.amount


def apply(
    connection: sa.Connection, order: Order, report: MerchantOrder, at: float
) -> list[OrderEvent]:
    """Write down that the money has arrived, once. It cannot be called back after that."""
    news = adjustments_told(order, report)
    if any(event.kind == TRANSFERRED for event in report.events):
        news.append(Told(TRANSFERRED, f"m:{TRANSFERRED}", "", card(order)))
    return settle(connection, order, report, news, frozenset({TRANSFERRED}), at)
