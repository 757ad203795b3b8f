"""The life of one order: what the user decides and what the world answers."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from commerce_town import LATTES, OFFICE, TOTAL, draft
from commerce_world import BUDS, QUICK, TAP, running

from lapel.commerce import (
    ApprovalError,
    ApprovalState,
    EngineError,
    OrderError,
    Orders,
    OrderState,
    verify,
)

pytestmark = pytest.mark.net


async def test_an_order_goes_from_words_to_the_door(world):
    world.town.set("events", "processing picked_up in_transit delivered")
    order_id, question = await world.asked()
    assert question.data["total"] == {"minor": TOTAL, "currency": "EUR"}
    assert question.data["address_label"] == "office"
    assert question.data["payee"] == "blue-door"
    assert question.text == (
        "Shop blue: 2 Latte, 1 Muffin. 16 euros 40 in all. To office. Shall I order it?"
    )
    (approval,) = await world.orders.pending_approvals("u_0")
    assert approval.amount.minor == TOTAL
    assert approval.checkout_hash == question.data["checkout_hash"]
    decided = await world.approve(order_id)
    assert decided.state is ApprovalState.APPROVED
    assert decided.evidence == TAP
    order = await world.state(order_id, OrderState.DELIVERED)
    assert await world.kinds(order_id) == [
        "quoted",
        "approval_needed",
        "approved",
        "paid",
        "placed",
        "preparing",
        "picked_up",
        "on_the_way",
        "delivered",
    ]
    assert await world.orders.pending_approvals("u_0") == []
    world.balanced(TOTAL)
    receipt = verify(order.receipt, key=world.orders.receipt_key_id)
    assert receipt.consent.device_id == "d_ring"
    assert receipt.consent.gesture == "press"
    assert receipt.merchant.order_id == order.merchant_order_id
    assert receipt.total.minor == TOTAL
    assert world.town.calls("authorize") == 1
    assert world.town.calls("complete") == 1


async def test_what_is_heard_is_what_is_recorded_and_cursors_follow(world):
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.event(order_id, "placed")
    recorded = await world.orders.events("u_0", 0)
    assert [e.n for e in world.heard] == [e.n for e in recorded]
    assert [dict(e.data) for e in world.heard] == [dict(e.data) for e in recorded]
    assert await world.orders.events("u_1", 0) == []
    assert await world.orders.history(order_id) == recorded
    assert await world.orders.history("o_none") == []
    after = await world.orders.events("u_0", recorded[1].n, limit=2)
    assert [e.n for e in after] == [e.n for e in recorded[2:4]]


async def test_a_listener_that_fails_stops_nothing(world, caplog):
    def broken(_):
        raise RuntimeError("a secret order")

    world.orders.subscribe(broken)
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.event(order_id, "placed")
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_the_same_order_id_is_one_order(world):
    first, second = await asyncio.gather(
        world.orders.begin("u_0", LATTES, "o_same"), world.orders.begin("u_0", LATTES, "o_same")
    )
    assert first == second == "o_same"
    await world.event("o_same", "approval_needed")
    assert await world.orders.begin("u_0", LATTES, "o_same") == "o_same"
    assert len(await world.orders.list("u_0")) == 1
    assert (await world.kinds("o_same")).count("approval_needed") == 1


@pytest.mark.parametrize("wrong", ["", "x" * 49, "a~b"])
async def test_an_id_that_is_none(world, wrong):
    if wrong:
        with pytest.raises(OrderError) as caught:
            await world.orders.begin("u_0", LATTES, wrong)
        assert caught.value.code == "bad_id"


async def test_nothing_is_no_order(world):
    with pytest.raises(OrderError) as caught:
        await world.orders.begin("u_0", msgspec.structs.replace(LATTES, lines=()))
    assert caught.value.code == "empty"


# The user's decision.


async def test_a_refusal_orders_nothing(world):
    order_id, question = await world.asked()
    answer = await world.orders.decide(
        question.data["approval_id"], "refuse", TAP, checkout_hash="whatever was shown"
    )
    assert answer.state is ApprovalState.REFUSED
    await world.state(order_id, OrderState.REFUSED)
    assert await world.kinds(order_id) == ["quoted", "approval_needed", "refused"]
    world.balanced()
    assert world.town.calls("authorize") == 0


async def test_silence_lapses(world):
    order_id, question = await world.asked()
    world.skew = QUICK.approval_s + 1
    world.orders._driving.nudge(order_id)
    await world.state(order_id, OrderState.LAPSED)
    assert await world.kinds(order_id) == ["quoted", "approval_needed", "lapsed"]
    assert await world.refused_decision(question) == "expired"
    world.balanced()


async def test_a_late_press_lapses_by_itself(world):
    order_id, question = await world.asked()
    world.skew = QUICK.approval_s
    assert await world.refused_decision(question) == "expired"
    assert (await world.orders.get(order_id)).state is OrderState.LAPSED
    assert await world.orders.pending_approvals("u_0") == []


async def test_a_question_lapses_while_lapel_is_down(world):
    order_id, question = await world.asked()
    await world.stop()
    world.skew = QUICK.approval_s + 1
    await world.start()
    await world.state(order_id, OrderState.LAPSED)
    assert await world.refused_decision(question) == "expired"
    assert (await world.kinds(order_id)).count("lapsed") == 1


async def test_a_question_outlives_a_restart(world):
    order_id, _ = await world.asked()
    await world.stop()
    await world.start()
    (approval,) = await world.orders.pending_approvals("u_0")
    assert approval.order_id == order_id
    await world.approve(order_id)
    await world.event(order_id, "placed")
    world.balanced(TOTAL)


async def test_decisions_that_do_not_count(world):
    _, question = await world.asked()
    assert await world.refused_decision(question, approval_id="a_none") == "unknown"
    assert await world.refused_decision(question, checkout_hash="0" * 64) == "hash_mismatch"
    assert await world.refused_decision(question, user_id="u_1") == "wrong_user"
    assert world.town.calls("authorize") == 0
    (approval,) = await world.orders.pending_approvals("u_0")
    assert approval.state is ApprovalState.PENDING


async def answered(world, question, evidence, decision) -> str:
    """The device whose answer counts, or the code of the refusal."""
    try:
        answer = await world.orders.decide(
            question.data["approval_id"],
            decision,
            evidence,
            checkout_hash=question.data["checkout_hash"],
        )
    except ApprovalError as error:
        return error.code
    return answer.evidence.device_id


async def test_of_two_devices_one_decides(world):
    order_id, question = await world.asked()

    answers = await asyncio.gather(
        answered(world, question, TAP, "approve"), answered(world, question, BUDS, "refuse")
    )
    assert sorted(answers) == ["already_decided", "d_ring"]
    order = await world.state(order_id, OrderState.PLACED)
    assert order.approval.evidence == TAP
    assert await world.refused_decision(question, evidence=BUDS) == "already_decided"
    again = await world.orders.decide(
        question.data["approval_id"],
        "approve",
        TAP,
        checkout_hash=question.data["checkout_hash"],
    )
    assert again.state is ApprovalState.APPROVED
    world.balanced(TOTAL)


async def test_decision_and_lapse_at_the_same_moment(world):
    for i in range(8):
        order_id, question = await world.asked(user=f"u_{i}")
        world.skew += QUICK.approval_s - (0.0 if i % 2 else 0.02)
        world.orders._driving.nudge(order_id)
        answer = await answered(world, question, TAP, "approve")
        told = await world.kinds(order_id)
        if answer == "expired":
            await world.state(order_id, OrderState.LAPSED)
            assert "approved" not in told
        else:
            assert answer == "d_ring"
            await world.state(order_id, OrderState.PLACED)
            assert "lapsed" not in told
    world.balanced(*[total for _, total in world.town.placed()])


# Changing and dropping.


async def test_a_revision_voids_the_question_and_asks_again(world):
    order_id, question = await world.asked()
    await world.orders.revise(order_id, draft(("latte", 3)))
    assert await world.refused_decision(question) == "void"
    again = await world.event(order_id, "approval_needed", 2)
    assert again.data["total"]["minor"] == 3 * 490 + 340
    await world.approve(order_id, 2)
    order = await world.state(order_id, OrderState.PLACED)
    assert order.draft.lines[0].quantity == 3
    assert world.town.calls("create") == 1
    assert world.town.calls("update") == 1
    world.balanced(3 * 490 + 340)
    assert await world.kinds(order_id) == [
        "quoted",
        "approval_needed",
        "revised",
        "quoted",
        "approval_needed",
        "approved",
        "paid",
        "placed",
    ]


async def test_a_revision_and_an_approval_at_the_same_moment(world):
    for i in range(6):
        order_id, question = await world.asked(user=f"u_{i}")
        calls = [
            world.orders.revise(order_id, draft(("tart", 1))),
            world.orders.decide(
                question.data["approval_id"],
                "approve",
                TAP,
                checkout_hash=question.data["checkout_hash"],
            ),
        ]
        if i % 2:
            calls.reverse()
        results = await asyncio.gather(*calls, return_exceptions=True)
        errors = [error for error in results if isinstance(error, Exception)]
        assert len(errors) == 1
        if isinstance(errors[0], ApprovalError):
            assert errors[0].code == "void"
            await world.approve(order_id, 2)
            order = await world.state(order_id, OrderState.PLACED)
            assert order.total.minor == 610 + 340
        else:
            assert errors[0].code == "too_late"
            order = await world.state(order_id, OrderState.PLACED)
            assert order.total.minor == TOTAL
    world.balanced(*[total for _, total in world.town.placed()])
    assert len(world.town.placed()) == 6


async def test_revisions_while_the_price_is_on_its_way(world):
    order_id = await world.orders.begin("u_0", LATTES)
    for n in (3, 4, 5):
        await world.orders.revise(order_id, draft(("latte", n)))
    await world.state(order_id, OrderState.AWAITING_APPROVAL)
    (approval,) = await world.orders.pending_approvals("u_0")
    assert approval.amount.minor == 5 * 490 + 340
    assert world.town.violations() == []


async def test_cancelling_before_the_decision(world):
    order_id, question = await world.asked()
    await world.orders.cancel(order_id)
    await world.orders.cancel(order_id)
    assert await world.refused_decision(question) == "void"
    assert await world.kinds(order_id) == ["quoted", "approval_needed", "canceled"]
    await world.called("cancel")
    world.balanced()


async def test_what_comes_too_late(world):
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.PLACED)
    for late in (world.orders.cancel(order_id), world.orders.revise(order_id, LATTES)):
        with pytest.raises(OrderError) as caught:
            await late
        assert caught.value.code == "too_late"
    with pytest.raises(OrderError) as caught:
        await world.orders.cancel("o_none")
    assert caught.value.code == "unknown"
    refused, question = await world.asked()
    await world.orders.decide(question.data["approval_id"], "refuse", TAP, checkout_hash="")
    with pytest.raises(OrderError) as caught:
        await world.orders.revise(refused, LATTES)
    assert caught.value.code == "closed"


async def test_another_shop_is_another_order(world):
    order_id, _ = await world.asked()
    with pytest.raises(OrderError) as caught:
        await world.orders.revise(order_id, draft(("tart", 1), merchant="red"))
    assert caught.value.code == "other_merchant"


# Many at once, and the machinery.


async def test_twenty_users_at_once_are_not_mixed_up(world):
    async def one(i: int):
        order_id = await world.orders.begin(f"u_{i}", draft(("latte", i + 1)))
        await world.approve(order_id)
        return await world.state(order_id, OrderState.PLACED)

    orders = await asyncio.gather(*(one(i) for i in range(20)))
    for i, order in enumerate(orders):
        assert order.user_id == f"u_{i}"
        assert order.total.minor == (i + 1) * 490 + 340
        receipt = verify(order.receipt)
        assert (receipt.user_id, receipt.total.minor) == (f"u_{i}", order.total.minor)
        events = await world.orders.events(f"u_{i}", 0)
        assert {e.order_id for e in events} == {order.id}
    world.balanced(*[(i + 1) * 490 + 340 for i in range(20)])
    assert len(world.town.placed()) == 20


async def test_one_engine_a_process(world):
    other = Orders(world.store, world.town, world.town, QUICK, world.folder / "other.db")
    with pytest.raises(EngineError):
        await other.start()
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.event(order_id, "placed")


async def test_lost_workflows_do_not_lose_orders(world):
    """The record is enough: without DBOS's tables every open order goes on."""
    order_id, _ = await world.asked()
    await world.stop()
    world.forget_workflows()
    await world.start()
    await world.approve(order_id)
    await world.event(order_id, "placed")
    world.balanced(TOTAL)


