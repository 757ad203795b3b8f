"""The ledger beside what happened: every entry sums to zero, and nothing in it can be changed."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
import sqlalchemy as sa
from commerce_town import LATTES, TOTAL
from commerce_world import QUICK, _next_event, wrong_in

from lapel.commerce import (
    BankEntry,
    Books,
    Money,
    OrderState,
    ReceiptError,
    Total,
    ledger,
    verify,
)
from lapel.commerce import keys as signing
from lapel.commerce.books import Paid, compare
from lapel.commerce.ledger import AVAILABLE, HELD, TRANSIT, LedgerError
from lapel.commerce.receipt import Signer
from lapel.store import schema

pytestmark = pytest.mark.net

SPENT = "spent:blue"


async def story(world, order_id: str) -> list[tuple[str, dict[str, int]]]:
    """The order's entries, oldest first, as (step, account -> minor units)."""
    found = await Books(world.store, world.town).entries("u_0", order_id=order_id)
    return [
        (entry.step.value, {line.account: line.amount.minor for line in entry.postings})
        for entry in reversed(found)
    ]


async def balances(world) -> dict[str, int]:
    found = await Books(world.store, world.town).balances("u_0")
    return {posting.account: posting.amount.minor for posting in found}


async def wrong(world) -> list:
    moves = world.town.moves()
    return await world.store.read(lambda c: wrong_in(c, moves))


async def settled(world, **wanted: int) -> None:
    while await balances(world) != wanted:
        await _next_event(world.orders)


HOLD = ("hold", {AVAILABLE: -TOTAL, HELD: TOTAL})
CAPTURE = ("capture", {HELD: -TOTAL, SPENT: TOTAL})


async def test_an_order_is_held_and_then_spent(world):
    order = await world.placed()
    assert await story(world, order.id) == [HOLD, CAPTURE]
    assert await balances(world) == {AVAILABLE: -TOTAL, SPENT: TOTAL}
    checked = await Books(world.store, world.town).check("u_0")
    assert (checked.is_sound, checked.differences, checked.payments) == (True, (), 1)


async def test_what_was_held_for_nothing_is_released(world):
    world.town.set("refuse:complete", "We are out of milk.")
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.REFUNDED)
    assert await story(world, order_id) == [HOLD, ("release", {HELD: -TOTAL, AVAILABLE: TOTAL})]
    assert await balances(world) == {}
    assert await wrong(world) == []


async def test_a_new_price_holds_anew(world):
    order_id, _ = await world.asked()
    world.town.set("price:latte", 550)
    await world.approve(order_id)
    await world.approve(order_id, 2)
    await world.state(order_id, OrderState.PLACED)
    assert [step for step, _ in await story(world, order_id)] == [
        "hold", "release", "hold", "capture",
    ]  # fmt: skip
    assert await balances(world) == {AVAILABLE: -1760, SPENT: 1760}
    assert await wrong(world) == []


async def test_a_cancelled_order_comes_back_over_transit(world):
    order = await world.placed()
    await world.orders.merchant_reports(world.town.report(order.checkout_id, canceled=True))
    await world.state(order.id, OrderState.REFUNDED)
    assert await story(world, order.id) == [
        HOLD,
        CAPTURE,
        ("refund_due", {SPENT: -TOTAL, TRANSIT: TOTAL}),
        ("refund", {TRANSIT: -TOTAL, AVAILABLE: TOTAL}),
    ]
    assert await wrong(world) == []


async def test_a_part_is_in_transit_until_the_bank_gave_it_back(world):
    order = await world.placed()
    world.town.promise_back(order.checkout_id, 320)
    report = world.town.report(order.checkout_id)
    for _ in range(2):
        await world.orders.merchant_reports(report)
    await settled(world, **{AVAILABLE: -TOTAL, SPENT: TOTAL - 320, TRANSIT: 320})
    checked = await Books(world.store, world.town).check("u_0")
    assert [(x.code, x.under_way) for x in checked.differences] == [("refund_missing", True)]
    world.town.give_part(order.authorization_id, 320)
    await settled(world, **{AVAILABLE: 320 - TOTAL, SPENT: TOTAL - 320})
    assert (await Books(world.store, world.town).check("u_0")).differences == ()
    await world.orders.merchant_reports(world.town.report(order.checkout_id, canceled=True))
    await world.state(order.id, OrderState.REFUNDED)
    assert await balances(world) == {}
    assert [step for step, _ in await story(world, order.id)] == [
        "hold", "capture", "refund_due", "refund", "refund_due", "refund",
    ]  # fmt: skip
    assert await wrong(world) == []


async def test_a_part_that_comes_back_after_the_delivery_arrives_too(world):
    order = await world.placed()
    world.town.promise_back(order.checkout_id, 320)
    await world.orders.merchant_reports(world.town.report(order.checkout_id, "delivered"))
    await world.state(order.id, OrderState.DELIVERED)
    world.town.give_part(order.authorization_id, 320)
    await settled(world, **{AVAILABLE: 320 - TOTAL, SPENT: TOTAL - 320})


