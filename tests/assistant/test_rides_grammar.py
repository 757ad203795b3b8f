"""What words about rides mean, and which words are not about rides at all."""

from __future__ import annotations

import pytest

from lapel.assistant.rides import grammar
from lapel.assistant.rides.grammar import (
    AskRide,
    AskStatus,
    CancelRide,
    ChangeDestination,
    Tip,
)

pytestmark = pytest.mark.unit

HOME = AskRide(destination="home")
MEANS = {
    "Get me a ride home.": HOME,
    "get me a ride home please": HOME,
    "Hey Lapel, get me a ride home": HOME,
    "call me a taxi home": HOME,
    "Could you get me a cab home, please?": HOME,
    "can you book me a ride home": HOME,
    "I need a ride home": HOME,
    "I need a taxi home now": HOME,
    "I'd like a ride home": HOME,
    "I would like a taxi back home": HOME,
    "a taxi home": HOME,
    "taxi home": HOME,
    "ride home please": HOME,
    "drive me home": HOME,
    "take me home by taxi": HOME,
    "order a taxi to home": AskRide(destination="home"),
    "get me a ride": AskRide(),
    "I need a taxi": AskRide(),
    "call a cab": AskRide(),
    "Can I get a ride?": AskRide(),
    "book a comfort ride": AskRide("comfort"),
    "I want a van ride": AskRide("van"),
    "a taxi to the office from the station": AskRide("", "the station", "the office"),
    "a taxi from the station to the office": AskRide("", "the station", "the office"),
    "get me a ride to the office": AskRide(destination="the office"),
    "get me a ride to my office": AskRide(destination="my office"),
    "get me a cab from the station": AskRide(pickup="the station"),
    "get me a cab from the station home": AskRide("", "the station", "home"),
    "book a ride to Mannerheimintie 10": AskRide(destination="mannerheimintie 10"),
    "a comfort to Mannerheimintie 10": AskRide("comfort", "", "mannerheimintie 10"),
    "a van to the gym": AskRide("van", "", "the gym"),
    "get me a comfort to the library": AskRide("comfort", "", "the library"),
    "get me an economy ride to the library": AskRide("economy", "", "the library"),
    "I'd like a comfort class ride home": AskRide("comfort", "", "home"),
    "get me the cheapest ride home": AskRide("cheapest", "", "home"),
    "find me a cheap taxi to the station": AskRide("cheapest", "", "the station"),
    "get us a minivan taxi to the station": AskRide("van", "", "the station"),
    "order a cab to Töölönlahdenkatu 4 from Kaivokatu 1": AskRide(
        "", "kaivokatu 1", "töölönlahdenkatu 4"
    ),
    "how much is a ride home": AskRide("", "", "home", True),
    "How much is a taxi to the office?": AskRide("", "", "the office", True),
    "how much would a taxi to the office cost": AskRide("", "", "the office", True),
    "what does a taxi to the office cost": AskRide("", "", "the office", True),
    "what does a ride home from the gym cost?": AskRide("", "the gym", "home", True),
    "what's the price of a ride home": AskRide("", "", "home", True),
    "how much is a comfort ride home": AskRide("comfort", "", "home", True),
    "how much does a cab from the station to the gym cost": AskRide(
        "", "the station", "the gym", True
    ),
    "change the destination to the library": ChangeDestination("the library"),
    "change my destination to Annankatu 12": ChangeDestination("annankatu 12"),
    "actually change the destination to home": ChangeDestination("home"),
    "set the destination to my office": ChangeDestination("my office"),
    "change my ride to the station": ChangeDestination("the station"),
    "new destination the gym": ChangeDestination("the gym"),
    "tell the driver to go to the station": ChangeDestination("the station"),
    "drive me to the gym instead": ChangeDestination("the gym"),
    "cancel my ride": CancelRide(),
    "cancel the taxi please": CancelRide(),
    "call off the taxi": CancelRide(),
    "I don't need the ride anymore": CancelRide(),
    "tip two euros": Tip(200),
    "tip the driver 2 euros": Tip(200),
    "tip my driver five euros": Tip(500),
    "tip him 2.50 euros": Tip(250),
    "give the driver a two euro tip": Tip(200),
    "add a tip of three euros": Tip(300),
    "leave a tip of 2 euros 50": Tip(250),
    "tip fifty cents": Tip(50),
    "tip the driver": Tip(None),
    "where is my driver": AskStatus(),
    "Where's my ride?": AskStatus(),
    "when does my taxi come": AskStatus(),
    "how long until my driver is here": AskStatus(),
    "what's my driver's plate": AskStatus(),
}

