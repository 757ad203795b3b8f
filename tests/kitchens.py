"""Menus of shops that do not exist, orders at them in other people's words, and what they mean.

Everything follows from a seed. The words stand in brain/data/templates.yaml, in two sets: `dev` was looked
at while the brain was written, `held_out` was not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import fuzz

from lapel.brain import (
    Brain,
    CartLine,
    Frame,
    Menu,
    MenuItem,
    OptionGroup,
    OptionValue,
    Source,
    Understanding,
    Utterance,
)
from lapel.brain.language import load_language
from lapel.commerce.money import Money

TEMPLATES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "brain" / "data" / "templates.yaml").read_text("utf-8")
)

WORDS: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parent / "brain" / "data" / "words.yaml").read_text("utf-8")
)
UNHEARD = ("quuxberry", "flobber", "wibbling", "zindel")
"""Words that stand on no menu."""
SINGLES = ("Milk", "Bread", "Broth", "Sauce", "Grain", "Base", "Crust", "Filling")
SIZES = (
    ("Small", "Medium", "Large"),
    ("Single", "Double", "Triple"),
    ("Mini", "Classic", "Giant"),
    ("Petite", "Standard", "Family"),
)
LEVELS = ("Mild", "Spicy", "Fiery")
SYLLABLES = (
    [c + v for c in "bdfgklmnprstvz" for v in "aeiou"],
    [c + v + e for c in ("sh", "k", "t", "m", "br", "gr", "dz") for v in "aeou" for e in "nlr"],
)
COUNTS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


@dataclass(slots=True)
class Line:
    """What one line of an order shall be: places in its item's groups and values."""

    item: MenuItem
    count: int = 1
    one: tuple[OptionGroup, OptionValue] | None = None
    several: list[tuple[OptionGroup, OptionValue]] = field(default_factory=list[Any])
    refused: str = ""
    """What shall not be in it."""
    offered: bool = False
    """Whether that is an option, and so nothing that must be told to anyone."""
    amount: tuple[str, OptionGroup, OptionValue] | None = None

    def cart(self) -> str:
        """The line as `told` writes a cart line."""
        options: dict[str, set[str]] = {}
        for group, value in (*([self.one] if self.one else ()), *self.several):
            options.setdefault(group.id, set()).add(value.id)
        note = f"no {self.refused}" if self.refused and not self.offered else ""
        if self.amount:
            word, group, value = self.amount
            options.setdefault(group.id, set()).add(value.id)
            note = ", ".join(filter(None, [note, word]))
        return written(self.item.id, self.count, options, note)


@dataclass(frozen=True, slots=True)
class Case:
    """Sentences said one after another, and the cart that they make, in any order."""

    kind: str
    turns: tuple[str, ...]
    cart: tuple[str, ...]


def written(item: str, count: int, options: dict[str, set[str]], note: str) -> str:
    said = [f"{group}={'+'.join(sorted(values))}" for group, values in sorted(options.items())]
    notes = sorted(re.sub(r"\W+", " ", part).strip() for part in note.split(",") if part.strip())
    return " ".join([f"{count} {item}", *said, *(f"({n})" for n in notes)])


def told(line: CartLine, menu: Menu) -> str:
    """A line of a cart, without the options that nobody chose."""
    item = next(x for x in menu.items if x.id == line.item_id)
    usual = {group.id: (group.default,) for group in item.groups}
    options = {group: set(values) for group, values in line.options if values != usual.get(group)}
    note = ", ".join(_amount(part) for part in line.note.split(","))
    return written(line.item_id, line.quantity, options, note)


def _amount(note: str) -> str:
    """A note by what it means, not by the words in which it was said."""
    language = load_language()
    words = note.lower().split()
    for end in range(len(words), 0, -1):
        amount = language.amount_of(" ".join(words[:end]))
        if amount:
            return amount
    return " ".join(words)


