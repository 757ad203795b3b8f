"""Which words set, tell, revoke or undo, and which do none of it."""

from __future__ import annotations

import pytest

from lapel.assistant.limits.grammar import (
    AskLimits,
    RevokeLimit,
    SetLimit,
    Undo,
    amount,
    read,
)
from lapel.assistant.limits.skill import called
from lapel.commerce import Party

pytestmark = pytest.mark.unit

NERO = "forno nero"


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        (
            "Let Forno Nero charge up to fifteen euros without asking, fifty a week.",
            SetLimit(NERO, 1500, "EUR", 5000),
        ),
        (
            "let Forno Nero charge up to 15 euros without asking, 50 euros a week, at most three "
            "times a week for two months",
            SetLimit(NERO, 1500, "EUR", 5000, "week", 3, 60),
        ),
        (
            "You may spend up to \u20ac12.50 at Forno Nero without asking",
            SetLimit(NERO, 1250, "EUR"),
        ),
        (
            "let Forno Nero charge up to fifteen euros for a margherita and cola without asking",
            SetLimit(NERO, 1500, "EUR", goods=("margherita", "cola")),
        ),
        ("You may spend up to twelve fifty without asking", SetLimit("", 1250, "EUR")),
        (
            "Forno Nero may charge up to twenty dollars without asking me, and 100 dollars a month",
            SetLimit(NERO, 2000, "USD", 10000, "month"),
        ),
        (
            "let Forno Nero charge up to fifteen euros without asking once a day",
            SetLimit(NERO, 1500, "EUR", 0, "day", 1),
        ),
        ("What may you buy without asking?", AskLimits()),
        ("what are my limits", AskLimits()),
        ("Revoke the limit for Forno Nero.", RevokeLimit(NERO)),
        ("Forno Nero may not charge without asking any more", RevokeLimit(NERO)),
        ("always ask me before ordering from Forno Nero", RevokeLimit(NERO)),
        ("cancel all limits", RevokeLimit(every=True)),
        ("always ask me", RevokeLimit(every=True)),
        ("stop that limit", RevokeLimit()),
    ],
)
def test_words_about_limits(said, wish):
    assert read(said, "EUR", window_open=False) == wish


@pytest.mark.parametrize(
    "said",
    [
        "don't let Forno Nero charge up to fifteen euros without asking",
        "if I let Forno Nero charge up to fifteen euros without asking",
        "can Forno Nero charge up to 15 euros without asking",
        "let Forno Nero charge up to whatever without asking",
        "let Forno Nero charge up to fifteen euros without asking, fifty dollars a week",
        "let Forno Nero charge up to fifteen euros without asking and buy me a hat",
        "let Forno Nero charge fifteen euros",
        "two lattes without sugar",
        "stop",
        "cancel the order",
    ],
)
def test_other_words_are_left_to_others(said):
    assert read(said, "EUR", window_open=False) is None


def test_stop_means_undo_only_while_something_waits():
    assert read("Stop!", "EUR", window_open=True) == Undo()
    assert read("no, wait", "EUR", window_open=True) == Undo()


@pytest.mark.parametrize(
    ("said", "minor"),
    [
        ("15", 1500),
        ("fifteen euros", 1500),
        ("15 euros and 50 cents", 1550),
        ("15,50 euros", 1550),
        ("twelve fifty", 1250),
        ("forty two fifty", 4250),
        ("a hundred", 10000),
        ("two hundred and fifty euros", 25000),
        ("five hundred cents", None),
        ("fifty cents", None),
        ("15.5", None),
        ("1 2 3", None),
        ("1,000", None),
        ("15 euros 20 dollars", None),
        ("euros", None),
        ("", None),
    ],
)
def test_amounts(said, minor):
    assert amount(said, "EUR") == (None if minor is None else (minor, "EUR"))


def test_an_amount_without_decimals_has_none():
    assert amount("fifteen", "JPY") == (15, "JPY")
    assert amount("15 50", "JPY") is None


def test_a_shop_is_known_by_its_name_roughly_and_by_its_id():
    known = [Party("a", "Forno Nero"), Party("b", "Blue Door Coffee"), Party("c", "Blue Bowl")]
    found = [called(x, known) for x in ("forno nero", "Forno Nerro", "blue door", "c", "blue", "x")]
    assert [shop.id if shop else "" for shop in found] == ["a", "a", "b", "c", "", ""]
