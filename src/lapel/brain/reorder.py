"""Asking for what was had before: "the usual", "the same as last time, to my office"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from lapel.brain.language import Language


class Which(StrEnum):
    """Which earlier order is meant."""

    USUAL = "usual"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Reorder:
    """`what`, `shop` and `place` are the user's words, empty where nothing was said."""

    which: Which
    what: str = ""
    shop: str = ""
    place: str = ""


class ReorderPhrases:
    """The phrases of one language. Only a whole utterance is ever taken for one of them."""

    def __init__(self, language: Language) -> None:
        data = language.reorder
        self._lead = _pattern(data["lead"])
        self._patterns = {
            which: re.compile(rf"(?:{_pattern(data[which])}){data['rest']}") for which in Which
        }
        self._tail = _pattern(data["tail"])

    def read(self, text: str) -> Reorder | None:
        """The wish, or None for everything else."""
        words = " ".join(re.sub(r"[^\w' ]+", " ", text.lower()).split())
        words = re.sub(rf"^(?:(?:{self._lead}) )+", "", words)
        words = re.sub(rf"(?: (?:{self._tail}))+$", "", words)
        for which, pattern in self._patterns.items():
            found = pattern.fullmatch(words)
            if found is None:
                continue
            named = found.groupdict()
            shop, place, what = (named.get(key) or "" for key in ("shop", "place", "what"))
            return Reorder(which, what.strip(), shop.strip(), place.strip())
        return None


def _pattern(phrases: list[str]) -> str:
    return "|".join(f"(?:{phrase})" for phrase in phrases)
