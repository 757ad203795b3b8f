from __future__ import annotations

import pytest

import lapel.turns
from lapel.turns import commands, events

pytestmark = pytest.mark.unit


def test_the_public_face_is_sorted_and_whole() -> None:
    assert lapel.turns.__all__ == sorted(lapel.turns.__all__)
    for name in lapel.turns.__all__:
        assert hasattr(lapel.turns, name)
    for union in (commands.Command, events.Event):
        for member in union.__args__:
            assert member.__name__ in lapel.turns.__all__
