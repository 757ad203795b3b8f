"""No amount of money goes through a float: none is written, none comes of a division, none is made."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SRC = Path(__file__).parents[2] / "src"
MONEY = sorted(
    path
    for folder in ("lapel/commerce", "lapel/services/payments.py", "city/bank")
    for path in ([SRC / folder] if folder.endswith(".py") else (SRC / folder).rglob("*.py"))
)
TIMES = {
    "lapel/commerce/checkout.py": {"TO_BE_FETCHED"},  # a place on the map
    "lapel/commerce/proof.py": {"latitude, longitude"},
    "lapel/commerce/words.py": {"minutes"},
    "lapel/commerce/consent/keys.py": {"def rotate("},
    "lapel/commerce/passkeys.py": {"challenge, until"},
    "lapel/commerce/journey_words.py": {"late = "},
    "lapel/commerce/table_words.py": {"late = "},
    "lapel/commerce/plan.py": {"until: float = "},
    "lapel/commerce/plans.py": {"state, until = "},
    "lapel/commerce/tracking.py": {"return decided_at + eta * 60.0 + desk.policy.late_s"},
    "lapel/commerce/policy.py": {
        "return min(self.retry_s",
        "return min(self.long_retry_s",
        "return min(self.escalation_look_s",
        "return min(self.track_s",
    },
    "lapel/commerce/engine.py": {"config: DBOSConfig"},
    "lapel/commerce/driving.py": {"self._chore(self._take_up("},
}
"""Statements with floats that are times or places, by how they begin. What is named `..._s` is one of seconds."""


def floats(tree: ast.AST) -> list[ast.stmt]:
    """The statements in which a float is written, made or comes of a division."""
    found: list[ast.stmt] = []

    def visit(node: ast.AST, inside: ast.stmt | None) -> None:
        if isinstance(node, ast.stmt):
            inside = node
        if inside is not None and inside not in found and _is_float(node):
            found.append(inside)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(tree, None)
    return found


def _is_float(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=float()):
            return True
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            # A path is joined with the same sign: its right side is a name in capitals or a text.
            right = node.right if isinstance(node, ast.BinOp) else node.value
            is_path = isinstance(right, ast.Name) and right.id.isupper()
            return not (
                is_path or (isinstance(right, ast.Constant) and isinstance(right.value, str))
            )
        case ast.Call(func=ast.Name(id="float" | "round" | "Decimal")):
            return True
        case _:
            return False


def _is_time(statement: ast.stmt, allowed: set[str]) -> bool:
    text = ast.unparse(statement)
    name = text.split("=")[0].split(":")[0].strip()
    return name.lower().endswith("_s") or any(text.startswith(begin) for begin in allowed)


@pytest.mark.parametrize("path", MONEY, ids=lambda path: path.relative_to(SRC).as_posix())
def test_amounts_are_whole_numbers(path: Path):
    allowed = TIMES.get(path.relative_to(SRC).as_posix(), set())
    wrong = [
        f"line {found.lineno}: {ast.unparse(found)}"
        for found in floats(ast.parse(path.read_text("utf-8")))
        if not _is_time(found, allowed)
    ]
    assert wrong == []


def test_what_is_allowed_is_there():
    for name, allowed in TIMES.items():
        there = [ast.unparse(found) for found in floats(ast.parse((SRC / name).read_text("utf-8")))]
        for begin in allowed:
            assert any(text.startswith(begin) for text in there), f"{name}: {begin!r} is gone"


@pytest.mark.parametrize(
    "code",
    ["fee = 0.1 * total", "half = total / 2", "total /= 2", "x = float(total)", "x = round(total)"],
)
def test_a_float_is_found(code: str):
    assert floats(ast.parse(code))
    assert not _is_time(ast.parse(code).body[0], set())
