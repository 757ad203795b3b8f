"""Words about stores: what is claimed, and what is left to others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.assistant.goods.shop_grammar import Compare, Find, Pick, Return, read

pytestmark = pytest.mark.unit

CLAIMED = {
    "Find me a phone charger.": Find("phone charger"),
    "search for noise cancelling headphones": Find("noise cancelling headphones"),
    "where can I buy an umbrella?": Find("umbrella"),
    "find me headphones that come today": Find("headphones", fastest=True),
    "i need to buy a kettle as soon as possible": Find("kettle", fastest=True),
    "compare pizza": Find("pizza", compare=True),
    "compare prices of headphones": Find("headphones", compare=True),
    "who has the cheapest margherita": Find("margherita", compare=True),
    "find me the cheapest usb cable": Find("usb cable", compare=True),
    "compare": Compare(),
    "compare them": Compare(),
    "the cheapest": Pick("cheapest"),
    "order the second one": Pick(1),
    "the one that comes today": Pick("today"),
    "i'll take the fastest": Pick("fastest"),
    "the one from kulma": Pick("shop", "kulma"),
    "I want to return the headphones": Return("headphones"),
    "send the kettle back": Return("kettle"),
    "can i return my umbrella": Return("umbrella"),
}
LEFT = (
    "two lattes to my office",
    "find the nearest pharmacy",
    "find me a way to the station",
    "find me a flight to stockholm",
    "get me a ride home",
    "where is my order",
    "what is the cheapest",
    "don't return the headphones",
    "if i returned the headphones",
    "the usual",
)


@pytest.mark.parametrize("text", CLAIMED)
def test_whole_utterances_about_stores(text: str):
    assert read(text) == CLAIMED[text]


@pytest.mark.parametrize("text", LEFT)
def test_everything_else_is_left_alone(text: str):
    assert read(text) is None


@given(st.text(max_size=80))
def test_no_words_break_it(text: str):
    read(text)
    read(f"find me {text}")
