"""Questions about a menu, in the ways that people put them."""

from __future__ import annotations

import pytest

from lapel.brain import AskMenu, Brain, CartLine, ChangeLine, Frame, Menu, Source, Utterance
from lapel.brain.language import load_language
from lapel.brain.questions import Asks, QuestionPhrases

pytestmark = pytest.mark.unit

ASKED = {
    "What kinds of herbal tea do you guys have here?": (Asks.WHICH, "herbal tea"),
    "Hi, could you tell me what types of bread you carry?": (Asks.WHICH, "bread"),
    "I'd like a pie. What varieties do you have?": (Asks.WHICH, ""),
    "What soups are available?": (Asks.WHICH, "soups"),
    "Do y'all have any honey for your tea?": (Asks.WHETHER, "honey"),
    "Is there any rye bread left?": (Asks.WHETHER, "rye bread left"),
    "By any chance, do you sell beer in here?": (Asks.WHETHER, "beer"),
    "What exactly is in the fish pie?": (Asks.CONTENTS, "fish pie"),
    "Can you tell me how the fish pie is made?": (Asks.CONTENTS, "fish pie"),
    "What does a fish pie consist of": (Asks.CONTENTS, "fish pie"),
    "Okay, could you show me the menu again?": (Asks.MENU, ""),
}
NOT_ASKED = (
    "Do you know who won the cup?",
    "I have a dog",
    "a fish pie please",
    "what time is it",
    "",
)


@pytest.mark.parametrize("text", ASKED)
def test_a_question_tells_what_it_is_about(text: str) -> None:
    asked = QuestionPhrases(load_language("en")).read(text)
    assert asked is not None
    assert (asked.asks, asked.what) == ASKED[text]


@pytest.mark.parametrize("text", NOT_ASKED)
def test_other_talk_asks_nothing(text: str) -> None:
    assert QuestionPhrases(load_language("en")).read(text) is None


def heard(menus: list[Menu], text: str, frame: Frame | None = None):
    return Brain(menus).understand(Utterance(text, Source.VOICE), frame or Frame())


def test_the_brain_asks_the_menu_and_leaves_the_cart(menus: list[Menu]) -> None:
    frame = Frame("blue", (CartLine("bmuffin"),), "office", awaiting_approval=True)
    asked = heard(menus, "could you tell me what kinds of muffin you have?", frame)
    assert [(a.asks, a.query) for a in asked.actions if isinstance(a, AskMenu)] == [
        (Asks.WHICH, "muffin")
    ]
    assert asked.frame.lines == frame.lines
    (contents,) = heard(menus, "tell me what's in the blueberry muffin").actions
    assert isinstance(contents, AskMenu)
    assert contents.asks is Asks.CONTENTS


def test_what_is_in_something_that_nobody_sells_is_talk(menus: list[Menu]) -> None:
    assert heard(menus, "how is a rocket engine made").actions == ()


def test_a_no_with_an_option_corrects_the_cart(menus: list[Menu]) -> None:
    frame = heard(menus, "a latte to work").frame
    frame = Frame(frame.merchant_id, frame.lines, "office", awaiting_approval=True)
    again = heard(menus, "No, I wanted it with oat milk", frame)
    assert [type(action) for action in again.actions] == [ChangeLine]
    assert len(again.frame.lines) == 1


def test_one_and_one_with_another_option_are_two(menus: list[Menu]) -> None:
    lines = heard(menus, "get me one latte with oat milk and one with soy milk").frame.lines
    assert [line.quantity for line in lines] == [1, 1]
    assert lines[0].options != lines[1].options


def test_what_is_liked_is_ordered_with_a_please_only(menus: list[Menu]) -> None:
    assert len(heard(menus, "I like a latte, please").frame.lines) == 1
    assert heard(menus, "I like a latte").frame.lines == ()
