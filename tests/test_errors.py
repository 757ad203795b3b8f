"""Every code that a user can meet is in docs/errors.md: what happened, what it cost, what can be done."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from lapel.assistant.news import OVER
from lapel.commerce import words
from lapel.failures import FAILURES, Code
from lapel.failures.page import page
from lapel.services.connectors.ucp import refusals

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "errors.md").read_text("utf-8")
KINDS = (OVER - {"placed"}) | {
    "escalated",
    "late",
    "merchant_canceled",
    "price_changed",
    "refund_failed",
    "refund_overdue",
}
"""Order events that tell of something that did not go as wished."""
COST = re.compile(
    r"[Nn]othing (was|is) (ordered|charged|sent|paid|booked)|did not order|money|pay once|comes back"
    r"|cannot take it back|keep (checking|trying)"
)


def in_code() -> set[str]:
    """The codes that exceptions and refusals are given, or have by their class."""
    found: set[str] = set()
    for file in (ROOT / "src" / "lapel").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            found |= _given(node) if isinstance(node, ast.Call) else set()
            found |= _of_class(node) if isinstance(node, ast.ClassDef) else set()
    return {code for code in found if code}


_AT = {"Denied": (0,), "Trouble": (1,), "refused": (1,)}
"""Which argument is the code, of what takes it by its place."""


def _given(call: ast.Call) -> set[str]:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    given += [keyword.value for keyword in call.keywords if keyword.arg == "fallback"]
    if isinstance(call.func, ast.Name):
        given += [call.args[at] for at in _AT.get(call.func.id, ()) if len(call.args) > at]
    return {x.value for x in given if isinstance(x, ast.Constant) and isinstance(x.value, str)}


def _of_class(made: ast.ClassDef) -> set[str]:
    found: set[str] = set()
    for line in made.body:
        match line:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                found.add(code)
            case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code))):
                found.add(code)
            case _:
                pass
    return found


def explained() -> dict[str, tuple[str, ...]]:
    """Code -> the three parts that the page has for it."""
    found: dict[str, tuple[str, ...]] = {}
    for line in PAGE.splitlines():
        if line.startswith("| <a id="):
            codes, *parts = (cell.strip() for cell in line.strip("|").split(" | "))
            for code in re.findall(r"`([a-z_0-9]+)`", codes):
                assert code not in found, f"{code!r} is explained twice"
                found[code] = tuple(part.strip(" |") for part in parts)
    return found


def test_every_code_is_explained():
    known = in_code() | set(refusals.CODES.values()) | KINDS
    assert known - set(explained()) == set(), "add these to lapel.failures"


def test_nothing_is_explained_that_is_not_there():
    text = "\n".join(x.read_text("utf-8") for x in (ROOT / "src" / "lapel").rglob("*.py"))
    gone = [code for code in explained() if f'"{code}"' not in text]
    assert gone == []


def test_the_page_is_the_table_word_for_word():
    assert page() == PAGE, "python -m lapel.failures.page > docs/errors.md"
    assert set(explained()) == set(FAILURES) == set(get_args(Code))


def test_every_code_in_the_program_is_typed():
    """Where a code is given as a literal, pyright holds it to `Code`; nothing goes around that."""
    loose = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in (ROOT / "src" / "lapel").rglob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if re.search(r"code=.*# (type: ignore|pyright)|cast\(.?Code", line)
    ]
    assert loose == []


def test_what_happened_what_it_cost_and_what_can_be_done():
    for code, parts in explained().items():
        assert len(parts) == 3, code
        assert all(len(part) >= 7 for part in parts), code


ENDINGS = re.compile(
    r"(NO_(?!DRIVER)|ODD_|OTHER_(?!ACCOUNT)|NOT_|ESCALATION_|LAPSED|CANCELED|DECLINED|BANK_|BOTH_"
    r"|REFUND_|REFUSED|ALREADY_THERE|THERE_CANCELED|SAME_ORDER)"
)
"""Names of the sentences after which nothing more is told of the money."""
ENDED = sorted(x for x in vars(words) if x.isupper() and ENDINGS.match(x))


@pytest.mark.parametrize("name", ENDED)
def test_the_end_of_an_order_says_what_it_cost(name: str):
    assert COST.search(getattr(words, name).replace("did not order it", "did not order")), name
