"""Every order of the corpus becomes exactly the cart that it describes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lapel.brain import CartLine, Menu, Understanding

pytestmark = pytest.mark.unit

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "positive.yaml").read_text(encoding="utf-8")
)


def shown(line: CartLine, menus: list[Menu]) -> str:
    """A line in the words of the corpus: options only where they differ from the default."""
    items = {item.id: item for menu in menus for item in menu.items}
    usual = {g.id: (g.default,) for g in items[line.item_id].groups}
    options = [f"{g}={'+'.join(sorted(v))}" for g, v in line.options if v != usual.get(g)]
    note = [f"note={line.note}"] if line.note else []
    return " ".join([f"{line.quantity} {line.item_id}", *sorted(options), *note])


def turns(case: dict[str, Any]) -> list[str]:
    return case["say"] if isinstance(case["say"], list) else [case["say"]]


def failures(case: dict[str, Any], understood: Understanding, menus: list[Menu]) -> list[str]:
    frame = understood.frame
    wrong: list[str] = []
    cart = [shown(line, menus) for line in frame.lines]
    if cart != case.get("cart", []):
        wrong.append(f"cart {cart} is not {case.get('cart', [])}")
    for key, value in (("at", frame.merchant_id), ("to", frame.address)):
        if key in case and case[key] != value:
            wrong.append(f"{key} {value!r} is not {case[key]!r}")
    asked = understood.question.slot.value if understood.question else None
    if "ask" in case and asked != case["ask"]:
        wrong.append(f"asks {asked!r}, not {case['ask']!r}")
    if list(understood.unknown) != case.get("unknown", []):
        wrong.append(f"unknown {understood.unknown} is not {case.get('unknown', [])}")
    if case.get("notes", "") not in " ".join(understood.notes) or (
        understood.notes and "notes" not in case
    ):
        wrong.append(f"notes {understood.notes} lack {case.get('notes')!r}")
    if not understood.is_order:
        wrong.append("is no order")
    return wrong


@pytest.mark.parametrize("case", CASES, ids=[" | ".join(turns(c)) for c in CASES])
def test_an_order_becomes_its_cart(
    case: dict[str, Any], say: Callable[..., Understanding], menus: list[Menu]
) -> None:
    if "weak" in case:
        pytest.xfail(case["weak"])
    assert failures(case, say(*turns(case)), menus) == []


def test_the_corpus_is_large_enough() -> None:
    assert sum("weak" not in case for case in CASES) >= 200
