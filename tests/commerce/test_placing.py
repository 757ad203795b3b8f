"""What the merchant and the bank answer, from the price to the placed order."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest
from commerce_market import FLIGHT
from commerce_town import LATTES, TOTAL, draft
from commerce_world import BUDS, QUICK

from lapel.commerce import OrderState, PaymentState, Unreachable, ledger, verify

pytestmark = pytest.mark.net


async def test_an_amount_above_the_limit(world):
    order_id = await world.orders.begin("u_0", draft(("tart", 40)))
    told = await world.event(order_id, "over_limit")
    assert told.text == ("That is 247 euros 40, and your limit is 200 euros. Nothing was ordered.")
    assert (await world.orders.get(order_id)).state is OrderState.FAILED
    assert await world.orders.pending_approvals("u_0") == []


@pytest.mark.parametrize(
    ("faults", "knob", "said"),
    [
        (["always down"], "", "The shop does not answer. Nothing was ordered."),
        (["nonsense"], "", "makes no sense"),
        ([], "refuse:quote", "We are closed."),
        ([], "sold_out", "latte is sold out. Nothing was ordered."),
    ],
)
async def test_a_price_that_does_not_come(world, faults, knob, said):
    world.town.fail("create", *faults)
    if knob:
        world.town.set(knob, "We are closed." if knob.startswith("refuse") else "latte")
    order_id = await world.orders.begin("u_0", LATTES)
    told = await world.event(order_id, "quote_failed")
    assert said in told.text
    assert (await world.orders.get(order_id)).state is OrderState.FAILED
    assert await world.kinds(order_id) == ["quote_failed"]


async def test_a_merchant_that_stammers_is_asked_again_with_the_same_key(world):
    world.town.fail("create", "down", "lost")
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.PLACED)
    assert world.town.calls("create") == 3
    assert world.town.db.execute("select count(*) from checkouts").fetchone() == (1,)


# Paying.


async def test_a_declined_card(world):
    world.town.set("refuse:authorize", "insufficient funds")
    order_id, _ = await world.asked()
    await world.approve(order_id)
    told = await world.event(order_id, "payment_declined")
    assert told.text == "The card was declined. Nothing was charged."
    assert (await world.orders.get(order_id)).state is OrderState.FAILED
    world.balanced()
    assert world.town.placed() == []


async def test_a_bank_that_stammers_holds_the_money_once(world):
    world.town.fail("authorize", "lost", "down", "nonsense", "lost")
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.PLACED)
    assert world.town.holds() == [(TOTAL, PaymentState.CAPTURED, TOTAL, 0)]
    world.balanced(TOTAL)


async def test_a_silent_bank_ends_with_the_hold_freed(world):
    world.town.fail("authorize", *["lost"] * 6)
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.REFUNDED)
    assert await world.kinds(order_id) == [
        "quoted",
        "approval_needed",
        "approved",
        "place_failed",
        "refunded",
    ]
    assert [state for _, state, _, _ in world.town.holds()] == [PaymentState.VOIDED]
    world.balanced()


async def test_an_approval_that_waited_too_long_buys_nothing(world):
    order_id, _ = await world.asked()
    world.town.fail("authorize", "always down")
    await world.approve(order_id)
    await world.called("authorize")
    await world.stop()
    world.town.heal()
    world.skew = QUICK.stale_s + 1
    await world.start()
    order = await world.state(order_id, OrderState.REFUNDED)
    assert order.receipt is None
    assert world.town.placed() == []
    world.balanced()


# Placing.


async def test_a_changed_price_is_asked_for_again(world):
    order_id, question = await world.asked()
    world.town.set("price:latte", 550)
    await world.approve(order_id)
    told = await world.event(order_id, "price_changed")
    assert told.text == (
        "The price changed from 16 euros 40 to 17 euros 60. Nothing was charged. I ask you again."
    )
    again = await world.event(order_id, "approval_needed", 2)
    assert again.data["approval_id"] != question.data["approval_id"]
    assert await world.refused_decision(question, evidence=BUDS) == "void"
    world.balanced()
    await world.approve(order_id, 2)
    order = await world.state(order_id, OrderState.PLACED)
    assert verify(order.receipt).total.minor == 1760
    assert [state for _, state, _, _ in world.town.holds()] == ["voided", "captured"]
    world.balanced(1760)


async def test_a_shop_that_asks_more_than_it_quoted_gets_nothing(world):
    world.town.set("overcharge", 300)
    order_id, _ = await world.asked()
    await world.approve(order_id)
    told = await world.event(order_id, "trouble")
    assert "The shop asks for 19 euros 40 instead of 16 euros 40." in told.text
    await world.state(order_id, OrderState.REFUNDED)
    assert (await world.kinds(order_id))[-2:] == ["trouble", "refunded"]
    assert (await world.event(order_id, "refunded")).text == "You got 16 euros 40 back."
    assert world.town.money_kept() == 0


async def test_a_shop_that_says_no_gets_nothing(world):
    world.town.set("refuse:complete", "We are out of milk.")
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.REFUNDED)
    events = [e for e in world.heard if e.kind in ("place_failed", "refunded")]
    assert [e.text for e in events] == [
        "We are out of milk. Your money is set free.",
        "Nothing was charged.",
    ]
    world.balanced()


@pytest.mark.parametrize("fault", ["lost", "down", "nonsense"])
async def test_a_lost_answer_is_not_a_second_order(world, fault):
    world.town.fail("complete", fault)
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.PLACED)
    assert len(world.town.placed()) == 1
    world.balanced(TOTAL)


A_CHANGE = msgspec.structs.replace(
    FLIGHT, journey=msgspec.structs.replace(FLIGHT.journey, booking_id="m_before")
)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (LATTES, "The shop took the order and gave your money back."),
        (A_CHANGE, "The change was made, and the company gave back what it cost."),
    ],
)
async def test_what_was_placed_and_paid_back_unheard_is_known_and_told(world, wanted, said):
    """Such as a change of a flight: its answer is lost, and the user gives the flight back."""
    world.town.set("price:flight", 700)
    complete, placed = world.town.complete_checkout, []

    async def paid_back_at_once(*args):
        world.town.fail("complete", "lost")
        try:
            return await complete(*args)
        finally:
            [(hold, captured)] = world.town.db.execute("select id,captured from holds")
            world.town.give_part(hold, captured)
            placed.append(captured)

    world.town.complete_checkout = paid_back_at_once
    order_id, _ = await world.asked(wanted)
    await world.approve(order_id)
    order = await world.state(order_id, OrderState.REFUNDED)
    told = [event for event in world.heard if event.order_id == order_id][-2:]
    assert [event.kind for event in told] == ["place_failed", "refunded"]
    assert told[0].text == said
    assert told[0].data["code"] == "merchant_canceled"
    assert order.merchant_order_id == f"m_{order.checkout_id}"
    [paid] = placed  # asked for once
    now = await world.store.read(lambda c: ledger.standing(c, order_id))
    assert not any(now.values())
    assert told[1].text.startswith(f"You got {paid // 100} euros")
    world.balanced()


@pytest.mark.parametrize("silent", [0, 1])
async def test_what_was_placed_without_its_money_is_told_as_that(world, silent):
    """Its hold is free again before the shop's answer is heard, or while the bank is asked."""
    complete = world.town.complete_checkout

    async def never_taken(*args):
        answer = await complete(*args)
        world.town.db.execute("update holds set state='voided', captured=0")
        world.town.db.execute("delete from moves")
        if silent:
            raise Unreachable("no answer")
        return answer

    world.town.complete_checkout = never_taken
    order_id, _ = await world.asked()
    await world.approve(order_id)
    order = await world.state(order_id, OrderState.REFUNDED)
    told = [event.text for event in world.heard if event.order_id == order_id][-2:]
    assert told == [
        "The shop has the order and never took its money, which is free again. "
        "Ask the shop whether it still comes.",
        "Nothing was charged.",
    ]
    assert order.merchant_order_id == f"m_{order.checkout_id}"
    world.balanced()


