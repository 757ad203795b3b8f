"""Links break, batteries die, devices are put on and taken off: nothing is told twice or lost."""

from __future__ import annotations

import pytest
from stage.shops import price
from stage.wearing import EARBUDS, GLASSES, PENDANT, PHONE, RING, Worn
from stage.world import World

from lapel.assistant.matters import Joined
from lapel.commerce import OrderEvent, OrderState
from lapel.devices import CueKind, Family

pytestmark = pytest.mark.unit

LATTES = "two lattes to my office"
GONE_S = 125.0
"""After this long without a link a session is over."""


def bodies(device: Worn) -> list[str]:
    return [cue.card.body for cue in device.told() if cue.card and cue.kind is CueKind.ORDER]


async def test_a_screen_lost_while_it_asks_comes_back_and_can_be_answered() -> None:
    async with World() as world:
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type(LATTES)
        await world.until(lambda: world.of_kind("approval_needed"))
        phone.drop()
        await world.passes(8)
        await world.back(phone)
        await world.passes(1)
        (topic,) = phone.questions
        assert len(phone.told(CueKind.APPROVAL)) == 1
        await world.quiet()
        phone.tap("approve", topic)
        await world.state(OrderState.PLACED)
        await world.quiet()
        assert [how for text, how in earbuds.heard() if price(latte=2) in text] == ["finished"]
        assert world.untold() == []


async def test_a_question_is_asked_everywhere_though_one_device_comes_right_then() -> None:
    async with World() as world:
        phone, glasses, ring = await world.wear(PHONE, GLASSES, RING)
        links = world.assistant.telling.links.values()
        link = next(x for x in links if x.profile.family is Family.GLASSES)

        def comes(event: OrderEvent) -> None:
            if event.kind == "quoted":  # the question is written down with it, and not told yet
                world.assistant._inbox.put_nowait(Joined(link))

        world.on_event = comes
        phone.type(LATTES)
        await world.asked()
        assert len(phone.questions) == len(glasses.questions) == 1
        ring.press()
        await world.state(OrderState.PLACED)


async def test_a_press_made_without_a_link_is_none_of_consent_when_it_arrives() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        ring.drop()
        await world.passes(1)
        ring.press()
        phone.type(LATTES)
        await world.asked()
        await world.back(ring)
        await world.until(lambda: any("Press again" in text for text in phone.texts()))
        await world.passes(1)
        assert "approved" not in world.kinds()
        ring.press()
        await world.state(OrderState.PLACED)


async def test_a_press_made_before_the_device_ever_joined_is_none_of_consent() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        ring.drop()
        await world.passes(GONE_S)
        ring.press()
        phone.type(LATTES)
        await world.asked()
        await world.back(ring)
        await world.passes(2)
        assert "approved" not in world.kinds()


async def test_a_button_pressed_without_a_link_names_its_card_and_counts() -> None:
    async with World() as world:
        (phone,) = await world.wear(PHONE)
        phone.type(LATTES)
        await world.asked()
        phone.drop()
        await world.passes(1)
        phone.tap("approve", phone.questions[0])
        await world.back(phone)
        await world.state(OrderState.PLACED)


async def test_earbuds_lost_in_mid_sentence_go_on_where_they_were() -> None:
    async with World() as world:
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type(LATTES)
        await world.until(lambda: earbuds.session.speaking)
        await world.passes(2)
        earbuds.drop()
        await world.passes(1)
        await world.back(earbuds)
        await world.quiet()
        assert [how for _, how in earbuds.heard()] == ["finished"]
        places = [world.voices.place_of(m.event.payload)[1] for m in earbuds.sounds()]
        assert places == sorted(places)


async def test_dead_earbuds_do_not_silence_the_others_for_long() -> None:
    async with World() as world:
        phone, earbuds, pendant, ring = await world.wear(PHONE, EARBUDS, PENDANT, RING)
        phone.type(LATTES)
        await world.until(lambda: earbuds.session.speaking)
        await world.passes(2)
        earbuds.drop()
        await world.passes(10)
        phone.type("what cakes do they have")
        await world.until(lambda: any("muffin" in text for text, _ in pendant.heard()), 15)
        ring.press()
        await world.until(lambda: any("is placed" in text for text, _ in pendant.heard()), 30)


