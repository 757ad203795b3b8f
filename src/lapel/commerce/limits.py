"""Standing limits as rows, and what is left of them: all inside the caller's transaction.

A booking is what one purchase took of a limit. It counts while its approval stands, and for as much
as the ledger says that the user is without: what the bank has given back can be spent again. A
question that will answer itself counts, too, so that two of them never promise the same money.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec
import sqlalchemy as sa

from lapel.commerce import ledger, records
from lapel.commerce.ceilings import ceiling, kind_of
from lapel.commerce.checkout import Checkout
from lapel.commerce.consent.open_mandates import LimitTerms, OpenMandates
from lapel.commerce.money import Money
from lapel.commerce.order import Approval, ApprovalState, Evidence, OrderState
from lapel.commerce.policy import Denied, Policy
from lapel.commerce.records import Moved
from lapel.commerce.screening import screening
from lapel.store import schema


class LimitState(StrEnum):
    ASKED = "asked"
    LIVE = "live"
    REFUSED = "refused"
    REVOKED = "revoked"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class StandingLimit:
    """What the user allows in advance, or is asked to; times are seconds since 1970.

    `mandates` are there once the user has agreed. `key_id` is the key that signed them.
    """

    id: str
    user_id: str
    state: LimitState
    terms: LimitTerms
    asked_at: float
    expires_at: float
    decided_at: float | None = None
    ended_at: float | None = None
    evidence: Evidence | None = None
    key_id: str = ""
    mandates: OpenMandates | None = None

    def stands(self, now: float, key_id: str) -> bool:
        """Whether something may be bought on it.

        It ends with its time and with the user's key, and does not count on a clock that stands
        before the moment at which it was set.
        """
        since = self.decided_at
        return (
            self.state is LimitState.LIVE
            and since is not None
            and since <= now < self.terms.valid_until
            and self.key_id == key_id
        )


@dataclass(frozen=True, slots=True)
class Used:
    """What counts against a limit in the period that ends now."""

    amount: Money
    purchases: int


_UNSETTLED = frozenset({OrderState.PAYING, OrderState.REFUNDING})
"""The states in which the bank may hold money that the ledger does not know of."""


def insert_limit(connection: sa.Connection, limit: StandingLimit) -> None:
    connection.execute(
        sa.insert(schema.standing_limits).values(
            id=limit.id,
            user_id=limit.user_id,
            state=limit.state.value,
            terms=msgspec.json.encode(limit.terms).decode(),
            asked_at=limit.asked_at,
            expires_at=limit.expires_at,
        )
    )


def find_limit(connection: sa.Connection, limit_id: str) -> StandingLimit | None:
    table = schema.standing_limits
    row = connection.execute(sa.select(table).where(table.c.id == limit_id)).mappings().first()
    return _limit(row) if row else None


def limits_of(
    connection: sa.Connection, user_id: str, *states: LimitState, most: int = 50
) -> list[StandingLimit]:
    """The user's limits in one of these states, the newest first."""
    table = schema.standing_limits
    rows = connection.execute(
        sa.select(table)
        .where(table.c.user_id == user_id, table.c.state.in_([state.value for state in states]))
        .order_by(table.c.asked_at.desc(), table.c.id)
        .limit(most)
    )
    return [_limit(row) for row in rows.mappings()]


def move_limit(
    connection: sa.Connection, limit: StandingLimit, to: LimitState, **values: object
) -> StandingLimit:
    """Take a limit from where it was read to another state; else `Moved`."""
    table = schema.standing_limits
    result = connection.execute(
        sa.update(table)
        .where(table.c.id == limit.id, table.c.state == limit.state.value)
        .values(state=to.value, **values)
    )
    if result.rowcount != 1:
        raise Moved(f"the limit {limit.id!r} is no longer {limit.state.value}")
    return replace(limit, state=to)


def used(connection: sa.Connection, limit: StandingLimit, now: float, besides: str = "") -> Used:
    """What counts against it; the approval `besides` does not.

    Bookings after `now` count as well: a clock that goes back frees nothing.
    """
    counted = [
        minor
        for minor in (
            *_booked(connection, limit, now - limit.terms.period_s, besides),
            *_promised(connection, limit, besides),
        )
        if minor > 0
    ]
    return Used(Money(sum(counted), limit.terms.currency), len(counted))


def book(connection: sa.Connection, limit: StandingLimit, given: Approval, at: float) -> None:
    connection.execute(
        sa.insert(schema.limit_bookings).values(
            approval_id=given.id,
            limit_id=limit.id,
            order_id=given.order_id,
            user_id=given.user_id,
            amount_minor=given.amount.minor,
            at=at,
        )
    )