NOTHING = (
    # Food, or other matters.
    "a taxi sandwich",
    "two lattes to my office",
    "get me two lattes to my office",
    "get me a latte",
    "a comfort",
    "a comfort burger to my office",
    "a van",
    "a large latte to my office",
    "a large to my office",
    "a large to my office with oat milk",
    "a cab sauvignon to my office",
    "bring me a pizza home",
    "bring me home a pizza",
    "bring me two muffins to the office",
    "order a pizza home",
    "order food to the station",
    "get me a ride to the office and two lattes",
    "a taxi to the office and a muffin",
    "two lattes and a taxi home",
    "get me a ride home with a muffin",
    "get me a ride home or a pizza",
    "to my office",
    "home",
    "deliver it home",
    "send it to the office instead",
    "change it to a large",
    "change the latte to a mocha",
    "change the address to home",
    "change my order to the office",
    "make it two",
    "cancel",
    "cancel my order",
    "cancel the latte",
    "cancel the muffin please",
    "cancel my reminder",
    "where is my order",
    "where is my courier",
    "where is the muffin",
    "when does my order come",
    "how much is a latte",
    "how much is it",
    "what does a muffin cost",
    "tip",
    "tips for the city",
    "tip top",
    "tip two lattes",
    "a tip jar cookie",
    "yes",
    "no",
    "two",
    "economy",
    "the cheapest",
    "take me to the station",
    "take me home",
    "how do I get home",
    "walk me home",
    "navigate to the office",
    "remind me to call a taxi at seven",
    "remind me to get a ride home",
    # Negated.
    "don't get me a ride home",
    "do not call a taxi",
    "I don't need a ride home",
    "I do not want a taxi",
    "never get me a taxi home",
    "no taxi home",
    "no ride please",
    "don't cancel my ride",
    "do not change the destination to home",
    "don't tip the driver",
    "please don't tip two euros",
    # Supposed, told, asked of somebody else.
    "if I took a taxi home I would be late",
    "if I get a ride home I am happy",
    "maybe get me a ride home",
    "I might need a taxi",
    "I had a ride home yesterday",
    "I took a taxi to the office",
    "what if I get a ride home",
    "should I get a taxi home",
    "would a taxi home be faster",
    "she said get me a ride home",
    "he asked for a ride to the station",
    "I was going to get a taxi home",
    "when I get a ride home I read",
    "how was your ride home",
    "how much was the ride home yesterday when it rained",
    "get me a ride home if it rains",
    "get me a ride home when the meeting ends",
    "get me a ride home but not now",
    "a ride home would be nice",
    "the taxi to the office was late",
    "my driver canceled",
    "did you cancel my ride",
    "why did my driver cancel my ride",
    "I tipped the driver two euros",
    "should I tip the driver",
)  # fmt: skip


def test_the_corpus_is_large() -> None:
    assert len(MEANS) >= 60
    assert len(NOTHING) >= 60


@pytest.mark.parametrize(("text", "wish"), MEANS.items(), ids=MEANS)
def test_words_about_rides_are_understood(text: str, wish: object) -> None:
    assert grammar.read(text) == wish


@pytest.mark.parametrize("text", NOTHING)
def test_other_words_are_left_alone(text: str) -> None:
    assert grammar.read(text) is None


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("economy", 0),
        ("The comfort, please.", 1),
        ("I'll take the van", 2),
        ("the cheapest one", 0),
        ("the second one", 1),
        ("book the comfort", 1),
        ("two lattes", None),
        ("a large one", None),
    ],
)
def test_a_choice(text: str, index: int | None) -> None:
    assert grammar.chosen(text, ["economy", "comfort", "van"]) == index


def test_places_as_answers() -> None:
    assert grammar.as_place("To the station.", after="to") == "the station"
    assert grammar.as_place("from Kaivokatu 1", after="from") == "kaivokatu 1"
    assert grammar.as_place("two lattes and a muffin", after="to") is None
