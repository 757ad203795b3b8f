"""The user's money in double entry: every movement that Lapel caused, as entries that sum to zero.

An entry is written in the transaction of the order's change of state, once a key (order id +
revision + step), and never changed or deleted: the record refuses both. Amounts are whole minor
units. `available` counts from the first order on: it says what left the user's account and what
came back, not what the bank has.

  step         from              to
  hold         available         held             the bank set the approved amount aside
  capture      held              spent:M, tip:M   the merchant M took the order and its money
  release      held              available        the rest of a hold, or all of it
  refund_due   spent:M, tip:M    in_transit       the merchant says that it gives money back
  refund       in_transit        available        the bank has given it back
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import sqlalchemy as sa

from lapel.commerce.checkout import Checkout
from lapel.commerce.errors import CommerceError
from lapel.commerce.money import Money
from lapel.commerce.order import Order
from lapel.store import schema

AVAILABLE = "available"
HELD = "held"
TRANSIT = "in_transit"
SPENT = "spent:"
TIP = "tip:"
TIP_KIND = "tip"
"""The kind of a merchant's total that is a tip and no price."""


class Step(StrEnum):
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND_DUE = "refund_due"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a payee has taken, tips included, less what it gave back; never zero."""

    payee: str
    amount: Money


class LedgerError(CommerceError):
    """An entry that may not be: `unbalanced`, or `conflict` with the one under its key."""

    code = "unbalanced"


@dataclass(frozen=True, slots=True)
class Posting:
    account: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement; its postings sum to zero. `n` only grows."""

    n: int
    key: str
    order_id: str
    step: Step
    authorization_id: str
    at: float
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """Money that a merchant said at `at` that it gives back, under the key of that entry."""

    key: str
    at: float
    amount: Money


def hold(
    connection: sa.Connection, order: Order, amount: Money, authorization_id: str, at: float
) -> None:
    """The bank set `amount` aside."""
    movement = {AVAILABLE: -amount.minor, HELD: amount.minor}
    _post(connection, order, Step.HOLD, "hold", movement, amount.currency, at, authorization_id)


def captured(
    connection: sa.Connection, order: Order, total: Money, at: float, done: Checkout | None = None
) -> None:
    """The merchant took `total` of what is held; `done` says which part of it is a tip."""
    held = standing(connection, order.id).get(HELD, 0)
    tip = sum(x.amount.minor for x in done.totals if x.kind == TIP_KIND) if done else 0
    tip = min(max(tip, 0), total.minor)
    movement = {
        HELD: -total.minor,
        SPENT + order.merchant_id: total.minor - tip,
        TIP + order.merchant_id: tip,
    }
    _post(connection, order, Step.CAPTURE, "capture", movement, total.currency, at)
    _free(connection, order, held - total.minor, total.currency, at)


def released(connection: sa.Connection, order: Order, at: float) -> None:
    """The bank let go of it all, and nothing was taken: everything is available again."""
    back = {
        account: -minor
        for account, minor in standing(connection, order.id).items()
        if account != AVAILABLE and minor
    }
    back[AVAILABLE] = -sum(back.values())
    _post(connection, order, Step.RELEASE, "release", back, _currency(order), at)


def refund_due(
    connection: sa.Connection, order: Order, amount: Money | None, name: str, at: float
) -> bool:
    """The merchant gives `amount` back (None: all that it has); `name` makes it once an order.

    More than the merchant has, or in another currency, is not expected back. False when nothing
    is, or not anew.
    """
    spent, tip = SPENT + order.merchant_id, TIP + order.merchant_id
    now = standing(connection, order.id)
    left = now.get(spent, 0) + now.get(tip, 0)
    if _known(connection, _key(order, name)) or left == 0:
        return False
    if amount is not None and amount.currency != _currency(order):
        return False
    minor = left if amount is None else min(amount.minor, left)
    of_goods = min(minor, now.get(spent, 0))
    movement = {spent: -of_goods, tip: of_goods - minor, TRANSIT: minor}
    _post(connection, order, Step.REFUND_DUE, name, movement, _currency(order), at)
    return True


def due_under(connection: sa.Connection, order: Order, name: str) -> int:
    """What is expected back under that name, come or not, in minor units."""
    postings = schema.ledger_postings.c
    found = connection.scalar(
        sa.select(postings.amount_minor).where(
            postings.entry == _known(connection, _key(order, name)), postings.account == TRANSIT
        )
    )
    return int(found or 0)


def refunded(connection: sa.Connection, order: Order, total: Money, at: float) -> None:
    """The bank has given back `total` in all; what was not known yet arrives now."""
    due = standing(connection, order.id).get(TRANSIT, 0)
    before = given_back(connection, order.id)
    minor = min(due, total.minor - before)
    if minor > 0:
        name = f"refund:{before + minor}"
        movement = {TRANSIT: -minor, AVAILABLE: minor}
        _post(connection, order, Step.REFUND, name, movement, total.currency, at)