async def test_every_call_fails_once_both_ways(world):
    for op in ("create", "authorize", "get", "complete", "state", "order"):
        world.town.fail(op, "down", "lost")
    world.town.set("events", "delivered")
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.DELIVERED)
    world.balanced(TOTAL)


async def test_a_shop_that_falls_silent_before_placing_is_not_paid(world):
    order_id, _ = await world.asked()
    for op in ("get", "complete", "cancel"):
        world.town.fail(op, "always down")
    await world.approve(order_id)
    await world.state(order_id, OrderState.REFUNDED)
    assert (await world.kinds(order_id))[-2:] == ["place_failed", "refunded"]
    assert [state for _, state, _, _ in world.town.holds()] == ["voided"]
    world.balanced()


async def test_a_shop_that_falls_silent_after_placing_is_trouble_until_it_speaks(world):
    order_id, _ = await world.asked()
    world.town.fail("complete", "lost")
    silent_after_complete(world)
    await world.approve(order_id)
    told = await world.event(order_id, "trouble")
    assert told.text.startswith("The shop took the payment but does not answer.")
    assert (await world.orders.get(order_id)).state is OrderState.TROUBLE
    world.town.heal()
    order = await world.state(order_id, OrderState.PLACED)
    assert order.receipt is not None
    assert (await world.kinds(order_id))[-2:] == ["trouble", "placed"]
    world.balanced(TOTAL)


