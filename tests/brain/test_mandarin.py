"""Orders in Mandarin: a corpus at five menus, made orders, and names that were misheard."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from lapel.brain.forms import Parser, Schema, load_schema, read
from lapel.brain.language import load_language
from lapel.brain.sound import Sounds
from lapel.brain.syllables import Syllables
from lapel.evals import measure_menu

pytestmark = pytest.mark.unit

DATA = Path(__file__).parent / "data" / "mandarin"
DEV = ("tea", "sichuan", "coffee", "pizza")
MENUS = (*DEV, "breakfast")
PAUSE = "\uff0c"


@pytest.fixture(scope="module")
def syllables() -> Syllables:
    found = Sounds(load_language("zh")).syllables
    assert found is not None
    return found


def rows(part: str) -> list[tuple[str, str, str]]:
    """Menu, text and tree of every order."""
    return [
        (menu, row["text"], row["tree"])
        for menu in MENUS
        if (file := DATA / menu / f"{part}.jsonl").exists()
        for row in map(json.loads, file.read_text("utf-8").splitlines())
    ]


def exact(orders: list[tuple[str, str, str]]) -> float:
    parsers = {menu: Parser(load_schema(DATA / menu), "zh") for menu in MENUS}
    right = 0
    for menu, text, tree in orders:
        got = tuple(sorted(order.tree() for order in parsers[menu].parse(text)))
        right += got == read(tree)
    return right / len(orders)


@pytest.mark.parametrize("menu", DEV)
def test_orders_are_read_exactly(menu: str) -> None:
    report = measure_menu(DATA / menu, DATA / menu / "dev.jsonl", language="zh")
    assert report.orders == 74
    assert report.exact >= 0.91


def test_so_are_those_that_nobody_looked_at() -> None:
    orders = rows("heldout")
    assert len(orders) == 112
    assert exact(orders) >= 0.91


def misheard(
    change: Callable[[str], list[str]], chance: random.Random
) -> list[tuple[str, str, str]]:
    """The corpus with one character of every name for another."""
    changed: list[tuple[str, str, str]] = []
    patterns = {menu: names_of(load_schema(DATA / menu)) for menu in MENUS}

    def other(found: re.Match[str]) -> str:
        name, at = found[0], chance.randrange(len(found[0]))
        return name[:at] + chance.choice(change(name[at]) or [name[at]]) + name[at + 1 :]

    for menu, text, tree in rows("dev") + rows("heldout"):
        changed.append((menu, patterns[menu].sub(other, text), tree))
    return changed


def names_of(schema: Schema) -> re.Pattern[str]:
    slots = [slot for form in schema.forms for slot in form.slots]
    names = {said for slot in slots for said in slot.said if len(said) > 1 and not said.isascii()}
    return re.compile("|".join(sorted(names, key=len, reverse=True)))


def test_names_are_understood_by_their_sound(syllables: Syllables) -> None:
    orders = misheard(cache(lambda c: list(syllables.homophones(c))), random.Random(1))
    assert (
        sum(old != new for (_, old, _), (_, new, _) in zip(rows("dev"), orders, strict=False)) > 290
    )
    assert exact(orders) >= 0.91


def test_and_by_sounds_that_are_confused(syllables: Syllables) -> None:
    orders = misheard(cache(lambda c: list(syllables.confused(c))), random.Random(2))
    assert exact(orders) >= 0.88


@pytest.mark.parametrize("seed", range(5))
def test_made_orders_become_what_they_were_made_of(seed: int) -> None:
    chance = random.Random(seed)
    for menu in DEV:
        schema = load_schema(DATA / menu)
        parser = Parser(schema, "zh")
        right = 0
        for _ in range(60):
            text, tree = made(schema, chance)
            right += tuple(sorted(o.tree() for o in parser.parse(text))) == read(tree)
        assert right >= 56, menu


COUNTS = ["一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
MEASURES = ["份", "个"]


def made(schema: Schema, chance: random.Random) -> tuple[str, str]:
    """Some orders of the menu as they may be said, with their tree."""
    said: list[str] = []
    trees: list[str] = []
    forms = [form for form in schema.forms if len({s.name for s in form.slots}) > 0]
    for form in chance.sample(forms, k=chance.randint(1, min(3, len(forms)))):
        main = max(form.slots, key=lambda slot: 0 if slot.qualified else len(slot.said))
        count = chance.randrange(12)
        name, value = chance.choice(list(main.said.items()))
        nodes = [f"(NUMBER {count + 1} )", f"({main.name} {value[0]} )"]
        counted = COUNTS[count] + chance.choice(MEASURES)
        words = f"{counted}{name}" if chance.random() < 0.5 else f"{name}{counted}"
        for slot in form.slots:
            if slot is main or chance.random() < 0.6:
                continue
            extra, value = chance.choice(list(slot.said.items()))
            node = f"({slot.name} {value[0]} )"
            if slot.qualified and chance.random() < 0.4:
                words, node = f"{words}{PAUSE}不要{extra}", f"(NOT {node} )"
            elif slot.qualified:
                words = f"{words}{PAUSE}加{extra}"
            else:
                words = f"{words}{PAUSE}{extra}"
            nodes.append(node)
        said.append(words)
        trees.append(f"({form.name} {' '.join(nodes)} )")
    opening = chance.choice(["", "我要", "麻烦给我来", "请帮我点", f"你好{PAUSE}来"])
    return opening + chance.choice([PAUSE, f"{PAUSE}再来"]).join(said), " ".join(trees)


@pytest.mark.parametrize(
    ("said", "name", "other"),
    [
        ("那贴", "拿铁", "美式"),
        ("奶体", "拿铁", "摩卡"),
        ("公宝基丁", "宫保鸡丁", "鱼香肉丝"),
        ("酸才鱼", "酸菜鱼", "水煮鱼"),
        ("蓝莓宋饼", "蓝莓松饼", "芝士蛋糕"),
    ],
)
def test_a_name_sounds_most_like_what_was_meant(said: str, name: str, other: str) -> None:
    sounds = Sounds(load_language("zh"))
    assert sounds.likeness(said, name) > sounds.likeness(said, other)
    assert sounds.likeness(name, name) == 1.0


def test_sounds_that_are_confused_are_alike(syllables: Syllables) -> None:
    for said, name in (
        ("知", "资"),
        ("吃", "次"),
        ("诗", "丝"),
        ("牛", "流"),
        ("林", "灵"),
        ("根", "耕"),
    ):
        assert set(syllables.keys(said)) & set(syllables.keys(name))
    assert not set(syllables.keys("大")) & set(syllables.keys("小"))
