"""What the skill of maps understands, and what it leaves to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lapel.assistant.guide import asked

pytestmark = pytest.mark.unit

CORPUS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "data" / "guide.yaml").read_text("utf-8")
)


@pytest.mark.parametrize(("text", "means"), CORPUS["claims"])
def test_it_is_understood(text: str, means: str):
    found = asked(text)
    assert found is not None
    assert " ".join(part for part in (found.name, found.place, found.mode) if part) == means


@pytest.mark.parametrize("text", CORPUS["leaves"])
def test_it_is_left_to_others(text: str):
    assert asked(text) is None


def test_the_corpora_are_large_enough():
    assert len(CORPUS["claims"]) >= 30
    assert len(CORPUS["leaves"]) >= 30
