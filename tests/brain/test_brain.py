"""The public face: spans, answers, descriptions, hints, endpointing, and kinds of speech."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lapel.brain import (
    AddLine,
    AddressLabel,
    Affirm,
    AskMenu,
    AskStatus,
    Brain,
    CancelOrder,
    CartLine,
    ChangeLine,
    ChooseAddress,
    ChooseMerchant,
    Deny,
    Frame,
    Menu,
    RemoveLine,
    RepeatLast,
    Slot,
    Source,
    Understanding,
    Utterance,
)

pytestmark = pytest.mark.unit

Say = Callable[..., Understanding]


def test_every_argument_has_the_words_that_it_comes_from(say: Say) -> None:
    text = "two iced lattes and a blueberry muffin from Blue Door to my office"
    understood = say(text)
    words: dict[type, list[str]] = {}
    for action in understood.actions:
        words.setdefault(type(action), []).extend(text[s.start : s.end] for s in action.spans)
    assert words[AddLine] == ["two iced lattes", "iced", "a blueberry muffin"]
    assert words[ChooseMerchant] == ["Blue Door"]
    assert words[ChooseAddress] == ["my office"]


def test_actions_are_edits_in_an_order_that_keeps_indexes_true(say: Say) -> None:
    understood = say(
        "a latte, a mocha and a croissant to work", "remove the mocha and make the croissant two"
    )
    assert [type(a) for a in understood.actions] == [ChangeLine, RemoveLine]
    assert [a.index for a in understood.actions if isinstance(a, ChangeLine | RemoveLine)] == [2, 1]


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("yes", Affirm),
        ("yes please", Affirm),
        ("ok, go ahead", Affirm),
        ("confirm", Affirm),
        ("that's right", Affirm),
        ("place the order", Affirm),
        ("sounds good", Affirm),
        ("no", Deny),
        ("no thanks", Deny),
        ("nope", Deny),
        ("where is my order", AskStatus),
        ("where's my food?", AskStatus),
        ("when will my order arrive", AskStatus),
        ("how is my delivery", AskStatus),
        ("what's on the menu", AskMenu),
        ("what coffee do they have", AskMenu),
        ("what can I order", AskMenu),
        ("repeat that", RepeatLast),
        ("say that again please", RepeatLast),
        ("pardon", RepeatLast),
        ("cancel that", CancelOrder),
        ("forget it", CancelOrder),
        ("never mind", CancelOrder),
        ("cancel the whole order please", CancelOrder),
    ],
)
def test_short_speech(text: str, action: type, say: Say) -> None:
    frame = Frame("blue", (CartLine("bmuffin"),), "office", awaiting_approval=True)
    understood = say(text, frame=frame)
    assert [type(a) for a in understood.actions] == [action]
    kept = () if action is CancelOrder else frame.lines
    assert understood.frame.lines == kept
    assert not understood.is_order


def test_a_question_about_the_menu_carries_what_and_where(say: Say) -> None:
    (asked,) = say("what coffee do they have at Mill Lane").actions
    assert isinstance(asked, AskMenu)
    assert (asked.query, asked.merchant_id) == ("coffee", "mill")


def test_edits_work_while_the_cart_waits_for_approval(say: Say) -> None:
    frame = replace(say("a latte to work").frame, awaiting_approval=True)
    assert say("make it two", frame=frame).frame.lines[0].quantity == 2


def test_a_yes_with_an_edit_is_an_edit_and_no_yes(say: Say) -> None:
    understood = say("a latte to work", "yes, and a croissant")
    assert [type(a) for a in understood.actions] == [AddLine]


def test_the_default_address_needs_no_words(menus: list[Menu]) -> None:
    brain = Brain(menus, [AddressLabel("home", default=True), AddressLabel("office")])
    understood = brain.understand(Utterance("a latte", Source.TYPED), Frame())
    assert understood.frame.address == "home"
    assert understood.question is None


@pytest.mark.parametrize("place", ["the moon", "Anna's place", "5 Main Street"])
def test_an_unknown_address_is_asked_about_and_not_replaced_by_the_default(
    place: str, menus: list[Menu]
) -> None:
    brain = Brain(menus, [AddressLabel("home", default=True), AddressLabel("office")])
    understood = Understanding(Frame())
    for text in (f"a muffin to {place}", "the chocolate one"):
        understood = brain.understand(Utterance(text, Source.VOICE), understood.frame)
    assert understood.frame.address is None
    assert understood.question is not None
    assert understood.question.slot is Slot.ADDRESS
    understood = brain.understand(Utterance("office", Source.VOICE), understood.frame)
    assert (understood.frame.address, understood.frame.address_unknown) == ("office", False)


def test_an_answer_with_more_in_it_is_one_list_of_edits(say: Say) -> None:
    asked = say("two muffins")
    understood = say("chocolate to my place", frame=asked.frame)
    assert [type(a) for a in understood.actions] == [AddLine, ChooseAddress]


def test_a_favourite_settles_a_tie(menus: list[Menu]) -> None:
    brain = Brain(menus, [AddressLabel("home", default=True)], favourites=["mill"])
    understood = brain.understand(Utterance("sparkling water", Source.VOICE), Frame())
    assert understood.frame.merchant_id == "mill"


def test_an_open_shop_is_preferred(menus: list[Menu]) -> None:
    shut = [replace(m, open_now=m.merchant_id != "blue") for m in menus]
    brain = Brain(shut, [AddressLabel("home", default=True)])
    understood = brain.understand(Utterance("sparkling water", Source.VOICE), Frame())
    assert understood.frame.merchant_id == "mill"


def test_an_answer_that_is_a_new_order_is_taken_as_one(say: Say) -> None:
    understood = say("a muffin", "two lattes to work")
    assert [(line.item_id, line.quantity) for line in understood.frame.lines] == [("latte", 2)]
    assert understood.question is None


def test_talk_leaves_an_open_question_open(say: Say) -> None:
    asked = say("a muffin")
    understood = say("the weather is nice", frame=asked.frame)
    assert understood.frame == asked.frame
    assert understood.question is None


def test_what_is_unclear_in_the_cart_is_asked(say: Say) -> None:
    understood = say("a blueberry muffin and a chocolate muffin to work", "no muffin")
    assert understood.question is not None
    assert understood.question.slot is Slot.WHICH_ITEM
    assert say("the chocolate one", frame=understood.frame).frame.lines[0].item_id == "bmuffin"


def test_equal_lines_become_one(say: Say) -> None:
    understood = say("a latte to work", "and a latte", "and a large latte")
    assert [line.quantity for line in understood.frame.lines] == [2, 1]


def test_a_cart_says_what_differs_from_the_defaults(brain: Brain, say: Say) -> None:
    frame = say("two iced lattes with oat milk and a blueberry muffin to my office").frame
    told = brain.describe(frame)
    assert told.spoken == (
        "two lattes (oat milk, iced) and a blueberry muffin from Blue Door Coffee to your office"
    )
    assert [line.text for line in told.lines] == ["2 x Latte", "1 x Blueberry Muffin"]
    assert told.lines[0].detail == "Medium, Oat milk, Iced"


@pytest.mark.parametrize(
    ("count", "title", "words"),
    [
        (2, "Sandwich", "two sandwiches"),
        (3, "Pastry", "three pastries"),
        (14, "Mocha", "14 mochas"),
        (1, "Espresso", "an espresso"),
    ],
)
def test_plurals_are_spoken(
    count: int, title: str, words: str, brain: Brain, menus: list[Menu]
) -> None:
    menu = replace(menus[0], items=(replace(menus[0].items[-1], id="x", title=title),))
    frame = Frame(menu.merchant_id, (CartLine("x", count),))
    assert Brain([menu]).describe(frame).spoken == f"{words} from Blue Door Coffee"


def test_hints_put_the_question_first(brain: Brain, say: Say) -> None:
    hints = brain.hints(say("a muffin").frame)
    assert hints[:2] == ("blueberry muffin", "chocolate muffin")
    assert {"oat milk", "Blue Door Coffee", "office"} <= set(hints)


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("two lattes and", False),
        ("a latte with", False),
        ("two lattes to my", False),
        ("I'd like", False),
        ("can I get a", False),
        ("a large", False),
        ("I'd like two", False),
        ("a latte, um", False),
        ("make it", True),
        ("two lattes", True),
        ("a latte with oat milk", True),
        ("two lattes to my office", True),
        ("make it three", True),
        ("yes", True),
        ("cancel that", True),
        ("two lattes please", True),
        ("the quick brown fox", None),
        ("", None),
    ],
)
def test_a_partial_transcript_looks_finished_or_not(
    text: str, complete: bool | None, brain: Brain
) -> None:
    assert brain.complete_hint(text) is complete


def test_a_moved_cart_tells_what_the_other_shop_lacks(say: Say) -> None:
    understood = say("sparkling water and a latte from Blue Door to work", "from Mill Lane instead")
    assert understood.frame.merchant_id == "mill"
    assert [line.item_id for line in understood.frame.lines] == ["m-water"]
    assert understood.notes == ("Mill Lane Roasters does not have Latte.",)


def test_nothing_to_change_is_said(say: Say) -> None:
    understood = say("make it three")
    assert understood.reply == "There is nothing in the order yet."
    assert not understood.is_order


def test_what_was_said_is_kept_within_bounds(say: Say) -> None:
    frame = say("a latte to work", *["make it two", "make it three"] * 10).frame
    assert len(frame.said) == 8
    assert frame.said[-1] == "make it three"


def test_an_index_is_built_once_a_menu_version(
    menus: list[Menu], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lapel.brain import brain as module
    from lapel.brain.language import Language

    built: list[Menu] = []

    class Counting(module.MenuIndex):
        def __init__(self, menu: Menu, language: Language) -> None:
            built.append(menu)
            super().__init__(menu, language)

    monkeypatch.setattr(module, "MenuIndex", Counting)
    fresh = replace(menus[0], merchant_id="fresh")
    Brain([fresh])
    Brain([fresh])
    Brain([replace(fresh, open_now=False)])
    assert len([menu for menu in built if menu.merchant_id == "fresh"]) == 2
