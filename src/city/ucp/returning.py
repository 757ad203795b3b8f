"""Returns: asked for within the window, on their way back, then refunded less the fee."""

from __future__ import annotations

import msgspec

from city.bank import ledger
from city.store import Transaction
from city.ucp.adjusting import removed
from city.ucp.groceries import OrderedLine, lines_of
from city.ucp.orders import Order, load, tell
from city.ucp.quote import Json, Note
from city.ucp.return_terms import closes_s, delivered_at
from city.ucp.wire import ReturnedLine, ReturnRequest
from city.world import World

RETURNED = "return_received"
BACK_S = 7200.0
"""City seconds for the way back and a look at it."""


def ask(world: World, tx: Transaction, order: Order, asked: ReturnRequest) -> Note | None:
    """Take a return on; a note says why not, and nothing has happened."""
    shop, now_s = world.shops[order.merchant], world.clock.now_s()
    until_s = closes_s(shop, delivered_at(tx, order.id))
    if shop.returns is None or until_s is None or until_s < now_s:
        return Note("error", "return_closed", f"{shop.name} does not take this back (any more)")
    if shop.returns.fee > asked.most_fee:
        return Note("error", "fee_too_low", f"the fee is {shop.returns.fee}")
    lines = {line.id: line for line in lines_of(order.contents.line_items)}
    gone = removed(tx, order.id)
    for wanted in asked.line_items:
        line = lines.get(wanted.id)
        if line is None or wanted.quantity > line.quantity - gone.get(wanted.id, 0):
            return Note("error", "return_closed", "that is not there to be returned")
    number = tx.execute(
        "SELECT COUNT(*) FROM adjustments WHERE order_id = ? AND kind = 'return'", (order.id,)
    ).fetchone()[0]
    back: list[Json] = [{"id": x.id, "quantity": -x.quantity} for x in asked.line_items]
    worth = _worth(lines, asked.line_items)
    paid = max(0, worth - shop.returns.fee)
    _write(tx, order, f"return{number}", "return", "pending", 0, back, now_s)
    _write(tx, order, f"refund{number}", "refund", "pending", paid, [], now_s)
    seq = tx.execute(
        "SELECT COALESCE(MAX(seq), 0) + 1 FROM order_steps WHERE order_id = ?", (order.id,)
    ).fetchone()[0]
    step = (order.id, seq, RETURNED, now_s + BACK_S)
    tx.execute("INSERT INTO order_steps VALUES (?, ?, ?, ?)", step)
    tell(world, tx, order, now_s)
    return None


def received(world: World, tx: Transaction, order_id: str, at_s: float) -> None:
    """The oldest return has come: its money goes back in the same transaction."""
    order = load(tx, order_id)
    row = tx.execute(
        "SELECT id, amount FROM adjustments WHERE order_id = ? AND status = 'pending' "
        "AND kind = 'refund' AND id LIKE '%_refund%' ORDER BY rowid LIMIT 1",
        (order_id,),
    ).fetchone()
    if row is None:
        return
    refund_id, amount = str(row[0]), int(row[1])
    for id in (refund_id, refund_id.replace("_refund", "_return")):
        tx.execute("UPDATE adjustments SET status = 'completed', at_s = ? WHERE id = ?", (at_s, id))
    if amount and order.authorization_id:
        ledger.refund(tx, order.authorization_id, world.real_s(), amount, refund_id)
    tell(world, tx, order, at_s)


def _worth(lines: dict[str, OrderedLine], back: list[ReturnedLine]) -> int:
    """What was paid for the goods; delivery stays paid."""
    return sum(lines[x.id].item.price * x.quantity for x in back)


def _write(
    tx: Transaction,
    order: Order,
    name: str,
    kind: str,
    status: str,
    amount: int,
    lines: list[Json],
    at_s: float,
) -> None:
    tx.execute(
        "INSERT INTO adjustments (id, order_id, kind, status, at_s, amount, lines, description) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            f"adj_{order.id[4:12]}_{name}",
            order.id,
            kind,
            status,
            at_s,
            amount,
            msgspec.json.encode(lines).decode(),
            "",
        ),
    )
