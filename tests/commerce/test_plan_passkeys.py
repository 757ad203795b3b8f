"""One passkey for a whole plan: what it covers, what each receipt proves of it, and what it is not good for."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from commerce_town import LATTES, TOTAL
from commerce_world import ON_SCREEN, QUICK, TAP, World, running
from test_passkeys import LARGE, added, agreed

from authenticator import Authenticator
from lapel.commerce import (
    Evidence,
    Money,
    NewPart,
    Order,
    OrderState,
    Plan,
    PlanError,
    Plans,
    PlanYes,
    ReceiptError,
    verify,
)
from lapel.commerce import keys as signing
from lapel.commerce.receipt import Signer

pytestmark = pytest.mark.unit

PARTS = (NewPart("Lattes", LATTES), NewPart("More lattes", LATTES))


@dataclass
class Told:
    """Hears of plans, and takes nothing back."""

    asked: list[str] = field(default_factory=list)
    chosen: int = 0
    over: Plan | None = None

    async def ask(self, plan: Plan, orders: Sequence[Order]) -> None:
        self.asked.append(plan.takes)

    async def choose(self, plan: Plan) -> None:
        self.chosen += 1

    async def ended(self, plan: Plan) -> None:
        self.over = plan

    async def charged(self, plan: Plan, total: Money) -> None:
        assert total == plan.total

    async def cost(self, order: Order) -> Money | None:
        return None

    async def undo(self, order: Order, most: Money) -> None:
        raise AssertionError("nothing can be undone here")


@asynccontextmanager
async def planning(folder, untouched, policy=LARGE):
    """A user with a passkey, and their plans."""
    shutil.copytree(untouched, folder, dirs_exist_ok=True)
    async with running(folder, policy=policy) as world:
        phone = await added(world)
        told = Told()
        plans = Plans(world.store, world.orders, told, told, world.clock)
        going = asyncio.create_task(plans.run())
        try:
            yield world, phone, plans, told
        finally:
            going.cancel()


async def asked(plans: Plans, told: Told, user: str = "u_0") -> Plan:
    """A plan whose user has been asked: it is kept as asking before anybody hears of it."""
    before = len(told.asked)
    plan = await plans.begin(user, "two lattes, twice", PARTS)
    plan = await until(plans, plan.id, "asking")
    while len(told.asked) == before:
        await asyncio.sleep(0.01)
    return plan


async def until(plans: Plans, plan_id: str, *states: str) -> Plan:
    while True:
        plan = await plans.get(plan_id)
        if plan.state in states:
            return plan
        await asyncio.sleep(0.01)


async def refusal(plans: Plans, plan: Plan, evidence: Evidence) -> str:
    with pytest.raises(PlanError) as caught:
        await plans.decide(
            plan.id, "approve", evidence, plan_hash=plan.hash(), user_id=plan.user_id
        )
    return caught.value.code


async def receipts(world: World, plan: Plan):
    orders = [await world.orders.get(part.order_id) for part in plan.parts]
    assert [order.state for order in orders] == [OrderState.PLACED] * len(orders)
    return [verify(order.receipt) for order in orders]


async def test_one_passkey_buys_all_parts_and_each_receipt_proves_it(tmp_path, untouched):
    async with planning(tmp_path, untouched) as (world, phone, plans, told):
        plan = await asked(plans, told)
        assert told.asked[0] == "passkey"
        for evidence in (TAP, ON_SCREEN):
            assert await refusal(plans, plan, evidence) == "needs_passkey"
        signed = agreed(phone, plan.id, plan.hash())
        await plans.decide(plan.id, "approve", signed, plan_hash=plan.hash(), user_id="u_0")
        await plans.decide(plan.id, "approve", signed, plan_hash=plan.hash(), user_id="u_0")
        over = await until(plans, plan.id, "done")
        world.balanced(TOTAL, TOTAL)
        (key,) = await world.orders.passkeys.of("u_0")
        assert key.sign_count == phone.count == 1
        found = await receipts(world, over)
    lapel = Signer(signing.new_key())
    bound = over.bound
    first, second = found
    for receipt in found:
        assert receipt.consent.plan == bound
        assert receipt.consent.passkey == signed.passkey
    (own, other) = bound.parts
    stranger = Authenticator(phone.party)
    for changed in (
        {"plan": None},
        {"passkey": None},
        {"passkey": agreed(stranger, plan.id, plan.hash()).passkey},
        {"passkey": agreed(phone, own[1], own[2]).passkey},
        {"plan": PlanYes(bound.id, (own,))},
        {"plan": PlanYes(bound.id, (other,))},
        {"plan": PlanYes(bound.id, (other, own))},
        {"plan": PlanYes("p_other", bound.parts)},
        {"plan": PlanYes(bound.id, (*bound.parts, ("o", "a", "0" * 64)))},
        {"approval_id": other[1], "checkout_hash": other[2]},
    ):
        forged = msgspec.structs.replace(
            first, consent=msgspec.structs.replace(first.consent, **changed), key_id=lapel.key_id
        )
        with pytest.raises(ReceiptError):
            verify(lapel.sign(forged))
    elsewhere = msgspec.structs.replace(first, order_id=second.order_id, key_id=lapel.key_id)
    with pytest.raises(ReceiptError) as caught:
        verify(lapel.sign(elsewhere))
    assert caught.value.code == "bad_mandate"


async def test_what_was_signed_for_one_plan_or_part_is_good_for_no_other(tmp_path, untouched):
    async with planning(tmp_path, untouched) as (world, phone, plans, told):
        one, other = await asked(plans, told), await asked(plans, told)
        part = one.parts[0]
        wrong = {
            "another plan": agreed(phone, other.id, other.hash()),
            "one part of it": agreed(phone, part.approval_id, part.checkout_hash),
            "another list": agreed(phone, one.id, other.hash()),
            "a stranger": agreed(Authenticator(phone.party), one.id, one.hash()),
        }
        for what, evidence in wrong.items():
            assert (what, await refusal(plans, one, evidence)) == (what, "bad_passkey")
        unseen = agreed(phone, one.id, one.hash(), shown_on=())
        assert await refusal(plans, one, unseen) == "needs_screen"
        good = replace(agreed(phone, one.id, one.hash()), plan=one.bound)
        question = await world.event(part.order_id, "approval_needed")
        # Only the plan's own record says that it was agreed to.
        assert await world.refused_decision(question, evidence=good) == "hash_mismatch"
        await plans.decide(one.id, "approve", good, plan_hash=one.hash(), user_id="u_0")
        await until(plans, one.id, "done")
        alone = await world.event(other.parts[0].order_id, "approval_needed")
        assert await world.refused_decision(alone, evidence=good) == "hash_mismatch"
        world.balanced(TOTAL, TOTAL)


async def test_a_passkey_removed_on_the_way_buys_no_further_part(tmp_path, untouched):
    async with planning(tmp_path, untouched) as (world, phone, plans, told):
        plan = await asked(plans, told)
        (key,) = await world.orders.passkeys.of("u_0")
        bought = asyncio.Event()
        gone = asyncio.Event()
        decide = world.orders.decide

        async def one_by_one(approval_id: str, *args, **named):
            if approval_id == plan.parts[1].approval_id:
                bought.set()
                await gone.wait()
            return await decide(approval_id, *args, **named)

        world.orders.decide = one_by_one
        signed = agreed(phone, plan.id, plan.hash())
        await plans.decide(plan.id, "approve", signed, plan_hash=plan.hash(), user_id="u_0")
        await bought.wait()
        await world.orders.passkeys.remove("u_0", key.id)
        gone.set()
        stopped = await until(plans, plan.id, "choosing")
        assert stopped.parts[1].outcome == "failed"
        assert "passkey" in stopped.parts[1].why
        world.balanced(TOTAL)
        while not told.chosen:
            await asyncio.sleep(0.01)


async def test_without_a_part_that_takes_it_the_button_of_a_screen_will_do(tmp_path, untouched):
    async with planning(tmp_path, untouched, QUICK) as (world, phone, plans, told):
        plan = await asked(plans, told)
        assert told.asked[0] == "screen"
        assert await refusal(plans, plan, TAP) == "needs_screen"
        await plans.decide(plan.id, "approve", ON_SCREEN, plan_hash=plan.hash(), user_id="u_0")
        over = await until(plans, plan.id, "done")
        for receipt in await receipts(world, over):
            assert receipt.consent.plan == over.bound
            assert receipt.consent.passkey is None
        world.balanced(TOTAL, TOTAL)


async def test_who_adds_a_passkey_meanwhile_is_asked_for_it(tmp_path, untouched):
    async with planning(tmp_path, untouched) as (world, _, plans, told):
        plan = await asked(plans, told, "u_1")
        assert told.asked[-1] == "screen"
        phone = await added(world, "u_1")
        assert await refusal(plans, plan, ON_SCREEN) == "needs_passkey"
        plans.moved()
        while told.asked[-1] != "passkey":
            await asyncio.sleep(0.01)
        signed = agreed(phone, plan.id, plan.hash())
        await plans.decide(plan.id, "approve", signed, plan_hash=plan.hash(), user_id="u_1")
        await until(plans, plan.id, "done")
        world.balanced(TOTAL, TOTAL)
