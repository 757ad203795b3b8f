"""The most that one purchase may cost: the settings' figure, or the one that the user set instead.

A ceiling lets nothing be bought: a purchase below it is asked about like any other, and what takes
a screen or a passkey goes by `screening`, which no ceiling moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa

from lapel.commerce.checkout import Checkout
from lapel.commerce.desk import Desk
from lapel.commerce.errors import LimitError
from lapel.commerce.money import Money, minor_digits
from lapel.commerce.order import OrderEvent
from lapel.commerce.policy import Policy
from lapel.store import insert
from lapel.store.schema import ceilings

CeilingKind = Literal["orders", "travel"]
CEILING_KINDS: tuple[CeilingKind, ...] = get_args(CeilingKind)
HIGHEST = 100_000
"""In whole units of the currency: a larger figure is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """`own` is true where the user has set it."""

    kind: CeilingKind
    most: Money
    own: bool


def kind_of(checkout: Checkout) -> CeilingKind:
    return "travel" if checkout.journey is not None else "orders"


def ceiling(
    connection: sa.Connection, policy: Policy, user_id: str, kind: CeilingKind, currency: str
) -> int | None:
    """In minor units; None for a currency that is never paid in."""
    own = connection.execute(
        sa.select(ceilings.c.minor).where(
            ceilings.c.user_id == user_id,
            ceilings.c.kind == kind,
            ceilings.c.currency == currency,
        )
    ).scalar()
    usual = policy.max_journey if kind == "travel" else policy.max_order
    return usual.get(currency) if own is None else int(own)


class Ceilings:
    """The users' own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def of(self, user_id: str) -> list[Ceiling]:
        """Each kind in each currency that can be paid in."""
        policy = self._desk.policy

        def work(connection: sa.Connection) -> list[Ceiling]:
            rows = connection.execute(sa.select(ceilings).where(ceilings.c.user_id == user_id))
            own = {(row.kind, row.currency): int(row.minor) for row in rows}
            usual = {
                **{("orders", currency): most for currency, most in policy.max_order.items()},
                **{("travel", currency): most for currency, most in policy.max_journey.items()},
            }
            found = {**usual, **own}
            return [
                Ceiling(kind, Money(found[kind, currency], currency), (kind, currency) in own)
                for kind in CEILING_KINDS
                for currency in sorted({name for of_kind, name in found if of_kind == kind})
            ]

        return await self._desk.journal.read(work)

    async def set(self, user_id: str, kind: CeilingKind, most: Money) -> None:
        """From the next price on; raises LimitError for what cannot be meant."""
        highest = HIGHEST * 10 ** minor_digits(most.currency)
        if not 0 < most.minor <= highest:
            raise LimitError(
                f"a limit is more than nothing and at most {Money(highest, most.currency)}",
                code="bad_terms",
            )
        values = {"minor": most.minor, "set_at": self._desk.clock()}
        key = {"user_id": user_id, "kind": kind, "currency": most.currency}

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            found = insert(connection, ceilings).values(**key, **values)
            connection.execute(found.on_conflict_do_update(index_elements=[*key], set_=values))
            return None, []

        await self._desk.journal.commit(work)
