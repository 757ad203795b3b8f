"""Who may speak when: barge-in, coughs, announcements, two microphones."""

from __future__ import annotations

import asyncio

import pytest
from stage.shops import price
from stage.voices import FRAME_S
from stage.wearing import EARBUDS, GLASSES, LATE_S, PENDANT, PHONE, RING, Worn
from stage.world import World

from lapel.commerce import OrderState
from lapel.devices.client_events import SpeechHeard, StateShown

pytestmark = pytest.mark.unit

LATTES = "two lattes to my office"


async def reading(world: World, *more: object) -> tuple[Worn, Worn]:
    """The price of two lattes is being read out."""
    glasses, earbuds = await world.wear(GLASSES, EARBUDS)
    await world.say(LATTES, glasses, quiet_s=1.0)
    await world.until(lambda: earbuds.spoken())
    await world.passes(1.5)
    return glasses, earbuds


async def test_speaking_into_the_read_back_stops_it_within_a_frame_and_is_a_new_turn() -> None:
    async with World() as world:
        await world.wear(RING)
        glasses, earbuds = await reading(world)
        async with glasses.listening():
            await world.passes(0.3)
            begun = asyncio.get_running_loop().time()
            await glasses.hear(world.voices.words("make it three"))
            await world.passes(2)
        (stop,) = earbuds.stops()
        needed_s = world.assistant.voice.machine._settings.interrupt_speech_s
        on_the_way_s = LATE_S + world.voices.judge_s
        assert stop - begun - needed_s - on_the_way_s <= FRAME_S + 1e-6
        assert [at for at in earbuds.frames_sent() if stop < at < stop + 1.0] == []
        assert earbuds.heard()[0][1] == "stopped"
        await world.asked(2)
        assert glasses.question.total == price(latte=3)
        await world.quiet()
        assert earbuds.heard()[-1][1] == "finished"
        assert price(latte=3) in earbuds.heard()[-1][0]


async def test_a_cough_stops_the_read_back_for_a_moment_only() -> None:
    async with World() as world:
        await world.wear(RING)
        glasses, earbuds = await reading(world)
        async with glasses.listening():
            await world.passes(0.3)
            await glasses.hear(world.voices.noise(0.3))
            await world.passes(3)
        await world.quiet()
        stopped, finished = earbuds.happened(SpeechHeard)
        assert (stopped.state, finished.state) == ("stopped", "finished")
        assert stopped.cue == finished.cue
        places = [world.voices.place_of(m.event.payload)[1] for m in earbuds.sounds()]
        again = next(i for i in range(1, len(places)) if places[i] < places[i - 1])
        assert places[again] == pytest.approx(stopped.played_s, abs=2 * FRAME_S)
        assert places[-1] == pytest.approx(
            world.voices.length_s(earbuds.spoken()[0]) - FRAME_S, abs=1e-6
        )
        assert len(world.of_kind("approval_needed")) == 1
        assert "interrupted" in [event.state for event in glasses.happened(StateShown)]


async def test_a_price_read_on_after_a_cough_counts_as_read() -> None:
    async with World() as world:
        pendant, ring = await world.wear(PENDANT, RING)
        await world.say(LATTES, pendant, quiet_s=1.0)
        await world.until(lambda: pendant.spoken())
        await world.passes(1)
        async with pendant.listening():
            await pendant.hear(world.voices.noise(0.3))
            await world.passes(2)
        await world.quiet()
        ring.press()
        await world.state(OrderState.PLACED)


async def test_a_cough_while_nothing_is_spoken_is_nothing() -> None:
    async with World() as world:
        glasses, earbuds = await world.wear(GLASSES, EARBUDS)
        async with glasses.listening():
            await glasses.hear(world.voices.noise(0.5))
            await world.passes(3)
        await world.quiet()
        assert earbuds.spoken() == []
        assert glasses.told() == []


