"""How alike two names are, by letters and by sound."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from lapel.brain.language import Language
from lapel.brain.syllables import Syllables, read_table

_LETTERS = 0.45


class Sounds:
    """Sound keys of one language, cached. A key merges what sounds alike.

    Letters are merged by rules. A script whose characters are syllables is read by a table.
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        self.shortest = language.shortest
        """Characters that a name must have to be told by its sound."""
        self.key = lru_cache(maxsize=20_000)(self._key)
        self.syllables: Syllables | None = None
        if language.syllables is not None:
            self.syllables = Syllables(
                read_table(language.syllables),
                language.numbers,
                language.beginnings,
                language.ends,
                language.close_beginnings,
            )

    def _key(self, word: str) -> str:
        if self.syllables is not None and self.syllables.reads(word):
            return self.syllables.key(word)
        for pattern, replacement in self._language.sound_rules:
            word = pattern.sub(replacement, word)
        merged: list[str] = []
        for letter in word:
            letter = "a" if letter in self._language.vowels else letter
            if not merged or merged[-1] != letter:
                merged.append(letter)
        return "".join(merged)

    def likeness(self, said: str, name: str) -> float:
        """1.0 for the same, 0.0 for nothing in common; both are joined stems."""
        if self.syllables is not None and self.syllables.reads(said):
            return self.syllables.likeness(said, name)
        letters = fuzz.ratio(said, name) / 100
        sounds = fuzz.ratio(self.key(said), self.key(name)) / 100
        return _LETTERS * letters + (1 - _LETTERS) * sounds

    def closest(self, said: str, names: Sequence[str], most: int, cutoff: int) -> list[str]:
        """The names worth a comparison: those with the most letters, or sounds, in common."""
        by_sound = self.syllables is not None and self.syllables.reads(said)
        found = process.extract(
            said,
            names,
            processor=self.key if by_sound else None,
            scorer=fuzz.ratio,
            limit=most,
            score_cutoff=cutoff,
        )
        return [name for name, _, _ in found]
