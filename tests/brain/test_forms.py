"""Orders by forms and slots: a menu that was only just described is understood."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
from pathlib import Path

import pytest

from lapel.brain.forms import Parser, SchemaError, load_schema, read
from lapel.evals import DataError, measure_menu

pytestmark = pytest.mark.unit

DATA = Path(os.environ.get("LAPEL_DATA", Path(__file__).parents[3] / "shared" / "data"))
MENUS = DATA / "menu_orders"
NEEDED = {"pizza": 0.97, "burrito": 0.94, "sub": 0.94}
ROOT = Path(__file__).parents[2]

NOODLES = {
    "broth": {"shoyu": "shoyu", "soy broth": "shoyu", "miso": "miso", "spicy miso": "spicy_miso"},
    "extra": {
        "egg": "egg", "eggs": "egg", "boiled egg": "egg", "seaweed": "nori", "nori": "nori", "corn": "corn",
        "bamboo shoots": "menma", "bamboo": "menma", "butter": "butter", "leek": "leek", "leeks": "leek",
        "greens": "Or(spinach,cabbage)", "spinach": "spinach", "cabbage": "cabbage",
        "firm noodles": "firm_noodles", "wakame": "wakame", "mushrooms": "mushrooms",
    },
    "portion": {"small": "small", "large": "large", "half portion": "half"},
    "sip": {"green tea": "green_tea", "tea": "green_tea", "cola": "cola", "colas": "cola", "beer": "beer",
            "beers": "beer", "yuzu soda": "yuzu_soda"},
}  # fmt: skip


@pytest.fixture(scope="module")
def noodles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noodles")
    words = {
        **NOODLES,
        "number": {"a": "1", "an": "1", "one": "1", "two": "2", "three": "3", "four": "4"},
        "amount": {"extra": "extra", "a little": "light", "lots of": "extra"},
        "not": {"no": "not", "without": "not", "hold the": "not", "i do not want": "not"},
    }
    for name, said in words.items():
        (folder / f"{name}.txt").write_text(
            "".join(f"{alias}\t{name}({value})\n" for alias, value in said.items()), "utf-8"
        )
    shared = [
        {"slotName": "NUMBER", "path": "number.txt"},
        {"slotName": "QUANTITY", "path": "amount.txt"},
        {"slotName": "NOT", "path": "not.txt"},
    ]
    toppings = {"slotName": "TOPPING", "path": "extra.txt", "qualified": True, "negatable": True}
    ramen = [
        {"slotName": "SIZE", "path": "portion.txt"}, {"slotName": "BROTH", "path": "broth.txt", "negatable": True}, toppings,
    ]  # fmt: skip
    drink = [{"slotName": "SIZE", "path": "portion.txt"}, {"slotName": "DRINK", "path": "sip.txt"}]
    intents = [
        {"name": "RAMEN", "slots": [*ramen, *shared], "entityNames": ["ramen", "ramens", "noodle soup"]},
        {"name": "RICE_BOWL", "slots": [toppings, *shared], "entityNames": ["rice bowl", "rice bowls", "bowl"]},
        {"name": "DRINKS", "slots": [*drink, *shared], "entityNames": ["drink", "drinks"]},
    ]  # fmt: skip
    (folder / "schema.json").write_text(json.dumps({"intents": intents}), "utf-8")
    return folder


CASES = {
    "a large miso ramen with egg and corn": "(RAMEN (NUMBER 1)(SIZE large)(BROTH miso)(TOPPING egg)(TOPPING corn))",
    "could I please have two shoyu ramens with extra nori but no leek": "(RAMEN (NUMBER 2)(BROTH shoyu)(COMPLEX (QUANTITY extra)(TOPPING nori))(NOT (TOPPING leek)))",
    "miso ramen egg corn butter and a beer": "(RAMEN (NUMBER 1)(BROTH miso)(TOPPING egg)(TOPPING corn)(TOPPING butter))(DRINKS (NUMBER 1)(DRINK beer))",
    "two, no, three miso ramens": "(RAMEN (NUMBER 3)(BROTH miso))",
    "two miso ramens, no, three": "(RAMEN (NUMBER 3)(BROTH miso))",
    "a small, sorry, a large miso ramen": "(RAMEN (NUMBER 1)(SIZE large)(BROTH miso))",
    "a rice bowl with corn, I mean egg": "(RICE_BOWL (NUMBER 1)(TOPPING egg))",
    "a ramen, no wait, a rice bowl with corn": "(RICE_BOWL (NUMBER 1)(TOPPING corn))",
    "a miso ramen without corn or butter": "(RAMEN (NUMBER 1)(BROTH miso)(NOT (TOPPING corn))(NOT (TOPPING butter)))",
    "a large ramen and a small one": "(RAMEN (NUMBER 1)(SIZE large))(RAMEN (NUMBER 1)(SIZE small))",
    "a miso ramen and a shoyu ramen both with egg": "(RAMEN (NUMBER 1)(BROTH miso)(TOPPING egg))(RAMEN (NUMBER 1)(BROTH shoyu)(TOPPING egg))",
    "three colas and a beer please": "(DRINKS (NUMBER 3)(DRINK cola))(DRINKS (NUMBER 1)(DRINK beer))",
    "I'd like a ramen. Miso, with a little butter": "(RAMEN (NUMBER 1)(BROTH miso)(COMPLEX (QUANTITY light)(TOPPING butter)))",
    "a rice bowl with bambu shoots and seeweed": "(RICE_BOWL (NUMBER 1)(TOPPING menma)(TOPPING nori))",
    "for drinks I'd like two green teas": "(DRINKS (NUMBER 2)(DRINK green_tea))",
    "two ramens no greens": "(RAMEN (NUMBER 2)(NOT (TOPPING (OR spinach cabbage))))",
    "no drinks and a rice bowl": "(RICE_BOWL (NUMBER 1))",
    "ramen with all the toppings": "(RAMEN (NUMBER 1)(TOPPING all_toppings))",
    "a yuzu for my drink": "(DRINKS (NUMBER 1)(DRINK yuzu_soda))",
    "for extras I'd like egg on a rice bowl": "(RICE_BOWL (NUMBER 1)(TOPPING egg))",
    "how is the weather where you are": "",
    "": "",
}  # fmt: skip


@pytest.mark.parametrize("said", CASES)
def test_a_sentence_becomes_its_orders(noodles: Path, said: str) -> None:
    got = tuple(sorted(order.tree() for order in Parser(load_schema(noodles)).parse(said)))
    assert [str(x) for x in got] == [str(x) for x in read(CASES[said])]


def test_a_tree_is_what_it_is_in_any_order() -> None:
    assert read("(A (B 1 ) (C (OR x y ) ) )") == read("(A (C (OR y x)) (B 1))")
    assert read("(V 2 liter )") == read("(V 2_liter)")
    for broken in ("(A", "(A))", "()", "word"):
        with pytest.raises(ValueError, match="bracket"):
            read(broken)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "schema.json").unlink(), "schema.json"),
        (lambda f: (f / "schema.json").write_text("{}"), "no schema"),
        (lambda f: (f / "extra.txt").unlink(), "extra.txt"),
        (lambda f: (f / "extra.txt").write_text("egg egg\n"), "line 1"),
    ],
)
def test_a_menu_that_cannot_be_read_says_where(noodles: Path, tmp_path: Path, spoil, words) -> None:
    for file in noodles.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    spoil(tmp_path)
    with pytest.raises(SchemaError, match=words):
        load_schema(tmp_path)


def test_the_measure_counts_what_is_right(noodles: Path, tmp_path: Path) -> None:
    data = tmp_path / "orders.jsonl"
    rows = [
        {"text": "a beer and a cola", "tree": "(DRINKS (DRINK cola)(NUMBER 1))(DRINKS (DRINK beer)(NUMBER 1))"},
        {"text": "a beer", "tree": "(DRINKS (DRINK beer)(NUMBER 2))"},
    ]  # fmt: skip
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = measure_menu(noodles, data, keep=5)
    assert (report.orders, report.exact) == (2, 0.5)
    assert report.item_f1 == pytest.approx(2 / 3)
    assert [miss.text for miss in report.misses] == ["a beer"]
    for bad, words in (
        ("{}", "'text'"),
        ("[]", "not an object"),
        ('{"text":"a","tree":"(A"}', "bracket"),
    ):
        data.write_text(bad)
        with pytest.raises(DataError, match=f"line 1.*{words}"):
            measure_menu(noodles, data)


def needs_data() -> None:
    if not MENUS.is_dir():
        pytest.skip(f"the data folder is not here: {MENUS}")


@pytest.mark.parametrize("menu", NEEDED)
def test_orders_that_people_typed_are_read_exactly(menu: str) -> None:
    needs_data()
    report = measure_menu(MENUS / menu, MENUS / menu / "test.jsonl.gz")
    assert report.exact >= NEEDED[menu]


@pytest.mark.parametrize("menu", NEEDED)
def test_the_same_orders_of_things_that_nobody_has_heard_of(menu: str, tmp_path: Path) -> None:
    needs_data()
    renamed(MENUS / menu, tmp_path, random.Random(menu))
    assert measure_menu(tmp_path, tmp_path / "test.jsonl.gz").exact >= 0.9


def test_no_word_of_these_menus_stands_in_the_parser() -> None:
    needs_data()
    code = [
        *(ROOT / "src/lapel/brain/forms").glob("*.py"),
        ROOT / "src/lapel/brain/language/en.toml",
    ]
    written = set(
        re.findall(r"[a-z]+", "\n".join(path.read_text("utf-8").lower() for path in code))
    )
    assert not (dishes() - EVERYDAY) & written


ORDERING = """a an and all any bag big blue bottle bottles bottled can cans crust cup diet dish drink drinks every everything extra for
free fresh good green half honest hot in large light lots lover lovers lunch meat medium mini no of on one ones original party personal
plain regular round side sides size sized small style sweet the thick thin up white with works liter liters inside black brown red yellow
cheese water tea teas lemon hold oil super fruit low old world cut cold double special chip chips chocolate cookie cookies coffee bean
beans milk egg eggs classic combination combo cream kids leaves med miss new pizza seven zero doctor swiss"""
EVERYDAY = set(ORDERING.split())
"""Words of these menus that are words of ordering, of a size, or of this house's own examples."""