def all_back(connection: sa.Connection, order: Order, taken: Money, at: float) -> None:
    """The bank gave everything back after the merchant had taken `taken`."""
    now = standing(connection, order.id)
    if not any(minor for account, minor in now.items() if account != AVAILABLE):
        return
    if now.get(HELD, 0):
        captured(connection, order, taken, at)
    refund_due(connection, order, None, "due:all", at)
    refunded(connection, order, Money(taken.minor, taken.currency), at)


def standing(connection: sa.Connection, order_id: str) -> dict[str, int]:
    """The balances that one order left behind, in minor units of its currency."""
    entries, postings = schema.ledger_entries.c, schema.ledger_postings.c
    rows = connection.execute(
        sa.select(postings.account, sa.func.sum(postings.amount_minor))
        .join(schema.ledger_entries, entries.n == postings.entry)
        .where(entries.order_id == order_id)
        .group_by(postings.account)
    )
    return {account: int(minor) for account, minor in rows}


def spent(connection: sa.Connection, user_id: str, since: float, until: float) -> list[Spent]:
    """What the user spent from `since` to before `until`, by payee and currency, the most first."""
    entries, postings = schema.ledger_entries.c, schema.ledger_postings.c
    minor = sa.func.sum(postings.amount_minor)
    rows = connection.execute(
        sa.select(schema.orders.c.merchant_name, postings.currency, minor)
        .join(schema.ledger_postings, entries.n == postings.entry)
        .join(schema.orders, schema.orders.c.id == entries.order_id)
        .where(entries.user_id == user_id, entries.at >= since, entries.at < until)
        .where(postings.account.startswith(SPENT) | postings.account.startswith(TIP))
        .group_by(schema.orders.c.merchant_name, postings.currency)
        .having(minor != 0)
        .order_by(minor.desc(), schema.orders.c.merchant_name)
    )
    return [Spent(payee, Money(int(total), currency)) for payee, currency, total in rows]


def charged(connection: sa.Connection, order_id: str) -> int:
    """What those who sold it have of the user's money now, in minor units."""
    paid = (SPENT, TIP)
    now = standing(connection, order_id)
    return sum(minor for account, minor in now.items() if account.startswith(paid))


def given_back(connection: sa.Connection, order_id: str) -> int:
    """What the bank has given back of one order, in minor units."""
    entries, postings = schema.ledger_entries.c, schema.ledger_postings.c
    found = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(postings.amount_minor), 0))
        .join(schema.ledger_entries, entries.n == postings.entry)
        .where(
            entries.order_id == order_id,
            entries.step == Step.REFUND.value,
            postings.account == AVAILABLE,
        )
    )
    return int(found.scalar() or 0)


def on_their_way(connection: sa.Connection) -> list[str]:
    """Ids of the orders of which money is still on its way back."""
    entries, postings = schema.ledger_entries.c, schema.ledger_postings.c
    rows = connection.execute(
        sa.select(entries.order_id)
        .join(schema.ledger_postings, entries.n == postings.entry)
        .where(postings.account == TRANSIT)
        .group_by(entries.order_id)
        .having(sa.func.sum(postings.amount_minor) != 0)
    )
    return list(rows.scalars())


def late_refunds(connection: sa.Connection, since: float) -> list[str]:
    """Ids of the orders that await money which a merchant announced at `since` or before."""
    entries = schema.ledger_entries.c
    rows = connection.execute(
        sa.select(entries.order_id)
        .where(
            entries.step == Step.REFUND_DUE.value,
            entries.at <= since,
            entries.order_id.in_(on_their_way(connection)),
        )
        .distinct()
    )
    return list(rows.scalars())


def expected(connection: sa.Connection, order_id: str) -> list[Expected]:
    """What merchants have announced for an order and the bank has not made, oldest first.

    The bank names no announcement: what it gives back is for the oldest of that very amount, else
    for the oldest ones.
    """
    entries, postings = schema.ledger_entries.c, schema.ledger_postings.c
    rows = connection.execute(
        sa.select(entries.key, entries.at, postings.amount_minor, postings.currency)
        .join(schema.ledger_postings, entries.n == postings.entry)
        .where(entries.order_id == order_id, postings.account == TRANSIT)
        .order_by(entries.n)
    )
    left: list[Expected] = []
    for key, at, minor, currency in rows:
        if minor > 0:
            left.append(Expected(key, at, Money(minor, currency)))
        else:
            _cover(left, -minor)
    return left


