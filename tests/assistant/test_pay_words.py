"""Money between people by word: what is claimed, what is left alone, and what amounts mean."""

from __future__ import annotations

import pytest

from lapel.assistant.pay import amounts
from lapel.assistant.pay.grammar import (
    Answer,
    Ask,
    FixShare,
    ListContacts,
    RemoveContact,
    SaveContact,
    Send,
    Split,
    WhoOwes,
    read,
)
from lapel.commerce import Money

pytestmark = pytest.mark.unit


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.mark.parametrize(
    ("said", "minor"),
    [
        ("twenty euros", 2000),
        ("twelve fifty", 1250),
        ("twelve oh five", 1205),
        ("twelve euros and fifty cents", 1250),
        ("12.50", 1250),
        ("€12,5", 1250),
        ("80 cents", 80),
        ("a hundred and twenty euros", 12000),
        ("twenty five", 2500),
        ("two hundred", 20000),
        ("two thousand fifty", 205000),
        ("one twenty five", 125),
        ("a euro", 100),
    ],
)
def test_amounts_as_people_say_them(said, minor):
    assert amounts.read(said) == euros(minor)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "zero",
        "some",
        "twelve fifty thirty",
        "two lattes",
        "12.5 euros 50",
        "fifty five six",
        "euros",
    ],
)
def test_what_is_no_amount_is_not_guessed(said):
    assert amounts.read(said) is None


def test_another_currency_is_named():
    assert amounts.read("five dollars") == Money(500, "USD")


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("Send Anna twenty euros for lunch.", Send("anna", euros(2000), "lunch")),
        ("please send twenty euros to Anna", Send("anna", euros(2000))),
        ("pay @anna.v 12.50", Send("@anna.v", euros(1250))),
        ("send money to Anna", Send("anna", None)),
        ("ask Ben for twelve fifty", Ask(("ben",), euros(1250), sure=False)),
        ("request ten euros from Ben and Cleo", Ask(("ben", "cleo"), euros(1000))),
        ("split the last order with Anna and Ben", Split(("anna", "ben"), None)),
        ("split 30 euros with Anna, Ben and Cleo", Split(("anna", "ben", "cleo"), euros(3000))),
        (
            "split it with Anna and Ben, Anna pays ten",
            Split(("anna", "ben"), None, "", (("anna", euros(1000)),)),
        ),
        ("Anna pays ten", FixShare("anna", euros(1000))),
        ("who owes me?", WhoOwes(mine=False)),
        ("what do I owe", WhoOwes(mine=True)),
        ("pay Ben's request", Answer(True, "ben")),
        ("decline the request from Ben", Answer(False, "ben")),
        ("save Anna as @anna", SaveContact("anna", "@anna")),
        ("save Anna as at anna", SaveContact("anna", "@anna")),
        ("remove Anna from my contacts", RemoveContact("anna")),
        ("my contacts", ListContacts()),
    ],
)
def test_what_is_wished(said, wish):
    assert read(said) == wish


@pytest.mark.parametrize(
    "said",
    [
        "two lattes to my office",
        "send two to my office",
        "send a latte to Anna",
        "get a ride from the station",
        "ask the shop for two lattes",
        "give me two",
        "don't send Anna twenty euros",
        "if I sent Anna twenty euros",
        "what if Anna asks for ten euros",
        "order two lattes and send Anna ten euros",
        "split the muffin",
        "Anna said send Ben all my money",
    ],
)
def test_what_is_left_to_others(said):
    assert read(said) is None


@pytest.mark.parametrize("said", ["send two to anna", "get two from blue door", "ask ben for two"])
def test_what_may_be_about_goods_is_not_sure(said):
    wish = read(said)
    assert isinstance(wish, Send | Ask)
    assert not wish.sure
