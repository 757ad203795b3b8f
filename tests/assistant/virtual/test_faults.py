"""Faults of Lapel's own: one matter fails, the next one is served, and nobody is left waiting."""

from __future__ import annotations

import pytest
from stage.shops import price
from stage.wearing import EARBUDS, GLASSES, PHONE, RING
from stage.world import World

from lapel.assistant import Assistant, compose
from lapel.assistant.matters import Matter
from lapel.commerce import Order, OrderEvent, OrderState, Takes
from lapel.devices import Cue
from lapel.speech import SpeechBusy
from lapel.store import StoreError

pytestmark = pytest.mark.unit

LATTES = "two lattes to my office"


async def test_a_brain_that_fails_costs_one_turn() -> None:
    async with World() as world:
        phone, _, earbuds = await world.wear(PHONE, RING, EARBUDS)
        world.brain_broken.append(RuntimeError("no menus"))
        phone.type(LATTES)
        await world.quiet()
        assert earbuds.heard()[-1][0].startswith("Something went wrong")
        phone.type(LATTES)
        await world.asked()
        assert len(phone.questions) == 1


async def test_a_brain_that_fails_when_the_microphone_opens_costs_nothing() -> None:
    async with World() as world:
        glasses, ring, earbuds = await world.wear(GLASSES, RING, EARBUDS)
        world.brain_broken.append(RuntimeError("no menus"))
        await world.say(LATTES, glasses)
        await world.asked()
        assert world.brain_broken == []
        ring.press()
        await world.state(OrderState.PLACED)
        assert not any("Something went wrong" in text for text in earbuds.spoken())


async def test_a_record_that_fails_once_delays_the_news_and_loses_nothing() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.passes(2)
        failed = False

        async def events(*arguments: object) -> object:
            nonlocal failed
            if not failed:
                failed = True
                raise StoreError("the disk hiccups")
            return await original(*arguments)

        original, world.orders.events = world.orders.events, events
        world.deliver(order, [(0.5, "on_the_way")])
        await world.passes(10)
        assert failed
        assert any("on its way" in text for text in phone.texts())
        assert world.untold() == []


async def test_a_record_that_fails_while_a_question_is_put_does_not_cost_its_buttons() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        failed = False

        async def takes(order: Order) -> Takes:
            nonlocal failed
            if not failed:
                failed = True
                raise StoreError("the disk hiccups")
            return await original(order)

        original, world.orders.takes = world.orders.takes, takes
        phone.type(LATTES)
        await world.until(lambda: phone.questions)
        assert failed
        await world.passes(1)
        ring.press()
        await world.state(OrderState.PLACED)


async def test_speech_that_cannot_be_made_costs_one_sentence() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        world.voices.unspeakable.append(SpeechBusy("speech", 9))
        phone.type(LATTES)
        await world.asked()
        await world.quiet()
        assert len(phone.questions) == 1
        ring.press()
        await world.state(OrderState.PLACED)
        await world.passes(1)
        await world.quiet()
        assert any("is placed" in text and how == "finished" for text, how in earbuds.heard())


async def test_a_recogniser_that_fails_costs_one_utterance() -> None:
    async with World() as world:
        glasses, _, _earbuds = await world.wear(GLASSES, RING, EARBUDS)
        recognize = world.voices.recognize

        async def broken(*_: object, **__: object) -> object:
            raise SpeechBusy("speech", 9)

        world.voices.recognize = broken
        await world.say(LATTES, glasses)
        await world.quiet()
        assert glasses.questions == []
        world.voices.recognize = recognize
        await world.say(LATTES, glasses)
        await world.asked()
        assert glasses.cards[glasses.questions[0]].total == price(latte=2)


async def test_a_map_that_cannot_be_had_stops_nothing() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)

        async def broken(*_: object) -> object:
            raise RuntimeError("no map")

        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        world.assistant._following._fetch = broken
        world.deliver(order, [(0.5, "on_the_way"), (10, "delivered")])
        await world.passes(20)
        assert any("was delivered" in text for text in phone.texts())


async def test_a_full_inbox_loses_no_order_news() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        await world.passes(2)
        world.brain_s = 20.0
        phone.type("what cakes do they have")
        await world.passes(1)
        for turn in range(1000, 1400):
            world.assistant.cancelled(turn)
        world.deliver(order, [(0.5, "on_the_way")])
        await world.passes(40)
        assert any("on its way" in text for text in phone.texts())
        world.deliver(order, [(0.5, "delivered")])
        await world.passes(10)
        assert any("was delivered" in text for text in phone.texts())


async def test_many_presses_while_lapel_is_busy_wait_in_the_links() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        world.brain_s = 5.0
        phone.type("what cakes do they have")
        await world.passes(0.5)
        for _ in range(200):
            ring.press()
        await world.state(OrderState.PLACED)
        await world.passes(5)
        assert world.kinds().count("approved") == 1


async def test_news_that_cannot_be_spoken_does_not_silence_the_next() -> None:
    async with World() as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await world.quiet()
        world.voices.unspeakable.append(SpeechBusy("speech", 9))
        ring.press()
        order = await world.state(OrderState.PLACED)
        world.deliver(order, [(3, "on_the_way")])
        await world.passes(5)
        await world.quiet()
        assert [how for text, how in earbuds.heard() if "on its way" in text] == ["finished"]


async def test_a_record_that_cannot_be_read_at_the_start_is_tried_again() -> None:
    async with World() as world:
        world.record.broken += [StoreError("locked")]
        assistant = world.house.of(world.user_id)
        await world.passes(0.1)
        phone, ring = await world.wear(PHONE, RING)
        assert world.assistant is assistant
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.state(OrderState.PLACED)


async def test_a_press_that_could_not_be_written_down_is_said_so_and_can_be_repeated() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        world.record.broken += [StoreError("the disk hiccups")]
        ring.press()
        await world.until(lambda: any("Something went wrong" in text for text in phone.texts()))
        assert "approved" not in world.kinds()
        ring.press()
        await world.state(OrderState.PLACED)


async def test_an_event_that_cannot_be_put_well_is_told_plainly_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(order: Order, event: OrderEvent) -> Cue | None:
        if event.kind == "preparing":
            raise KeyError(event.text)
        return step(order, event)

    step = compose.order_step
    monkeypatch.setattr(compose, "order_step", broken)
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type(LATTES)
        await world.asked()
        ring.press()
        order = await world.state(OrderState.PLACED)
        world.deliver(order, [(1, "preparing"), (1, "delivered")])
        await world.state(OrderState.DELIVERED, within_s=200)
        await world.passes(3)
        told = phone.texts()
        assert any("being prepared" in text for text in told)
        assert any("was delivered" in text for text in told)


@pytest.mark.parametrize("waits", [True, False])
async def test_an_assistant_that_ends_is_replaced_with_its_devices(
    monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    """Also where something calls for the next one before its time: all devices are there."""
    fails = iter([True])
    fail = Assistant._fail

    def broken(self: Assistant, item: Matter) -> None:
        if next(fails, False):
            raise RuntimeError("even the excuse fails")
        fail(self, item)

    monkeypatch.setattr(Assistant, "_fail", broken)
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        first = world.assistant
        world.brain_broken.append(RuntimeError("no menus"))
        phone.type(LATTES)
        await world.until(lambda: world.user_id not in world.house.assistants)
        if waits:
            await world.until(lambda: world.user_id in world.house.assistants)
            await world.passes(1)
            assert world.assistant is not first
        phone.type(LATTES)
        await world.asked()
        ring.press()
        await world.state(OrderState.PLACED)
