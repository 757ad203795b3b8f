"""A process with many plans, each held at a touch of its own, as `commerce_host` does with orders; then the process dies.

A plan's touches are those of its orders too, and of what it tells and asks of others. `o_K` stands for the plan `p_K.`,
whose orders are `o_K.0` and so on.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from commerce_host import (
    POLICY,
    WHOSE,
    Cast,
    TouchedStore,
    Touches,
    Towns,
    attribute,
    give_threads,
    runs,
    touch_transactions,
    user_of,
)
from commerce_market import FLIGHT, KEEPS, RIDE
from commerce_town import LATTES, TOTAL
from commerce_world import ON_SCREEN, add_users

from lapel.assistant.planning.undoing import BookingUndoer
from lapel.commerce import Money, NewPart, Order, Orders, Plan, PlanError, Plans
from lapel.commerce.consent import Vault
from lapel.services import OwedRecord, OwedWish
from lapel.store import Store

FLOWN, RIDDEN = 15000, 1900
PARTS = (
    NewPart("Flight", FLIGHT),
    NewPart("Ride to the airport", RIDE, needs=0),
    NewPart("Lattes", LATTES),
)
ENDS = ("done", "kept", "undone", "failed", "lapsed", "refused")


@dataclass(frozen=True)
class Scene:
    """How a plan is to end, what is paid then, and whether the rest is kept when a part is lost."""

    ends: str
    paid: int
    full: str = ""
    keeps: bool = True

    @property
    def shared(self) -> bool:
        return self.ends in ("done", "kept")


SCENES = {
    "bought": Scene("done", FLOWN + RIDDEN + TOTAL),
    "kept": Scene("kept", FLOWN + RIDDEN, "blue"),
    "undone": Scene("undone", 2 * KEEPS, "blue", keeps=False),
    "first part lost": Scene("failed", 0, "siivet"),
}


def key_of(id: str) -> str:
    """What a plan, or an order of it, is called here."""
    return f"o_{id.partition('_')[2].partition('.')[0]}"


class Told:
    """Tells the user, durably and once under a name, as cues are; shares the bill in the record."""

    def __init__(self, towns: Towns, touches: Touches, owed: OwedRecord) -> None:
        self._towns = towns
        self._touches = touches
        self._owed = owed

    async def ask(self, plan: Plan, orders: Sequence[Order]) -> None:
        await self._tell(plan, "asked")

    async def choose(self, plan: Plan) -> None:
        await self._tell(plan, "choose")

    async def ended(self, plan: Plan) -> None:
        await self._tell(plan, plan.state)

    async def charged(self, plan: Plan, total: Money) -> None:
        half = Money(total.minor // 2, total.currency)
        wish = OwedWish("@anna", "Anna", half, "our plan", f"plan:{plan.id}")
        await self._owed.ask(plan.user_id, [wish])

    async def _tell(self, plan: Plan, what: str) -> None:
        await self._touches.touch("before telling")
        self._towns.of[key_of(plan.id)].set(f"told:{what}", 1)
        await self._touches.touch("after telling")


def run(cast: Cast) -> None:
    """Bring the plans to their end, or die on the way."""
    attribute(key_of)
    real = Plans._work_on

    async def work_on(self: Plans, plan_id: str) -> None:
        WHOSE.set(key_of(plan_id))
        await real(self, plan_id)

    Plans._work_on = work_on  # type: ignore[method-assign]
    os._exit(asyncio.run(_run(cast)))


async def _run(cast: Cast) -> int:
    folder, touches = Path(cast.folder), Touches(cast)
    towns = Towns(folder, list(cast.held), touches)
    store = await Store.open(cast.url or folder / "record.db")
    await store.write(lambda c: add_users(c, map(user_of, cast.held)))
    touched = TouchedStore(store, touches, torn=False)
    workflows = cast.url or folder / "workflows.db"
    vault = Vault.open(folder)
    orders = Orders(touched, towns, towns, POLICY, workflows, vault=vault)  # type: ignore[arg-type]
    told = Told(towns, touches, OwedRecord(touched))  # type: ignore[arg-type]
    undoer = BookingUndoer(orders, towns, towns, towns)  # type: ignore[arg-type]
    plans = Plans(touched, orders, told, undoer, time.time)  # type: ignore[arg-type]
    give_threads(3 * len(cast.held))
    await orders.start()
    touch_transactions(touches)
    going = asyncio.create_task(plans.run())
    scene = SCENES[cast.scenario]
    lives = asyncio.gather(*(_live(plans, orders, scene, touches, id) for id in cast.held))
    held = asyncio.create_task(touches.all_held.wait())
    await asyncio.wait({held, lives, going}, return_when=asyncio.FIRST_COMPLETED)
    touches.note()
    if held.done():
        os.kill(os.getpid(), cast.how)
    lives.result()
    return 0


async def _live(plans: Plans, orders: Orders, scene: Scene, touches: Touches, id: str) -> None:
    """The user's part, again and again as somebody does who saw a crash."""
    WHOSE.set(id)
    plan_id, user = f"p_{id.removeprefix('o_')}.", user_of(id)
    if await plans.get(plan_id) is None:
        await plans.begin(user, "all of it", PARTS, plan_id=plan_id)
    while True:
        plan = await plans.get(plan_id)
        assert plan is not None
        try:
            if plan.state == "asking":
                await plans.decide(
                    plan_id, "approve", ON_SCREEN, plan_hash=plan.hash(), user_id=user
                )
            elif plan.state == "choosing":
                await plans.choose(plan_id, user, keeps=scene.keeps)
        except PlanError:
            continue
        # What was bought and is on its way is followed on.
        if plan.state in ENDS and (scene.shared or not runs(orders, id, key_of)):
            touches.ended(id)
            return
        await asyncio.sleep(max(0.05, touches.orders / 50))
