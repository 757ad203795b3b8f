"""The user's books: the ledger to read, and what differs from the bank's statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from lapel.commerce import ledger
from lapel.commerce.ledger import Entry, Posting, Spent
from lapel.commerce.money import Money
from lapel.commerce.order import OrderState
from lapel.commerce.ports import BankEntry, BankStatement, Payments
from lapel.commerce.words import spoken
from lapel.store import Store, schema

UNDER_WAY = frozenset(
    {OrderState.PAYING, OrderState.PLACING, OrderState.REFUNDING, OrderState.TROUBLE}
)
"""The states in which the bank may know more than the ledger."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What the ledger knows of one authorization, in minor units of `currency`."""

    authorization_id: str
    order_id: str
    state: OrderState
    currency: str
    held: int = 0
    captured: int = 0
    refunded: int = 0
    in_transit: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Where ledger and bank do not agree. `under_way` ones end by themselves with the order.

    Codes: `unknown_payment`, `payment_missing`, `other_amount`, `refund_missing`,
    `refund_not_told`, `unbalanced`. Amounts are what left the account (positive) or came back.
    """

    code: str
    text: str
    under_way: bool
    order_id: str = ""
    authorization_id: str = ""
    ledger: Money | None = None
    bank: Money | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer of a check: it is sound when nothing differs but what is under way."""

    statements: tuple[BankStatement, ...]
    differences: tuple[Difference, ...]
    payments: int

    @property
    def is_sound(self) -> bool:
        return all(difference.under_way for difference in self.differences)


class Books:
    """A user's ledger; `check` asks the bank, everything else reads the record."""

    def __init__(self, store: Store, payments: Payments) -> None:
        self._store = store
        self._payments = payments

    async def balances(self, user_id: str) -> list[Posting]:
        return await self._store.read(lambda c: ledger.balances(c, user_id))

    async def entries(
        self, user_id: str, *, order_id: str | None = None, limit: int = 100
    ) -> list[Entry]:
        """Newest first."""
        return await self._store.read(
            lambda c: ledger.entries_of(c, user_id, order_id=order_id, limit=limit)
        )

    async def spent(self, user_id: str, since: float, until: float) -> list[Spent]:
        """By payee and currency, the most first; what was given back then makes it less.

        `since` and `until` (not included) are in seconds since 1970.
        """
        return await self._store.read(lambda c: ledger.spent(c, user_id, since, until))

    async def check(self, user_id: str) -> Checked:
        """Compare with the bank now. Raises what the bank's port raises."""
        # The bank is asked first: what the ledger learns in between can only explain more of it.
        statements = await self._payments.statements(user_id)
        paid = await self._store.read(lambda c: paid_by(c, user_id))
        odd = await self._store.read(lambda c: ledger.unbalanced(c, user_id))
        moved = [entry for statement in statements for entry in statement.entries]
        return Checked(statements, (*_odd(odd), *compare(paid, moved)), len(paid))


def paid_by(connection: sa.Connection, user_id: str) -> list[Paid]:
    """All payments of the user, oldest first."""
    entries, postings, orders = (
        schema.ledger_entries.c,
        schema.ledger_postings.c,
        schema.orders.c,
    )
    rows = connection.execute(
        sa.select(
            entries.authorization_id,
            entries.order_id,
            orders.state,
            entries.step,
            postings.account,
            postings.currency,
            sa.func.sum(postings.amount_minor),
            sa.func.min(entries.n),
        )
        .join(schema.ledger_postings, postings.entry == entries.n)
        .join(schema.orders, orders.id == entries.order_id)
        .where(entries.user_id == user_id)
        .group_by(
            entries.authorization_id,
            entries.order_id,
            orders.state,
            entries.step,
            postings.account,
            postings.currency,
        )
        .order_by(sa.func.min(entries.n))
    )
    sums: dict[str, dict[str, int]] = {}
    about: dict[str, tuple[str, OrderState, str]] = {}
    for authorization, order_id, state, step, account, currency, minor, _ in rows:
        about[authorization] = (order_id, OrderState(state), currency)
        found = sums.setdefault(authorization, {})
        for name in _counts(step, account):
            found[name] = found.get(name, 0) + int(minor)
    return [
        Paid(authorization, order_id, state, currency, **sums[authorization])
        for authorization, (order_id, state, currency) in about.items()
    ]


