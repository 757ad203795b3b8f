"""Words that nobody understands go to a model, in virtual time: what is heard meanwhile, what ends it, what it may do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from stage.wearing import EARBUDS, GLASSES, PHONE, Worn
from stage.world import World

from lapel.brain.grounding import grounded
from lapel.brain.tools import Answer, Proposal, Request, Thought
from lapel.commerce import OrderState

pytestmark = pytest.mark.unit

ODD = "somebody fetch me two lattes over to the office"
LATTES = Proposal("order", {"items": "two lattes", "place": "office"})


class Model:
    """Proposes what a test says, after so long; grounded as a real one is."""

    def __init__(self) -> None:
        self.ready = True
        self.takes_s = 0.2
        self.asked: list[Request] = []
        self.asked_at: list[float] = []
        self.gave_up = 0
        self.makes: Callable[[Request], Proposal | Answer] = lambda request: Proposal()

    async def think(self, request: Request) -> Thought:
        self.asked.append(request)
        self.asked_at.append(asyncio.get_running_loop().time())
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.gave_up += 1
            raise
        made = self.makes(request)
        return made if isinstance(made, Answer) else grounded(made, request)


@asynccontextmanager
async def scene(*profiles: object) -> AsyncIterator[tuple[World, Model, list[Worn]]]:
    model, world = Model(), World()
    world.thinker = model
    async with world:
        yield world, model, await world.wear(*(profiles or (PHONE,)))  # type: ignore[arg-type]


def said(phone: Worn, text: str) -> Callable[[], bool]:
    return lambda: text in " ".join(phone.texts())


async def test_a_call_is_said_and_so_becomes_an_ordinary_order() -> None:
    async with scene() as (world, model, (phone,)):
        model.makes = lambda request: LATTES
        phone.type(ODD)
        asked = await world.asked()
        order = await world.orders.get(asked.order_id)
        assert order is not None
        assert [(line.title, line.quantity) for line in order.draft.lines] == [("Latte", 2)]
        assert order.draft.address.label == "office"
        assert phone.questions, "the user is asked before it is paid, as always"
        assert len(model.asked) == 1


async def test_what_is_understood_goes_to_no_model() -> None:
    async with scene() as (world, model, (phone,)):
        phone.type("two lattes to my office")
        await world.asked()
        assert model.asked == []


async def test_without_a_model_it_is_as_before() -> None:
    async with scene() as (world, model, (phone,)):
        model.ready = False
        phone.type(ODD)
        await world.until(said(phone, "I did not understand"))
        assert model.asked == []


async def test_a_slow_model_is_heard_of_within_a_second_and_told_of_when_it_knows() -> None:
    async with scene(GLASSES, EARBUDS) as (world, model, (glasses, earbuds)):
        model.takes_s, model.makes = 8.0, lambda request: Answer("Ten kilometres.", "m")
        await world.say("what is that old tower over there", glasses)
        await world.until(earbuds.heard)
        assert earbuds.heard()[0][0] == "Let me think."
        assert earbuds.sounds()[0].at - model.asked_at[0] < 1.0
        await world.until(lambda: earbuds.heard()[-1][0] == "Ten kilometres.")
        await world.quiet()


@pytest.mark.parametrize("takes_s", [2.0, 5.0])
async def test_stop_ends_it_and_what_comes_after_is_dropped(takes_s: float) -> None:
    async with scene() as (world, model, (phone,)):
        model.takes_s, model.makes = takes_s, lambda request: LATTES
        phone.type(ODD)
        await world.until(lambda: model.asked)
        phone.type("stop")
        await world.until(said(phone, "All right."))
        await world.passes(10)
        assert model.gave_up == 1
        assert world.events == []
        await world.quiet()


async def test_newer_words_end_it_and_are_answered() -> None:
    async with scene() as (world, model, (phone,)):
        model.takes_s, model.makes = 5.0, lambda request: LATTES
        phone.type(ODD)
        await world.until(said(phone, "Let me think."))
        phone.type("one muffin to my home")
        asked = await world.asked()
        await world.passes(10)
        order = await world.orders.get(asked.order_id)
        assert order is not None
        assert [line.title for line in order.draft.lines] == ["Muffin"]
        assert len(world.of_kind("approval_needed")) == 1
        assert model.gave_up == 1


async def test_a_gesture_meanwhile_is_not_kept_waiting() -> None:
    async with scene() as (world, model, (phone,)):
        phone.type("two lattes to my office")
        await world.asked()
        model.takes_s, model.makes = 15.0, lambda request: Answer("Blue.", "m")
        phone.type("what colour is the sky up there")
        await world.until(said(phone, "Let me think."))
        phone.tap("approve", phone.questions[0])
        await world.state(OrderState.PLACED)
        await world.until(said(phone, "Blue."))


async def test_a_sentence_that_goes_on_is_thought_about_as_a_whole() -> None:
    async with scene(GLASSES, EARBUDS) as (world, model, (glasses, _)):
        model.takes_s = 3.0
        async with glasses.listening():
            await glasses.hear(world.voices.words("somebody fetch me"))
            await world.passes(0.8)
            await glasses.hear(world.voices.words("two lattes over to the office"))
            await world.passes(2)
        await world.quiet()
        assert model.asked[-1].words.text.lower().startswith("somebody fetch me two lattes")


async def test_an_invented_argument_is_asked_for_and_the_answer_completes_the_call() -> None:
    async with scene() as (world, model, (phone,)):
        model.makes = lambda request: Proposal("order", {"items": "a unicorn steak"})
        phone.type("somebody fetch me something over to the office")
        await world.until(said(phone, "What?"))
        phone.type(
            "er, that famous two latte thing maybe, as one has it here"
        )  # too long for an answer
        await world.passes(2)
        assert world.events == []


@pytest.mark.parametrize(
    "text", ["don't fetch me two lattes over to the office", "I might fetch two lattes over to the office one day",
             "不要送两杯拿铁到公司"],
)  # fmt: skip
async def test_a_no_and_a_maybe_have_no_effect(text: str) -> None:
    async with scene() as (world, model, (phone,)):
        model.makes = lambda request: LATTES
        phone.type(text)
        await world.passes(5)
        assert world.events == []


async def test_a_model_cannot_say_that_it_has_done_anything_and_is_named() -> None:
    async with scene() as (world, model, (phone,)):
        model.makes = lambda request: Answer("Oslo is north of Berlin.", "qwen")
        phone.type("is Oslo somewhere north of Berlin or what")
        await world.until(said(phone, "Oslo is north of Berlin."))
        assert "qwen says" in " ".join(phone.texts())
        assert world.events == []
