"""From words to arguments, by the tool's schema: what is missing, and what a word means there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lapel.services.connected.model import Field

_NUMBERS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_YES = {"yes", "yeah", "yep", "true", "on", "sure", "please"}
_NO = {"no", "nope", "false", "off"}
_SPEAKABLE = frozenset({"string", "integer", "number", "boolean"})

Wanted = Field


class Unfit(Exception):
    """The words are no value for the field; the text says which would be."""


def missing(fields: Sequence[Field], arguments: Mapping[str, Any]) -> Field | None:
    """The first required field without a value. Unfit for one that words cannot fill."""
    for field in fields:
        if field.required and field.name not in arguments:
            if field.kind not in _SPEAKABLE:
                raise Unfit(f"it needs {field.called}, which cannot be said in words")
            return field
    return None


def value_of(words: str, field: Field) -> str | int | float | bool:
    """The value that the words name. Unfit where they name none."""
    text = " ".join(words.split()).strip(" .!?")
    if not text:
        raise Unfit(f"{field.called} is empty")
    if field.choices:
        return _chosen(text, field)
    match field.kind:
        case "integer":
            return _integer(text, field)
        case "number":
            return _number(text, field)
        case "boolean":
            first = text.lower().split()[0].strip(",")
            if first in _YES or first in _NO:
                return first in _YES
            raise Unfit(f"{field.called} is yes or no")
        case _:
            return text


def _chosen(text: str, field: Field) -> str:
    by_name = {choice.casefold(): choice for choice in field.choices}
    found = by_name.get(text.casefold())
    if found is None:
        raise Unfit(f"{field.called} is one of {', '.join(field.choices[:6])}")
    return found


def _integer(text: str, field: Field) -> int:
    if text.lower() in _NUMBERS:
        return _NUMBERS[text.lower()]
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    raise Unfit(f"{field.called} is a whole number")


def _number(text: str, field: Field) -> int | float:
    if text.lower() in _NUMBERS:
        return _NUMBERS[text.lower()]
    if re.fullmatch(r"-?\d{1,12}(\.\d{1,9})?", text):
        return float(text) if "." in text else int(text)
    raise Unfit(f"{field.called} is a number")