async def test_a_bank_that_is_silent_about_a_return_is_asked_again(world):
    order = await world.placed()
    await world.orders.merchant_reports(world.town.report(order.checkout_id, "delivered"))
    await world.state(order.id, OrderState.DELIVERED)
    world.town.promise_back(order.checkout_id, 320)
    world.town.give_part(order.authorization_id, 320)
    world.town.fail("state", "down", "down")
    await world.orders.merchant_reports(world.town.report(order.checkout_id))
    await settled(world, **{AVAILABLE: 320 - TOTAL, SPENT: TOTAL - 320})


async def test_more_than_was_paid_is_not_expected_back(world):
    order = await world.placed()
    world.town.promise_back(order.checkout_id, TOTAL + 1)
    await world.orders.merchant_reports(world.town.report(order.checkout_id))
    assert await balances(world) == {AVAILABLE: -TOTAL, TRANSIT: TOTAL}


async def test_a_final_price_below_the_bound_is_paid_and_the_rest_is_free(world):
    world.town.set("at_most", 1)
    world.town.set("weighs_less", 140)
    order = await world.placed()
    assert order.total == Money(TOTAL - 140, "EUR")
    assert await story(world, order.id) == [
        HOLD,
        ("capture", {HELD: 140 - TOTAL, SPENT: TOTAL - 140}),
        ("release", {HELD: -140, AVAILABLE: 140}),
    ]
    receipt = verify(order.receipt)
    assert (receipt.payment.paid.minor, receipt.payment.amount.minor) == (TOTAL - 140, TOTAL)
    question = await world.event(order.id, "approval_needed")
    assert "at most" in question.text
    await world.orders.merchant_reports(world.town.report(order.checkout_id, canceled=True))
    await world.state(order.id, OrderState.REFUNDED)
    assert await balances(world) == {}
    assert "15 euros" in (await world.event(order.id, "placed")).text
    assert await wrong(world) == []


async def test_a_final_price_above_the_bound_is_not_paid(world):
    world.town.set("at_most", 1)
    world.town.set("overcharge", 1)
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.REFUNDED)
    assert "do not pay that" in (await world.event(order_id, "trouble")).text
    world.balanced()
    assert await balances(world) == {}


async def test_without_the_users_yes_to_a_bound_the_price_is_exact(world):
    world.town.set("weighs_less", 140)
    order_id, _ = await world.asked()
    await world.approve(order_id)
    await world.state(order_id, OrderState.REFUNDED)
    world.balanced()


async def test_what_a_shop_took_unasked_below_the_price_is_booked_as_it_was_taken(world):
    order_id, _ = await world.asked()
    world.town.set("at_most", 1)  # at the bank: the user agreed to an exact price
    world.town.set("weighs_less", 140)
    await world.approve(order_id)
    await world.state(order_id, OrderState.REFUNDED)
    assert (await world.event(order_id, "refunded")).text == "You got 15 euros back."
    assert await balances(world) == {}
    assert await wrong(world) == []


@pytest.mark.parametrize("bound", [False, True])
async def test_what_a_shop_took_below_the_total_that_it_states_is_what_was_paid(world, bound):
    world.town.set("at_most", 1 if bound else "")
    world.town.set("takes_less", 140)
    order = await world.placed()
    paid = TOTAL - 140
    assert order.total == Money(paid, "EUR")
    assert await story(world, order.id) == [
        HOLD,
        ("capture", {HELD: -paid, SPENT: paid}),
        ("release", {HELD: -140, AVAILABLE: 140}),
    ]
    receipt = verify(order.receipt)
    assert (receipt.payment.paid.minor, receipt.payment.amount.minor) == (paid, TOTAL)
    said = (await world.event(order.id, "placed")).text
    assert said.endswith("asked for 16 euros 40 and took 15 euros: that is what you paid.")
    checked = await Books(world.store, world.town).check("u_0")
    assert (checked.is_sound, checked.differences) == (True, ())
    await world.orders.merchant_reports(world.town.report(order.checkout_id, "delivered"))
    await world.state(order.id, OrderState.DELIVERED)
    if not bound:  # it still states what was agreed to: nothing to be told of
        assert "trouble" not in await world.kinds(order.id)
    assert await wrong(world) == []


async def test_a_shop_that_took_less_and_cancels_gives_back_what_it_took(world):
    world.town.set("takes_less", 140)
    order = await world.placed()
    await world.orders.merchant_reports(world.town.report(order.checkout_id, canceled=True))
    await world.state(order.id, OrderState.REFUNDED)
    assert (await world.event(order.id, "refunded")).text == "You got 15 euros back."
    assert await balances(world) == {}
    assert await wrong(world) == []


async def test_an_order_is_placed_once_the_bank_has_said_what_was_taken(world):
    world.town.set("takes_less", 140)
    world.town.fail("state", "down", "down")
    order = await world.placed()
    assert order.total == Money(TOTAL - 140, "EUR")
    assert (await world.kinds(order.id)).count("placed") == 1
    assert world.town.calls("authorize") == 1


