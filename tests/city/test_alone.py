from __future__ import annotations

import ast
from pathlib import Path

import pytest

import city

pytestmark = pytest.mark.unit

SOURCES = sorted(Path(city.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_the_city_knows_lapel_by_the_protocol_alone(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        assert not any(name.split(".")[0] == "lapel" for name in names)