async def test_the_workflow_history_holds_no_personal_data(world):
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.event(order_id, "placed")
    await world.stop()
    history = world.workflow_history()
    assert order_id.encode() in history
    for secret in (b"u_0", b"latte", b"Latte", OFFICE.street.encode(), b"t_au_", b"blue-door"):
        assert secret not in history
    await world.start()


async def test_a_long_order_goes_on_in_a_fresh_workflow(world, monkeypatch):
    monkeypatch.setattr("lapel.commerce.engine.STEPS", 2)
    monkeypatch.setattr("lapel.commerce.driving._AGAIN_S", 0.0)
    world.town.set("events", "delivered")
    world.town.fail("complete", "down", "down")
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.DELIVERED)
    world.balanced(TOTAL)


async def test_an_id_belongs_to_its_user(world):
    order_id, _ = await world.asked()
    with pytest.raises(OrderError) as caught:
        await world.orders.begin("u_1", LATTES, order_id)
    assert caught.value.code == "bad_id"


async def test_a_checkout_changed_in_the_record_is_never_paid(world):
    """The approval counts for what was shown, even if the row was tampered with afterwards."""
    order_id, _ = await world.asked()
    await world.store.write(
        lambda c: c.exec_driver_sql(
            "update orders set checkout = replace(checkout, 'blue-door', 'a-thief')"
        )
    )
    question = await world.event(order_id, "approval_needed")
    assert await world.refused_decision(question) == "hash_mismatch"
    world.orders._driving.nudge(order_id)
    await asyncio.sleep(0.2)
    assert world.town.calls("authorize") == 0


async def test_stopping_leaves_no_tasks(tmp_path):
    before = asyncio.all_tasks()
    async with running(tmp_path) as world:
        for i in range(5):
            await world.orders.begin(f"u_{i}", LATTES)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
