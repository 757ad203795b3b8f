"""Words about a shopping list: what is claimed, and what is left to others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.assistant.goods.grammar import (
    Add,
    Clear,
    Order,
    Prefer,
    PreferEach,
    Show,
    TakeOff,
    parts,
    read,
    wanted,
)
from lapel.commerce import Money
from lapel.services.goods import Wanted

pytestmark = pytest.mark.unit

CLAIMED = {
    "Add milk, eggs and two kilos of apples to my shopping list.": Add(
        (Wanted("milk"), Wanted("eggs"), Wanted("apples", 2000, "g"))
    ),
    "please put toilet paper on the list": Add((Wanted("toilet paper"),)),
    "add half a kilo of minced beef to the grocery list": Add((Wanted("minced beef", 500, "g"),)),
    "add a kilo of carrots to my list": Add((Wanted("carrots", 1000, "g"),)),
    "add six bananas and 3 packs of pasta to my list please": Add(
        (Wanted("bananas", 6), Wanted("pasta", 3, "pack"))
    ),
    "could you add 1.5 litres of cola to my list": Add((Wanted("cola", 1500, "ml"),)),
    "we need batteries on the list": Add((Wanted("batteries"),)),
    "what's on my shopping list?": Show(),
    "what is on my list": Show(),
    "read me my shopping list": Show(),
    "take the eggs off": TakeOff(("eggs",), sure=False),
    "take the eggs off the list": TakeOff(("eggs",), sure=True),
    "remove milk and butter from my shopping list": TakeOff(("milk", "butter"), sure=True),
    "clear my shopping list": Clear(),
    "order my shopping list": Order(),
    "buy everything on my list": Order(),
    "order the groceries to my office": Order("", "office"),
    "order my list home with no substitutions": Order("none", "home"),
    "order my shopping list, substitute if needed": Order("similar"),
    "no substitutions": Prefer("none"),
    "substitutions are fine": Prefer("similar"),
    "ask me about substitutions": Prefer("ask"),
    "substitute anything": Prefer("similar"),
    "If there is no oat milk, take anything.": PreferEach((Prefer("similar", "oat milk"),)),
    "if there are no eggs leave them out": PreferEach((Prefer("none", "eggs"),)),
    "if they have no juice ask me": PreferEach((Prefer("ask", "juice"),)),
    "if there is no oat milk take anything up to four euros": PreferEach(
        (Prefer("similar", "oat milk", Money(400, "EUR")),)
    ),
    "if there are none, something else up to four euros": PreferEach(
        (Prefer("similar", "", Money(400, "EUR")),)
    ),
    "swap the oat milk for anything, at most 3 euros": PreferEach(
        (Prefer("similar", "oat milk", Money(300, "EUR")),)
    ),
    "replace the bread with something similar if needed": PreferEach((Prefer("similar", "bread"),)),
    "a replacement for the milk, at most two fifty": PreferEach(
        (Prefer("similar", "milk", Money(250, "EUR")),)
    ),
    "a replacement for the milk, not for the bread": PreferEach(
        (Prefer("similar", "milk"), Prefer("none", "bread"))
    ),
    "no replacement for the bread": PreferEach((Prefer("none", "bread"),)),
}
LEFT = (
    "two lattes and a muffin to my office",
    "don't add milk to my shopping list",
    "what should i put on my shopping list",
    "if i order my shopping list now",
    "add a muffin",
    "order a flat white",
    "take the onions off my burger",
    "did you order my shopping list",
    "remind me to buy milk",
    "list the reminders",
    "if there is no oat milk take anything up to the moon",
    "if there is no oat milk leave it out up to four euros",
    "swap it for something else",
    "replace the latte with a mocha",
)


@pytest.mark.parametrize("text", CLAIMED)
def test_whole_utterances_about_the_list(text: str):
    assert read(text) == CLAIMED[text]


@pytest.mark.parametrize("text", LEFT)
def test_everything_else_is_left_alone(text: str):
    assert read(text) is None


def test_amounts_as_people_say_them():
    said = {
        "2kg of potatoes": Wanted("potatoes", 2000, "g"),
        "250 grams of butter": Wanted("butter", 250, "g"),
        "two point five": Wanted("point five", 2),
        "a loaf of rye bread": Wanted("rye bread", 1, "pack"),
        "a dozen eggs": Wanted("eggs", 12),
        "half a cabbage": Wanted("cabbage", 1),
        "the brown bread": Wanted("brown bread"),
        "two litres of milk": Wanted("milk", 2000, "ml"),
    }
    assert {text: wanted(text) for text in said} == said


def test_some_things_are_one_thing():
    assert parts("salt and vinegar crisps, salt and pepper") == [
        "salt and vinegar crisps", "salt", "pepper",
    ]  # fmt: skip


@given(st.text(max_size=80))
def test_no_words_break_it(text: str):
    read(text)
    read(f"add {text} to my shopping list")
