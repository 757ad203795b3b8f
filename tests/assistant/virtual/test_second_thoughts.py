"""The user goes on, changes, takes back or cancels; so does the shop with its price."""

from __future__ import annotations

import pytest
from stage.shops import price
from stage.wearing import EARBUDS, GLASSES, PHONE, RING, text_of
from stage.world import World

from lapel.commerce import OrderState

pytestmark = pytest.mark.unit

LATTES = "two lattes and a muffin to my office"


async def test_a_change_is_priced_anew_and_voids_the_old_question() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type("two lattes to my office")
        await world.asked()
        (first,) = phone.cards
        phone.type("make it three")
        await world.asked(2)
        approvals = phone.questions
        assert len(approvals) == 1
        assert approvals != [first]
        assert phone.cards[approvals[0]].total == price(latte=3)
        assert price(latte=3) in earbuds.spoken()[-1]
        phone.tap("approve", first)
        await world.until(lambda: any("out of date" in text for text in phone.texts()))
        assert "approved" not in world.kinds()
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert str(order.total) == price(latte=3)


async def test_going_on_within_a_second_does_not_double_the_cart() -> None:
    async with World() as world:
        glasses, ring, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        async with glasses.listening():
            await glasses.hear(world.voices.words("two lattes to my office"))
            await world.passes(0.8)
            await glasses.hear(world.voices.words("and a muffin"))
            await world.passes(2)
        await world.quiet()
        card = glasses.question
        assert card.total == price(latte=2, muffin=1)
        assert earbuds.heard()[-1][0].startswith("Two lattes and one muffin")
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert str(order.total) == price(latte=2, muffin=1)
        assert len(await world.orders.list(world.user_id)) == 1


async def test_cancelled_while_a_slow_shop_is_asked() -> None:
    async with World() as world:
        world.street.slow["create"] = 15.0
        phone, _, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.passes(5)
        phone.type("cancel that")
        await world.passes(5)
        assert "canceled" in world.kinds()
        assert "approval_needed" not in world.kinds()
        await world.passes(30)
        assert "approval_needed" not in world.kinds()
        assert not phone.questions
        assert sum("ancelled" in text for text, _ in earbuds.heard()) == 1


async def test_cancelled_before_it_is_confirmed() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        phone.type("cancel that")
        await world.state(OrderState.CANCELED)
        await world.quiet()
        assert not phone.questions
        assert sum("ancelled" in text for text, _ in earbuds.heard()) == 1
        ring.press()
        await world.passes(2)
        assert "approved" not in world.kinds()


async def test_cancelled_when_nothing_is_there() -> None:
    async with World() as world:
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type("cancel that")
        await world.quiet()
        assert earbuds.heard() == [("There is nothing to cancel.", "finished")]


async def test_cancelled_after_it_was_placed() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.state(OrderState.PLACED)
        await world.quiet()
        phone.type("cancel that")
        await world.quiet()
        assert "already placed" in earbuds.heard()[-1][0]
        assert (await world.state(OrderState.PLACED)).state is OrderState.PLACED


async def test_cancelled_while_it_is_being_paid_comes_too_late_and_says_so() -> None:
    async with World() as world:
        world.street.slow["authorize"] = 4.0
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.until(lambda: "approved" in world.kinds())
        phone.type("cancel that")
        order = await world.state(OrderState.PLACED)
        await world.quiet()
        assert any("already" in text for text, _ in earbuds.heard())
        assert world.street.money_kept() == order.total.minor


async def test_cancelled_after_it_was_delivered() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        world.deliver(order, [(0.5, "delivered")])
        await world.state(OrderState.DELIVERED)
        await world.quiet()
        phone.type("cancel that")
        await world.passes(0.5)
        await world.quiet()
        assert earbuds.heard()[-1] == ("There is nothing to cancel.", "finished")


async def test_typing_while_a_spoken_order_is_thought_about_takes_it_back() -> None:
    async with World() as world:
        world.street.slow["create"] = 1.5
        phone, glasses, ring, earbuds = await world.wear(PHONE, GLASSES, RING, EARBUDS)
        async with glasses.listening():
            await glasses.hear(world.voices.words("two lattes to my office"))
            await world.until(
                lambda: (
                    world.street.calls("create") or world.assistant.voice.state.value == "thinking"
                )
            )
            await world.passes(0.3)
            phone.type("a tart to my home")
            await world.passes(5)
        await world.quiet()
        card = phone.question
        assert card.total == price(tart=1)
        assert not any("latte" in text for text, _ in earbuds.heard())
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert str(order.total) == price(tart=1)
        pending = await world.orders.pending_approvals(world.user_id)
        assert pending == []


