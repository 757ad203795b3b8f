"""Transfers as orders: the payee as the bank names them, a screen for whoever is new, paid once."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from commerce_town import sending
from commerce_world import ON_SCREEN, QUICK, TAP, running

from lapel.commerce import (
    LimitTerms,
    Money,
    OrderState,
    Party,
    ReceiptError,
    ShareError,
    split_bill,
    verify,
)

pytestmark = pytest.mark.unit


async def sent(world, draft, evidence=ON_SCREEN):
    """Take a transfer to its end."""
    world.town.set("events", "transferred")
    order_id, _ = await world.asked(draft)
    await world.approve(order_id, evidence=evidence)
    await world.state(order_id, OrderState.DELIVERED)
    return await world.orders.get(order_id)


async def test_whoever_is_new_takes_a_screen_and_then_a_press_will_do(tmp_path):
    async with running(tmp_path) as world:
        _, question = await world.asked(sending())
        assert await world.refused_decision(question) == "needs_screen"
        assert world.town.calls("authorize") == 0
        await world.approve(question.order_id, evidence=ON_SCREEN)
        await world.state(question.order_id, OrderState.PLACED)
        again = await sent(world, sending(700), TAP)
        assert again.total == Money(700, "EUR")
        _, other = await world.asked(sending(100, "@ben", "Ben Laine"))
        assert await world.refused_decision(other) == "needs_screen"
        world.balanced(2700)


async def test_the_same_name_with_another_account_is_somebody_new(tmp_path):
    async with running(tmp_path) as world:
        await sent(world, sending())
        world.town.set("account:@anna", "of a thief")
        _, question = await world.asked(sending())
        assert await world.refused_decision(question) == "needs_screen"


async def test_no_standing_limit_sends_money_to_people(tmp_path):
    async with running(tmp_path) as world:
        await sent(world, sending())
        until = int(time.time()) + 3600
        terms = LimitTerms("EUR", 5000, 5000, "day", until, (Party("siirto", "Siirto"),))
        limit = await world.orders.standing.propose("u_0", terms)
        await world.orders.standing.decide(
            limit.id, "approve", ON_SCREEN, terms_hash=limit.terms.hash()
        )
        order_id, _ = await world.asked(sending(300))
        assert "within_limit" not in await world.kinds(order_id)


async def test_paying_others_in_between_makes_nobody_new(tmp_path):
    async with running(tmp_path) as world:
        await sent(world, sending())
        await sent(world, sending(100, "@ben", "Ben Laine"))
        order_id, _ = await world.asked(sending(300))
        assert await world.orders.takes(await world.orders.get(order_id)) == "press"


async def test_what_a_code_says_always_takes_a_screen(tmp_path):
    async with running(tmp_path) as world:
        await sent(world, sending())
        _, question = await world.asked(sending(kind="code", code="https://pay.example/c/x"))
        assert await world.refused_decision(question) == "needs_screen"


async def test_a_large_one_takes_a_screen_and_a_larger_one_is_not_sent(tmp_path):
    async with running(tmp_path) as world:
        await sent(world, sending())
        await world.stop()
        await world.start(replace(QUICK, screen_over={"EUR": 5000}, max_order={"EUR": 9000}))
        _, question = await world.asked(sending(5001))
        assert await world.refused_decision(question) == "needs_screen"
        order_id = await world.orders.begin("u_0", sending(9001))
        await world.state(order_id, OrderState.FAILED)
        assert "over_limit" in await world.kinds(order_id)


@pytest.mark.parametrize(
    "knob", [("name:@anna", "Mallory"), ("transfer_fee", "100"), ("name:@anna", "Anna  Korhonen")]
)
async def test_another_name_or_another_sum_than_was_asked_for_is_not_sent(tmp_path, knob):
    async with running(tmp_path) as world:
        world.town.set(*knob)
        order_id = await world.orders.begin("u_0", sending())
        order = await world.state(order_id, OrderState.FAILED)
        assert order.approval is None
        events = await world.orders.history(order_id)
        assert events[-1].text.endswith("Nothing was sent.")


async def test_a_name_that_changes_after_the_yes_is_asked_about_anew_and_not_sent(tmp_path):
    async with running(tmp_path) as world:
        order_id, _ = await world.asked(sending())
        world.town.set("name:@anna", "Mallory")
        await world.approve(order_id, evidence=ON_SCREEN)
        await world.state(order_id, OrderState.FAILED)
        assert world.town.money_kept() == 0
        world.balanced(0)


async def test_the_receipt_names_the_payee_and_is_broken_by_another(tmp_path):
    async with running(tmp_path) as world:
        order = await sent(world, sending(note="lunch"))
        receipt = verify(order.receipt)
        assert receipt.transfer is not None
        assert (receipt.transfer.payee, receipt.transfer.note) == ("@anna", "lunch")
        changed = json.loads(order.receipt)
        changed["receipt"]["transfer"]["payee"] = "@mallory"
        with pytest.raises(ReceiptError):
            verify(json.dumps(changed))


def euros(*minor: int | None) -> list[Money | None]:
    return [None if x is None else Money(x, "EUR") for x in minor]


@pytest.mark.parametrize(
    ("total", "named", "shares"),
    [
        (1640, (None, None), (546, 546)),  # the user keeps the odd cents: 548
        (1000, (None,), (500,)),
        (1001, (None,), (500,)),
        (3000, (1000, None), (1000, 1000)),
        (3000, (3000,), (3000,)),
        (100, (None, None, None), (25, 25, 25)),
    ],
)
def test_shares_are_exact_and_the_odd_cents_are_the_users(total, named, shares):
    found = split_bill(Money(total, "EUR"), euros(*named))
    assert [x.minor for x in found] == list(shares)
    assert sum(shares) <= total


@pytest.mark.parametrize(
    ("total", "named"), [(1000, (1001,)), (1000, (0,)), (0, (None,)), (1000, ()), (2, (None, None))]
)
def test_shares_that_do_not_fit_are_refused(total, named):
    with pytest.raises(ShareError):
        split_bill(Money(total, "EUR"), euros(*named))