async def test_news_waits_until_the_user_has_finished_speaking() -> None:
    async with World() as world:
        phone, glasses, ring, earbuds = await world.wear(PHONE, GLASSES, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.quiet()
        async with glasses.listening():
            speaking = asyncio.create_task(
                glasses.hear(world.voices.words("what cakes do they have at the blue door today"))
            )
            await world.passes(0.7)
            world.deliver(order, [(0.1, "on_the_way")])
            await world.passes(0.6)
            assert any("on its way" in text for text in glasses.texts())
            assert not any("on its way" in text for text in earbuds.spoken())
            await speaking
            await world.passes(2)
        await world.quiet()
        answer, news = earbuds.heard()[-2:]
        assert "muffin" in answer[0]
        assert news == ("Your order is on its way.", "finished")


async def test_news_can_be_interrupted_like_an_answer() -> None:
    async with World() as world:
        phone, glasses, ring, earbuds = await world.wear(PHONE, GLASSES, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.state(OrderState.PLACED)
        await world.until(lambda: earbuds.session.speaking)
        async with glasses.listening():
            await world.passes(0.3)
            await glasses.hear(world.voices.words("what cakes do they have"))
            await world.passes(2)
        await world.quiet()
        assert [how for text, how in earbuds.heard() if "is placed" in text] == ["stopped"]
        assert "muffin" in earbuds.heard()[-1][0]


async def test_two_microphones_hear_one_sentence_once() -> None:
    async with World() as world:
        glasses, pendant, _ = await world.wear(GLASSES, PENDANT, RING)
        words = world.voices.words(LATTES, level_db=-30)
        nearer = world.voices.words(LATTES, level_db=-18)
        async with glasses.listening(), pendant.listening():
            await asyncio.gather(glasses.hear(words), pendant.hear(nearer))
            await world.passes(3)
        await world.quiet()
        assert len(world.of_kind("approval_needed")) == 1
        assert glasses.question.total == price(latte=2)
        assert len(pendant.spoken()) == 1
        assert len(world.assistant.timings) == 1


async def test_push_to_talk_ends_when_the_button_is_let_go() -> None:
    async with World() as world:
        glasses, earbuds = await world.wear(GLASSES, EARBUDS)
        async with glasses.listening("manual"):
            await glasses.hear(world.voices.words(LATTES))
        await world.asked()
        await world.quiet()
        assert glasses.question.total == price(latte=2)
        assert len(earbuds.heard()) == 1


async def test_the_state_is_shown_on_every_device_and_ends_idle() -> None:
    async with World() as world:
        glasses, earbuds, ring = await world.wear(GLASSES, EARBUDS, RING)
        await world.say(LATTES, glasses)
        await world.asked()
        await world.quiet()
        for device in (glasses, earbuds, ring):
            states = [event.state for event in device.happened(StateShown)]
            assert states == ["idle", "listening", "thinking", "speaking", "idle"]


async def test_without_engines_everything_works_by_typing() -> None:
    async with World() as world:
        world.voices = None
        await world.crash()
        await world.open()
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        assert phone.question.total == price(latte=2)
        ring.press()
        order = await world.state(OrderState.PLACED)
        world.deliver(order)
        await world.state(OrderState.DELIVERED, within_s=120)
        await world.passes(2)
        assert "Your order was delivered." in phone.texts()[-1]
        assert world.untold() == []


async def test_a_question_is_spoken_and_its_answer_completes_the_order() -> None:
    async with World() as world:
        glasses, _, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say("two lattes", glasses)
        await world.quiet()
        assert world.kinds() == []
        assert earbuds.heard()[-1][0].endswith("?")
        await world.say("to my office", glasses)
        await world.asked()
        assert glasses.question.total == price(latte=2)


async def test_a_read_back_stopped_by_a_cough_is_not_read_on_once_it_is_answered() -> None:
    async with World() as world:
        (ring,) = await world.wear(RING)
        glasses, earbuds = await reading(world)
        async with glasses.listening():
            await world.passes(0.3)
            await glasses.hear(world.voices.noise(0.26))
            ring.press()
            await world.passes(3)
        await world.state(OrderState.PLACED)
        await world.quiet()
        assert [how for text, how in earbuds.heard() if price(latte=2) in text] == ["stopped"]
        assert earbuds.heard()[-1][1] == "finished"
        assert "is placed" in earbuds.heard()[-1][0]


async def test_words_after_a_cough_within_the_read_back() -> None:
    async with World() as world:
        await world.wear(RING)
        glasses, earbuds = await reading(world)
        async with glasses.listening():
            await world.passes(0.3)
            await glasses.hear(world.voices.noise(0.26))
            await world.passes(1.5)
            await glasses.hear(world.voices.words("make it three"))
            await world.passes(2)
        await world.asked(2)
        await world.quiet()
        assert glasses.question.total == price(latte=3)
        assert price(latte=3) in earbuds.heard()[-1][0]
        assert earbuds.heard()[-1][1] == "finished"


async def test_interrupting_the_excuse_with_a_change() -> None:
    async with World() as world:
        world.street.slow["create"] = 6.0
        glasses, _, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        await world.say(LATTES, glasses)
        await world.until(lambda: earbuds.session.speaking)
        await world.say("make it three", glasses)
        await world.until(lambda: world.of_kind("approval_needed"))
        await world.passes(1)
        await world.quiet()
        assert glasses.question.total == price(latte=3)
        assert len(await world.orders.list(world.user_id)) == 1
        assert not any(price(latte=2) in text for text, _ in earbuds.heard())


async def test_going_on_with_other_words_takes_the_first_ones_back() -> None:
    async with World() as world:
        glasses, _, _earbuds = await world.wear(GLASSES, RING, EARBUDS)
        async with glasses.listening():
            await glasses.hear(world.voices.words("two lattes to my office"))
            await world.passes(0.75)
            await glasses.hear(world.voices.words("no make it a tart"))
            await world.passes(2)
        await world.asked()
        await world.quiet()
        assert len(glasses.questions) == 1
        assert len(await world.orders.pending_approvals(world.user_id)) == 1