async def test_typing_a_question_while_a_spoken_order_is_thought_about_leaves_no_order_behind() -> (
    None
):
    async with World() as world:
        world.street.slow["create"] = 1.5
        phone, glasses, ring, _ = await world.wear(PHONE, GLASSES, RING, EARBUDS)
        async with glasses.listening():
            await glasses.hear(world.voices.words("two lattes to my office"))
            await world.until(lambda: world.assistant.voice.state.value == "thinking")
            await world.passes(0.3)
            phone.type("what cakes do they have")
            await world.passes(5)
        await world.quiet()
        assert not glasses.questions
        ring.press()
        await world.passes(3)
        assert "approved" not in world.kinds()


async def test_typing_a_question_while_a_change_is_thought_about_takes_the_change_back() -> None:
    async with World() as world:
        phone, glasses, _ring, _ = await world.wear(PHONE, GLASSES, RING, EARBUDS)
        phone.type("two lattes to my office")
        await world.asked()
        world.street.slow["update"] = 1.5
        async with glasses.listening():
            await glasses.hear(world.voices.words("make it three"))
            await world.until(lambda: world.assistant.voice.state.value == "thinking")
            await world.passes(0.3)
            phone.type("what cakes do they have")
            await world.passes(5)
        await world.quiet()
        card = glasses.question
        assert card.total == price(latte=2)
        phone.type("and a muffin")
        await world.until(lambda: len(world.of_kind("approval_needed")) >= 3)
        await world.passes(1)
        card = glasses.question
        assert card.total == price(latte=2, muffin=1)


async def test_a_price_that_changes_after_other_talk_can_still_be_cancelled() -> None:
    async with World() as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type("two lattes to my office")
        await world.asked()
        world.street.set("price:latte", 600)
        world.street.slow["get"] = 2.0
        ring.press()
        await world.until(lambda: "approved" in world.kinds())
        phone.type("where is my order")
        await world.asked(2)
        phone.type("cancel that")
        await world.state(OrderState.CANCELED)


async def test_two_texts_in_a_row_are_answered_one_after_the_other() -> None:
    async with World() as world:
        phone, _, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type("two lattes to my office")
        phone.type("and a muffin")
        await world.asked()
        await world.quiet()
        card = phone.question
        assert card.total == price(latte=2, muffin=1)
        assert len(await world.orders.list(world.user_id)) == 1


async def test_another_shop_takes_the_place_of_the_first() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type("two lattes to my office")
        await world.asked()
        phone.type("no, a ramen from red bowl instead")
        await world.asked(2)
        await world.quiet()
        card = phone.question
        assert "Ramen" in text_of(card)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert order.merchant_id == "red"
        assert not any("ancelled" in text for text, _ in earbuds.heard())
        assert len(world.street.placed()) == 1


async def test_the_price_changes_between_yes_and_the_shop() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type("two lattes to my office")
        await world.asked()
        (first,) = phone.cards
        world.street.set("price:latte", 600)
        ring.press()
        await world.asked(2)
        await world.quiet()
        (topic,) = phone.questions
        assert topic != first
        assert phone.cards[topic].total == "15.40 EUR"
        assert any("price changed" in text for text in phone.texts())
        assert "15.40 EUR" in earbuds.heard()[-1][0]
        assert world.street.money_kept() == 0
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert str(order.total) == "15.40 EUR"
        assert world.street.money_kept() == 1540


async def test_the_price_changes_and_the_user_cancels() -> None:
    async with World() as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type("two lattes to my office")
        await world.asked()
        world.street.set("price:latte", 600)
        ring.press()
        await world.asked(2)
        phone.type("cancel that")
        await world.state(OrderState.CANCELED)
        await world.quiet()
        assert not phone.questions


async def test_the_price_changes_and_the_user_goes_on_ordering() -> None:
    async with World() as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type("two lattes to my office")
        await world.asked()
        world.street.set("price:latte", 600)
        ring.press()
        await world.asked(2)
        phone.type("and a tart")
        await world.asked(3)
        await world.quiet()
        card = phone.question
        assert card.total == "21.50 EUR"
        ring.press()
        await world.state(OrderState.PLACED)
        assert await world.orders.pending_approvals(world.user_id) == []