async def test_a_receipt_with_another_amount_than_was_agreed_to_proves_nothing(world):
    world.town.set("takes_less", 140)
    order = await world.placed()
    receipt = verify(order.receipt)
    lapel = Signer(signing.new_key())

    def with_paid(minor: int) -> str:
        paid = msgspec.structs.replace(receipt.payment.paid, minor=minor)
        payment = msgspec.structs.replace(receipt.payment, paid=paid)
        return lapel.sign(msgspec.structs.replace(receipt, payment=payment, key_id=lapel.key_id))

    assert verify(with_paid(TOTAL)).payment.paid.minor == TOTAL
    for minor in (0, TOTAL + 1):
        with pytest.raises(ReceiptError) as caught:
            verify(with_paid(minor))
        assert caught.value.code == "other_cart"


async def test_a_lost_answer_of_the_bank_enters_nothing_twice(world):
    world.town.fail("authorize", "lost", "lost")
    world.town.fail("complete", "lost")
    world.town.fail("get", "down", "down")
    order = await world.placed()
    assert await story(world, order.id) == [HOLD, CAPTURE]
    await world.stop()
    await world.start(QUICK)
    assert await story(world, order.id) == [HOLD, CAPTURE]


async def test_the_record_refuses_to_change_the_ledger(world):
    order = await world.placed()
    for table in (schema.ledger_entries, schema.ledger_postings):
        for change in (sa.update(table).values(user_id="u_1"), sa.delete(table)):
            with pytest.raises(Exception, match="append-only"):
                await world.store.write(lambda c, change=change: c.execute(change))
    assert await story(world, order.id) == [HOLD, CAPTURE]


async def test_a_key_is_written_once_and_with_one_content(world):
    order = await world.placed()

    def hold(minor: int):
        amount = Money(minor, "EUR")
        return lambda c: ledger.hold(c, order, amount, order.authorization_id, 0.0)

    await world.store.write(hold(TOTAL))
    assert await story(world, order.id) == [HOLD, CAPTURE]
    with pytest.raises(LedgerError) as refused:
        await world.store.write(hold(TOTAL + 1))
    assert refused.value.code == "conflict"
    assert await story(world, order.id) == [HOLD, CAPTURE]


async def test_a_tip_has_an_account_of_its_own(world):
    order_id, _ = await world.asked(LATTES)
    await world.approve(order_id)
    order = await world.state(order_id, OrderState.PLACED)
    tip = Total("tip", "Tip", Money(200, "EUR"))
    later = replace(order, revision=order.revision + 1)
    done = replace(order.checkout, totals=(*order.checkout.totals, tip))

    def work(connection: sa.Connection) -> None:
        ledger.hold(connection, later, order.total, "au_tip", 0.0)
        ledger.captured(connection, later, order.total, 0.0, done)

    await world.store.write(work)
    assert (await story(world, order_id))[-1] == (
        "capture",
        {HELD: -TOTAL, SPENT: TOTAL - 200, "tip:blue": 200},
    )
    await world.store.write(
        lambda c: ledger.refund_due(c, later, Money(2 * TOTAL - 150, "EUR"), "due:x", 0.0)
    )
    assert (await story(world, order_id))[-1] == (
        "refund_due",
        {SPENT: 200 - 2 * TOTAL, "tip:blue": -50 + 0, TRANSIT: 2 * TOTAL - 150},
    )


PAID = Paid("au_1", "o_1", OrderState.DELIVERED, "EUR", captured=500)


def entries(*amounts: int, id: str = "au_1") -> list[BankEntry]:
    return [
        BankEntry(str(n), "payment" if minor < 0 else "refund", id, Money(minor, "EUR"), "")
        for n, minor in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("paid", "moved", "found"),
    [
        (PAID, entries(-500), []),
        (PAID, [], [("payment_missing", False)]),
        (PAID, entries(-501), [("other_amount", False)]),
        (PAID, entries(-500, 100), [("refund_not_told", False)]),
        (replace(PAID, state=OrderState.PLACED), entries(-500, 100), [("refund_not_told", True)]),
        (replace(PAID, refunded=500), entries(-500), [("refund_missing", False)]),
        (replace(PAID, refunded=500), entries(-500, 200, 300), []),
        (replace(PAID, in_transit=100), entries(-500), [("refund_missing", True)]),
        (PAID, entries(-500) + entries(-1, id="au_2"), [("unknown_payment", False)]),
        (
            Paid("au_1", "o_1", OrderState.PLACING, "EUR", held=500),
            entries(-500),
            [("other_amount", True)],
        ),
        (
            Paid("au_1", "o_1", OrderState.PLACING, "EUR", held=500),
            entries(-501),
            [("other_amount", False)],
        ),
        (Paid("au_1", "o_1", OrderState.REFUNDED, "EUR"), entries(-500), [("other_amount", False)]),
        (PAID, [*entries(-500), BankEntry("9", "opening", "", Money(50000, "EUR"), "")], []),
    ],
)
def test_what_differs_from_the_bank_is_named(paid, moved, found):
    differences = compare([paid], moved)
    assert [(x.code, x.under_way) for x in differences] == found
    assert all(x.text.endswith(".") for x in differences)
