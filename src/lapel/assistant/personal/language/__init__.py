"""Languages of reminders, timers and notes: one TOML file each, loaded once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from lapel.assistant.grammar import Grammar

__all__ = ["Words", "load_words", "with_rules"]


class Words:
    """One language: what is understood (`grammar`) and what is said (`say`, `names`)."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        numbers = cast("dict[str, int]", data["numbers"])
        tens = cast("dict[str, int]", data["tens"])
        spoken = dict(numbers)
        for ten, value in tens.items():
            spoken[ten] = value
            spoken |= {f"{ten} {one}": value + n for one, n in numbers.items() if n < 10}
        endings = cast("list[str]", data["words"]["ordinal_endings"])
        ordinals = _ordinals(cast("dict[str, int]", data["ordinals"]), tens)
        made = {
            "number": {**_keyed(spoken), "digits": ["{int}", "{decimal}"]},
            "hour": _keyed(spoken, 25),
            "minute": _keyed(spoken, 60),
            "ordinal": {
                str(day): [
                    *(word for word, value in ordinals.items() if value == day),
                    *(f"{day}{ending}" for ending in endings),
                ]
                for day in range(1, 32)
            },
        }
        self.code = cast("str", data["code"])
        self.grammar = Grammar({**data["rules"], **made}, data["words"]["not_in_label"])
        self._say = cast("dict[str, Any]", data["say"])
        self.alarm = cast("str", data["words"]["alarm"])

    def say(self, key: str, **values: object) -> str:
        """A sentence, its first letter large where it is one."""
        text = cast("str", self._say[key]).format(**values)
        return text[:1].upper() + text[1:] if text[-1:] in ".?!" else text

    def names(self, key: str) -> list[str]:
        return cast("list[str]", self._say[key])


def _keyed(spoken: Mapping[str, int], below: int | None = None) -> dict[str, list[str]]:
    """Value -> the ways to say it, with digits where the values are bounded."""
    keyed: dict[str, list[str]] = {}
    for word, value in spoken.items():
        if below is None or value < below:
            keyed.setdefault(str(value), []).append(word)
    for value in range(below or 0):
        keyed.setdefault(str(value), []).extend(dict.fromkeys([str(value), f"{value:02}"]))
    return keyed


def _ordinals(simple: Mapping[str, int], tens: Mapping[str, int]) -> dict[str, int]:
    found = dict(simple)
    for ten, value in tens.items():
        found |= {f"{ten} {one}": value + n for one, n in simple.items() if n < 10}
    return found


@lru_cache
def load_words(code: str = "en") -> Words:
    """The language called `code`; raises FileNotFoundError where there is none."""
    return Words(_data(code))


def with_rules(
    rules: Mapping[str, Mapping[str, list[str]]],
    code: str = "en",
    not_in_label: Sequence[str] = (),
) -> Words:
    """The same language, whose times and numbers are at hand for further rules.

    `not_in_label` are further words that no label of these rules has.
    """
    data = _data(code)
    labels = {"not_in_label": [*data["words"]["not_in_label"], *not_in_label]}
    return Words(
        {**data, "rules": {**data["rules"], **rules}, "words": {**data["words"], **labels}}
    )


def _data(code: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(f"{code}.toml").read_text("utf-8"))