def dishes() -> set[str]:
    slots = (
        "topping*",
        "style",
        "drink*",
        "main*",
        "rice*",
        "bean*",
        "salsa*",
        "side*",
        "base*",
        "vendor",
    )
    found: set[str] = set()
    for menu in NEEDED:
        for slot in slots:
            for file in (MENUS / menu / "alias").glob(f"{slot}.txt"):
                if file.stem not in ("drink_volume",):
                    said = "\n".join(line.split("\t")[0] for line in file.read_text().splitlines())
                    found |= {word for word in re.findall(r"[a-z]+", said.lower()) if len(word) > 2}
    return found


LITTLE = "and of with the all every a an or no sandwich sandwiches in to on for i is as at by my that style pizza pizzas"
GLUE = set(LITTLE.split())
KEPT = {"negation", "number", "quant_qualifier", "size", "container", "drink_volume"}


def renamed(menu: Path, into: Path, chance: random.Random) -> None:
    """The same menu with a made-up word for each word of its names, and the same orders of these.

    What people leave out or cut short stays left out or cut short.
    """
    files = {
        path.stem: path.read_text("utf-8").splitlines() for path in (menu / "alias").glob("*.txt")
    }
    names = [
        line.partition("\t") for stem, lines in files.items() if stem not in KEPT for line in lines
    ]
    known = {single(w) for said, _, _ in names for w in re.findall("[a-z]+", said.lower())} - GLUE
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    new: dict[str, str] = {}

    def name_of(word: str) -> str:
        stem = single(word)
        if stem not in new:
            halves = [h for h in known if 2 < len(h) < len(stem) - 2 and stem.startswith(h)]
            made = "".join(chance.choices(syllables, k=3)) + "k"
            new[stem] = name_of(halves[0]) + name_of(stem[len(halves[0]) :]) if halves else made
        return new[stem] + ("s" if stem != word else "")

    def said_so(match: re.Match[str]) -> str:
        word = match[0]
        if word in GLUE:
            return word
        if single(word) in known or single(word) in new:
            return name_of(word)
        longer = [stem for stem in known if len(word) > 3 and stem.startswith(word)]
        return name_of(longer[0])[: len(word)] if longer else word

    (into / "alias").mkdir()
    (into / "schema.json").write_bytes((menu / "schema.json").read_bytes())
    for stem, lines in files.items():
        told = [line.partition("\t") for line in lines]
        if stem not in KEPT:
            told = [
                (re.sub("[a-z]+", said_so, said.lower()), tab, means) for said, tab, means in told
            ]
        text = "".join("".join(line) + "\n" for line in told)
        (into / "alias" / f"{stem}.txt").write_text(text, "utf-8")
    with (
        gzip.open(menu / "test.jsonl.gz", "rt") as old,
        gzip.open(into / "test.jsonl.gz", "wt") as out,
    ):
        for line in old:
            row = json.loads(line)
            row["text"] = re.sub("[a-z]+(?!'|[a-z])", said_so, row["text"])
            out.write(json.dumps(row) + "\n")


def single(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
