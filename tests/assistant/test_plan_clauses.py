"""Sentences about several things: every word belongs to somebody, and one thing alone is left to whoever knows it."""

from __future__ import annotations

import pytest

from lapel.assistant.planning.clauses import read

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("said", "goods", "rides", "timed", "shared"),
    [
        (
            "two ramen to my office, a taxi home and split it with Anna and Ben",
            "two ramen to my office", ["home"], 0, ("anna", "ben"),
        ),
        ("order a pizza and two colas to my office and get me a taxi to the station",
         "order a pizza and two colas to my office", ["the station"], 0, None),
        ("a taxi to the station and split it with Anna", "", ["the station"], 0, ("anna",)),
        ("two lattes to my office and split the bill with Anna", "two lattes to my office", [], 0, ("anna",)),
        ("a ramen to my office, a car to the station and a taxi home at nine",
         "a ramen to my office", ["the station", "home"], 1, None),
        ("get me a taxi to the office and then a taxi home", "", ["the office", "home"], 0, None),
    ],
)  # fmt: skip
def test_clauses(said, goods, rides, timed, shared):
    found = read(said)
    assert found is not None
    assert found.goods == goods
    assert [ride.destination for ride in found.rides] == rides
    assert sum(ride.at is not None for ride in found.rides) == timed
    assert (found.split.who if found.split else None) == shared


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
    ],
)
def test_one_thing_alone_is_not_a_plan(said):
    assert read(said) is None
