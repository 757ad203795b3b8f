"""The part of a random story (`stateful.py`) in which users allow purchases in advance.

What holds is asked of the bank and of what the users said, never of what Lapel believes is used.
"""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa
from commerce_world import ON_SCREEN
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from mortal import wall

from lapel.commerce import LimitError, LimitTerms, Party
from lapel.store import schema

LATE = frozenset({"already_decided", "expired", "unknown", "too_many"})
"""What may be answered to a user who comes late, or died of it and says it again."""
SHOPS = (("blue",), ("blue", "red"), ("red",), ())
DAY_S = 86400
USERS = st.integers(0, 2)
WHICH = st.integers(0, 1000)
SMALL = st.lists(
    st.tuples(st.sampled_from(("latte", "muffin", "tart")), st.integers(1, 2)),
    min_size=1,
    max_size=1,
)


class Allows:
    """Limits that are set, replaced, revoked and outlived. The story has the world and the orders."""

    runner: asyncio.Runner
    world: Any
    run: Any
    look: Any
    orders: Any
    ids: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.allowed: dict[str, tuple[str, LimitTerms]] = {}
        """Every limit that a user may have said yes to, with what they saw."""
        self.over: dict[str, set[str]] = {}
        """The limits that have ended, with the approvals that they had given by then."""
        self.days = 0

    @rule(
        user=USERS,
        shops=st.sampled_from(SHOPS),
        most=st.sampled_from((1000, 1700, 3000)),
        budgets=st.sampled_from((1, 1, 2)),
        purchases=st.sampled_from((0, 0, 1, 2)),
        for_s=st.sampled_from((100, DAY_S, 9 * DAY_S, 9 * DAY_S)),
    )
    def allows(
        self,
        user: int,
        shops: tuple[str, ...],
        most: int,
        budgets: int,
        purchases: int,
        for_s: int,
    ) -> None:
        until = int(self.now()) + for_s
        named = tuple(Party(shop, f"Shop {shop}") for shop in shops)
        terms = LimitTerms("EUR", most, most * budgets, "day", until, named, purchases)
        owner, standing = f"u_{user}", self.world.orders.standing
        limit = self.says(lambda: standing.propose(owner, terms))
        if limit is None:
            return
        self.allowed[limit.id] = (owner, terms)
        standing = self.world.orders.standing
        told = self.says(
            lambda: standing.decide(limit.id, "approve", ON_SCREEN, terms_hash=terms.hash())
        )
        if told is not None:  # it took the place of those for the same shops
            for id, (other, before) in self.allowed.items():
                same = {shop.id for shop in before.merchants} == set(shops)
                if other == owner and same and id != limit.id:
                    self.ends(id)

    @precondition(lambda self: self.live and len(self.ids) < 9)
    @rule(
        which=WHICH,
        cart=SMALL,
        times=st.sampled_from((2, 1)),
        waits=st.sampled_from((20.0, 20.0, 20.0, 14.9, 0.0)),
    )
    def orders_within(
        self, which: int, cart: list[tuple[str, int]], times: int, waits: float
    ) -> None:
        owner, terms = self.allowed[self.live[which % len(self.live)]]
        shops = [shop.id for shop in terms.merchants] or ["blue", "red"]
        for _ in range(times):
            self.orders(int(owner[2:]), shops[which % len(shops)], cart, False)
        self.run(asyncio.sleep(waits))

    @precondition(lambda self: self.live)
    @rule(which=WHICH, key=st.sampled_from((False, False, False, True)))
    def ends_a_limit(self, which: int, key: bool) -> None:
        """By revoking it; or the user gets another key, and all end that the old one signed."""
        id = self.live[which % len(self.live)]
        owner, ended = self.allowed[id][0], None
        vault, at = self.world.orders.vault, self.now()
        gone = [each for each in self.live if self.allowed[each][0] == owner] if key else [id]
        while ended is None:  # whoever died of it says it again
            orders = self.world.orders
            ended = self.run(
                self.world.record.write(lambda c: vault.rotate(c, owner, at))
                if key
                else orders.standing.revoke(owner, id)
            )
        for each in gone:
            self.ends(each)

    @precondition(lambda self: self.live and self.days < 1)
    @rule(seconds=st.sampled_from((50_000.0, 86_000.0)))
    def a_day_passes(self, seconds: float) -> None:
        self.days += 1
        self.run(asyncio.sleep(seconds))

    @invariant()
    def no_limit_gives_more_than_was_allowed(self) -> None:
        now = self.now()
        for id, (owner, terms) in self.allowed.items():
            given = self.given_by(id)
            for row in given:
                assert row.user_id == owner, f"{id} of {owner} paid for {row.user_id}"
                assert 0 < row.amount_minor <= terms.most_minor, f"{row} is more than {terms}"
                assert row.at < terms.valid_until, f"{row} came after {terms}"
                named = terms.names(row.merchant_id) or not terms.merchants
                assert named, f"{row} is not at a shop of {terms}"
            if id in self.over:
                late = {row.approval_id for row in given} - self.over[id]
                assert not late, f"{id} was over and gave {late}"
            kept = self.kept_within(id, now - terms.period_s)
            assert sum(kept) <= terms.budget_minor, f"{id}: {kept} is more than {terms}"
            assert len(kept) <= (terms.purchases or len(kept)), f"{id}: {kept}, but {terms}"
        known = {row[0] for row in self.look(sa.select(schema.limit_bookings.c.limit_id))}
        assert known <= set(self.allowed), "a limit gave that nobody agreed to"

    def the_budgets_are_right(self) -> None:
        """At rest a limit counts exactly what the bank has kept."""
        for user in range(3):
            for limit in self.run(self.world.orders.standing.live(f"u_{user}")):
                kept = self.kept_within(limit.limit.id, self.now() - limit.limit.terms.period_s)
                used = (limit.used.amount.minor, limit.used.purchases)
                assert used == (sum(kept), len(kept)), f"{limit.limit.id} counts {used}, not {kept}"

    def given_by(self, id: str) -> list[Any]:
        bookings, orders = schema.limit_bookings.c, schema.orders.c
        return self.look(
            sa.select(schema.limit_bookings, orders.merchant_id)
            .join(schema.orders, orders.id == bookings.order_id)
            .where(bookings.limit_id == id)
        )

    def kept_within(self, id: str, since: float) -> list[int]:
        """What the bank holds or keeps of each purchase under a limit, those of nothing left out."""
        kept: list[int] = []
        for row in self.given_by(id):
            if row.at > since:
                revision = row.approval_id.rpartition("_")[2]
                minor = self.world.town.db.execute(
                    "select coalesce(sum(iif(state='authorized',amount,captured-refunded)),0)"
                    " from holds where key like ?",
                    (f"{row.order_id}:{revision}:%",),
                ).fetchone()[0]
                kept += [minor] if minor else []
        return kept

    @property
    def live(self) -> list[str]:
        return [id for id in self.allowed if id not in self.over]

    def ends(self, id: str) -> None:
        self.over.setdefault(id, {row.approval_id for row in self.given_by(id)})

    def says(self, saying: Any) -> Any:
        """The answer to the user, None when it came too late or with the death of the process."""
        try:
            return self.run(saying())
        except LimitError as error:
            if error.code not in LATE:
                raise
            return None

    def now(self) -> float:
        async def time() -> float:
            return wall()

        return self.runner.run(time())
