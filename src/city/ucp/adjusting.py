"""What changes after an order is placed: something is missing, the shop gives a part back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from city.bank import ledger
from city.clock import stamp
from city.deliveries import Plan
from city.faults import Fault
from city.store import Transaction
from city.world import World

Json = dict[str, object]

MISSING = "item_missing"
CREDIT_ASKED = "credit_pending"
CREDIT_GIVEN = "credit_completed"
STEPS = frozenset({MISSING, CREDIT_ASKED, CREDIT_GIVEN})
"""Steps of an order that are adjustments, not events of its way."""

CREDIT_PERCENT = 10
_CREDIT_S = 60.0


class _Total(msgspec.Struct):
    type: str
    amount: int


class _Line(msgspec.Struct):
    id: str
    quantity: int
    totals: list[_Total]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The order that is adjusted. `line_items` and `totals` are what was bought, as it is shown."""

    id: str
    merchant: str
    authorization_id: str
    line_items: list[Json]
    totals: list[Json]

    @property
    def paid(self) -> int:
        return _total(msgspec.convert(self.totals, list[_Total]))


def plan_adjustments(
    world: World, tx: Transaction, merchant: str, plan: Plan
) -> Mapping[str, float]:
    """What will be adjusted in this delivery, and when in city time."""
    due: dict[str, float] = {}
    if plan.cancel_s is not None:
        return due
    if world.faults.strike(tx, Fault.ITEM_MISSING, merchant) is not None:
        due[MISSING] = plan.pickup_s + 1.0
    if world.faults.strike(tx, Fault.CREDIT, merchant) is not None:
        due[CREDIT_ASKED] = plan.deliver_s + _CREDIT_S
        due[CREDIT_GIVEN] = plan.deliver_s + 2 * _CREDIT_S
    return due


def adjust(world: World, tx: Transaction, order: Adjusted, step: str, at_s: float) -> None:
    """Write the adjustment, and move its money in the same transaction."""
    line = msgspec.convert(order.line_items[0], _Line)
    if step == MISSING:
        amount = min(_total(line.totals) // line.quantity, order.paid)
        removed: list[Json] = [{"id": line.id, "quantity": -1}]
        _write(tx, order, "refund", "completed", amount, "One was missing.", removed, at_s)
        _give(world, tx, order, amount, step)
        return
    amount = max(1, order.paid * CREDIT_PERCENT // 100)
    status = "pending" if step == CREDIT_ASKED else "completed"
    _write(tx, order, "credit", status, amount, "For your trouble.", [], at_s)
    if step == CREDIT_GIVEN:
        _give(world, tx, order, amount, step)


def adjustments(tx: Transaction, order_id: str) -> list[Json]:
    """As UCP shows them, oldest first; a later status takes the place of an earlier one."""
    rows = tx.execute(
        "SELECT id, kind, status, at_s, amount, lines, description FROM adjustments "
        "WHERE order_id = ? ORDER BY rowid",
        (order_id,),
    ).fetchall()
    shown: list[Json] = []
    for id, kind, status, at_s, amount, lines, description in rows:
        entry: Json = {"id": id, "type": kind, "occurred_at": stamp(at_s), "status": status}
        if removed := msgspec.json.decode(lines, type=list[Json]):
            entry["line_items"] = removed
        entry["totals"] = [{"type": "total", "amount": -amount}]
        entry["description"] = description
        shown.append(entry)
    return shown


def removed(tx: Transaction, order_id: str) -> dict[str, int]:
    """Line id to how many of it adjustments took away."""
    gone: dict[str, int] = {}
    for (lines,) in tx.execute("SELECT lines FROM adjustments WHERE order_id = ?", (order_id,)):
        for entry in msgspec.json.decode(lines, type=list[_Removed]):
            gone[entry.id] = gone.get(entry.id, 0) - entry.quantity
    return gone


class _Removed(msgspec.Struct):
    id: str
    quantity: int


def _write(
    tx: Transaction,
    order: Adjusted,
    kind: str,
    status: str,
    amount: int,
    description: str,
    lines: list[Json],
    at_s: float,
) -> None:
    tx.execute(
        "INSERT INTO adjustments (id, order_id, kind, status, at_s, amount, lines, description) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET status = excluded.status, at_s = excluded.at_s",
        (
            f"adj_{order.id[4:12]}_{kind}",
            order.id,
            kind,
            status,
            at_s,
            amount,
            msgspec.json.encode(lines).decode(),
            description,
        ),
    )


def _give(world: World, tx: Transaction, order: Adjusted, amount: int, step: str) -> None:
    if order.authorization_id:  # who pays at the door pays less
        ledger.refund(tx, order.authorization_id, world.real_s(), amount, step)


def _total(totals: list[_Total]) -> int:
    return next(entry.amount for entry in totals if entry.type == "total")