def compare(paid: Iterable[Paid], entries: Iterable[BankEntry]) -> list[Difference]:
    """What the bank has otherwise than the ledger, payment by payment."""
    taken: dict[str, int] = {}
    back: dict[str, int] = {}
    currencies: dict[str, str] = {}
    for entry in entries:
        # A payment that comes in, or a refund that goes out, is another's payment to the user.
        is_ours = (entry.kind == "payment") == (entry.amount.minor < 0)
        if entry.kind in ("payment", "refund") and is_ours:
            side = taken if entry.kind == "payment" else back
            side[entry.authorization_id] = side.get(entry.authorization_id, 0) - entry.amount.minor
            currencies[entry.authorization_id] = entry.amount.currency
    found: list[Difference] = []
    for payment in paid:
        id = payment.authorization_id
        currencies.pop(id, None)
        found += _differences(payment, taken.pop(id, 0), -back.pop(id, 0))
    for id, currency in currencies.items():
        net = Money(taken.get(id, 0) + back.get(id, 0), currency)
        text = f"The bank shows a payment of {spoken(net)} that Lapel did not make."
        found.append(Difference("unknown_payment", text, False, "", id, None, net))
    return found


def _differences(paid: Paid, taken: int, back: int) -> list[Difference]:
    def differ(code: str, text: str, ours: int, banks: int, *, under_way: bool) -> Difference:
        return Difference(
            code,
            text,
            under_way,
            paid.order_id,
            paid.authorization_id,
            Money(ours, paid.currency),
            Money(banks, paid.currency),
        )

    def said(minor: int) -> str:
        return spoken(Money(minor, paid.currency))

    found: list[Difference] = []
    moving = paid.state in UNDER_WAY
    if taken != paid.captured:
        code = "payment_missing" if taken == 0 else "other_amount"
        text = f"The ledger says {said(paid.captured)} paid, the bank says {said(taken)}."
        # An order under way may be paid without Lapel knowing it yet, within what it holds.
        fair = moving and paid.captured == 0 and taken <= paid.held
        found.append(differ(code, text, paid.captured, taken, under_way=fair))
    if back > paid.refunded:
        text = f"The bank gave {said(back)} back; the ledger knows of {said(paid.refunded)}."
        still = moving or paid.in_transit > 0 or paid.state is OrderState.PLACED
        found.append(differ("refund_not_told", text, paid.refunded, back, under_way=still))
    if back < paid.refunded:
        text = f"The ledger says {said(paid.refunded)} came back, the bank says {said(back)}."
        found.append(differ("refund_missing", text, paid.refunded, back, under_way=False))
    if paid.in_transit > 0 and back <= paid.refunded:
        text = f"The shop gives {said(paid.in_transit)} back; it has not come yet."
        found.append(
            differ("refund_missing", text, paid.in_transit, back - paid.refunded, under_way=True)
        )
    return found


def _counts(step: str, account: str) -> list[str]:
    """The sums of `Paid` that a posting belongs to."""
    names: list[str] = []
    if account == ledger.HELD:
        names.append("held")
    if account == ledger.TRANSIT:
        names.append("in_transit")
    if step == ledger.Step.CAPTURE and account.startswith((ledger.SPENT, ledger.TIP)):
        names.append("captured")
    if step == ledger.Step.REFUND and account == ledger.AVAILABLE:
        names.append("refunded")
    return names


def _odd(entries: list[int]) -> list[Difference]:
    return [
        Difference("unbalanced", f"Entry {n} of the ledger does not sum to zero.", False)
        for n in entries
    ]
