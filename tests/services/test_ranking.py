"""The ranking rule: by price at the door or by arrival, the same for every shop."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.commerce import Money
from lapel.services.goods import Offer, Way, rank

pytestmark = pytest.mark.unit


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


TODAY, POST = Way("today", "Courier", eur(690), 180), Way("post", "Post", eur(490), 2880, 5000)
VOLT = Offer("volt", "Volt", "v1", "Charger", eur(1990), (TODAY, POST))
KULMA = Offer("kulma", "Kulma", "k1", "Charger", eur(1590), (Way("post", "Post", eur(590), 4320),))
QUIET = Offer("quiet", "Quiet", "q1", "Charger", eur(100))


def test_the_cheapest_at_the_door_comes_first_and_says_what_sets_the_others_apart():
    first, second, third = rank([VOLT, KULMA, QUIET])
    assert (first.offer, first.total) == (KULMA, eur(2180))
    assert (second.offer, second.total, second.way) == (VOLT, eur(2480), POST)
    assert (second.dearer, second.later) == (300, 2880 - 4320)
    assert (third.offer, third.way, third.total) == (QUIET, None, eur(100))


def test_the_fastest_may_cost_more():
    first, second, _ = rank([VOLT, KULMA, QUIET], "fastest")
    assert (first.offer, first.way, first.total) == (VOLT, TODAY, eur(2680))
    assert (second.dearer, second.later) == (-500, 4320 - 180)


def test_delivery_that_is_free_counts_as_free():
    dear = Offer("volt", "Volt", "v2", "Headphones", eur(5000), (TODAY, POST))
    assert rank([dear])[0].total == eur(5000)


offers = st.lists(
    st.builds(
        Offer,
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["A", "B", "C"]),
        st.just("i"),
        st.sampled_from(["x", "y"]),
        st.integers(1, 9999).map(eur),
        st.lists(
            st.builds(
                Way,
                st.just("w"),
                st.just("W"),
                st.integers(0, 999).map(eur),
                st.integers(0, 5000),
                st.none() | st.integers(0, 9999),
            ),
            max_size=3,
        ).map(tuple),
    ),
    max_size=8,
)


@given(offers, st.sampled_from(["cheapest", "fastest"]), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_who_was_asked_first(found, wish, chance: random.Random):
    shuffled = list(found)
    chance.shuffle(shuffled)
    ranked = rank(found, wish)
    again = rank(shuffled, wish)
    assert [(x.total, x.minutes) for x in ranked] == [(x.total, x.minutes) for x in again]
    known = [x for x in ranked if x.way is not None]
    assert ranked[: len(known)] == known
    by = [x.total.minor if wish == "cheapest" else x.minutes for x in known]
    assert by == sorted(by)
