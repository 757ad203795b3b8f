"""Which good is meant, and how much of it, on the City's own shelves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.shops import city_stores
from lapel.commerce import Money
from lapel.services.goods import Good, Wanted, find, quantity_of

pytestmark = pytest.mark.unit

SHELF = tuple(
    Good(
        dish.id, dish.title, Money(dish.price, "EUR"), dish.aliases, dish.size, dish.kilo,
        dish.piece_g, available=dish.id != "butter",
    )
    for dish in city_stores()["tori"].dishes.values()
)  # fmt: skip
BY_ID = {good.id: good for good in SHELF}

MEANT = {
    "milk": "milk_semi",
    "eggs": "eggs_10",
    "apples": "apples",
    "an apple": "apples",
    "bananas": "bananas",
    "minced beef": "mince_beef",
    "rye bread": "bread_rye",
    "coffee": "coffee_filter",
    "oat milk": "oat_drink",
    "toilet paper": "toilet_paper",
    "fresh salmon": "salmon",
    "crème fraîche": "creme_fraiche",
    "potatoes": "potatoes",
    "cherry tomatoes": "tomatoes_cherry",
    "loo roll": "toilet_paper",
}


@pytest.mark.parametrize("text", MEANT)
def test_what_people_call_it(text: str):
    match = find(text, SHELF)
    assert match.good is not None, match
    assert match.good.id == MEANT[text]


def test_what_may_be_several_is_a_choice_the_cheapest_first():
    juices = find("juice", SHELF).choices
    assert [good.id for good in juices] == ["juice_apple", "juice_orange"]
    assert len(find("cheese", SHELF).choices) == 3


def test_what_is_meant_but_gone_is_not_something_else():
    match = find("butter", SHELF)
    assert match.sold_out is not None
    assert (match.sold_out.id, match.good, match.choices) == ("butter", None, ())
    assert find("unicorn", SHELF).good is None
    assert find("", SHELF).good is None


@pytest.mark.parametrize(
    ("wanted", "id", "expected"),
    [
        (Wanted("apples", 2000, "g"), "apples", (1, 2000)),
        (Wanted("apples", 3), "apples", (1, 510)),
        (Wanted("apples"), "apples", (1, 850)),
        (Wanted("apple"), "apples", (1, 170)),
        (Wanted("melon"), "melon", (1, 3000)),
        (Wanted("melons"), "melon", (1, 3000)),
        (Wanted("eggs", 12), "eggs_10", (2, 0)),
        (Wanted("eggs", 2, "pack"), "eggs_10", (2, 0)),
        (Wanted("milk", 2000, "ml"), "milk_semi", (2, 0)),
        (Wanted("cola", 3000, "ml"), "cola", (2, 0)),
        (Wanted("flour", 2000, "g"), "flour", (1, 0)),
        (Wanted("pasta", 700, "g"), "pasta_penne", (2, 0)),
        (Wanted("pasta", 3), "pasta_penne", (3, 0)),
        (Wanted("pasta", 9000), "pasta_penne", (50, 0)),
    ],
)
def test_how_much_of_it(wanted: Wanted, id: str, expected: tuple[int, int]):
    assert quantity_of(wanted, BY_ID[id]) == expected


@given(st.text(max_size=40), st.integers(0, 10**6), st.sampled_from(["", "pack", "g", "ml"]))
def test_any_words_give_some_sane_amount(text, amount, unit):
    match = find(text, SHELF)
    for good in (match.good, *match.choices):
        if good is not None:
            count, grams = quantity_of(Wanted(text, amount, unit), good)
            assert 1 <= count <= 50
            assert 0 <= grams <= 20_000
            assert bool(grams) == good.by_weight
