"""Text in any script: its spoken units, and the marks that end sentences and clauses.

A unit is a word where words are spaced, else a character.
"""

# ruff: noqa: RUF001  the marks of other scripts are what this file is about

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# Han, kana, Thai, Lao, Myanmar, Khmer, Tibetan, Yi: written without spaces between words.
UNSPACED: Final = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007"
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uf900-\ufaff"
    "\uff66-\uff9f\U0001b000-\U0001b2ff\U00020000-\U0003ffff"
)
ASCII_SENTENCE_MARKS: Final = ".!?…"  # these end something only before a space
ASCII_CLAUSE_MARKS: Final = ".!?…,;:"
SENTENCE_MARKS: Final = "。！？｡।॥؟۔"  # these do so by themselves
CLAUSE_MARKS: Final = "。！？｡।॥؟۔，、；：،؛"
CLOSERS: Final = "\"'”’)]»」』"
DASHES: Final = "—–-"
_UNIT: Final = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[\w'’])+")


@dataclass(frozen=True, slots=True)
class Unit:
    text: str
    start: int
    end: int


def units(text: str) -> list[Unit]:
    """The units in order, case-folded, with their places in the text."""
    found: list[Unit] = []
    for match in _UNIT.finditer(text):
        folded = match[0].strip("'’").casefold()
        if folded:
            found.append(Unit(folded, match.start(), match.end()))
    return found
