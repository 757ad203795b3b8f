"""The part of a random story (`stateful.py`) in which users buy several things at once, as plans."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa
from commerce_market import FLIGHT, GROCERIES, RIDE, RIDE_LATER, TABLE
from commerce_town import LATTES, draft
from commerce_world import ON_SCREEN
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from lapel.commerce import NewPart, OrderState, PlanError
from lapel.store import schema

USERS = st.integers(0, 2)
WHICH = st.integers(0, 1000)
ENDS = ("done", "kept", "undone", "failed", "lapsed", "refused")
LATE = frozenset({"closed", "expired", "other_plan", "unknown"})
"""What may be answered to a user who comes late."""
PLANS = {
    "an evening": (NewPart("Table", TABLE), NewPart("Ride", RIDE_LATER, needs=0)),
    "a journey": (
        NewPart("Flight", FLIGHT),
        NewPart("Ride", RIDE, needs=0),
        NewPart("Lattes", LATTES),
    ),
    "two shops": (NewPart("Lattes", LATTES), NewPart("Tart", draft(("tart", 1), merchant="red"))),
    "a supper": (NewPart("Groceries", GROCERIES), NewPart("Table", TABLE)),
}
BOUGHT = (OrderState.PLACED, OrderState.DELIVERED)


class PlansWhole:
    """Plans asked about, agreed to, given up and chosen about. The story has the world and the orders."""

    world: Any
    run: Any
    get: Any
    kept: Any
    there: Any
    decides: Any
    ids: list[str]
    yes: set[str]

    def __init__(self) -> None:
        super().__init__()
        self.plans: list[str] = []

    @precondition(lambda self: len(self.ids) < 8)
    @rule(user=USERS, what=st.sampled_from(sorted(PLANS)), sure=st.booleans())
    def plans_something(self, user: int, what: str, sure: bool) -> None:
        parts = PLANS[what]
        plan_id = f"p_{len(self.plans)}."
        self.plans.append(plan_id)
        self.run(self.world.plans.begin(f"u_{user}", "all of it", parts, plan_id=plan_id))
        for n in range(len(parts)):
            order_id = f"o_{plan_id[2:]}{n}"
            if self.known(order_id):
                self.ids.append(order_id)
        self.run(asyncio.sleep(0.3))
        if sure:
            self.answers_a_plan(len(self.plans) - 1, "approve")

    @precondition(lambda self: self.plans)
    @rule(which=WHICH, answer=st.sampled_from(("approve", "approve", "approve", "refuse", "drop")))
    def answers_a_plan(self, which: int, answer: Any) -> None:
        plan = self.plan(which)
        if plan is None or plan.state != "asking":
            return
        if answer == "drop":
            self.run(self.world.plans.drop(plan.id, plan.user_id))
            return
        if answer == "approve":
            self.yes |= {part.approval_id for part in plan.parts}
        self.may_plan(
            self.world.plans.decide(
                plan.id, answer, ON_SCREEN, plan_hash=plan.hash(), user_id=plan.user_id
            )
        )

    @precondition(lambda self: self.plans)
    @rule(which=WHICH, keeps=st.booleans())
    def chooses(self, which: int, keeps: bool) -> None:
        plan = self.plan(which)
        if plan is not None and plan.state == "choosing":
            self.may_plan(self.world.plans.choose(plan.id, plan.user_id, keeps=keeps))

    def may_plan(self, saying: Any) -> None:
        """What can come too late."""
        try:
            self.run(saying)
        except PlanError as error:
            if error.code not in LATE:
                raise

    def plan(self, which: int) -> Any:
        """None if the process died before it was written down."""
        plan_id, plan = self.plans[which % len(self.plans)], None
        before = None
        while plan is None and before != self.world.life.number:
            before = self.world.life.number
            plan = self.run(self.world.plans.get(plan_id))
        return plan

    def known(self, order_id: str) -> bool:
        """Whether such an order was written down."""
        query = sa.select(schema.orders.c.id).where(schema.orders.c.id == order_id)
        return bool(self.world.record.look(query))

    def every_plan_has_ended(self) -> None:
        """As it was told, once; and its parts are what it says of them."""
        for which, plan_id in enumerate(self.plans):
            plan = self.plan(which)
            if plan is None:
                continue
            assert plan.state in ENDS, f"{plan_id} is {plan.state}"
            assert self.world.endings[plan_id] == {plan.state}, (
                f"{plan}: {self.world.endings[plan_id]}"
            )
            outcomes = [part.outcome for part in plan.parts]
            assert (plan.state == "done") == (not any(outcomes)), f"{plan}"
            assert plan.state in ("done", "kept", "undone") or all(outcomes), f"{plan}"
            for part in plan.parts:
                if not self.known(part.order_id):
                    assert plan.state == "lapsed", f"{plan} without {part.order_id}"
                    continue
                order = self.get(part.order_id)
                if part.outcome in ("failed", "dropped", "undone"):
                    assert order.state not in BOUGHT, f"{part} is {order.state}"
                if part.outcome == "undone":
                    assert self.kept(order) <= (part.undo_minor or 0), f"{part} costs more"
