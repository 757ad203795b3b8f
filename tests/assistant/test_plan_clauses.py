"""Sentences about several things: every word belongs to somebody, and one thing alone is left to whoever knows it."""

from __future__ import annotations

from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from lapel.assistant.planning.clauses import read
from lapel.assistant.planning.making import GroceriesMaker
from lapel.assistant.rides.part import RideMaker
from lapel.assistant.tables import load_table_words
from lapel.assistant.tables.part import TableMaker
from lapel.assistant.travel import load_travel_words
from lapel.assistant.travel.part import JourneyMaker

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("Europe/Helsinki")
NOBODY = None
MAKERS = (
    TableMaker(SimpleNamespace(words=load_table_words())),  # type: ignore[arg-type]
    JourneyMaker(NOBODY, NOBODY, NOBODY, load_travel_words(), ZONE),  # type: ignore[arg-type]
    RideMaker(NOBODY),  # type: ignore[arg-type]
    GroceriesMaker(NOBODY),  # type: ignore[arg-type]
)


def legs(found) -> list[tuple[str, str, bool]]:
    """Of the rides: there or back, where to, and whether at a time of their own."""
    wishes = [clause.wish for clause in found.clauses if isinstance(clause.maker, RideMaker)]
    return [(wish.leg, wish.ask.destination, wish.ask.at is not None) for wish in wishes]


@pytest.mark.parametrize(
    ("said", "goods", "rides", "shared"),
    [
        ("two ramen to my office, a taxi home and split it with Anna and Ben",
         "two ramen to my office", [("", "home", False)], ("anna", "ben")),
        ("order a pizza and two colas to my office and get me a taxi to the station",
         "order a pizza and two colas to my office", [("", "the station", False)], None),
        ("a taxi to the station and split it with Anna", "", [("", "the station", False)], ("anna",)),
        ("two lattes to my office and split the bill with Anna", "two lattes to my office", [], ("anna",)),
        ("a ramen to my office, a car to the station and a taxi home at nine",
         "a ramen to my office", [("", "the station", False), ("", "home", True)], None),
        ("get me a taxi to the office and then a taxi home", "",
         [("", "the office", False), ("", "home", False)], None),
        ("a ramen to my office and a car there and back", "a ramen to my office",
         [("there", "", False), ("back", "", False)], None),
        ("a ramen to my office and a comfort taxi there and home at ten", "a ramen to my office",
         [("there", "", False), ("back", "home", True)], None),
        ("a ramen to my office, drive us there and bring us home at ten", "a ramen to my office",
         [("there", "", False), ("", "home", True)], None),
    ],
)  # fmt: skip
def test_clauses(said, goods, rides, shared):
    found = read(said, MAKERS)
    assert found is not None
    assert found.goods == goods
    assert legs(found) == rides
    assert (found.split.who if found.split else None) == shared


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("a train to Tampere tomorrow at nine and a taxi to the station", "JR"),
        ("order my groceries and a taxi home", "RG"),
        (
            "dinner for two at seven near the station, a car there and back, and split it with Anna",
            "TRR",
        ),
        (
            "dinner for two at seven near the station and a car there and back and split it with anna",
            "TRR",
        ),
        (
            "split it with Anna, a car there and back and dinner for two at seven near the station",
            "TRR",
        ),
        (
            "a taxi there, a table for three at eight near the harbour and bring us home at ten",
            "TRR",
        ),
        ("book a table for two at Kumo tomorrow at seven and a taxi there", "TR"),
        ("dinner for four at half past seven and split it with Anna and Ben", "T"),
        ("a taxi to the airport, a flight to Berlin on Friday and order my shopping list", "RJG"),
    ],
)
def test_whose_each_clause_is(said, kinds):
    found = read(said, MAKERS)
    assert found is not None
    names = {TableMaker: "T", JourneyMaker: "J", RideMaker: "R", GroceriesMaker: "G"}
    assert sorted(names[type(clause.maker)] for clause in found.clauses) == sorted(kinds)
    assert found.goods == ""


@pytest.mark.parametrize(
    "said",
    [
        "two lattes and a muffin to my office",
        "get me a taxi home",
        "split the last order with Anna and Ben",
        "how much is a ride home",
        "two lattes, a muffin and a tart",
        "cancel my ride and order a pizza",
        "send Anna twenty euros",
        "a train to Tampere tomorrow at nine",
        "is it far to go there and back",
    ],
)
def test_one_thing_alone_is_not_a_plan(said):
    assert read(said, MAKERS) is None