async def test_with_nobody_there_the_news_waits_and_only_the_newest_is_told() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.passes(2)
        phone.leave()
        ring.leave()
        await world.passes(1)
        world.deliver(order, [(1, "preparing"), (2, "picked_up"), (3, "on_the_way")])
        await world.passes(30)
        assert len(world.untold()) == 1
        glasses, earbuds = await world.wear(GLASSES, EARBUDS)
        await world.passes(1)
        await world.quiet()
        assert bodies(glasses) == ["Your order is on its way."]
        assert earbuds.heard() == [("Your order is on its way.", "finished")]
        assert world.untold() == []
        (other,) = await world.wear(PENDANT)
        await world.passes(3)
        assert other.spoken() == []


async def test_devices_out_of_range_hear_the_news_when_they_are_back() -> None:
    async with World() as world:
        glasses, ring, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say(LATTES, glasses)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.quiet()
        for device in world.worn:
            device.drop()
        world.deliver(order, [(1, "on_the_way"), (20, "delivered")])
        await world.passes(60)
        await world.back()
        await world.passes(2)
        await world.quiet()
        assert bodies(glasses).count("Your order was delivered.") == 1
        assert earbuds.heard()[-1] == ("Your order was delivered.", "finished")
        assert sum("delivered" in text for text, _ in earbuds.heard()) == 1
        assert world.untold() == []


async def test_devices_gone_for_good_come_back_as_new_ones() -> None:
    async with World() as world:
        glasses, ring, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say(LATTES, glasses)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.quiet()
        for device in world.worn:
            device.drop()
        world.deliver(order, [(1, "on_the_way"), (20, "delivered")])
        await world.passes(GONE_S)
        await world.back()
        await world.passes(2)
        await world.quiet()
        assert bodies(glasses)[-1:] == ["Your order was delivered."]
        assert earbuds.heard()[-1] == ("Your order was delivered.", "finished")
        assert world.untold() == []


async def test_a_pulse_alone_has_told_nothing() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        world.street.set("refuse:authorize", "no")
        phone.leave()
        await world.passes(0.5)
        ring.press()
        await world.state(OrderState.FAILED)
        await world.passes(5)
        (glasses,) = await world.wear(GLASSES)
        await world.passes(2)
        assert any("card was declined" in text for text in glasses.texts())
        assert world.untold() == []


async def test_a_question_is_shown_on_a_screen_that_joins_later() -> None:
    async with World() as world:
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await world.quiet()
        glasses, ring = await world.wear(GLASSES, RING)
        await world.passes(1)
        (topic,) = glasses.questions
        assert glasses.cards[topic].total == price(latte=2)
        assert len(ring.told(CueKind.APPROVAL)) == 1
        assert len(earbuds.spoken()) == 1
        ring.press()
        await world.state(OrderState.PLACED)
        await world.passes(1)
        assert glasses.questions == phone.questions == []


async def test_a_question_that_nobody_saw_or_heard_is_read_to_earbuds_that_join_later() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        world.street.slow["create"] = 2.0
        phone.type(LATTES)
        await world.passes(0.5)
        phone.leave()
        await world.asked()
        (earbuds,) = await world.wear(EARBUDS)
        await world.passes(1)
        await world.quiet()
        assert [how for text, how in earbuds.heard() if price(latte=2) in text] == ["finished"]
        ring.press()
        await world.state(OrderState.PLACED)


async def test_a_running_order_is_shown_quietly_on_a_screen_that_joins_later() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        world.deliver(order, [(1, "preparing")])
        await world.passes(5)
        await world.quiet()
        spoken = len(earbuds.spoken())
        (glasses,) = await world.wear(GLASSES)
        await world.passes(1)
        assert bodies(glasses) == ["Your order is being prepared."]
        assert len(earbuds.spoken()) == spoken


