"""Orders by voice and by typing, from the first word to the door, changed and cancelled on the way."""

from __future__ import annotations

import pytest
from stage.loop import DAY
from stage.shops import price
from stage.wearing import EARBUDS, GLASSES, PHONE, RING, text_of
from stage.world import World

from lapel.commerce import OrderState
from lapel.devices import CueKind, Pattern
from lapel.devices.client_events import SpeechHeard

pytestmark = pytest.mark.unit

LATTES = "two lattes and a muffin to my office"


async def test_the_whole_road() -> None:
    async with World() as world:
        glasses, ring, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say(LATTES, glasses)
        await world.asked()
        total = price(latte=2, muffin=1)
        (card,) = glasses.cards.values()
        assert "2 x Latte" in text_of(card)
        assert "1 x Muffin" in text_of(card)
        assert card.total == total
        assert [cue.haptic for cue in ring.told(CueKind.APPROVAL)] == [Pattern.PULSE]
        (read,) = earbuds.spoken()
        assert read.startswith("Two lattes and one muffin")
        assert total in read
        assert "Press the ring" in read
        ring.press()
        order = await world.state(OrderState.PLACED)
        world.deliver(order)
        await world.state(OrderState.DELIVERED, within_s=120)
        await world.quiet()
        steps = [cue for cue in glasses.told() if cue.topic == f"order:{order.id}"]
        assert [cue.card.body for cue in steps if cue.card] == [
            "Your order at Shop blue is placed. It should be there in about 20 minutes.",
            "Your order is being prepared.",
            "Your order was picked up.",
            "Your order is on its way.",
            "Your order was delivered.",
        ]
        assert earbuds.heard() == [
            (read, "stopped"),
            ("Your order at Shop blue is placed. It should be there in about 20 minutes.", "finished"),
            ("Your order is on its way.", "finished"),
            ("Your order was delivered.", "finished"),
        ]  # fmt: skip
        assert [cue.haptic for cue in ring.told(CueKind.ORDER)] == [Pattern.DOUBLE, Pattern.DOUBLE]
        assert len(glasses.told(CueKind.RECEIPT)) == 1
        assert world.untold() == []
        assert world.street.money_kept() == order.total.minor
        assert world.street.violations() == []


async def test_what_the_user_had_seen_and_heard_is_in_the_evidence() -> None:
    async with World() as world:
        glasses, ring, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say(LATTES, glasses)
        await world.until(lambda: earbuds.heard())
        ring.press()
        await world.state(OrderState.PLACED)
        (evidence,) = world.evidence()
        assert (evidence.family, evidence.gesture) == ("ring", "press")
        assert evidence.shown_on == ("Glasses",)
        assert evidence.read_aloud_on == ("Earbuds",)


async def test_a_typed_order_confirmed_by_its_button() -> None:
    async with World() as world:
        (phone,) = await world.wear(PHONE)
        phone.type(LATTES)
        await world.asked()
        (topic,) = phone.cards
        phone.tap("approve", topic)
        order = await world.state(OrderState.PLACED)
        assert order.total is not None
        assert str(order.total) == price(latte=2, muffin=1)
        await world.passes(0.5)
        assert topic not in phone.cards


async def test_the_map_follows_the_courier_on_screens_with_a_map_only() -> None:
    async with World() as world:
        phone, glasses = await world.wear(PHONE, GLASSES)
        phone.type(LATTES)
        await world.asked()
        phone.tap("approve", next(iter(phone.cards)))
        order = await world.state(OrderState.PLACED)
        world.deliver(order)
        await world.state(OrderState.DELIVERED, within_s=120)
        await world.passes(5)
        maps = [cue.card.map for cue in phone.told() if cue.card and cue.card.map]
        assert len(maps) > 10
        assert len({place.courier for place in maps}) > 5
        assert not [cue for cue in glasses.told() if cue.card and cue.card.map]
        looked = world.street.tracked
        await world.passes(60)
        assert world.street.tracked == looked


async def test_a_long_press_refuses() -> None:
    async with World() as world:
        glasses, ring, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say(LATTES, glasses)
        await world.asked()
        ring.press(long=True)
        await world.state(OrderState.REFUSED)
        await world.quiet()
        assert earbuds.heard()[-1] == ("All right, I did not order it.", "finished")
        assert not glasses.questions
        assert world.street.holds() == []