def mandates_text(mandates: OpenMandates) -> str:
    return msgspec.json.encode(mandates).decode()


def booked_on(connection: sa.Connection, approval_id: str) -> StandingLimit | None:
    """The limit that an approval was given by, if it was."""
    bookings = schema.limit_bookings.c
    limit_id = connection.execute(
        sa.select(bookings.limit_id).where(bookings.approval_id == approval_id)
    ).scalar()
    return find_limit(connection, limit_id) if limit_id else None


def that_covers(
    connection: sa.Connection,
    policy: Policy,
    user_id: str,
    checkout: Checkout,
    now: float,
    key_id: str,
    *,
    besides: str = "",
    only: str = "",
) -> StandingLimit | None:
    """The limit within which this is bought without asking; None when it must be asked.

    What needs a screen never is, nor is money for somebody. Of several limits one that names the
    shop comes first. `besides` is the approval that asks, `only` the limit that it stands on
    already.
    """
    currency = checkout.total.currency
    most = ceiling(connection, policy, user_id, kind_of(checkout), currency)
    if isinstance(policy.judge(checkout, most), Denied):
        return None
    if screening(connection, policy, user_id, checkout) or checkout.transfer is not None:
        return None
    live = limits_of(connection, user_id, LimitState.LIVE)
    for limit in sorted(live, key=lambda limit: (not limit.terms.merchants, limit.asked_at)):
        if only and limit.id != only:
            continue
        if not limit.stands(now, key_id) or not _allows(connection, limit, checkout):
            continue
        before = used(connection, limit, now, besides)
        in_budget = before.amount.minor + checkout.total.minor <= limit.terms.budget_minor
        in_number = not limit.terms.purchases or before.purchases < limit.terms.purchases
        if in_budget and in_number:
            return limit
    return None


def windows_on(connection: sa.Connection, limit_id: str, user_id: str) -> list[str]:
    """Ids of the questions that wait to answer themselves by this limit."""
    approvals = schema.approvals.c
    rows = connection.execute(
        sa.select(approvals.id).where(
            approvals.user_id == user_id,
            approvals.state == ApprovalState.PENDING.value,
            approvals.limit_id == limit_id,
        )
    )
    return list(rows.scalars())


def _allows(connection: sa.Connection, limit: StandingLimit, checkout: Checkout) -> bool:
    terms, total = limit.terms, checkout.total
    if total.currency != terms.currency or not 0 < total.minor <= terms.most_minor:
        return False
    if not terms.admits((line.item_id, line.quantity) for line in checkout.lines):
        return False
    if terms.merchants:
        return terms.names(checkout.merchant_id)
    # Any shop means any that the user has said yes to before.
    return records.last_paid(connection, limit.user_id, checkout.merchant_id) is not None


def _booked(
    connection: sa.Connection, limit: StandingLimit, since: float, besides: str
) -> Iterable[int]:
    bookings, approvals, orders = (
        schema.limit_bookings.c,
        schema.approvals.c,
        schema.orders.c,
    )
    rows = connection.execute(
        sa.select(bookings.order_id, bookings.amount_minor, orders.state)
        .join(schema.approvals, approvals.id == bookings.approval_id)
        .join(schema.orders, orders.id == bookings.order_id)
        .where(
            bookings.limit_id == limit.id,
            bookings.at > since,
            bookings.approval_id != besides,
            approvals.state == ApprovalState.APPROVED.value,
        )
    ).all()
    for order_id, minor, state in rows:
        if OrderState(state) in _UNSETTLED:
            yield minor
        else:
            yield -ledger.standing(connection, order_id).get(ledger.AVAILABLE, 0)


def _promised(connection: sa.Connection, limit: StandingLimit, besides: str) -> Iterable[int]:
    approvals = schema.approvals.c
    rows = connection.execute(
        sa.select(approvals.amount_minor).where(
            approvals.user_id == limit.user_id,
            approvals.state == ApprovalState.PENDING.value,
            approvals.limit_id == limit.id,
            approvals.id != besides,
        )
    )
    return rows.scalars().all()


def _limit(row: sa.RowMapping) -> StandingLimit:
    evidence, mandates = row["evidence"], row["mandates"]
    return StandingLimit(
        id=row["id"],
        user_id=row["user_id"],
        state=LimitState(row["state"]),
        terms=msgspec.json.decode(row["terms"], type=LimitTerms),
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        decided_at=row["decided_at"],
        ended_at=row["ended_at"],
        evidence=msgspec.json.decode(evidence, type=Evidence) if evidence else None,
        key_id=row["key_id"] or "",
        mandates=msgspec.json.decode(mandates, type=OpenMandates) if mandates else None,
    )
