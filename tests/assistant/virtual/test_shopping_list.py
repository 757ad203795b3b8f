"""The shopping list in virtual time: kept, ordered, asked about, weighed; nothing lost, nothing dearer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from stage.loop import wall
from stage.market import Market, says
from stage.wearing import EARBUDS, GLASSES, PHONE, RING, Worn
from stage.world import World

from lapel.assistant import ListSkill, SavedPlaces
from lapel.commerce import Money, Order, OrderState, ledger, verify
from lapel.commerce.ports import SubstitutionQuestion
from lapel.services.goods import ShoppingList

pytestmark = pytest.mark.unit

JUICE = SubstitutionQuestion("li_0", "Orange juice", "apple", "Apple juice", Money(199, "EUR"))


@asynccontextmanager
async def market() -> AsyncIterator[tuple[World, Market, Worn, Worn]]:
    world = World()
    world.street = Market()
    street = world.street

    def skills(user_id: str):
        own = ShoppingList(world.record, user_id, wall)
        places = SavedPlaces(world.record, user_id)
        return (ListSkill(user_id, world.orders, street, own, places),)

    world.skills = skills
    async with world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        yield world, street, phone, ring


async def ordered(world: World, phone: Worn, ring: Worn, things: str) -> Order:
    await says(world, phone, f"add {things} to my shopping list", "Added")
    asked = len(world.of_kind("approval_needed"))
    phone.type("order my shopping list")
    await world.asked(asked + 1)
    await world.passes(1)
    ring.press()
    return await world.state(OrderState.PLACED)


async def test_a_list_is_kept_shown_and_changed() -> None:
    async with market() as (world, _, phone, _):
        await says(
            world, phone, "add milk, eggs and two kilos of apples to my shopping list",
            "Added milk, eggs and 2 kilos of apples. There are 3 things on your list.",
        )  # fmt: skip
        await says(world, phone, "take the eggs off my list", "Eggs is off your list")
        await world.crash()
        await world.open()
        await world.back()
        shown = await says(world, phone, "what is on my list", "milk", "2 kilos of apples")
        assert "eggs" not in shown
        await says(world, phone, "take the tea off the list", "There is no tea on your list")
        await says(world, phone, "clear my shopping list", "empty now")
        await says(world, phone, "order my shopping list", "Your shopping list is empty")
        assert await world.orders.list(world.user_id) == []


async def test_a_turn_that_goes_on_is_added_once() -> None:
    async with market() as (world, _, phone, _):
        assert world.voices is not None
        (glasses,) = await world.wear(GLASSES)
        async with glasses.listening():
            await glasses.hear(world.voices.words("add milk to my shopping list"))
            await world.passes(0.8)
            await glasses.hear(world.voices.words("please"))
            await world.passes(2)
        await world.quiet()
        shown = await says(world, phone, "what is on my list", "Shopping list")
        assert shown.count("milk") == 1


async def test_the_approval_says_about_and_at_most_and_the_rest_is_freed() -> None:
    async with market() as (world, street, phone, ring):
        things = "milk, two kilos of apples, butter and a unicorn"
        await says(world, phone, f"add {things} to my list", "Added")
        text = await says(
            world, phone, "order my shopping list with no substitutions", "at most 10.13 EUR"
        )
        assert "about 9.63 EUR" in text
        assert "Butter is sold out at Tori." in text
        assert "Tori has no unicorn." in text
        assert "Red apples, about 2 kilos about 4.98 EUR" in text
        await world.passes(1)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert street.holds() == [(1013, "authorized", 0, 0)]
        assert [line.substitution for line in order.draft.lines] == ["none", "none"]
        await says(world, phone, "what is on my list", "butter", "unicorn")
        await world.orders.merchant_reports(street.pack(order.checkout_id, 1840))
        await world.until(lambda: world.of_kind("billed"))
        assert world.of_kind("billed")[0].text == (
            "Tori has packed your groceries. It came to 9 euros 23; 90 cents of what was set aside "
            "is free again."
        )
        assert street.money_kept() == 923
        found = await world.orders.get(order.id)
        assert found is not None
        receipt = verify(found.receipt or "")
        assert receipt.payment.paid is not None
        assert (receipt.payment.amount.minor, receipt.payment.paid.minor) == (1013, 923)
        assert [line.grams for line in receipt.bill] == [0, 1840]


async def test_what_may_mean_several_things_is_asked_once_and_remembered() -> None:
    async with market() as (world, street, phone, ring):
        await says(world, phone, "add juice and eggs to my shopping list", "Added")
        text = await says(world, phone, "order my list", "Which juice")
        assert text == "Which juice? | Apple juice 1 l 1.99 EUR | Orange juice 1 l 2.29 EUR"
        phone.type("the orange one")
        await world.asked()
        order = await world.state(OrderState.AWAITING_APPROVAL)
        assert [line.item_id for line in order.draft.lines] == ["orange", "eggs"]
        phone.type("cancel")
        await world.state(OrderState.CANCELED)
        phone.type("order my list")
        await world.asked(2)  # without asking which
        assert street.placed() == []


async def test_none_of_them_leaves_it_on_the_list() -> None:
    async with market() as (world, _, phone, _):
        await says(world, phone, "add juice and eggs to my shopping list", "Added")
        await says(world, phone, "order my list", "Which juice")
        phone.type("none of them")
        await world.asked()
        order = await world.state(OrderState.AWAITING_APPROVAL)
        assert [line.item_id for line in order.draft.lines] == ["eggs"]


async def test_what_may_be_replaced_can_be_said_before_and_while_it_is_asked() -> None:
    async with market() as (world, _, phone, _):
        await says(world, phone, "substitute if needed", "no dearer")
        await says(world, phone, "add milk to my shopping list", "Added")
        phone.type("order my groceries")
        await world.asked()
        order = await world.state(OrderState.AWAITING_APPROVAL)
        assert order.draft.lines[0].substitution == "similar"
        phone.type("no substitutions")
        await world.asked(2)
        order = await world.state(OrderState.AWAITING_APPROVAL)
        assert order.draft.lines[0].substitution == "none"


async def test_what_comes_instead_has_a_bound_that_was_said() -> None:
    async with market() as (world, _, phone, ring):
        await says(world, phone, "add milk and eggs to my shopping list", "Added")
        phone.type("order my list with no substitutions")
        await world.asked()
        await says(world, phone, "swap the milk for anything, at most 10 dollars", "in EUR")
        await says(
            world, phone, "if there is no milk, something else up to one euro", "at most 1 euro"
        )
        await world.asked(2)
        await says(world, phone, "a replacement for the eggs, not for the milk", "left out")
        await world.asked(3)
        await says(world, phone, "if there are none, something else up to ninety cents", "90 cents")
        await world.asked(4)
        await world.passes(1)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert [(x.substitution, x.substitution_max) for x in order.draft.lines] == [
            ("similar", 90)
        ] * 2
        before = [order.checkout.lines[0].substitution_max, order.checkout.lines[1].substitution]
        assert before == [90, "similar"]


async def test_what_may_come_for_one_thing_is_kept_in_its_line_alone() -> None:
    async with market() as (world, _, phone, ring):
        await says(world, phone, "add milk and eggs to my shopping list", "Added")
        phone.type("order my list with no substitutions")
        await world.asked()
        await says(world, phone, "if there is no tea take anything", "There is no tea in this")
        before = await world.state(OrderState.AWAITING_APPROVAL)
        assert [x.substitution for x in before.draft.lines] == ["none", "none"]
        await says(world, phone, "if there is no milk take anything", "Whole milk, 1 l: replaced")
        await world.asked(2)
        await world.passes(1)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert [x.substitution for x in order.draft.lines] == ["similar", "none"]


@pytest.mark.parametrize("how", ["button", "word"])
async def test_the_user_is_asked_while_it_is_picked(how: str) -> None:
    async with market() as (world, street, phone, ring):
        order = await ordered(world, phone, ring, "orange juice and milk")
        street.asks = (JUICE,)
        await world.orders.merchant_reports(street.report(order.checkout_id, "substitution_asked"))
        topic = f"substitution:{order.id}:li_0"
        await world.until(lambda: topic in phone.cards)
        assert [x.label for x in phone.cards[topic].actions] == ["Take it", "Leave it out"]
        if how == "button":
            phone.tap("take", topic)
        else:
            phone.type("yes")
        await world.until(lambda: street.answers)
        assert street.answers == [("li_0", "apple", True)]
        await world.until(lambda: topic not in phone.cards)
        packed = street.pack(order.checkout_id, 0, li_0=("apple", "Apple juice", 199))
        await world.orders.merchant_reports(packed)
        await world.until(lambda: world.of_kind("billed"))
        assert "You get Apple juice instead of Orange juice" in world.of_kind("billed")[0].text
        assert world.of_kind("overbilled") == []


async def test_silence_is_no_yes_and_what_was_not_agreed_to_comes_back() -> None:
    async with market() as (world, street, phone, ring):
        order = await ordered(world, phone, ring, "orange juice and milk")
        street.asks = (JUICE,)
        await world.orders.merchant_reports(street.report(order.checkout_id, "substitution_asked"))
        topic = f"substitution:{order.id}:li_0"
        await world.until(lambda: topic in phone.cards)
        packed = street.pack(order.checkout_id, 0, li_0=("apple", "Apple juice", 199))
        await world.orders.merchant_reports(packed)
        await world.until(lambda: world.of_kind("overbilled"))
        assert topic not in phone.cards
        assert "1 euro 99 more than you agreed to, for Apple juice" in (
            world.of_kind("overbilled")[0].text
        )
        assert street.money_kept() == 125 + 340
        await says(world, phone, "what is on my list", "empty")


async def test_an_answer_survives_a_crash_before_the_grocer_heard_it() -> None:
    async with market() as (world, street, phone, ring):
        order = await ordered(world, phone, ring, "orange juice and milk")
        street.asks = (JUICE,)
        await world.orders.merchant_reports(street.report(order.checkout_id, "substitution_asked"))
        topic = f"substitution:{order.id}:li_0"
        await world.until(lambda: topic in phone.cards)
        street.fail("answer", "down", "down", "down")
        phone.tap("leave", topic)
        await world.until(lambda: world.of_kind("substitution_answered"))
        await world.crash()
        street.heal()
        await world.open()
        await world.back()
        await world.until(lambda: street.answers)
        assert street.answers == [("li_0", "apple", False)]


@pytest.mark.parametrize("op", ["state", "order", "release"])
@pytest.mark.parametrize("kind", ["down", "lost"])
async def test_killed_between_the_bill_and_the_receipt_it_is_settled_once(
    op: str, kind: str
) -> None:
    """Reading the bank, reading the bill, getting back what was too much: before and after each."""
    async with market() as (world, street, phone, ring):
        order = await ordered(world, phone, ring, "orange juice and milk")
        packed = street.pack(order.checkout_id, 0, li_0=("apple", "Apple juice", 199))
        street.fail(op, kind, kind, kind)
        before = street.calls(op)
        await world.orders.merchant_reports(packed)
        await world.until(lambda: street.calls(op) > before)
        await world.crash()
        street.heal()
        await world.open()
        await world.back()
        await world.until(lambda: world.of_kind("overbilled"), within_s=600)
        await world.passes(60)
        assert (len(world.of_kind("billed")), len(world.of_kind("overbilled"))) == (1, 1)
        assert street.money_kept() == 125 + 340
        assert [(captured, back) for _, _, captured, back in street.holds()] == [(664, 199)]
        standing = await world.record.read(lambda c: ledger.standing(c, order.id))
        assert {x: n for x, n in standing.items() if n} == {"available": -465, "spent:market": 465}
        found = await world.orders.get(order.id)
        assert found is not None
        assert found.receipt is not None


async def test_the_list_waits_for_its_press_beside_a_cart() -> None:
    async with market() as (world, _, phone, _):
        await says(world, phone, "add milk to my shopping list", "Added")
        phone.type("order my shopping list")
        await world.asked()
        phone.type("order my shopping list")
        await world.until(lambda: any("not ordered yet" in x for x in phone.texts()))
        await says(world, phone, "take the milk off", "Milk is off your list")
        (order,) = await world.orders.list(world.user_id)
        assert order.state is OrderState.AWAITING_APPROVAL
