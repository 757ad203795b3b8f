"""Dialogues at a counter: a menu that is learned from recorded calls, and orders by it."""

from __future__ import annotations

import ast
import gzip
import json
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lapel.cli import app
from lapel.evals import DataError, measure_taskmaster
from lapel.evals.taskmaster.catalogue import Catalogue
from lapel.evals.taskmaster.dialogues import dialogues

pytestmark = pytest.mark.unit

DATA = Path(os.environ.get("LAPEL_DATA", Path(__file__).parents[3] / "shared" / "data"))
RECORDED = DATA / "taskmaster4"
SOURCE = Path(__file__).parents[2] / "src" / "lapel"

Calls = list[tuple[str, Any, Any]]
SLICING = {"attribute_id": "slicing", "attribute_name": "Slicing", "options": ["Whole", "Sliced"]}


def looked_up(name: str, found: str | None = "") -> tuple[str, Any, Any]:
    items = [] if found is None else [{"menu_item_id": f"{found or name}-7", "name": found or name}]
    return "get_menu_items", {"query": name}, {"menu_items": items}


def ordered(name: str, count: int = 1, **more: Any) -> Calls:
    request = {"menu_item_id": f"{name}-7", "quantity": str(count), **more}
    return [
        ("add_order_item", request, {"order_id": "1", "order_item_id": "11"}),
        ("get_order_details", {"order_id": "1"}, {}),
    ]


def sliced(name: str, option: str = "Sliced") -> Calls:
    asked = {"query": option, "menu_item_id": f"{name}-7"}
    chosen = [{"attribute_id": "slicing", "option": option}]
    return [
        looked_up(name),
        ("get_addons", asked, {"attributes": [SLICING]}),
        *ordered(name, attributes=chosen),
    ]


DONE: Calls = [("finish_order", {"order_id": "1"}, {"success": True})]


def dialogue(*turns: tuple[str, Calls]) -> dict[str, Any]:
    said = [
        {
            "speaker": "user",
            "text": text,
            "calls": [
                {"api_call": name, "request": json.dumps(request), "response": json.dumps(response)}
                for name, request, response in calls
            ],
        }
        for text, calls in turns
    ]
    return {"id": turns[0][0], "turns": said}


LEARNED = [
    *(
        dialogue((f"a {name} please", [looked_up(name), *ordered(name)]), ("yes", DONE))
        for name in (
            "rye loaf",
            "olive twist",
            "seeded bun",
            "rye loaf",
            "olive twist",
            "seeded bun",
        )
    ),
    dialogue(("a sliced rye loaf", sliced("rye loaf"))),
    *(
        dialogue((f"I'd like the {name} cut up", sliced(name)))
        for name in ("rye loaf", "olive twist")
    ),
    dialogue(("what kinds of bread do you have", [("show_menu", {}, {})])),
]
TESTED = [
    dialogue(
        ("Hi, can I get two seeded buns?", [looked_up("Seeded bun"), *ordered("Seeded bun", 2)]),
        ("Yes, it all looks good.", DONE),
    ),
    dialogue(
        ("one rye loaf", [looked_up("rye loaf"), *ordered("rye loaf")]),
        (
            "Actually, can I get that sliced?",
            [
                ("get_addons", {"query": "sliced", "menu_item_id": "rye loaf-7"}, {"attributes": [SLICING]}),
                ("update_order_item", {"order_item_id": "11", "attributes": [{"attribute_id": "slicing", "option": "sliced"}]}, {}),
                ("get_order_details", {"order_id": "1"}, {}),
            ],
        ),
    ),
    dialogue(("Could you tell me what kinds of bread you have?", [("show_menu", {}, {})])),
    dialogue(("an olive twist please", [looked_up("olive twist", None)])),
    dialogue(("who won the cup final?", [])),
]  # fmt: skip


