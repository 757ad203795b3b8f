"""What a skill asks before it acts: the gestures that allow it are those that buy, and no others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from stage.wearing import EARBUDS, GLASSES, PHONE, RING
from stage.world import World

from lapel.assistant import Heard, Outcome
from lapel.assistant.skills import Asked
from lapel.commerce import Evidence, OrderState
from lapel.devices import Card, CardAction, Cue, CueKind

pytestmark = pytest.mark.unit


class Doors:
    """Opens doors, each only after a yes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.open: dict[str, Asked] = {}
        self.decided_on: list[tuple[str, bool, Evidence]] = []

    async def hear(self, heard: Heard) -> Outcome | None:
        text = heard.words.text.lower().strip(".")
        if not text.startswith("open "):
            return None
        name = text.removeprefix("open ")
        topic = f"approval:{name}"
        cue = Cue(
            id=f"{topic}:1",
            topic=topic,
            kind=CueKind.APPROVAL,
            speech=f"Open {name}?",
            card=Card(f"Open {name}?", actions=(CardAction("approve", "Allow"),)),
        )
        self.open[name] = Asked(name, heard.at, cue)
        await self.world.house.tell(self.world.user_id, [cue])
        return Outcome("I ask you first.")

    async def undo(self, turn: int) -> None: ...

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        return None

    def hints(self) -> Sequence[str]:
        return ()

    async def asked(self) -> Sequence[Asked]:
        return list(self.open.values())

    async def decided(self, asked: Asked, *, yes: bool, evidence: Evidence) -> Outcome:
        self.open.pop(asked.id)
        self.decided_on.append((asked.id, yes, evidence))
        return Outcome(f"{asked.id} is {'open' if yes else 'shut'}.")


def doors_of(world: World) -> Doors:
    doors = Doors(world)
    world.skills = lambda user_id: (doors,)
    return doors


async def test_a_press_after_the_question_was_shown_allows_it_once() -> None:
    async with World() as world:
        doors = doors_of(world)
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type("open garage")
        await world.until(lambda: "approval:garage" in phone.cards)
        await world.passes(3)
        ring.press()
        ring.press()
        await world.until(lambda: any("garage is open." in text for text, _ in earbuds.heard()))
        await world.passes(1)
        [(name, yes, evidence)] = doors.decided_on
        assert (name, yes, evidence.family, evidence.shown_on) == (
            "garage", True, "ring", ("Phone",),
        )  # fmt: skip
        assert "approval:garage" not in phone.cards


async def test_a_long_press_refuses_it() -> None:
    async with World() as world:
        doors = doors_of(world)
        phone, ring = await world.wear(PHONE, RING)
        phone.type("open garage")
        await world.until(lambda: "approval:garage" in phone.cards)
        await world.passes(3)
        ring.press(long=True)
        await world.until(lambda: doors.decided_on)
        assert doors.decided_on[0][:2] == ("garage", False)


async def test_words_and_a_ring_that_is_not_worn_allow_nothing() -> None:
    async with World() as world:
        doors = doors_of(world)
        phone, ring = await world.wear(PHONE, RING)
        phone.type("open garage")
        await world.until(lambda: "approval:garage" in phone.cards)
        await world.passes(3)
        phone.type("yes please")
        ring.take_off()
        await world.passes(0.5)
        ring.press()
        await world.until(lambda: any("Put the device on" in text for text in phone.texts()))
        assert doors.decided_on == []


async def test_a_purchase_comes_first_and_buttons_answer_their_own_question() -> None:
    async with World() as world:
        doors = doors_of(world)
        phone, ring = await world.wear(PHONE, RING)
        phone.type("open garage")
        await world.until(lambda: "approval:garage" in phone.cards)
        phone.type("two lattes to my office")
        await world.asked()
        await world.passes(3)
        ring.press()
        await world.state(OrderState.PLACED)
        assert doors.decided_on == []
        phone.tap("approve", "approval:garage")
        await world.until(lambda: doors.decided_on)
        assert doors.decided_on[0][:2] == ("garage", True)


async def test_two_questions_are_told_apart_by_their_buttons() -> None:
    async with World() as world:
        doors = doors_of(world)
        phone, ring = await world.wear(PHONE, RING)
        for name in ("garage", "gate"):
            phone.type(f"open {name}")
            await world.until(lambda name=name: f"approval:{name}" in phone.cards)
        await world.passes(3)
        ring.press()
        await world.until(lambda: any("Two questions wait" in text for text in phone.texts()))
        assert doors.decided_on == []
        phone.tap("approve", "approval:garage")
        await world.until(lambda: doors.decided_on)
        assert doors.decided_on[0][0] == "garage"


async def test_a_device_that_comes_later_is_shown_the_question() -> None:
    async with World() as world:
        doors_of(world)
        (phone,) = await world.wear(PHONE)
        phone.type("open garage")
        await world.until(lambda: "approval:garage" in phone.cards)
        (glasses,) = await world.wear(GLASSES)
        await world.until(lambda: "approval:garage" in glasses.cards)
