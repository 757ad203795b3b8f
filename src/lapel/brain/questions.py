"""Questions about what a shop has: whether it has a thing, which kinds of it, and what is in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from lapel.brain.language import Language

_NO_WORD = re.compile(r"[^\w'%]+")
_STOP = re.compile(r"(?<=[.!?])\s+")


_ABOUT = "about"


class Asks(StrEnum):
    """What is asked of a menu."""

    MENU = "menu"
    WHICH = "which"
    WHETHER = "whether"
    CONTENTS = "contents"


_VAGUE = frozenset({_ABOUT, Asks.CONTENTS})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what it is about in the user's words; "" is everything that there is.

    `vague` is true for words that may ask about anything: they ask a shop about what it sells.
    """

    asks: Asks
    what: str
    vague: bool = False


class QuestionPhrases:
    """The phrases of one language, as patterns of regular expressions, tried in order."""

    def __init__(self, language: Language) -> None:
        data = language.questions
        parts = {name: f"(?:{pattern})" for name, pattern in data.get("parts", {}).items()}
        self._patterns = [
            (Asks.WHICH if name == _ABOUT else Asks(name), name in _VAGUE, re.compile(pattern))
            for name in (*Asks, _ABOUT)
            for pattern in (rf"\b{_filled(text, parts)}\b" for text in data.get(name, ()))
        ]
        self._around = [
            re.compile(rf"^(?:{'|'.join(data.get('before', ['(?!)']))})\b ?"),
            re.compile(rf" ?\b(?:{'|'.join(data.get('after', ['(?!)']))})$"),
        ]

    def read(self, text: str) -> Asked | None:
        """The first question in the text; None where nothing is asked of a shop."""
        for sentence in (_plain(part) for part in _STOP.split(text)):
            for asks, vague, pattern in self._patterns:
                found = pattern.search(sentence)
                if found is not None:
                    what = self._bare(found.groupdict().get("what") or "")
                    return Asked(asks, what, vague)
        return None

    def _bare(self, what: str) -> str:
        """What is asked about, without the words around it: "any herbal tea here" is that tea."""
        before = None
        while before != what:
            before = what
            for pattern in self._around:
                what = pattern.sub("", what).strip()
        return what


def _plain(text: str) -> str:
    return " ".join(_NO_WORD.sub(" ", text.lower().replace("\u2019", "'")).split())


def _filled(pattern: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace(f"<{name}>", part)
    return pattern
