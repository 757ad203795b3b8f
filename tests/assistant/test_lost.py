"""What is said to words that nobody understood, and that it can be done as it is said."""

from __future__ import annotations

import re

import pytest

from lapel.assistant.goods import grammar as lists
from lapel.assistant.lost import _HOW, LOST, hinting, nobody_knows
from lapel.assistant.pay import grammar as pay
from lapel.assistant.rides import grammar as rides
from lapel.brain.router import EncoderUnavailable, Router

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

SAID = {
    "could you sort me out somewhere to eat with my mother, four of us": "For a table",
    "I need to get a cab over to the airport": "For a ride",
    "please help me book a flight from Helsinki to Berlin": "To travel",
    "can you find me a nice hotel in Rome": "For a room",
    "move fifty bucks over to my brother": "For money",
    "what have I still got to buy": "For your list",
}


@pytest.mark.parametrize("said", SAID)
async def test_it_is_told_how_to_say_what_it_seems_to_be_about(said: str) -> None:
    hint = await hinting()(said)
    assert SAID[said] in hint
    assert hint.startswith("I did not understand that.")


@pytest.mark.parametrize(
    "talk",
    ["", "my neighbour's dog chewed the red sofa", "who was the best batsman of the nineties"],
)
async def test_talk_about_nothing_that_is_known_gets_no_hint(talk: str) -> None:
    assert await hinting()(talk) == LOST


async def test_without_the_encoder_it_is_still_said_what_can_be_said() -> None:
    tried: list[int] = []

    def missing() -> Router:
        tried.append(1)
        raise EncoderUnavailable("not installed")

    hint = hinting(missing)
    assert await hint("I need a cab") == await nobody_knows("") == LOST
    assert await hint("I need a cab") == LOST
    assert len(tried) == 1


async def test_each_hint_is_for_something_that_the_router_knows() -> None:
    known = set(Router.shared().weights.intents)
    assert {intent for intents in _HOW.values() for intent in intents} <= known


async def test_what_a_hint_says_is_understood() -> None:
    """By the grammars that stand alone; the others need a town (tests/assistant/virtual)."""
    for said in _HOW:
        for example in re.split(r", or: ", said.partition(": ")[2].rstrip(".")):
            if said.startswith("For a ride"):
                assert rides.read(example) is not None, example
            elif said.startswith("For money"):
                assert pay.read(example) is not None, example
            elif said.startswith("For your list"):
                assert lists.read(example) is not None, example
