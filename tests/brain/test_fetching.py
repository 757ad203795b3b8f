"""Fetching it oneself: what is said of it, what it changes, and what only sounds like it."""

from __future__ import annotations

import pytest

from lapel.brain import AddressLabel, Brain, ChoosePickup, Frame, Menu, MenuItem, Source, Utterance
from lapel.brain.wishes import wishes_in
from lapel.commerce import Money

pytestmark = pytest.mark.unit

CAFE = Menu("cafe", "Blue Door", (MenuItem("latte", "Latte", Money(490, "EUR")),))
PIZZERIA = Menu(
    "forno",
    "Forno Nero",
    (
        MenuItem("margherita", "Margherita", Money(1100, "EUR")),
        MenuItem("latte", "Latte", Money(450, "EUR")),
    ),
)
OFFICE = AddressLabel("office")


def hear(text: str, frame: Frame | None = None, *labels: AddressLabel):
    brain = Brain((CAFE, PIZZERIA), labels)
    return brain.understand(Utterance(text, Source.TYPED), frame or Frame())


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("I'll pick it up", ""),
        ("two margheritas, I will come and pick them up", "two margheritas"),
        ("a margherita for pickup at Forno Nero", "a margherita at Forno Nero"),
        ("a margherita for pick-up", "a margherita"),
        ("for collection from Blue Door", "from Blue Door"),
        ("let me fetch it myself", ""),
        ("as a takeaway order please", ""),
        ("make it pick up instead", ""),
        ("pick up my order", ""),
    ],
)
def test_it_is_fetched(text: str, rest: str):
    wishes = wishes_in(text, Frame())
    assert wishes.frame.pickup
    assert " ".join(wishes.rest.replace(",", " ").split()) == rest
    [action] = wishes.actions
    assert isinstance(action, ChoosePickup)
    assert text[action.spans[0].start : action.spans[0].end].strip(" ,")


@pytest.mark.parametrize(
    "text",
    [
        "pick me up at the station",
        "pick it up from my office",
        "what time is the pick up",
        "a takeaway coffee",
        "deliver it to my office",
        "the pickup truck",
        "no pickup",
    ],
)
def test_what_only_sounds_like_it(text: str):
    assert wishes_in(text, Frame()).frame == Frame()


@pytest.mark.parametrize("text", ["deliver it instead", "have it delivered", "no pickup"])
def test_it_is_delivered_after_all(text: str):
    cart = hear("a margherita for pickup at Forno Nero", None, OFFICE).frame
    assert (cart.pickup, cart.address, len(cart.lines)) == (True, None, 1)
    understood = hear(text, cart, AddressLabel("home", default=True))
    assert understood.frame.pickup is False
    assert understood.frame.address == "home"
    assert understood.is_order


def test_no_address_is_asked_for_what_is_fetched():
    understood = hear("two lattes at Forno Nero, I'll pick them up", None, OFFICE)
    assert understood.question is None
    assert understood.is_order
    assert understood.frame.merchant_id == "forno"
    assert [line.quantity for line in understood.frame.lines] == [2]


def test_the_open_question_for_an_address_is_answered_by_it():
    asked = hear("two lattes at Forno Nero", None, OFFICE)
    assert asked.question is not None
    answered = hear("I'll pick it up", asked.frame, OFFICE)
    assert answered.question is None
    assert answered.frame.pickup
    assert answered.is_order


def test_a_place_that_is_named_afterwards_has_it_delivered():
    cart = hear("two lattes for pickup at Forno Nero", None, OFFICE).frame
    moved = hear("to my office", cart, OFFICE)
    assert (moved.frame.pickup, moved.frame.address) == (False, "office")


def test_without_a_cart_it_is_remembered():
    assert hear("I'll pick it up").reply == "You pick up what you order next."