def _cover(left: list[Expected], minor: int) -> None:
    """Take what has come from what is awaited."""
    exact = next((one for one in left if one.amount.minor == minor), None)
    if exact is not None:
        left.remove(exact)
        return
    while left and minor > 0:
        one = left.pop(0)
        rest = one.amount.minor - minor
        if rest > 0:
            left.insert(0, replace(one, amount=Money(rest, one.amount.currency)))
        minor -= one.amount.minor


def balances(connection: sa.Connection, user_id: str) -> list[Posting]:
    """What stands on each of the user's accounts; accounts at zero are left out."""
    postings = schema.ledger_postings.c
    total = sa.func.sum(postings.amount_minor)
    rows = connection.execute(
        sa.select(postings.account, postings.currency, total)
        .where(postings.user_id == user_id)
        .group_by(postings.account, postings.currency)
        .having(total != 0)
        .order_by(postings.currency, postings.account)
    )
    return [Posting(account, Money(int(minor), currency)) for account, currency, minor in rows]


def entries_of(
    connection: sa.Connection, user_id: str, *, order_id: str | None = None, limit: int = 100
) -> list[Entry]:
    """The user's newest entries, newest first."""
    entries = schema.ledger_entries.c
    query = sa.select(schema.ledger_entries).where(entries.user_id == user_id)
    if order_id is not None:
        query = query.where(entries.order_id == order_id)
    rows = connection.execute(query.order_by(entries.n.desc()).limit(limit)).mappings().all()
    postings = schema.ledger_postings.c
    found: dict[int, list[Posting]] = {row["n"]: [] for row in rows}
    lines = connection.execute(
        sa.select(postings.entry, postings.account, postings.currency, postings.amount_minor)
        .where(postings.entry.in_(list(found)))
        .order_by(postings.amount_minor)
    )
    for entry, account, currency, minor in lines:
        found[entry].append(Posting(account, Money(minor, currency)))
    return [
        Entry(
            row["n"],
            row["key"],
            row["order_id"],
            Step(row["step"]),
            row["authorization_id"],
            row["at"],
            tuple(found[row["n"]]),
        )
        for row in rows
    ]


def unbalanced(connection: sa.Connection, user_id: str) -> list[int]:
    """The user's entries whose postings do not sum to zero; there must be none."""
    postings = schema.ledger_postings.c
    rows = connection.execute(
        sa.select(postings.entry)
        .where(postings.user_id == user_id)
        .group_by(postings.entry, postings.currency)
        .having(sa.func.sum(postings.amount_minor) != 0)
    )
    return list(rows.scalars())


def _free(connection: sa.Connection, order: Order, minor: int, currency: str, at: float) -> None:
    if minor > 0:
        movement = {HELD: -minor, AVAILABLE: minor}
        _post(connection, order, Step.RELEASE, "rest", movement, currency, at)


def _currency(order: Order) -> str:
    amount = order.approval.amount if order.approval else order.total
    if amount is None:
        raise LedgerError(f"order {order.id!r} has no price, so it moved no money")
    return amount.currency


def _key(order: Order, name: str) -> str:
    # A merchant's own id of a refund may be long.
    if len(name) > 64:
        name = f"{name[:4]}{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return f"{order.id}:{order.revision}:{name}"


def _known(connection: sa.Connection, key: str) -> int | None:
    entries = schema.ledger_entries.c
    return connection.execute(sa.select(entries.n).where(entries.key == key)).scalar()


def _post(
    connection: sa.Connection,
    order: Order,
    step: Step,
    name: str,
    movement: Mapping[str, int],
    currency: str,
    at: float,
    authorization_id: str = "",
) -> None:
    """Write one entry, unless the same stands there already."""
    lines = {account: minor for account, minor in movement.items() if minor}
    if not lines:
        return
    if sum(lines.values()) != 0 or any(type(minor) is not int for minor in lines.values()):
        raise LedgerError(f"a {step.value} of order {order.id!r} does not sum to zero")
    key = _key(order, name)
    postings = schema.ledger_postings.c
    known = _known(connection, key)
    if known is not None:
        rows = connection.execute(
            sa.select(postings.account, postings.amount_minor).where(postings.entry == known)
        )
        if {row.account: row.amount_minor for row in rows} != lines:
            raise LedgerError(f"another entry stands under the key {key!r}", code="conflict")
        return
    entry = connection.execute(
        sa.insert(schema.ledger_entries)
        .values(
            key=key,
            order_id=order.id,
            user_id=order.user_id,
            step=step.value,
            authorization_id=authorization_id or order.authorization_id,
            at=at,
        )
        .returning(schema.ledger_entries.c.n)
    ).scalar_one()
    connection.execute(
        sa.insert(schema.ledger_postings),
        [
            {
                "entry": entry,
                "account": account,
                "currency": currency,
                "user_id": order.user_id,
                "amount_minor": minor,
            }
            for account, minor in lines.items()
        ],
    )
