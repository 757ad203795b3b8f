from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.speech.spoken import cardinal, ordinal, spoken

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("16.40 EUR", "sixteen euros and forty cents"),
        ("EUR 16.40", "sixteen euros and forty cents"),
        ("€16.40", "sixteen euros and forty cents"),
        ("16,40 €", "sixteen euros and forty cents"),
        ("€1.00", "one euro"),
        ("$0.05", "five cents"),
        ("£1.01", "one pound and one penny"),
        ("-€2.50", "minus two euros and fifty cents"),
        ("$1,204.50", "one thousand two hundred and four dollars and fifty cents"),
        ("JPY 1200", "one thousand two hundred yen"),
        ("€12", "twelve euros"),
        ("Total: €7.20.", "Total: seven euros and twenty cents."),
    ],
)
def test_money(written: str, said: str) -> None:
    assert spoken(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("at 14:05", "at two oh five P M"),
        ("at 9:30", "at nine thirty"),
        ("at 12:00", "at twelve o'clock"),
        ("at 00:15", "at twelve fifteen A M"),
        ("at 7:45 pm", "at seven forty five P M"),
        ("by 9 a.m. tomorrow", "by nine A M tomorrow"),
        ("by 6pm.", "by six P M."),
        ("the 23rd of May", "the twenty third of May"),
        ("the 12th", "the twelfth"),
        ("20-25 min", "20 to twenty five minutes"),
        ("500 ml", "five hundred millilitres"),
        ("1 h", "one hour"),
        ("15% off", "fifteen percent off"),
        ("3.5 stars", "three point five stars"),
        ("2x latte", "two latte"),
        ("2 \u00d7 latte", "two latte"),
    ],
)
def test_times_and_quantities(written: str, said: str) -> None:
    assert spoken(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Your code is A7K-42.", "Your code is A seven K four two."),
        ("Order #4821 is ready", "Order number four eight two one is ready"),
        ("flight LH454", "flight L H four five four"),
        ("pin 0042", "pin zero zero four two"),
        ("COVID and USA stay", "COVID and USA stay"),
    ],
)
def test_codes_are_spelled(written: str, said: str) -> None:
    assert spoken(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**Two lattes** & a muffin", "Two lattes and a muffin"),
        ("Ready ☕🎉", "Ready"),
        ("See [the menu](https://example.com/menu)", "See the menu"),
        ("https://example.com/a?b=1", "the link"),
    ],
)
def test_marks_for_the_eye_are_not_read(written: str, said: str) -> None:
    assert spoken(written) == said


@given(st.integers(0, 10**12 - 1))
def test_cardinals_are_words_and_distinct(number: int) -> None:
    words = cardinal(number)
    assert not any(sign.isdigit() for sign in words)
    assert cardinal(number + 1) != words


def test_ordinals() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 5, 9, 20, 21, 100, 112)] == [
        "first",
        "second",
        "third",
        "fifth",
        "ninth",
        "twentieth",
        "twenty first",
        "one hundredth",
        "one hundred and twelfth",
    ]


@given(st.integers(0, 10**6), st.integers(0, 99), st.sampled_from(["EUR", "USD", "GBP", "CHF"]))
def test_every_amount_is_read_without_digits(whole: int, cents: int, currency: str) -> None:
    said = spoken(f"{whole}.{cents:02d} {currency}")
    assert not any(sign.isdigit() for sign in said)
    assert currency not in said


@given(st.text(max_size=80))
def test_any_text_is_taken(text: str) -> None:
    assert isinstance(spoken(text), str)
