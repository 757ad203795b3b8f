"""Discount codes and fast delivery: what is said of them, and what only sounds like it."""

from __future__ import annotations

import pytest

from lapel.brain import (
    Brain,
    ChooseDelivery,
    DropCodes,
    Frame,
    Menu,
    MenuItem,
    Source,
    UseCode,
    Utterance,
)
from lapel.brain.wishes import wishes_in
from lapel.commerce import Money

pytestmark = pytest.mark.unit

MENU = Menu(
    "cafe",
    "Blue Door",
    (
        MenuItem("latte", "Latte", Money(490, "EUR")),
        MenuItem("muffin", "Blueberry muffin", Money(320, "EUR")),
    ),
)


def hear(text: str, frame: Frame | None = None):
    return Brain((MENU,)).understand(Utterance(text, Source.TYPED), frame or Frame())


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("use the code SUMMER10", ("SUMMER10",)),
        ("please use code summer 10", ("SUMMER10",)),
        ("apply the promo code WELCOME5 please", ("WELCOME5",)),
        ("with the discount code spring-20", ("SPRING-20",)),
        ("I have a voucher code ABC", ("ABC",)),
        ("my code is summer10", ("SUMMER10",)),
        ("use the code please", ()),
        ("the postal code 00100", ()),
        ("what is the door code", ()),
        ("two lattes", ()),
    ],
)
def test_codes(text: str, codes: tuple[str, ...]):
    assert wishes_in(text, Frame()).frame.codes == codes


@pytest.mark.parametrize(
    ("text", "fastest"),
    [
        ("with express delivery", True),
        ("use the priority courier", True),
        ("as fast as possible", True),
        ("standard delivery", False),
        ("no express", False),
        ("an espresso", None),
        ("a fast car", None),
    ],
)
def test_delivery(text: str, fastest: bool | None):
    found = wishes_in(text, Frame(fastest=fastest is False))
    chosen = [x.fastest for x in found.actions if isinstance(x, ChooseDelivery)]
    assert chosen == ([] if fastest is None else [fastest])
    assert found.frame.fastest is bool(fastest)


def test_an_order_with_a_code_in_it():
    heard = hear("two lattes and a muffin with the code SUMMER10")
    assert [(x.item_id, x.quantity) for x in heard.frame.lines] == [("latte", 2), ("muffin", 1)]
    assert heard.frame.codes == ("SUMMER10",)
    assert heard.unknown == ()
    assert isinstance(heard.actions[0], UseCode)
    span = heard.actions[0].spans[0]
    assert "SUMMER10" in "two lattes and a muffin with the code SUMMER10"[span.start : span.end]


def test_a_code_for_the_cart_that_is_there_keeps_it_and_asks_the_price_again():
    frame = hear("two lattes").frame
    heard = hear("use the code SUMMER10", frame)
    assert heard.is_order
    assert heard.frame.lines == frame.lines
    again = hear("use the code summer10", heard.frame)
    assert again.frame.codes == ("SUMMER10",)
    dropped = hear("forget the code", again.frame)
    assert isinstance(dropped.actions[0], DropCodes)
    assert dropped.frame.codes == ()
    assert dropped.is_order


def test_a_code_before_there_is_a_cart_waits_for_it():
    heard = hear("use the code SUMMER10")
    assert not heard.is_order
    assert "SUMMER10" in heard.reply
    assert hear("a latte", heard.frame).frame.codes == ("SUMMER10",)


def test_a_cancelled_order_takes_its_wishes_with_it():
    frame = hear("a latte with express delivery and use the code SUMMER10").frame
    assert (frame.fastest, frame.codes) == (True, ("SUMMER10",))
    gone = hear("cancel the order", frame).frame
    assert (gone.fastest, gone.codes) == (False, ())


def test_words_that_are_not_the_user_s_use_no_code():
    heard = Brain((MENU,)).understand(Utterance("use the code SUMMER10", Source.MENU), Frame())
    assert heard.actions == ()
    assert heard.frame.codes == ()
