"""Transfers as orders: what must agree with what was asked, and what the bank reports of them."""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import records
from lapel.commerce.card import card
from lapel.commerce.checkout import Checkout, Transfer
from lapel.commerce.order import Order, OrderEvent, OrderState
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
    if not any(event.kind == TRANSFERRED for event in report.events):
        return []
    told = Told(TRANSFERRED, f"m:{TRANSFERRED}", "", card(order))
    return records.move(connection, order, OrderState.DELIVERED, at, told)
