"""Asking for what was had before, by a whole utterance only."""

from __future__ import annotations

import pytest

from lapel.brain import Reorder, ReorderPhrases, Which
from lapel.brain.language import load_language

pytestmark = pytest.mark.unit

PHRASES = ReorderPhrases(load_language("en"))
USUAL, LAST = Which.USUAL, Which.LAST


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("The usual, please.", Reorder(USUAL)),
        ("my usual", Reorder(USUAL)),
        ("Can I get my usual to my office?", Reorder(USUAL, place="my office")),
        ("I'd like the usual to the office now", Reorder(USUAL, place="the office")),
        ("my usual coffee please", Reorder(USUAL, "coffee")),
        ("give me the usual pizza to work", Reorder(USUAL, "pizza", place="work")),
        ("my usual flat white to the office", Reorder(USUAL, "flat white", place="the office")),
        ("the usual from Blue Door to home", Reorder(USUAL, shop="blue door", place="home")),
        ("what I always have", Reorder(USUAL)),
        ("order our regular order", Reorder(USUAL)),
        ("the same as last time", Reorder(LAST)),
        ("same again please", Reorder(LAST)),
        ("The same order again, to my home.", Reorder(LAST, place="my home")),
        ("order my last order again", Reorder(LAST)),
        ("reorder", Reorder(LAST)),
        ("Hey, can we have what we had yesterday?", Reorder(LAST)),
    ],
)
def test_a_wish_is_read(said: str, meant: Reorder):
    assert PHRASES.read(said) == meant


@pytest.mark.parametrize(
    "said",
    [
        "", "not the usual", "don't order the usual", "the usual is too sweet", "as usual he is late", "do you know the usual",
        "two lattes and the usual", "is it the same as last time", "I had the usual yesterday", "the same as him", "same",
        "why is the usual so expensive", "the usual coffee is bad", "maybe the usual later", "tell me my last order",
        "what did I order last time", "where is my last order", "cancel my last order", "a latte", "I might get the usual",
        "she said the same again", "if you order the usual",
    ],
)  # fmt: skip
def test_everything_else_is_left_alone(said: str):
    assert PHRASES.read(said) is None
