from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.commerce import Money, spoken

pytestmark = pytest.mark.unit

minors = st.integers(min_value=-(10**12), max_value=10**12)


@given(minors, minors)
def test_sums_are_exact(a, b):
    assert (Money(a, "EUR") + Money(b, "EUR")).minor == a + b
    assert Money(a, "EUR") + Money(b, "EUR") - Money(b, "EUR") == Money(a, "EUR")


@pytest.mark.parametrize("wrong", [1.0, True, "1", None])
def test_only_whole_numbers_are_money(wrong):
    with pytest.raises(TypeError, match="minor"):
        Money(wrong, "EUR")


@pytest.mark.parametrize("wrong", ["eur", "EU", "EURO", "ÄÖÜ", ""])
def test_a_currency_is_three_capital_letters(wrong):
    with pytest.raises(ValueError, match="capital"):
        Money(1, wrong)


def test_currencies_do_not_mix():
    for mix in (
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
    ):
        with pytest.raises(ValueError, match="do not mix"):
            mix(Money(1, "EUR"), Money(1, "USD"))


@pytest.mark.parametrize(
    ("minor", "currency", "text", "said"),
    [
        (1640, "EUR", "16.40 EUR", "16 euros 40"),
        (1605, "EUR", "16.05 EUR", "16 euros 05"),
        (100, "EUR", "1.00 EUR", "1 euro"),
        (40, "EUR", "0.40 EUR", "40 cents"),
        (0, "EUR", "0.00 EUR", "0 euros"),
        (-250, "EUR", "-2.50 EUR", "minus 2 euros 50"),
        (500, "JPY", "500 JPY", "500 JPY"),
        (1234, "KWD", "1.234 KWD", "1.234 KWD"),
        (12345, "CLF", "1.2345 CLF", "1.2345 CLF"),
        (1500, "KMF", "1500 KMF", "1500 KMF"),
        (1500, "OMR", "1.500 OMR", "1.500 OMR"),
    ],
)
def test_amounts_are_written_and_said(minor, currency, text, said):
    assert str(Money(minor, currency)) == text
    assert spoken(Money(minor, currency)) == said
