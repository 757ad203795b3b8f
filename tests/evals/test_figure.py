"""The figure of the documents is drawn from the results that stand beside it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def test_the_figure_is_what_its_script_draws() -> None:
    path = ROOT / "bench" / "understanding_figure.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.TARGET.read_text("utf-8") == script.drawn()


def test_the_figures_stand_in_the_tables() -> None:
    table = (ROOT / "bench" / "understanding.md").read_text("utf-8")
    for share in ("98.6 %", "95.2 %", "95.1 %", "85.9 %", "85.3 %"):
        assert share in table