def written(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def menu(tmp_path: Path) -> Path:
    return written(tmp_path / "train.jsonl", LEARNED)


def test_another_shop_is_served_as_its_recordings_say(menu: Path, tmp_path: Path) -> None:
    report = measure_taskmaster(written(tmp_path / "test.jsonl", TESTED), menu, keep=9)
    assert [(m.text, m.wanted, m.got) for m in report.misses] == []
    assert (report.dialogues, report.turns, report.without_write) == (5, 7, 3)
    assert (report.turns_exact, report.final_cart, report.false_writes) == (1.0, 1.0, 0)


def test_what_is_wrong_is_counted(menu: Path, tmp_path: Path) -> None:
    wrong = dialogue(("one rye loaf", [looked_up("rye loaf"), *ordered("rye loaf", 3)]))
    talk = dialogue(("one rye loaf", []))
    broken = dialogue(("one rye loaf", [looked_up("rye loaf")]))
    broken["turns"][0]["calls"][0]["request"] = "{'query'"
    report = measure_taskmaster(written(tmp_path / "test.jsonl", [wrong, talk, broken]), menu)
    assert (report.skipped, report.dialogues) == (1, 2)
    assert (report.turns_exact, report.final_cart) == (0.0, 0.0)
    assert report.final_cart_of_orders == 0.0
    assert (report.without_write, report.false_writes) == (1, 1)
    assert report.calls_f1 == pytest.approx(2 * 2 / (3 + 6))


def test_a_file_of_another_layout_is_refused(menu: Path, tmp_path: Path) -> None:
    for row in ({}, {"id": "1", "turns": [{"speaker": "user"}]}):
        with pytest.raises(DataError, match="line 1"):
            measure_taskmaster(written(tmp_path / "test.jsonl", [row]), menu)
    with pytest.raises(DataError, match="no dialogue"):
        measure_taskmaster(written(tmp_path / "test.jsonl", []), menu)


def test_the_command_prints_figures_or_json(menu: Path, tmp_path: Path) -> None:
    data = written(tmp_path / "test.jsonl", TESTED)
    arguments = ["eval", "taskmaster", "--data", str(data), "--menu", str(menu)]
    said = CliRunner().invoke(app, arguments)
    assert said.exit_code == 0, said.output
    assert "final cart                   100.0%" in said.stdout.splitlines()
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert (found["final_cart"], found["false_writes"]) == (1.0, 0)


def test_recorded_dialogues_are_served(tmp_path: Path) -> None:
    """Some of those to learn from; `bench/understanding.md` tells of the part to test on."""
    train = RECORDED / "train.jsonl.gz"
    if not train.is_file():
        pytest.skip(f"the data folder is not here: {train}")
    some = tmp_path / "some.jsonl"
    with gzip.open(train, "rt", encoding="utf-8") as file:
        some.write_text("".join(islice(file, 600)), "utf-8")
    report = measure_taskmaster(some, some)
    assert report.turns_exact >= 0.84
    assert report.final_cart >= 0.80
    assert report.false_writes <= 1


def test_no_word_of_the_menu_stands_in_the_product() -> None:
    """The names of what is sold come from the data alone."""
    train = RECORDED / "train.jsonl.gz"
    if not train.is_file():
        pytest.skip(f"the data folder is not here: {train}")
    learned = Catalogue.learn(list(dialogues(train)))
    names = {*learned.items.main, *learned.addons.main}
    names = {name for name in names if len(name) > 4} - {"honey", "sugar", "vanilla", "chocolate"}
    found = (p for top in ("brain", "evals") for p in (SOURCE / top).rglob("*.py"))
    # The town of the smuggled orders has a menu of its own.
    code = "\n".join(_strings(p) for p in found if "injection" not in p.parts)
    words = "\n".join(p.read_text("utf-8") for p in (SOURCE / "brain" / "language").glob("en.toml"))
    text = f"{code}\n{words}".lower()
    assert [name for name in sorted(names) if f'"{name}' in text or f" {name} " in text] == []


def _strings(path: Path) -> str:
    """The strings of a module, without those that only say what it does."""
    tree = ast.parse(path.read_text("utf-8"))
    told = {id(x.value) for x in ast.walk(tree) if isinstance(x, ast.Expr)}
    return "\n".join(
        f'"{x.value}"'
        for x in ast.walk(tree)
        if isinstance(x, ast.Constant) and isinstance(x.value, str) and id(x) not in told
    )
