"""How alike two names are, by letters and by sound."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz import fuzz

from lapel.brain.language import Language

_LETTERS = 0.45


class Sounds:
    """Sound keys of one language, cached. A key merges vowels and letters that sound alike."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self.key = lru_cache(maxsize=20_000)(self._key)

    def _key(self, word: str) -> str:
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
        letters = fuzz.ratio(said, name) / 100
        sounds = fuzz.ratio(self.key(said), self.key(name)) / 100
        return _LETTERS * letters + (1 - _LETTERS) * sounds