class Words:
    """Names that are not yet taken, none too much like another."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._taken: list[str] = []
        self._real = chance.sample(WORDS["dishes"], len(WORDS["dishes"]))

    def new(self) -> str:
        if self._real and self._chance.random() < 0.3:
            return self._keep(self._real.pop())
        language = load_language()
        while True:
            kind = self._chance.choice(SYLLABLES)
            word = "".join(self._chance.choices(kind, k=self._chance.choice((2, 3, 3))))
            word += self._chance.choice(("", "", "n", "r", "k"))
            strange = not language.is_function(word) and not language.is_plural(word)
            like = any(fuzz.ratio(word, other) > 70 for other in self._taken)
            if strange and 4 < len(word) < 10 and not like:
                return self._keep(word)

    def _keep(self, word: str) -> str:
        self._taken.append(word)
        return word


def menu_of(size: int, seed: int) -> Menu:
    """A menu of `size` items in categories that share their option groups."""
    chance = random.Random(f"menu {seed} {size}")
    words = Words(chance)
    items: list[MenuItem] = []
    while len(items) < size:
        groups = _groups(chance, words, len(items))
        category = words.new().title()
        heads = [words.new() for _ in range(3)]
        for _ in range(min(size - len(items), chance.randint(3, 8))):
            titles = {item.title for item in items}
            title = _title(chance, words, heads)
            while title in titles:
                title = _title(chance, words, heads)
            aliases = (words.new().title(),) if chance.random() < 0.2 else ()
            place = len(items)
            price = Money(300 + place, "EUR")
            items.append(MenuItem(f"i{place}", title, price, aliases, category, groups=groups))
    return Menu(f"m{seed}", words.new().title() + " House", tuple(items))


def _title(chance: random.Random, words: Words, heads: Sequence[str]) -> str:
    match chance.randrange(5):
        case 0 | 1:
            return words.new().title()
        case 2 | 3:
            return f"{chance.choice(WORDS['styles'])} {chance.choice(heads)}".title()
        case _:
            return f"{words.new()} {chance.choice(heads)}".title()


def _groups(chance: random.Random, words: Words, at: int) -> tuple[OptionGroup, ...]:
    def value(group: str, number: int, title: str, *aliases: str) -> OptionValue:
        return OptionValue(f"{group}{number}", title, tuple(aliases))

    groups: list[OptionGroup] = []
    if chance.random() < 0.8:
        titles = chance.choice(SIZES)
        values = [value("s", n, title) for n, title in enumerate(titles)]
        groups.append(OptionGroup("size", "Size", tuple(values), True, False, "s1"))
    if chance.random() < 0.6:
        name = chance.choice(SINGLES)
        tail = f" {name.lower()}" if chance.random() < 0.5 else ""
        made = [words.new() for _ in range(4)]
        values = [
            value("k", n, f"{w.title()}{tail}", *([w] if tail else [])) for n, w in enumerate(made)
        ]
        groups.append(OptionGroup(f"kind{at}", name, tuple(values), True, False, "k0"))
    elif chance.random() < 0.5:
        values = [value("h", n, title) for n, title in enumerate(LEVELS)]
        groups.append(OptionGroup("heat", "Heat", tuple(values), True, False, "h0"))
    if chance.random() < 0.7:
        parts = chance.sample(WORDS["parts"], 5) + [words.new() for _ in range(3)]
        values = [
            value("x", n, w.title(), *([words.new()] if chance.random() < 0.2 else []))
            for n, w in enumerate(parts)
        ]
        groups.append(OptionGroup(f"parts{at}", "Toppings", tuple(values), False, True))
    return tuple(groups)


class Speaker:
    """Says orders at one menu in the words of one set of templates."""

    def __init__(self, menu: Menu, templates: dict[str, Any], seed: int) -> None:
        self._menu = menu
        self._said = templates
        self._chance = random.Random(f"{seed} {menu.merchant_id}")

    def case(self) -> Case:
        kinds = [self._plain] * 8 + [
            self._count_corrected, self._item_corrected, self._value_corrected, self._both, self._divided,
            self._later, self._later, self._later,
        ]  # fmt: skip
        while True:
            kind = self._chance.choice(kinds)
            if (case := kind()) is not None:
                return case

    def _pick(self, key: str) -> str:
        return self._chance.choice(self._said[key])

    def _whole(self, body: str) -> str:
        text = f"{self._pick('openers')}{body}{self._pick('closers')}"
        return text if self._chance.random() < 0.7 else text.lower()

    # The parts of an order

    def _line(self, *, item: MenuItem | None = None, bare: bool = False) -> Line:
        chance = self._chance
        item = item or chance.choice(self._menu.items)
        line = Line(item, chance.choice((1, 1, 1, 2, 2, 3, 5)))
        if bare:
            return line
        if (singles := self._singles(item)) and chance.random() < 0.5:
            line.one = chance.choice(singles)
        if parts := self._parts(item):
            chance.shuffle(parts)
            line.several = parts[: chance.choice((0, 0, 1, 1, 2, 3))]
            if chance.random() < 0.1:
                line.refused, line.offered = self._name(parts[4][1]), True
            elif chance.random() < 0.2:
                line.amount = (chance.choice(("lot", "little")), *parts[5])
        if not line.refused and chance.random() < 0.05:
            line.refused = chance.choice(UNHEARD)
        return line

    @staticmethod
    def _singles(item: MenuItem) -> list[tuple[OptionGroup, OptionValue]]:
        return [(g, v) for g in item.groups if g.required for v in g.values if v.id != g.default]

    @staticmethod
    def _parts(item: MenuItem) -> list[tuple[OptionGroup, OptionValue]]:
        return [(g, v) for g in item.groups if g.multiple for v in g.values]

    def _name(self, thing: MenuItem | OptionValue) -> str:
        return self._chance.choice((thing.title, thing.title, *thing.aliases)).lower()

    def _item(self, line: Line, count: int | None = None) -> str:
        count = line.count if count is None else count
        name = self._misspelt(self._name(line.item))
        return name if count == 1 or name.endswith(("s", "x", "h")) else f"{name}s"

    def _misspelt(self, name: str) -> str:
        """Now and then a letter is doubled, dropped, or a vowel another one."""
        if self._chance.random() > 0.05 or len(name) < 7:
            return name
        at = self._chance.randrange(2, len(name) - 1)
        if name[at] == " " or name[at - 1] == " ":
            return name
        return self._chance.choice((name[:at] + name[at] + name[at:], name[:at] + name[at + 1 :]))

    def _count(self, count: int) -> str:
        if count == 1:
            return self._chance.choice(("a", "a", "one", "1"))
        return self._chance.choice((COUNTS[count], COUNTS[count], str(count)))

    def _values(self, values: Sequence[tuple[OptionGroup, OptionValue]]) -> str:
        names = [self._name(value) for _, value in values]
        text = names[0]
        for name in names[1:-1]:
            text += f", {name}"
        return text + (self._pick("several") + names[-1] if len(names) > 1 else "")

    def _say(self, line: Line) -> str:
        filled = {
            "n": self._count(line.count),
            "item": self._item(line),
            "one": self._name(line.one[1]) if line.one else "",
            "options": self._pick("options").format(self._values(line.several))
            if line.several
            else "",
            "refused": self._pick("refused").format(line.refused) if line.refused else "",
            "more": "",
        }
        if line.amount:
            key = "more" if line.amount[0] == "lot" else "light"
            filled["more"] = self._pick(key).format(self._name(line.amount[2]))
        late = self._pick("one").format(filled["one"]) if line.one else ""
        text = self._pick("lines").replace("{, one}", "\0")
        if "{one}" not in text and "\0" not in text:
            text += late
        text = text.replace(", {one}", "{one}" if not line.one else ", {one}")
        text = text.format(**filled).replace("\0", late)
        return re.sub(r" ,", ",", re.sub(r"  +", " ", text)).strip()

    # Kinds of orders

    def _plain(self) -> Case:
        items = self._chance.sample(self._menu.items, self._chance.choice((1, 1, 1, 2, 2, 3)))
        lines = [self._line(item=item) for item in items]
        body = self._say(lines[0])
        for line in lines[1:]:
            body += self._pick("joins") + self._say(line)
        return self._made("plain", [self._whole(body)], lines)

    @staticmethod
    def _made(kind: str, turns: Sequence[str], lines: Sequence[Line]) -> Case:
        return Case(kind, tuple(turns), tuple(sorted(line.cart() for line in lines)))

    def _count_corrected(self) -> Case:
        line = self._line(bare=True)
        line.count = self._chance.choice((2, 3, 4))
        wrong = self._count(line.count + 1)
        names = {"m": wrong, "n": self._count(line.count), "items": self._item(line)}
        body = self._pick("count_corrected").format(**names)
        return self._made("count corrected", [self._whole(body)], [line])

    def _item_corrected(self) -> Case:
        item, other = self._chance.sample(self._menu.items, 2)
        line, wrong = self._line(item=item, bare=True), Line(other)
        wrong.count = line.count
        names = {"n": self._count(line.count), "item": self._item(line), "other": self._item(wrong)}
        body = self._pick("item_corrected").format(**names)
        return self._made("item corrected", [self._whole(body)], [line])

    def _value_corrected(self) -> Case | None:
        line = self._line(bare=True)
        groups = [g for g in line.item.groups if g.required]
        if not groups:
            return None
        group = self._chance.choice(groups)
        right, wrong = self._chance.sample([v for v in group.values if v.id != group.default], 2)
        line.one = (group, right)
        names = {
            "n": self._count(line.count), "item": self._item(line), "one": self._name(right), "wrong": self._name(wrong)
        }  # fmt: skip
        body = self._pick("value_corrected").format(**names)
        return self._made("value corrected", [self._whole(body)], [line])

    def _both(self) -> Case | None:
        groups = self._chance.choice(self._menu.items).groups
        same = [item for item in self._menu.items if item.groups == groups]
        if len(same) < 2 or not groups:
            return None
        lines = [Line(item) for item in self._chance.sample(same, 2)]
        if (parts := self._parts(lines[0].item)) and self._chance.random() < 0.6:
            shared, key = self._chance.choice(parts), "both"
            for line in lines:
                line.several = [shared]
        elif singles := self._singles(lines[0].item):
            shared, key = self._chance.choice(singles), "both_one"
            for line in lines:
                line.one = shared
        else:
            return None
        a, b = (f"a {self._item(line)}" for line in lines)
        body = self._pick(key).format(self._name(shared[1]), a=a, b=b)
        return self._made("both", [self._whole(body)], lines)

    def _divided(self) -> Case | None:
        one = self._line(bare=True)
        parts = self._parts(one.item)
        if not parts:
            return None
        other = Line(one.item)
        one.count = 1
        x, y = self._chance.sample(parts, 2)
        one.several, other.several = [x], [y]
        body = self._pick("divided").format(
            items=self._item(one, 2), x=self._name(x[1]), y=self._name(y[1])
        )
        return self._made("divided", [self._whole(body)], [one, other])

    def _later(self) -> Case | None:
        """Two sentences: an order, and a change of it."""
        kind = self._chance.choice(list(self._said["later"]))
        item, third = self._chance.sample(self._menu.items, 2)
        line = self._line(item=item, bare=True)
        other = Line(third)
        template = self._chance.choice(self._said["later"][kind])
        first, lines = self._whole(self._say(line)), [line]
        names: dict[str, str] = {}
        match kind:
            case "add":
                other.count = self._chance.choice((1, 2, 3))
                names, lines = (
                    {"n": self._count(other.count), "item": self._item(other)},
                    [line, other],
                )
            case "remove":
                first = self._whole(self._say(other) + self._pick("joins") + self._say(line))
                names, lines = {"item": self._name(line.item)}, [other]
            case "one" if singles := self._singles(item):
                line.one = self._chance.choice(singles)
                names = {"one": self._name(line.one[1])}
            case "option" if parts := self._parts(item):
                line.several = [self._chance.choice(parts)]
                names = {"x": self._name(line.several[0][1])}
            case "count":
                line.count = line.count % 4 + 2
                names = {"n": self._count(line.count)}
            case "change":
                line.count = 1
                first = self._whole(self._say(line))
                names, lines = {"item": self._name(item), "other": self._name(third)}, [other]
            case "which" if parts := self._parts(item):
                x, y = self._chance.sample(parts, 2)
                if "{y}" in template:
                    line.several = [x, y]
                first = self._whole(self._say(other) + self._pick("joins") + self._say(line))
                line.several = [x]
                names, lines = {"x": self._name(x[1]), "y": self._name(y[1])}, [other, line]
            case _:
                return None
        return self._made(f"then {kind}", [first, template.format(**names)], lines)


def heard(brain: Brain, case: Case) -> Understanding:
    """What the brain makes of the sentences."""
    understood = Understanding(Frame())
    for text in case.turns:
        understood = brain.understand(Utterance(text, Source.VOICE), understood.frame)
    return understood


def got(understood: Understanding, menu: Menu) -> tuple[str, ...]:
    return tuple(sorted(told(line, menu) for line in understood.frame.lines))