async def test_a_ring_put_on_later_does_not_pulse_for_what_is_old() -> None:
    async with World() as world:
        phone, _earbuds = await world.wear(PHONE, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        phone.tap("approve", phone.questions[0])
        await world.state(OrderState.PLACED)
        await world.quiet()
        ring, pendant = await world.wear(RING, PENDANT)
        await world.passes(1)
        assert ring.told() == []
        assert pendant.told() == []


async def test_a_price_on_glasses_in_their_case_was_not_shown() -> None:
    async with World() as world:
        glasses, phone, ring = await world.wear(GLASSES, PHONE, RING)
        world.street.slow["create"] = 2.0
        glasses.take_off()
        phone.type(LATTES)
        await world.passes(0.5)
        phone.leave()
        glasses.drop()
        await world.asked()
        await world.back(glasses)
        await world.passes(1)
        assert glasses.told() == []
        ring.press()
        await world.passes(1)
        assert "approved" not in world.kinds()
        glasses.put_on()
        await world.passes(1)
        ring.press()
        await world.state(OrderState.PLACED)


async def test_glasses_in_their_case_get_nothing_and_all_of_it_when_put_on() -> None:
    async with World() as world:
        glasses, ring, phone = await world.wear(GLASSES, RING, PHONE)
        glasses.take_off()
        await world.passes(0.1)
        phone.type(LATTES)
        await world.asked()
        assert glasses.told() == []
        glasses.put_on()
        await world.passes(1)
        assert len(glasses.questions) == 1
        ring.press()
        await world.state(OrderState.PLACED)
        await world.passes(1)
        assert len(bodies(glasses)) == 1


async def test_the_same_device_joining_anew_replaces_its_old_session() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        phone.leave()
        await world.passes(1)
        await world.back(phone)
        await world.passes(1)
        assert len(phone.questions) == 1
        ring.press()
        await world.state(OrderState.PLACED)
        await world.passes(1)
        assert phone.questions == []


async def test_two_users_hear_nothing_of_each_other() -> None:
    async with World() as world:
        phone, _ = await world.wear(PHONE, RING)
        from lapel.devices import StoredAccounts

        accounts = StoredAccounts(world.record)
        other = await accounts.create_user("Grace")
        world.token = await accounts.create_token(other.id)
        strange, earbuds = await world.wear(PHONE, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        assert strange.told() == []
        assert earbuds.spoken() == []
        strange.tap("approve", phone.questions[0])
        await world.passes(2)
        assert "approved" not in world.kinds()


async def test_news_moves_from_dead_earbuds_to_another_speaker() -> None:
    async with World() as world:
        phone, earbuds, pendant, ring = await world.wear(PHONE, EARBUDS, PENDANT, RING)
        phone.type(LATTES)
        await world.asked()
        await world.quiet()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.until(lambda: earbuds.session.speaking)
        await world.passes(1)
        earbuds.drop()
        world.deliver(order, [(4, "on_the_way")])
        await world.until(lambda: len(pendant.heard()) == 2, 25)
        placed, on_the_way = pendant.heard()
        assert "is placed" in placed[0]
        assert on_the_way == ("Your order is on its way.", "finished")


async def test_a_press_while_the_earbuds_are_dead_in_mid_sentence_is_followed_by_its_news() -> None:
    async with World() as world:
        phone, earbuds, pendant, ring = await world.wear(PHONE, EARBUDS, PENDANT, RING)
        phone.type(LATTES)
        await world.until(lambda: earbuds.session.speaking)
        await world.passes(1)
        earbuds.drop()
        await world.passes(0.5)
        ring.press()
        await world.state(OrderState.PLACED)
        await world.until(lambda: any("is placed" in text for text, _ in pendant.heard()), 15)
        await world.quiet(within_s=15)


async def test_an_answer_that_waits_for_dead_earbuds_and_is_not_needed_any_more() -> None:
    async with World() as world:
        phone, earbuds, pendant, ring = await world.wear(PHONE, EARBUDS, PENDANT, RING)
        phone.type("what cakes do they have")
        await world.until(lambda: earbuds.session.speaking)
        await world.passes(0.5)
        earbuds.drop()
        phone.type(LATTES)
        await world.asked()
        ring.press(long=True)
        await world.until(lambda: any("did not order" in t for t, _ in pendant.heard()), 8)
        assert not any(price(latte=2) in text for text, how in pendant.heard() if how == "finished")


async def test_a_cue_on_its_way_to_a_device_that_dies_is_told_on_the_others() -> None:
    async with World() as world:
        earbuds, pendant = await world.wear(EARBUDS, PENDANT)
        (phone,) = await world.wear(PHONE)
        phone.type(LATTES)
        await world.asked()
        await world.quiet()
        phone.leave()
        await world.passes(0.5)
        earbuds.cables[-1]._late_s = 500.0  # still linked as far as Lapel can tell
        await world.state(OrderState.LAPSED, within_s=60)
        await world.until(lambda: any("Nobody confirmed" in t for t, _ in pendant.heard()), 200)
        assert world.untold() == []
