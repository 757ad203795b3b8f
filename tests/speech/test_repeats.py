from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.speech.repeats import cut_repeats
from lapel.speech.scripts import units

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("heard", "audio_s", "said"),
    [
        ("Make it 4 instead of 2. Make it 4 instead of 2.", 2.0, "Make it 4 instead of 2."),
        ("I want a flat white and three croissants. I want a flat white and three croiss", 2.9, "I want a flat white and three croissants."),
        ("Yes yes yes yes yes yes yes yes", 0.9, "Yes"),
        ("Stop. Stop. Stop. Stop. Stop.", 0.9, "Stop."),
        ("两杯拿铁。两杯拿铁。两杯拿铁。", 1.4, "两杯拿铁。"),
        ("ขอกาแฟขอกาแฟขอกาแฟ", 1.0, "ขอกาแฟ"),
        ("a coffee, some sugar, some sugar, some sugar, some sugar,", 3.0, "a coffee, some sugar"),
        ("a pizza. Uh pizza", 1.2, "a pizza. Uh pizza"),
    ],
)  # fmt: skip
def test_what_was_added_is_cut(heard: str, audio_s: float, said: str) -> None:
    assert cut_repeats(heard, audio_s) == said


@pytest.mark.parametrize(
    ("heard", "audio_s"),
    [
        ("No, no, no.", 1.8),
        ("bye bye", 0.6),
        ("two lattes, two lattes", 2.1),
        ("very very good", 1.0),
        ("5 5 5 5 1 2", 2.0),
        ("1 2 3 1 2 3", 3.0),
        ("a latte and a muffin and a latte", 2.5),
        ("谢谢", 0.6),
        ("", 1.0),
    ],
)
def test_what_was_said_stays(heard: str, audio_s: float) -> None:
    assert cut_repeats(heard, audio_s) == heard


@given(st.text(max_size=80), st.floats(0.1, 30))
def test_only_the_end_is_ever_cut(heard: str, audio_s: float) -> None:
    kept = [unit.text for unit in units(cut_repeats(heard, audio_s))]
    assert kept == [unit.text for unit in units(heard)][: len(kept)]
    assert bool(kept) == bool(units(heard))
