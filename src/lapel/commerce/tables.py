"""Tables as orders: what must agree with what was asked, and what the restaurant reports."""

from __future__ import annotations

from msgspec.structs import replace

from lapel.commerce import table_words
from lapel.commerce.booked import Kind
from lapel.commerce.card import table_data
from lapel.commerce.checkout import Checkout
from lapel.commerce.money import Money
from lapel.commerce.order import Order
from lapel.commerce.ports import MerchantOrder
from lapel.commerce.table import Table


def same(table: Table, checkout: Checkout) -> bool:
    """Whether a checkout is for exactly this table, at whatever price for each by now.

    That price is asked about; a booking costs nothing else.
    """
    priced = checkout.table
    if priced is None or replace(priced, per_person=table.per_person) != table:
        return False
    return table.is_change or checkout.total.minor == priced.per_person * priced.party


def _kept(report: MerchantOrder) -> Money | None:
    return report.table.fee_kept if report.table else None


def _told(order: Order, report: MerchantOrder, kind: str) -> tuple[str, dict[str, object]]:
    table, status = order.draft.table, report.table
    about: dict[str, object] = {}
    if status is not None:
        table = status.table
        about["table"] = table_data(table, status.expected_begins)
    return "" if table is None else table_words.step(kind, table, status), about


TABLES = Kind(
    events={
        "reminder": "table_soon",
        "delayed": "table_delayed",
        "changed": "table_changed",
        "seated": "table_seated",
        "ended": "table_over",
        "no_show": "table_missed",
    },
    overtaken=frozenset({"table_soon", "table_delayed"}),
    done=frozenset({"table_over", "table_missed", "change_done"}),
    canceled="table_canceled",
    kept=_kept,
    told=_told,
    called_off=table_words.CALLED_OFF,
)
