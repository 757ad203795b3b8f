"""A short play of `stateful.py`, the same every time; the long ones are started by hand."""

from __future__ import annotations

import pytest
from stateful import play

pytestmark = pytest.mark.unit


def test_whatever_happens_the_money_is_right():
    play(seed=None, steps=600)
