"""What is said around a wish is understood the same way by every grammar."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lapel.assistant import guide
from lapel.assistant.goods import grammar as lists
from lapel.assistant.goods import shop_grammar as shops
from lapel.assistant.limits import grammar as limits
from lapel.assistant.pay import grammar as pay
from lapel.assistant.personal import reading as personal
from lapel.assistant.personal.language import load_words
from lapel.assistant.politeness import forms, is_no, is_yes, plain
from lapel.assistant.rides import grammar as rides
from lapel.assistant.travel import load_travel_words
from lapel.assistant.travel import reading as travel

pytestmark = pytest.mark.unit

WISHES: dict[str, Callable[[str], object]] = {
    "get me a ride home": rides.read,
    "cancel my ride": rides.read,
    "send Anna 5 euros": pay.read,
    "split 30 euros with Anna and Ben": pay.read,
    "add milk, eggs and two kilos of apples to my list": lists.read,
    "compare the prices of headphones": shops.read,
    "set a limit of 20 euros for kuu": lambda x: limits.read(x, "EUR", window_open=False),
    "find me a flight to Berlin on Friday": lambda x: travel.read(x, load_travel_words()),
    "set a timer for ten minutes": lambda x: personal.requests(x, load_words()),
    "note that the door is blue": lambda x: personal.requests(x, load_words()),
    "navigate to the office": guide.asked,
}
AROUND = (
    "please {}",
    "{}, please",
    "can you please {}?",
    "Could you {} for me?",
    "Hey Lapel, could you {}, thanks",
    "I'd like to {}",
    "I would like you to {}, please.",
    "I want to {}",
    "Let's {}",
    "okay so now {}",
    "I was wondering if you could {}, if possible",
    "And then {}, will you?",
)
MEANS_MORE = (
    "don't {}",
    "I would not {}",
    "I'd like to know whether to {}",
    "did you {}",
    "she said {} yesterday already",
)


@pytest.mark.parametrize("wish", WISHES)
def test_politeness_changes_no_wish(wish: str) -> None:
    read = WISHES[wish]
    meant = read(wish)

    assert meant is not None
    others = [said for around in AROUND if read(said := around.format(wish)) != meant]
    free = "note that" in wish
    assert [
        x for x in others if not (free and x.rstrip("?").endswith(("for me", "possible")))
    ] == []


@pytest.mark.parametrize("wish", WISHES)
def test_words_that_mean_something_are_not_politeness(wish: str) -> None:
    assert [x for x in MEANS_MORE if WISHES[wish](x.format(wish)) is not None] == []


def test_at_least_one_word_is_left() -> None:
    said = ("please", "ok", "Okay, thanks!", "and now", "")
    assert [plain(x) for x in said] == ["please", "ok", "okay", "and", ""]


def test_what_is_taken_away_is_given_back_where_a_grammar_needs_it() -> None:
    assert forms("Hey, I'd like to fly to Oslo, please") == [
        "fly to oslo", "i'd like to fly to oslo", "hey i'd like to fly to oslo",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["Yes.", "yes please", "okay", "Sure, thanks", "yes, do it now"])
def test_yes(text: str) -> None:
    assert is_yes(text)
    assert not is_no(text)


@pytest.mark.parametrize("text", ["No.", "no thanks", "Never mind", "please don't", "oh, stop!"])
def test_no(text: str) -> None:
    assert is_no(text)
    assert not is_yes(text)


def test_yes_in_the_words_of_the_question() -> None:
    assert [is_yes(x, "cancel it") for x in ("cancel it", "Yes, cancel it please", "cancel")] == [
        True, True, False,
    ]  # fmt: skip
