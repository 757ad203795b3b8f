# ruff: noqa: RUF001  the marks of other scripts are what is tested
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.speech.clauses import LONGEST_UNITS, clauses
from lapel.speech.scripts import units

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "That is two lattes, sixteen euros. Shall I order? Press to confirm.",
            ["That is two lattes,", "sixteen euros.", "Shall I order?", "Press to confirm."],
        ),
        ("Okay, ordering that now, one moment.", ["Okay, ordering that now,", "one moment."]),
        ("It costs 16.40 EUR at 14:05.", ["It costs 16.40 EUR at 14:05."]),
        ("Ask Dr. Smith about that. Then go.", ["Ask Dr. Smith about that.", "Then go."]),
        ("Open until 9 p.m. today.", ["Open until 9 p.m. today."]),
        ("好的，两杯拿铁，马上送到。请确认！", ["好的，两杯拿铁，", "马上送到。", "请确认！"]),
        ("طلبك جاهز، شكرا لك. مع السلامة؟", ["طلبك جاهز، شكرا لك.", "مع السلامة؟"]),
        ("Yes", ["Yes"]),
        ("  ", []),
    ],
)
def test_clauses(text: str, pieces: list[str]) -> None:
    assert list(clauses(text)) == pieces


def test_a_long_sentence_is_cut_at_its_last_clause_mark_within_the_limit() -> None:
    text = "First comes this. " + ", ".join(["one two three four five six seven"] * 12) + "."
    pieces = list(clauses(text))
    assert all(len(units(piece)) <= LONGEST_UNITS for piece in pieces)
    assert all(piece.endswith((",", ".")) for piece in pieces)


@given(st.text(max_size=300))
def test_nothing_is_lost_or_said_twice(text: str) -> None:
    assert "".join("".join(clauses(text)).split()) == "".join(text.split())
