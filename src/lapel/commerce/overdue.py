"""A refund that a merchant announced and the bank has not made in time: told once, looked for.

It is known by the ledger alone, so that it is told by whichever worker lives when its time comes,
long after the order is over. A bank that does not answer is asked again: without its word nothing
is called missing.
"""

from __future__ import annotations

import sqlalchemy as sa

from lapel.commerce import ledger, records, words
from lapel.commerce.card import card, money
from lapel.commerce.desk import Desk
from lapel.commerce.ledger import Expected
from lapel.commerce.money import Money
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.paying import payment_of
from lapel.commerce.ports import PortError
from lapel.commerce.records import Told

_OVERDUE, _CAME = "overdue:", "came:"


def arrived(
    connection: sa.Connection, order: Order, back: Money, at: float
) -> tuple[list[Expected], list[OrderEvent]]:
    """Book what the bank has given back in all; what is still awaited, and what there is to tell.

    Who was told that a refund is missing hears when it comes.
    """
    before = ledger.expected(connection, order.id)
    ledger.refunded(connection, order, back, at)
    left = ledger.expected(connection, order.id)
    awaited = {one.key for one in left}
    keys = records.told_keys(connection, order.id) if len(left) < len(before) else set[str]()
    told = [
        Told("refund_came", _CAME + one.key, words.refund_came(one.amount), card(order))
        for one in before
        if one.key not in awaited and records.key_text(_OVERDUE + one.key) in keys
    ]
    return left, records.tell(connection, order, at, told)


async def look(desk: Desk, order: Order) -> None:
    """Ask the bank once more for what is overdue, and tell of each refund that it has not made."""
    if order.state is OrderState.REFUNDING:  # asked for by us, and told by that step
        return
    try:
        back = (await payment_of(desk, order)).refunded
    except PortError:
        return
    now = desk.clock()
    since = now - desk.policy.refund_late_s

    def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
        left, events = arrived(connection, order, back, now)
        late = [_missing(order, one, now) for one in left if one.at <= since]
        return None, events + records.tell(connection, order, now, late)

    await desk.journal.commit(work)


def _missing(order: Order, one: Expected, now: float) -> Told:
    said = words.refund_overdue(one.amount, order.merchant_name, int(now - one.at) // 86400)
    data = {**card(order), "amount": money(one.amount), "code": "refund_overdue"}
    return Told("refund_overdue", _OVERDUE + one.key, said, data)
