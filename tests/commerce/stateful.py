"""Random users, merchants, faults and deaths against the real orders, in virtual time.

    python tests/commerce/stateful.py --seed 7 --steps 10000

After every step no user has paid what they did not agree to, nor twice, and no standing limit has given
more than it allows; at the end, when every fault is mended and every order at rest: charged = receipts =
merchants' orders, the ledger says the same, a limit counts what the bank has kept, every request to a
company has ended once, of what was given back no more is kept than was agreed to, and every plan is what
it was told to be.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import hypothesis
import sqlalchemy as sa
from allowing import Allows
from booking import CHANGES as COMPANY_CHANGES
from booking import WAYS, Bookings, kind_of
from commerce_town import PRICES, draft
from commerce_world import BUDS, ON_SCREEN, TAP, wrong_in
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from mortal import Mortal
from planning import PlansWhole
from stage.loop import Loop

from lapel.commerce import (
    ApprovalError,
    Order,
    OrderDraft,
    OrderError,
    OrderState,
    verify,
    verify_chain,
)
from lapel.store import schema

STEPS = 60
"""Of one story."""
CALLS = (
    *("create", "update", "complete", "cancel", "authorize", "release"),
    *("get", "order", "state", "complete", "authorize", "ask", "ask", "answer"),
)
FAULTS = ("down", "lost", "late", "nonsense")
"""No answer and no effect; an effect and no answer; an effect after long; no sense."""
CHANGES = (
    *((f"price:{item}", "") for item in sorted(PRICES)),
    *(("sold_out", "latte"), ("sold_out", "tart"), ("refuse:quote", "We are closed.")),
    *(("refuse:complete", "We are out of milk."), ("refuse:authorize", "No.")),
    *(("overcharge", "35"), ("weighs_less", "35"), ("at_most", "1")),
    *COMPANY_CHANGES,
)
"""A shop's or the bank's, with what they are set to; a price is drawn."""
AT_REST = frozenset(
    {
        *(OrderState.REFUSED, OrderState.LAPSED, OrderState.CANCELED, OrderState.PLACED),
        *(OrderState.DELIVERED, OrderState.REFUNDED, OrderState.FAILED),
    }
)
STANDS = frozenset({OrderState.PLACED, OrderState.DELIVERED})
NO = frozenset(
    {"void", "expired", "already_decided", "hash_mismatch", "too_late", "closed", "asked"}
)
"""What may be answered to a user who comes late."""
ONCE = (
    *("placed", "refunded", "delivered", "lapsed", "refused", "canceled", "merchant_canceled"),
    *("ride_canceled", "journey_canceled", "table_canceled", "dropped_off", "transferred"),
    *("change_done", "time_changed", "destination_changed", "tipped", "billed"),
)
CARTS = st.lists(
    st.tuples(st.sampled_from(sorted(PRICES)), st.integers(1, 3)),
    min_size=1,
    max_size=2,
    unique_by=lambda line: line[0],
)
Cart = list[tuple[str, int]]
WAY = ("preparing", "picked_up", "in_transit", "delivered")
USERS = st.integers(0, 2)
WHICH = st.integers(0, 1000)


class Orders(Allows, Bookings, PlansWhole, RuleBasedStateMachine):
    """One story."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=Loop)
        self.world = Mortal()
        self.ids: list[str] = []
        self.questions: list[tuple[str, str]] = []
        """Every question that was ever asked, with the hash that the user saw."""
        self.reports: list[Any] = []
        """Webhooks that a merchant has written; they come late, twice, or not at all."""
        self.promised: dict[str, int] = {}
        """What a merchant has said that it gives back, and the bank has not been told yet."""
        self.yes: set[str] = set()
        """The questions that somebody may have said yes to."""
        self.no: set[str] = set()
        """The orders whose user has heard that nothing is ordered."""

    def run(self, doing: Any) -> Any:
        """Do it, and live on: a process that died is started again."""

        async def on() -> Any:
            answer = await self.world.lives(doing)
            while self.world.life.over.is_set() or self.world.dead:
                await self.world.revive()
            return answer

        return self.runner.run(on())

    # Users.

    @initialize(user=USERS, cart=CARTS, allows=st.booleans())
    def opens(self, user: int, cart: Cart, allows: bool) -> None:
        self.run(self.world.open())
        if allows:
            self.allows(user, ("blue", "red"), 1700, 1, 0, 900_000)
        self.orders(user, "blue", cart, True)

    @precondition(lambda self: len(self.ids) < 8)
    @rule(user=USERS, merchant=st.sampled_from(("blue", "red")), cart=CARTS, sure=st.booleans())
    def orders(self, user: int, merchant: str, cart: Cart, sure: bool) -> None:
        self.begins(user, draft(*cart, merchant=merchant), sure)

    def begins(self, user: int, wanted: OrderDraft, sure: bool) -> None:
        order_id = f"o_{len(self.ids)}"
        self.ids.append(order_id)
        self.run(self.world.orders.begin(f"u_{user}", wanted, order_id))
        # Whoever died of it may never have written it down: the user says it again.
        self.run(self.world.orders.begin(f"u_{user}", wanted, order_id))
        self.run(asyncio.sleep(0.3))
        approval = self.get(order_id).approval
        if sure and approval is not None:
            self.decides(approval.id, approval.checkout_hash)

    @rule(which=WHICH, answer=st.sampled_from(("approve", "approve", "approve", "refuse")))
    def answers(self, which: int, answer: Any) -> None:
        asking = [
            x
            for x in map(self.get, self.ids)
            if x.state is OrderState.AWAITING_APPROVAL and not x.draft.plan
        ]
        if asking:
            approval = asking[which % len(asking)].approval
            assert approval is not None
            self.questions.append((approval.id, approval.checkout_hash))
            self.decides(*self.questions[-1], answer)

    @precondition(lambda self: self.questions)
    @rule(which=WHICH, other=WHICH)
    def answers_an_old_question(self, which: int, other: int) -> None:
        questions = self.questions
        self.decides(questions[which % len(questions)][0], questions[other % len(questions)][1])

    @rule(which=WHICH)
    def answers_with_two_hands(self, which: int) -> None:
        order = self.one(which)
        asks = order.approval is not None and order.approval.state.value == "pending"
        if order.approval is None or not asks or order.draft.plan or not order.draft.is_cart:
            return
        asked, seen, orders = order.approval.id, order.approval.checkout_hash, self.world.orders
        self.yes.add(asked)

        async def both() -> list[Any]:
            return await asyncio.gather(
                orders.decide(asked, "approve", TAP, checkout_hash=seen),
                orders.decide(asked, "refuse", BUDS, checkout_hash=seen),
                return_exceptions=True,
            )

        for answer in self.run(both()) or ():
            if isinstance(answer, Exception):
                self.is_late(answer)

    @rule(which=WHICH, cart=CARTS)
    def thinks_again(self, which: int, cart: Cart) -> None:
        order = self.one(which)
        if not order.draft.is_cart:
            return
        self.may(self.world.orders.revise(order.id, draft(*cart, merchant=order.merchant_id)))

    @rule(which=WHICH)
    def gives_up(self, which: int) -> None:
        order_id = self.one(which).id

        async def cancels() -> str:
            await self.world.orders.cancel(order_id)
            return order_id

        self.no |= {self.may(cancels())} - {None}

    # Merchants and the bank.

    @rule(change=st.sampled_from(CHANGES), minor=st.integers(300, 700))
    def a_shop_changes(self, change: tuple[str, str], minor: int) -> None:
        self.world.town.set(change[0], change[1] or (minor if "price" in change[0] else ""))
        if other := {"overcharge": "weighs_less", "weighs_less": "overcharge"}.get(change[0]):
            self.world.town.set(other, 0)  # a shop says what it takes: with both it would not

    @rule()
    def a_shop_is_as_it_was(self) -> None:
        self.world.town.db.execute("delete from knobs")

    @rule(
        which=WHICH,
        step=st.integers(0, 7),
        canceled=st.sampled_from((False, False, False, True)),
        greedy=st.booleans(),
    )
    def writes_a_report(self, which: int, step: int, canceled: bool, greedy: bool) -> None:
        """A company that calls off what was booked keeps nothing of it, or a fee that nobody agreed to."""
        order, town = self.one_at_a_merchant(which), self.world.town
        if order is None or order.draft.kind == "groceries":
            return
        kind, number = kind_of(order.draft), f"m_{order.checkout_id}"
        way = WAYS.get(kind, WAY)
        # What is over is not called off; a change has been made at once, and stands.
        canceled = canceled and kind != "change" and town.may_change(number)
        if canceled and not greedy:
            town.note(number, "kept", 0)
        if not kind or town.may_change(number):
            told = (way[step % len(way)],)
            self.reports.append(town.report(order.checkout_id, *told, canceled=canceled))

    @precondition(lambda self: self.reports)
    @rule(which=WHICH)
    def a_report_comes(self, which: int) -> None:
        report = self.reports[which % len(self.reports)]
        self.run(self.world.orders.merchant_reports(report))

    @rule(which=WHICH, minor=st.sampled_from((1, 100, 320, 400)))
    def promises_a_part_back(self, which: int, minor: int) -> None:
        """Of the fee for what was given back it may be all."""
        order = self.one_at_a_merchant(which)
        if order is not None:
            left = self.world.town.left(f"m_{order.checkout_id}")
            if minor < left or (minor == left and order.state is OrderState.CANCELED):
                self.world.town.promise_back(order.checkout_id, minor)
                self.promised[order.id] = self.promised.get(order.id, 0) + minor
                self.reports.append(self.world.town.report(order.checkout_id))

    @precondition(lambda self: self.promised)
    @rule()
    def gives_what_was_promised(self) -> None:
        for order_id, minor in self.promised.items():
            hold = self.hold_of(self.get(order_id))
            if hold and hold[2] == "captured" and minor <= hold[3] - hold[4]:
                self.world.town.give_part(hold[0], minor)
        self.promised.clear()

    # Faults and deaths.

    @rule(
        op=st.sampled_from(CALLS), kind=st.sampled_from(FAULTS), times=st.sampled_from((1, 1, 2, 9))
    )
    def a_call_fails(self, op: str, kind: str, times: int) -> None:
        if kind == "late":
            self.world.town.late[op] += times
        else:
            self.world.town.fail(op, *[kind] * times)

    @rule()
    def calls_succeed_again(self) -> None:
        self.world.town.heal()
        self.world.town.late.clear()

    @rule(touches=st.integers(1, 12))
    def will_die(self, touches: int) -> None:
        self.world.life.fuse = touches

    @rule()
    def dies(self) -> None:
        self.runner.run(self.world.bury())
        self.run(asyncio.sleep(0))

    @rule(seconds=st.sampled_from((0.04, 0.2, 0.2, 1.0)))
    def a_moment_passes(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(seconds=st.sampled_from((5.0, 25.0, 70.0, 700.0)))
    def a_while_passes(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    # What holds.

    @invariant()
    def nobody_pays_twice_or_what_they_did_not_agree_to(self) -> None:
        town = self.world.town
        assert town.violations() == []
        paid: Counter[str] = Counter()
        within = {row[0] for row in self.look(sa.select(schema.limit_bookings.c.approval_id))}
        for id, key, state, captured, refunded, amount in town.db.execute(
            "select id,key,state,captured,refunded,amount from holds"
        ):
            order_id, revision, _ = key.split(":")
            assert 0 <= refunded <= captured <= amount, (id, state)
            if captured:
                paid[order_id] += 1
                agreed = self.look(
                    sa.select(schema.approvals.c.amount_minor).where(
                        schema.approvals.c.id == f"a_{order_id}_{revision}",
                        schema.approvals.c.decided_at.is_not(None),
                    )
                )
                assert [row[0] for row in agreed] == [amount], f"{order_id} was not approved"
                asked = f"a_{order_id}_{revision}"
                assert asked in self.yes | within, f"nobody said yes to {asked}"
                assert order_id not in self.no, f"{order_id} was undone, and paid"
        assert all(times == 1 for times in paid.values()), paid
        told = self.look(sa.select(schema.order_events.c.order_id, schema.order_events.c.kind))
        counted = Counter((row[0], row[1]) for row in told if row[1] in ONCE)
        assert all(times == 1 for times in counted.values()), counted

    def teardown(self) -> None:
        try:
            if self.ids:
                self.comes_to_rest()
        finally:
            self.runner.run(self.world.close())
            self.runner.close()

    def comes_to_rest(self) -> None:
        """Everything is mended; two days later every order has ended as it should."""
        town = self.world.town
        town.heal()
        town.late.clear()
        self.world.life.fuse = 0
        self.world.town.db.execute("delete from knobs")
        self.gives_what_was_promised()
        self.the_companies_are_answered()
        for order_id in self.ids:
            if self.there(order := self.get(order_id)):  # a webhook is sent until it is taken
                self.run(self.world.orders.merchant_reports(town.report(order.checkout_id)))
        for _ in range(60):
            self.run(asyncio.sleep(900.0))
            orders = [self.get(order_id) for order_id in self.ids]
            if all(order.state in AT_REST for order in orders):
                break
        self.the_companies_are_answered()  # of what was placed only now
        for order in self.all_orders:
            if self.there(order):
                self.run(self.world.orders.merchant_reports(town.report(order.checkout_id)))
        self.run(asyncio.sleep(7200.0))
        orders = [self.get(order_id) for order_id in self.ids]
        assert [x.state for x in orders if x.state not in AT_REST] == [], "an order hangs"
        self.nobody_pays_twice_or_what_they_did_not_agree_to()
        self.no_limit_gives_more_than_was_allowed()
        self.the_budgets_are_right()
        for order in orders:
            self.ended_well(order)
            self.every_request_has_ended(order)
        self.every_plan_has_ended()
        there = {checkout for checkout, _ in town.placed()}
        assert {x.checkout_id for x in orders if x.state in STANDS} <= there
        assert [state for _, state, _, _ in town.holds() if state == "authorized"] == []
        with self.world.record._engine.connect() as connection:
            assert wrong_in(connection, town.moves()) == []
        # A receipt is written when an order is placed, or billed.
        events = schema.order_events.c
        wrote = sa.select(events.order_id, events.n).where(events.kind.in_(("placed", "billed")))
        chain: dict[str, int] = {row[0]: row[1] for row in self.look(wrote.order_by(events.n))}
        for user in range(3):
            mine = [x for x in self.run(self.world.orders.list(f"u_{user}", 1000)) if x.receipt]
            mine.sort(key=lambda order: chain[order.id])
            verify_chain(order.receipt for order in mine)

    def ended_well(self, order: Order) -> None:
        """The user has what they paid for, or their money."""
        hold, kept = self.hold_of(order), self.kept(order)
        given_back = order.state is OrderState.CANCELED and order.receipt is not None
        if given_back:
            fee = self.fee_of(order)
            assert kept == fee, f"{order.id} keeps {kept}, not {fee}"
        elif order.state not in STANDS:
            assert kept == 0, f"{order.id} {order.state} keeps {kept}"
            return
        assert hold is not None
        assert hold[3] == order.total.minor, f"{order.id}: {hold} is not {order.total}"
        assert order.receipt is not None
        proof = verify(order.receipt)
        paid = proof.payment.paid or proof.payment.amount
        assert paid.minor == hold[3], f"{order.id}: {paid} is not what the bank took"

    def kept(self, order: Order) -> int:
        """What the bank has taken for it and not given back."""
        hold = self.hold_of(order)
        return hold[3] - hold[4] if hold else 0

    # Looking.

    def one(self, which: int) -> Order:
        return self.get(self.ids[which % len(self.ids)])

    def one_at_a_merchant(self, which: int) -> Order | None:
        query = "select key from holds join orders on orders.hold = holds.id order by orders.rowid"
        keys = self.world.town.db.execute(query).fetchall()
        return self.get(keys[which % len(keys)][0].split(":")[0]) if keys else None

    def get(self, order_id: str) -> Order:
        order = None
        while order is None:  # whoever looks may die of it
            before = self.world.life.number
            order = self.run(self.world.orders.get(order_id))
            assert order is not None or before != self.world.life.number, f"{order_id} is lost"
        return order

    def decides(self, approval_id: str, checkout_hash: str, answer: Any = "approve") -> None:
        orders = self.world.orders
        self.yes |= {approval_id} if answer == "approve" else set()
        order_id = approval_id.removeprefix("a_").rpartition("_")[0]
        by = TAP if self.get(order_id).draft.is_cart else ON_SCREEN
        given = self.may(orders.decide(approval_id, answer, by, checkout_hash=checkout_hash))
        self.no |= {given.order_id} if given and answer == "refuse" else set()

    def may(self, doing: Any) -> Any:
        """Something that can come too late; None if it did, or if the process died of it."""
        try:
            return self.run(doing)
        except (ApprovalError, OrderError) as error:
            return self.is_late(error)

    def is_late(self, error: BaseException) -> None:
        assert isinstance(error, (ApprovalError, OrderError)), error
        assert error.code in NO, error

    def there(self, order: Order) -> bool:
        """Whether the merchant has an order of it."""
        query = "select 1 from orders where checkout_id=?"
        return bool(self.world.town.db.execute(query, (order.checkout_id,)).fetchone())

    def hold_of(self, order: Order) -> Any:
        """The payment that was taken for it, if any: id, key, state, captured, refunded."""
        query = "select id,key,state,captured,refunded from holds where key like ? and captured > 0"
        return self.world.town.db.execute(query, (f"{order.id}:%",)).fetchone()

    def look(self, statement: Any) -> list[Any]:
        return self.world.record.look(statement)


def play(seed: int | None, steps: int) -> None:
    """Stories of `STEPS` steps, until there were so many steps; without a seed always the same."""
    machine = Orders if seed is None else hypothesis.seed(seed)(Orders)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, steps // STEPS),
            stateful_step_count=STEPS,
            derandomize=seed is None,
            database=None,
            deadline=None,
            print_blob=True,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


if __name__ == "__main__":
    reads = argparse.ArgumentParser(description=__doc__)
    reads.add_argument("--seed", type=int, default=0)
    reads.add_argument("--steps", type=int, default=10_000)
    given = reads.parse_args()
    play(given.seed, given.steps)
    print(f"seed {given.seed}: {given.steps} steps, and the money is right")
