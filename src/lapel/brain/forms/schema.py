"""Schemas of what can be ordered: forms with slots and all the ways their values are said.

A form is one kind of order (a pizza, a drink); its slots are what may be said about it. The folder
layout is that of the PIZZA and food-ordering semantic parsing sets: `schema.json` with the forms,
and one file a slot of lines "how it is said<TAB>slot(value)", or `slot(Or(value,value))` where the
words may mean any of several.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

Values = tuple[str, ...]
"""One value, or several of which any may be meant."""

_MEANING = re.compile(r"^\s*[\w -]+?\((?P<inner>.*)\)\s*$")
_NUMBER, _AMOUNT, _NOT = "NUMBER", "QUANTITY", "NOT"


class SchemaError(ValueError):
    """The folder holds no schema that can be read; the words say where."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What may be said about a form. `said` maps words to what they mean.

    `short` are words that mean it only in part; a `core` slot names its form by itself; `titles`
    are what the slot is called, by default its name. `qualified` values take an amount ("extra"),
    `negatable` ones can be unwanted; `before` and `after` are words that may stand around a value;
    `spreads` means: said once, of all forms.
    """

    name: str
    said: Mapping[str, Values]
    qualified: bool = False
    negatable: bool = False
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    spreads: bool = False
    short: Mapping[str, Values] = field(default_factory=dict[str, Values])
    core: bool = False
    titles: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of order. `nouns` are what it is called; a form may have none of its own."""

    name: str
    slots: tuple[Slot, ...]
    nouns: tuple[str, ...] = ()

    def slot(self, name: str) -> Slot | None:
        """The slot of that name, if the form has it."""
        return next((slot for slot in self.slots if slot.name == name), None)


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything that can be ordered, and the words for counts, amounts and refusals beside it."""

    forms: tuple[Form, ...]
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])
    amounts: Mapping[str, str] = field(default_factory=dict[str, str])
    refusals: tuple[str, ...] = ()


def load_schema(folder: Path) -> Schema:
    """The schema in a folder; SchemaError where it cannot be read."""
    path = folder / "schema.json"
    try:
        data = cast("dict[str, Any]", json.loads(path.read_text("utf-8")))
        intents = cast("list[dict[str, Any]]", data["intents"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SchemaError(f"{path} is no schema: {error}") from error
    numbers: dict[str, int] = {}
    amounts: dict[str, str] = {}
    refusals: dict[str, None] = {}
    forms: list[Form] = []
    for intent in intents:
        slots: list[Slot] = []
        for entry in cast("list[dict[str, Any]]", intent.get("slots", [])):
            said = _aliases(folder / str(entry["path"]))
            match entry["slotName"]:
                case "NUMBER":
                    numbers |= {words: int(v[0]) for words, v in said.items() if v[0].isdecimal()}
                case "QUANTITY":
                    amounts |= {words: value[0] for words, value in said.items()}
                case "NOT":
                    refusals |= dict.fromkeys(said)
                case _:
                    slots.append(_slot(entry, said))
        nouns = tuple(str(noun) for noun in intent.get("entityNames", ()))
        forms.append(Form(str(intent["name"]), tuple(slots), nouns))
    return Schema(tuple(forms), numbers, amounts, tuple(refusals))


def _slot(entry: Mapping[str, Any], said: dict[str, Values]) -> Slot:
    return Slot(
        str(entry["slotName"]),
        said,
        bool(entry.get("qualified")),
        bool(entry.get("negatable")),
        tuple(entry.get("optionalPrefixes", ())),
        tuple(entry.get("optionalSuffixes", ())),
        bool(entry.get("canBeGlobal")),
    )


def _aliases(path: Path) -> dict[str, Values]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}") from error
    found: dict[str, Values] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        words, tab, meaning = line.partition("\t")
        match = _MEANING.match(meaning)
        if not tab or match is None:
            raise SchemaError(f"{path}, line {number}: expected words, a tab and slot(value)")
        found.setdefault(words.strip(), _values(match["inner"]))
    return found


def _values(inner: str) -> Values:
    if inner.startswith("Or(") and inner.endswith(")"):
        return tuple(_clean(part) for part in inner[3:-1].split(","))
    return (_clean(inner),)


def _clean(value: str) -> str:
    return re.sub(r"\s+-\s+|\s+", "_", value.strip())
