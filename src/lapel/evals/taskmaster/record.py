"""What a dialogue's recorded calls say, in names instead of ids, so that calls can be compared.

A call is its name and its arguments: items, options and add-ons by their name in the catalogue
however they are written, a query as the set of what it looks for, a note as its words that mean
something, an order's line by its place. The ids of an order say nothing and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from lapel.brain import CartLine
from lapel.brain.language import Language, load_language
from lapel.evals.taskmaster.catalogue import ADDONS, Catalogue, key, name_of_id, named
from lapel.evals.taskmaster.dialogues import Call

Argument = tuple[str, str]
_PARTS = re.compile(r"\bOR\b|,")
KEPT = frozenset(
    {"no", "not", "without", "extra", "less", "more", "half", "double", "triple", "light"}
)
"""Little words that a note is about."""


@dataclass(frozen=True, slots=True, order=True)
class Made:
    """A call as it is compared: its name, and its arguments in order."""

    name: str
    arguments: tuple[Argument, ...] = ()

    @classmethod
    def of(cls, name: str, *arguments: Argument) -> Made:
        return cls(name, tuple(sorted(set(arguments))))

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.arguments)})"


@dataclass(frozen=True, slots=True)
class State:
    """Where a dialogue stands: lines of the order, its own options, what was said to be offered.

    `refused` is true just after something was looked up that the shop does not have, and `missing`
    is what it did not have so far.
    """

    lines: tuple[CartLine, ...] = ()
    order: tuple[Argument, ...] = ()
    offered: frozenset[str] = frozenset()
    refused: bool = False
    missing: frozenset[str] = frozenset()
    finished: bool = False

    def cart(self, *, notes: bool = False) -> tuple[Argument, ...]:
        """The lines a piece each, and the options of the whole order, sorted."""
        pieces = [
            ("line", f"{line.item_id}: {_told(line, notes)}")
            for line in self.lines
            for _ in range(line.quantity)
        ]
        return tuple(sorted([*pieces, *self.order]))


def _told(line: CartLine, notes: bool) -> str:
    chosen = [f"{group}={value}" for group, values in line.options for value in values]
    return ", ".join([*sorted(chosen), *([f"note={line.note}"] if notes and line.note else [])])


@dataclass(slots=True)
class Record:
    """Reads the calls of one dialogue in order, and keeps the state that they lead to."""

    catalogue: Catalogue
    state: State = field(default_factory=State)
    _items: dict[str, str] = field(default_factory=dict[str, str])
    _addons: dict[str, str] = field(default_factory=dict[str, str])
    _places: dict[str, int] = field(default_factory=dict[str, int])

    def turn(self, calls: Iterable[Call]) -> list[Made]:
        """What the calls of one turn are; the state is then that after them."""
        self.state = replace(self.state, refused=False)
        made = [self._made(call) for call in calls]
        if {call.name for call in made} == {"get_menu_items"}:
            queries = {value for name, value in made[0].arguments if name == "query"}
            missing = self.state.missing | (queries - set(self._items.values()))
            self.state = replace(self.state, refused=True, missing=missing)
        return made

    def _made(self, call: Call) -> Made:
        asked = call.request
        match call.name:
            case "get_menu_items":
                found = named(call, "menu_items", "menu_item_id")
                self._items |= found
                fields = [("field", str(x)) for x in asked.get("fields") or ()]
                query = item_name(self.catalogue, str(asked.get("query")))
                return Made.of(call.name, ("query", query), *fields)
            case "get_addons":
                return self._addons_asked(call)
            case "add_order_item":
                line = CartLine(
                    self._item(asked), int(asked.get("quantity") or 1), self._options(asked),
                    note_of(str(asked.get("notes") or "")),
                )  # fmt: skip
                self._places[str(call.response.get("order_item_id"))] = len(self.state.lines)
                self.state = replace(self.state, lines=(*self.state.lines, line))
                return added(line)
            case "update_order_item":
                return self._updated(call)
            case "update_order":
                chosen = [(group, value) for group, (value,) in self._options(asked)]
                self.state = replace(self.state, order=tuple(chosen))
                return Made.of(call.name, *chosen)
            case "finish_order":
                self.state = replace(self.state, finished=True)
                return Made(call.name)
            case _:
                return Made(call.name)

    def _addons_asked(self, call: Call) -> Made:
        self._addons |= named(call, ADDONS, "addon_id")
        whole = call.request.get("scope") == "order"
        offered = [
            key(str(option))
            for entry in cast("list[dict[str, Any]]", call.response.get("attributes") or [])
            for option in entry.get("options") or ()
        ]
        offered += [self.addon(name) for name in named(call, ADDONS, "addon_id").values()]
        self.state = replace(self.state, offered=self.state.offered | frozenset(offered))
        parts = [
            ("query", option_name(self.catalogue, part))
            for part in _PARTS.split(str(call.request.get("query")))
        ]
        about = ("scope", "order") if whole else ("item", self._item(call.request))
        return Made.of(call.name, *parts, about)

    def _updated(self, call: Call) -> Made:
        place = self._places.get(str(call.request.get("order_item_id")), 0)
        chosen = self._options(call.request)
        if place < len(self.state.lines):
            lines = list(self.state.lines)
            options = {**dict(lines[place].options)}
            for group, values in chosen:
                old = options.get(group, ()) if group == ADDONS else ()
                options[group] = (*old, *(value for value in values if value not in old))
            lines[place] = replace(lines[place], options=tuple(sorted(options.items())))
            self.state = replace(self.state, lines=tuple(lines))
        return updated(place, chosen)

    def _item(self, asked: Mapping[str, Any]) -> str:
        item_id = str(asked.get("menu_item_id"))
        return item_name(self.catalogue, self._items.get(item_id) or name_of_id(item_id))

    def addon(self, name: str) -> str:
        return self.catalogue.addons.find(name) or key(name)

    def _options(self, asked: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        found: dict[str, tuple[str, ...]] = {}
        for entry in cast("list[dict[str, Any]]", asked.get("attributes") or []):
            said = str(entry.get("option"))
            group, value = self.catalogue.value(said) or (
                key(str(entry.get("attribute_id"))),
                key(said),
            )
            found[group] = (value,)
        for entry in cast("list[dict[str, Any]]", asked.get(ADDONS) or []):
            addon_id = str(entry.get("addon_id"))
            name = self._addons.get(addon_id) or name_of_id(addon_id)
            found[ADDONS] = (*found.get(ADDONS, ()), self.addon(name))
        return tuple(sorted(found.items()))


def item_name(catalogue: Catalogue, said: str) -> str:
    return catalogue.items.find(said) or content(said)


def option_name(catalogue: Catalogue, said: str) -> str:
    """An option's name in the catalogue, or else what is asked for in words."""
    found = catalogue.value(said)
    return found[1] if found else content(said)


def added(line: CartLine) -> Made:
    chosen = [(group, value) for group, values in line.options for value in values]
    note = [("note", line.note)] if line.note else []
    return Made.of(
        "add_order_item", ("item", line.item_id), ("quantity", str(line.quantity)), *chosen, *note
    )


def updated(place: int, chosen: Iterable[tuple[str, tuple[str, ...]]]) -> Made:
    pairs = [(group, value) for group, values in chosen for value in values]
    return Made.of("update_order_item", ("line", str(place)), *pairs)


def note_of(said: str) -> str:
    return content(said)


def content(said: str) -> str:
    """The stems of the words that mean something, sorted."""
    language = load_language("en")
    stems = [language.stem(t.text) for t in language.tokens(said) if _means(language, t.text)]
    return " ".join(sorted(set(stems)))


def _means(language: Language, word: str) -> bool:
    return word in KEPT or not language.is_function(word)
