"""Orders by voice and by typing, from the first word to the door or to a no."""

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
        assert earbuds.heard()[-1] == (
            "Nobody confirmed, so I did not order it. Shall I try again?",
            "finished",
        )
        assert not glasses.questions
        ring.press()
        await world.passes(5)
        assert "approved" not in world.kinds()
        assert world.street.holds() == []


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
                assert topic in phone.questions, f"{action} under {topic} would be out of date"
        (topic,) = phone.questions
        phone.tap("approve", topic)
        await world.state(OrderState.PLACED)


async def test_repeat_that_before_anything_was_said() -> None:
    async with World() as world:
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type("say that again")
        await world.quiet()
        assert earbuds.heard() == [("I have not said anything yet.", "finished")]


async def test_a_declined_card_is_told_and_nothing_is_ordered() -> None:
    async with World() as world:
        world.street.set("refuse:authorize", "no")
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.state(OrderState.FAILED)
        await world.quiet()
        assert earbuds.heard()[-1] == (
            "The card was declined. Nothing was charged. Look at your account, then say try again.",
            "finished",
        )
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
        assert told[-1] == "Nothing was charged. Shall I look elsewhere?"
        assert world.street.money_kept() == 0


async def test_a_shop_that_will_not_price_it() -> None:
    async with World() as world:
        world.street.set("refuse:quote", "The kitchen is closed.")
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type(LATTES)
        await world.state(OrderState.FAILED)
        await world.quiet()
        assert earbuds.heard() == [
            ("The kitchen is closed. Nothing was ordered. Shall I look elsewhere?", "finished")
        ]
        assert world.untold() == []
