"""A plan and its parts, and how they stand in the record."""

from __future__ import annotations

from typing import Literal

import msgspec
import sqlalchemy as sa

from lapel.commerce.errors import CommerceError
from lapel.commerce.money import Money
from lapel.commerce.order import Evidence, PlanYes
from lapel.store import is_live, schema

PRICING, ASKING, BUYING, CHOOSING = "pricing", "asking", "buying", "choosing"
UNDOING, DROPPING, BILLING = "undoing", "dropping", "billing"
BUY_S = 600.0
"""So long after the yes parts may still be bought."""
PlanTakes = Literal["screen", "passkey"]
OPEN = (PRICING, ASKING, BUYING, CHOOSING, UNDOING, DROPPING, BILLING)


class PlanError(CommerceError):
    """Codes: `unknown`, `closed`, `expired`, `other_plan`, and those of a yes that is too little:
    `needs_screen`, `needs_passkey`, `bad_passkey`.
    """

    code = "plan_error"


class Part(msgspec.Struct, frozen=True):
    """One order of a plan. `outcome` is what became of it: `failed`, `dropped` (not bought, without
    its fault), `undone` or `stays`; empty while it is bought or may be.

    `undo_minor` is what undoing it was said to cost, None where it cannot be undone; of a part that
    failed, what it has cost all the same. `needs` is the order that it was made for, or empty.
    """

    order_id: str
    title: str
    approval_id: str = ""
    checkout_hash: str = ""
    total: Money | None = None
    outcome: str = ""
    undo_minor: int | None = None
    why: str = ""
    needs: str = ""


class Plan(msgspec.Struct, frozen=True):
    """`until` is when the question of its state ends, `why` what brought it to nothing.

    `note` is shown with it, `memo` is kept for whoever made it. `takes` is what a yes to it takes:
    what its strictest part would take alone, and never less than a screen.
    """

    id: str
    user_id: str
    said: str
    parts: tuple[Part, ...]
    state: str = PRICING
    until: float = 0.0
    evidence: Evidence | None = None
    note: str = ""
    memo: str = ""
    why: str = ""
    takes: PlanTakes = "screen"

    @property
    def total(self) -> Money | None:
        """Of all parts; None while one has no price."""
        amounts = [part.total for part in self.parts]
        if not amounts or any(amount is None for amount in amounts):
            return None
        known = [amount for amount in amounts if amount is not None]
        return sum(known[1:], known[0])

    @property
    def bound(self) -> PlanYes:
        """What a yes to the plan is for: each part's exact checkout, in order."""
        parts = ((part.order_id, part.approval_id, part.checkout_hash) for part in self.parts)
        return PlanYes(self.id, tuple(parts))

    def hash(self) -> str:
        return self.bound.hash()


def insert(connection: sa.Connection, plan: Plan, at: float, owner: int | None = None) -> None:
    """A new plan, that the worker `owner` carries on."""
    connection.execute(
        schema.plans.insert().values(
            id=plan.id,
            user_id=plan.user_id,
            state=plan.state,
            body=msgspec.json.encode(plan).decode(),
            created_at=at,
            updated_at=at,
            owner=owner,
        )
    )


def write(connection: sa.Connection, plan: Plan, at: float, **values: object) -> Plan:
    """Move a plan on from the state in which it was read; else PlanError `closed`."""
    new = msgspec.structs.replace(plan, **values)
    plans = schema.plans
    done = connection.execute(
        plans.update()
        .where(plans.c.id == plan.id, plans.c.state == plan.state)
        .values(state=new.state, body=msgspec.json.encode(new).decode(), updated_at=at)
    )
    if not done.rowcount:
        raise PlanError("the plan has moved on", code="closed")
    return new


def find(connection: sa.Connection, plan_id: str) -> Plan | None:
    text = connection.scalar(sa.select(schema.plans.c.body).where(schema.plans.c.id == plan_id))
    return None if text is None else msgspec.json.decode(text, type=Plan)


def agreed_to(connection: sa.Connection, user_id: str, evidence: Evidence) -> bool:
    """Whether that is the yes of a plan of this user's that is being bought."""
    plan = None if evidence.plan is None else find(connection, evidence.plan.id)
    return (
        plan is not None
        and (plan.user_id, plan.state) == (user_id, BUYING)
        and plan.evidence == evidence
        and plan.bound == evidence.plan
    )


def open_plans(connection: sa.Connection, user_id: str) -> list[Plan]:
    """Those of a user that are not over, the newest first."""
    return _those(connection, schema.plans.c.user_id == user_id)


def carried_on(connection: sa.Connection, owner: int | None) -> list[Plan]:
    """Those that the worker `owner` carries on; all that are not over where it is None."""
    plans = schema.plans.c
    return _those(connection, sa.true() if owner is None else plans.owner == owner)


def inherit(connection: sa.Connection, owner: int) -> None:
    """Give `owner` the open plans of workers that are no more, and those that nobody has."""
    plans = schema.plans.c
    connection.execute(
        sa.update(schema.plans)
        .where(plans.state.in_(OPEN))
        .where(sa.or_(plans.owner.is_(None), sa.not_(is_live(plans.owner))))
        .values(owner=owner)
    )


def _those(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Plan]:
    plans = schema.plans.c
    query = sa.select(plans.body).where(plans.state.in_(OPEN), which)
    rows = connection.scalars(query.order_by(plans.created_at.desc(), plans.id.desc()))
    return [msgspec.json.decode(text, type=Plan) for text in rows]
