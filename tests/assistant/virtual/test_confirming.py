"""Which gestures buy, and which do not, on real devices."""

from __future__ import annotations

import pytest
from stage.shops import price
from stage.wearing import EARBUDS, GLASSES, PENDANT, PHONE, RING
from stage.world import World

from lapel.commerce import OrderState, Policy
from lapel.devices import CueKind

pytestmark = pytest.mark.unit

LATTES = "two lattes to my office"


async def nothing_bought(world: World) -> None:
    await world.passes(5)
    assert "approved" not in world.kinds()
    assert world.street.holds() == []


async def test_a_press_too_soon_after_the_question_buys_nothing_and_a_second_one_does() -> None:
    async with World() as world:
        world.settings = type(world.settings)(settle_s=1.0)
        await world.crash()
        await world.open()
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.until(lambda: world.of_kind("approval_needed"))
        await world.passes(0.5)
        ring.press()
        await world.until(lambda: any("too quick" in text for text in phone.texts()))
        assert "approved" not in world.kinds()
        await world.passes(1)
        ring.press()
        await world.state(OrderState.PLACED)
        await world.quiet()
        assert any("too quick" in text for text, _ in earbuds.heard())


async def test_a_press_before_the_price_was_shown_or_read_to_its_end_buys_nothing() -> None:
    async with World() as world:
        pendant, ring = await world.wear(PENDANT, RING)
        await world.say(LATTES, pendant)
        await world.asked()
        ring.press()
        await world.until(lambda: any("could not show" in text for text, _ in pendant.heard()))
        await nothing_bought(world)


async def test_without_a_screen_the_price_read_to_its_end_is_enough() -> None:
    async with World() as world:
        pendant, ring = await world.wear(PENDANT, RING)
        await world.say(LATTES, pendant)
        await world.until(lambda: pendant.heard())
        assert price(latte=2) in pendant.heard()[0][0]
        ring.press()
        await world.state(OrderState.PLACED)
        (evidence,) = world.evidence()
        assert (evidence.shown_on, evidence.read_aloud_on) == ((), ("Pendant",))


async def test_a_ring_in_its_box_neither_pulses_nor_buys() -> None:
    async with World() as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        ring.take_off()
        await world.passes(0.1)
        phone.type(LATTES)
        await world.asked()
        assert ring.told(CueKind.APPROVAL) == []
        ring.press()
        await world.until(lambda: any("Put the device on" in text for text in phone.texts()))
        await nothing_bought(world)
        ring.put_on()
        await world.passes(0.5)
        ring.press()
        await world.state(OrderState.PLACED)


async def test_a_touch_of_the_screen_beside_the_button_means_nothing() -> None:
    async with World() as world:
        (phone,) = await world.wear(PHONE)
        phone.type(LATTES)
        await world.asked()
        phone.press()
        await nothing_bought(world)
        assert phone.questions


async def test_the_button_of_a_card_that_has_changed_is_out_of_date() -> None:
    async with World() as world:
        (phone,) = await world.wear(PHONE)
        phone.type(LATTES)
        await world.asked()
        (old,) = phone.questions
        phone.type("make it three")
        await world.until(lambda: "revised" in world.kinds())
        phone.tap("approve", old)
        await world.until(lambda: any("out of date" in text for text in phone.texts()))
        await nothing_bought(world)


async def test_a_spoken_yes_buys_nothing_and_is_told_what_does() -> None:
    async with World() as world:
        phone, _, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await world.quiet()
        phone.type("yes please")
        await world.passes(0.5)
        await world.quiet()
        assert "Press the ring" in earbuds.heard()[-1][0]
        await nothing_bought(world)


async def test_two_presses_buy_once() -> None:
    async with World() as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        ring.press()
        phone.tap("approve", phone.questions[0])
        order = await world.state(OrderState.PLACED)
        await world.quiet()
        assert world.kinds().count("approved") == 1
        assert len(world.street.placed()) == 1
        assert world.street.money_kept() == order.total.minor


async def test_a_press_and_a_refusal_at_once_are_one_answer() -> None:
    async with World() as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        phone.tap("refuse", phone.questions[0])
        ring.press()
        await world.state(OrderState.REFUSED)
        await nothing_bought(world)


async def test_the_words_name_the_device_that_can_confirm() -> None:
    async with World() as world:
        (phone,) = await world.wear(PHONE)
        earbuds, ring = await world.wear(EARBUDS, RING)
        ring.take_off()
        await world.passes(0.1)
        phone.type(LATTES)
        await world.asked()
        assert "Tap Order on the phone" in earbuds.spoken()[0]


async def test_a_user_with_nothing_that_confirms_is_told_to_get_something() -> None:
    async with World() as world:
        glasses, earbuds = await world.wear(GLASSES, EARBUDS)
        await world.say(LATTES, glasses)
        await world.asked()
        assert "Put on a device that can confirm" in earbuds.spoken()[0]
        (ring,) = await world.wear(RING)
        await world.passes(1)
        ring.press()
        await world.state(OrderState.PLACED)


async def test_a_press_is_judged_by_when_it_came_not_by_when_lapel_had_time_for_it() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.until(lambda: phone.questions)
        world.record.slow_s = 0.5
        await world.passes(0.26)
        ring.press()
        await world.passes(10)
        assert "approved" not in world.kinds()
        world.record.slow_s = 0.0
        ring.press()
        await world.state(OrderState.PLACED)


async def test_with_two_questions_open_a_press_means_neither_and_a_button_its_own() -> None:
    """A price that changes while the next order is asked about brings the first question back."""
    async with World() as world:
        phone, ring, _earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        world.street.set("price:latte", 600)
        world.street.slow["complete"] = world.street.slow["get"] = 1.0
        ring.press()
        await world.until(lambda: "approved" in world.kinds())
        phone.type("a ramen from red bowl to my office")
        await world.asked(3)
        assert len(phone.questions) == 2
        ring.press()
        await world.until(lambda: any("Two orders wait" in text for text in phone.texts()))
        assert world.kinds().count("approved") == 1
        (ramen,) = [t for t in phone.questions if phone.cards[t].total == price(ramen=1)]
        phone.tap("approve", ramen)
        await world.until(lambda: world.of_kind("placed"))
        assert [total for _, total in world.street.placed()] == [1590]
        ring.press(long=True)
        await world.until(lambda: "refused" in world.kinds())
        await world.quiet()
        assert phone.questions == []


async def test_a_large_order_is_confirmed_on_the_screen_and_a_press_says_so() -> None:
    async with World() as world:
        world.policy = Policy(screen_over={"EUR": 100})
        await world.crash()
        await world.open()
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await world.until(lambda: any("tap Order there" in text for text, _ in earbuds.heard()))
        await world.passes(2)
        ring.press()
        await world.until(
            lambda: any("large order. Look at your phone" in x for x in phone.texts())
        )
        assert "approved" not in world.kinds()
        assert world.street.holds() == []
        phone.tap("approve", phone.questions[-1])
        await world.state(OrderState.PLACED)
