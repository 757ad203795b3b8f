"""What takes a screen: a large purchase, and a shop that is suddenly paid into another account."""

from __future__ import annotations

from dataclasses import replace

import commerce_town
import pytest
from commerce_town import LATTES, TARGET, TOTAL
from commerce_world import QUICK, TAP, running

from lapel.commerce import Evidence, OrderState, Policy

pytestmark = pytest.mark.unit

ON_GLASSES = Evidence("d_glasses", "Glasses", "glasses", "approve", 1764000000.0, ("Glasses",))
ELSEWHERE = replace(ON_GLASSES, device_name="Phone")
BARE = replace(ON_GLASSES, gesture="press")


async def test_a_first_small_order_takes_a_press(tmp_path):
    async with running(tmp_path) as world:
        order = await world.placed()
        assert await world.orders.takes(order) == "press"


@pytest.mark.parametrize("limit", [TOTAL - 1, TOTAL])
async def test_above_the_limit_a_screen_that_showed_it_is_needed(tmp_path, limit):
    async with running(tmp_path) as world:
        await world.stop()
        await world.start(replace(QUICK, screen_over={"EUR": limit}))
        order_id, question = await world.asked()
        needed = limit < TOTAL
        takes = await world.orders.takes(await world.orders.get(order_id))
        assert takes == ("screen" if needed else "press")
        if needed:
            for evidence in (TAP, BARE, ELSEWHERE):
                assert await world.refused_decision(question, evidence=evidence) == "needs_screen"
            assert world.town.calls("authorize") == 0
            assert [x.id for x in await world.orders.pending_approvals("u_0")] == [
                question.data["approval_id"]
            ]
        await world.approve(order_id, evidence=ON_GLASSES if needed else TAP)
        await world.state(order_id, OrderState.PLACED)
        world.balanced(TOTAL)


async def test_saying_no_takes_no_screen(tmp_path):
    async with running(tmp_path) as world:
        await world.stop()
        await world.start(replace(QUICK, screen_over={"EUR": 1}))
        order_id, question = await world.asked()
        await world.orders.decide(question.data["approval_id"], "refuse", TAP, checkout_hash="")
        await world.state(order_id, OrderState.REFUSED)


async def test_another_account_than_last_time_takes_a_screen_once(tmp_path, monkeypatch):
    async with running(tmp_path) as world:
        await world.placed()
        monkeypatch.setattr(commerce_town, "TARGET", replace(TARGET, payee="another-account"))
        order_id, question = await world.asked()
        assert await world.refused_decision(question) == "needs_screen"
        other, unasked = await world.asked(
            user="u_1"
        )  # who never paid there has nothing to compare
        await world.approve(other)
        await world.approve(order_id, evidence=ON_GLASSES)
        await world.state(order_id, OrderState.PLACED)
        await world.placed(LATTES)  # now it is known


async def test_an_order_that_was_not_placed_makes_no_account_known(tmp_path, monkeypatch):
    async with running(tmp_path) as world:
        await world.placed()
        monkeypatch.setattr(commerce_town, "TARGET", replace(TARGET, payee="another-account"))
        order_id, question = await world.asked()
        await world.orders.decide(question.data["approval_id"], "refuse", TAP, checkout_hash="")
        _, again = await world.asked()
        assert await world.refused_decision(again) == "needs_screen"


def test_without_a_setting_it_is_half_of_what_may_be_spent():
    policy = Policy(max_order={"EUR": 20000, "USD": 5001}, screen_over={"EUR": 300})
    assert [policy.screen_above(x) for x in ("EUR", "USD", "JPY")] == [300, 2500, 0]