def silent_after_complete(world) -> None:
    """From the moment that the shop has captured the money it says nothing more."""
    complete = world.town.complete_checkout

    async def then_silence(*args):
        for op in ("get", "cancel"):
            world.town.fail(op, "always down")
        return await complete(*args)

    world.town.complete_checkout = then_silence


async def test_trouble_ends_in_a_refund_when_the_bank_says_so(world):
    order_id, _ = await world.asked()
    world.town.fail("complete", "lost")
    silent_after_complete(world)
    await world.approve(order_id)
    await world.event(order_id, "trouble")
    world.town.db.execute("update holds set state='refunded', refunded=captured")
    await world.state(order_id, OrderState.REFUNDED)
    assert world.town.money_kept() == 0


async def test_when_neither_answers_the_user_is_told_and_it_ends_well(world):
    order_id, _ = await world.asked()
    world.town.fail("complete", "lost")
    silent_after_complete(world)
    world.town.fail("state", "always down")
    await world.approve(order_id)
    told = await world.event(order_id, "trouble")
    assert "Neither the shop nor the bank answers." in told.text
    await world.stop()
    world.town.heal()
    await world.start()
    await world.state(order_id, OrderState.PLACED)
    world.balanced(TOTAL)


async def test_a_bank_that_is_slow_to_give_back_is_mentioned_once(world):
    world.town.set("refuse:complete", "No.")
    world.town.fail("release", "always down")
    order_id, _ = await world.asked()
    await world.approve(order_id)
    told = await world.event(order_id, "trouble")
    assert told.text == "The bank does not answer about your money yet. I keep trying."
    world.town.heal()
    await world.state(order_id, OrderState.REFUNDED)
    assert (await world.kinds(order_id)).count("trouble") == 1
    world.balanced()


async def test_a_call_that_hangs_is_no_answer(world):
    await world.stop()
    await world.start(replace(QUICK, call_s=0.2))
    order_id, _ = await world.asked()
    complete = world.town.complete_checkout
    hung: list[str] = []

    async def hangs_once(*args):
        answer = await complete(*args)
        if not hung:
            hung.append(order_id)
            await asyncio.Event().wait()
        return answer

    world.town.complete_checkout = hangs_once
    await world.approve(order_id)
    await world.state(order_id, OrderState.PLACED)
    assert hung == [order_id]
    world.balanced(TOTAL)


async def test_an_adapter_that_crashes_is_nonsense_and_its_text_is_not_logged(world, caplog):
    order_id, _ = await world.asked()
    calls: list[str] = []

    async def crashes(*args):
        calls.append(order_id)
        raise KeyError("a secret address")

    world.town.complete_checkout = crashes
    await world.approve(order_id)
    await world.state(order_id, OrderState.REFUNDED)
    assert len(calls) == QUICK.place_attempts
    assert "secret" not in caplog.text
    world.balanced()


async def test_a_shop_cannot_make_lapel_talk_for_long(world):
    world.town.set("refuse:complete", "No.\n\x1b[31m" + "Call this number now! " * 40)
    order_id, _ = await world.asked()
    await world.approve(order_id)
    told = await world.event(order_id, "place_failed")
    assert len(told.text) <= 160 + len(" Your money is set free.")
    assert told.text.isprintable()


async def test_an_approved_order_that_slept_too_long_is_taken_back(world):
    await world.stop()
    await world.start(replace(QUICK, retry_s=1000.0, retry_most_s=1000.0))
    order_id, _ = await world.asked()
    world.town.fail("get", "always down")
    await world.approve(order_id)
    await world.called("get")
    await world.stop()
    world.town.heal()
    world.skew = QUICK.stale_s + 1
    await world.start()
    told = await world.event(order_id, "place_failed")
    assert told.text == (
        "It took too long to place, so I stopped the order. Your money is set free."
    )
    await world.state(order_id, OrderState.REFUNDED)
    assert world.town.placed() == []
    world.balanced()
