"""Skills: asked before the cart, taken back with a turn, bringing things up by themselves."""

from __future__ import annotations

import asyncio

import pytest
from stage.wearing import EARBUDS, GLASSES, PHONE
from stage.world import World

from lapel.assistant import Heard, Outcome
from lapel.devices import Card, CardAction, Cue, CueKind

pytestmark = pytest.mark.unit


class Counter:
    """Counts what it is told to count."""

    def __init__(self) -> None:
        self.counted: dict[int, str] = {}
        self.saw_cart: list[bool] = []
        self.slow_s = 0.0

    async def hear(self, heard: Heard) -> Outcome | None:
        text = heard.words.text.lower().strip(".")
        if not text.startswith("count "):
            return None
        self.saw_cart.append(heard.cart_open)
        self.counted[heard.turn] = text.removeprefix("count ")
        await asyncio.sleep(self.slow_s)
        card = Card(title="Count", body=text, actions=(CardAction("again", "Again"),))
        return Outcome(f"Counted {text.removeprefix('count ')}.", card)

    async def undo(self, turn: int) -> None:
        self.counted.pop(turn, None)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        return Outcome(f"Pressed {action}.") if topic == "count:1" else None

    def hints(self) -> tuple[str, ...]:
        return ("Zanzibar",)


async def test_a_skill_claims_its_words_and_the_cart_gets_the_others() -> None:
    counter = Counter()
    async with World() as world:
        world.skills = lambda user_id: (counter,)
        (phone,) = await world.wear(PHONE)
        phone.type("count sheep")
        await world.until(lambda: "sheep" in " ".join(phone.texts()))
        phone.type("two lattes to my office")
        await world.asked()
        phone.type("count cups")
        await world.until(lambda: "cups" in " ".join(phone.texts()))
        assert counter.saw_cart == [False, True]
        assert phone.questions, "the question of the purchase still stands"
        assert world.assistant.hints()[-1] == "Zanzibar"


async def test_a_turn_that_goes_on_is_taken_back_and_claimed_once() -> None:
    counter = Counter()
    async with World() as world:
        world.skills = lambda user_id: (counter,)
        glasses, earbuds = await world.wear(GLASSES, EARBUDS)
        counter.slow_s = 1.0
        async with glasses.listening():
            await glasses.hear(world.voices.words("count sheep"))
            await world.passes(0.8)
            await glasses.hear(world.voices.words("and goats"))
            await world.passes(2)
        await world.quiet()
        assert list(counter.counted.values()) == ["sheep and goats"]
        assert earbuds.heard()[-1][0] == "Counted sheep and goats."


async def test_a_button_of_a_skill_is_answered_by_it() -> None:
    counter = Counter()
    async with World() as world:
        world.skills = lambda user_id: (counter,)
        (phone,) = await world.wear(PHONE)
        cue = Cue(
            id="count:1",
            topic="count:1",
            kind=CueKind.NOTICE,
            card=Card("Count", actions=(CardAction("again", "Again"),)),
        )
        await world.house.tell(world.user_id, [cue])
        await world.until(lambda: "count:1" in phone.cards)
        phone.tap("again", "count:1")
        await world.until(lambda: "Pressed again." in " ".join(phone.texts()))


async def test_what_is_brought_up_waits_for_a_device_over_a_crash_and_is_told_once() -> None:
    async with World() as world:
        cue = Cue(
            id="note:1",
            topic="note:1",
            kind=CueKind.NOTICE,
            card=Card("It is time"),
            speech="It is time.",
        )
        await world.house.tell(world.user_id, [cue])
        await world.crash()
        await world.open()
        await world.house.tell(world.user_id, [cue])
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        await world.until(lambda: earbuds.spoken())
        await world.house.tell(world.user_id, [cue])
        await world.passes(5)
        assert earbuds.spoken() == ["It is time."]
        assert [told.id for told in phone.told()].count("note:1") == 1