async def test_silence_lapses_with_a_word() -> None:
    async with World() as world:
        glasses, ring, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say(LATTES, glasses)
        await world.asked()
        await world.state(OrderState.LAPSED, within_s=70)
        await world.quiet()
        assert earbuds.heard()[-1] == ("Nobody confirmed, so I did not order it.", "finished")
        assert not glasses.questions
        ring.press()
        await world.passes(5)
        assert "approved" not in world.kinds()
        assert world.street.holds() == []


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


async def test_a_slow_shop_is_excused_and_its_price_told_when_it_comes() -> None:
    async with World() as world:
        world.street.slow["create"] = 9.0
        glasses, _, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say(LATTES, glasses)
        await world.until(lambda: len(earbuds.heard()) == 2)
        (excuse, price_) = earbuds.heard()
        assert excuse == ("I am asking the shop for the price.", "finished")
        assert price_[1] == "finished"
        assert price(latte=2, muffin=1) in price_[0]
        (asked,) = world.of_kind("approval_needed")
        excused = next(m for m in earbuds.past if isinstance(m.event, SpeechHeard))
        assert DAY + excused.at < asked.at


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


async def test_a_question_about_the_menu_orders_nothing() -> None:
    async with World() as world:
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type("what cakes do they have")
        await world.quiet()
        assert world.kinds() == []
        assert "muffin" in earbuds.heard()[-1][0]
        assert any("3.20 EUR" in text for text in phone.texts())


async def test_where_is_my_order_at_every_stage() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)

        async def status() -> str:
            phone.type("where is my order")
            await world.passes(0.5)
            await world.quiet()
            return earbuds.heard()[-1][0]

        assert await status() == "You have no orders yet."
        world.street.slow["create"] = 12.0
        phone.type(LATTES)
        await world.passes(5)
        assert "asking the shop" in await status()
        await world.asked()
        await world.quiet()
        assert "Press the ring" in await status()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.quiet()
        assert "is placed" in await status()
        world.deliver(order, [(0.5, "on_the_way")])
        await world.passes(5)
        assert "on its way" in await status()


async def test_repeat_that_says_the_price_again_and_its_card_can_still_be_answered() -> None:
    async with World() as world:
        phone, _, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await world.quiet()
        phone.type("say that again")
        await world.passes(0.5)
        await world.quiet()
        first, again = earbuds.heard()
        assert first == again
        for topic, card in phone.cards.items():
            for action in card.actions:
                assert topic.startswith("approval"), f"{action} under {topic} would be out of date"
        (topic,) = phone.questions
        phone.tap("approve", topic)
        await world.state(OrderState.PLACED)


async def test_repeat_that_before_anything_was_said() -> None:
    async with World() as world:
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type("say that again")
        await world.quiet()
        assert earbuds.heard() == [("I have not said anything yet.", "finished")]


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


async def test_a_declined_card_is_told_and_nothing_is_ordered() -> None:
    async with World() as world:
        world.street.set("refuse:authorize", "no")
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.state(OrderState.FAILED)
        await world.quiet()
        assert earbuds.heard()[-1] == ("The card was declined. Nothing was charged.", "finished")
        assert ring.told()[-1].haptic is Pattern.LONG
        assert world.street.placed() == []


async def test_a_shop_that_refuses_the_order_gives_the_money_back() -> None:
    async with World() as world:
        world.street.set("refuse:complete", "We are closed.")
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.state(OrderState.REFUNDED)
        await world.quiet()
        told = [text for text, _ in earbuds.heard()]
        assert any("We are closed." in text for text in phone.texts())
        assert told[-1] == "Nothing was charged."
        assert world.street.money_kept() == 0


async def test_a_shop_that_will_not_price_it() -> None:
    async with World() as world:
        world.street.set("refuse:quote", "The kitchen is closed.")
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type(LATTES)
        await world.state(OrderState.FAILED)
        await world.quiet()
        assert earbuds.heard() == [("The kitchen is closed. Nothing was ordered.", "finished")]
        assert world.untold() == []
