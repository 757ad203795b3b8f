"""Orders in spoken words."""

import pytest

from lapel.assistant import words
from lapel.commerce import DraftLine

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("entry", "spoken"),
    [
        (DraftLine("1", "Iced latte", 2), "two iced lattes"),
        (DraftLine("1", "Blueberry muffin", 1), "one blueberry muffin"),
        (DraftLine("1", "Sandwich", 12, note="no onions"), "12 sandwiches, no onions"),
        (
            DraftLine("1", "Berry", 3, option_titles=("Large", "Oat milk")),
            "three berries with large and oat milk",
        ),
        (DraftLine("1", "Fries", 2), "two fries"),
    ],
)
def test_a_line(entry: DraftLine, spoken: str):
    assert words.line(entry) == spoken


def test_a_cart_and_a_place():
    lines = [DraftLine("1", "Tea", 1), DraftLine("2", "Bun", 2), DraftLine("3", "Pie", 1)]
    assert words.cart(lines) == "one tea, two buns and one pie"
    assert words.address("office") == "your office"
    assert words.address("home") == "home"
