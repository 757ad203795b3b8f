"""Characters by how they are said, for scripts in which a recogniser writes one for another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import product

from rapidfuzz import fuzz

_SAME, _CONFUSED, _NEAR = 0.95, 0.9, 0.8
_MOST_KEYS = 8


class Syllables:
    """Readings of characters without tone, and how alike two of them sound.

    `beginnings` and `ends` are pairs that are often not told apart: the first is read as the
    second. Syllables are near when they begin with the same letter, or with two of one of `close`.
    """

    def __init__(
        self,
        table: str,
        numbers: dict[str, int],
        beginnings: Sequence[tuple[str, str]],
        ends: Sequence[tuple[str, str]],
        close: Sequence[str],
    ) -> None:
        self._class = {letter: letters for letters in close for letter in letters}
        self._readings: dict[str, tuple[str, ...]] = {}
        self._merged: dict[str, str] = {}
        for line in table.splitlines():
            syllable, characters = line.split()
            self._merged[syllable] = _merge(syllable, beginnings, ends)
            for character in characters:
                self._readings[character] = (*self._readings.get(character, ()), syllable)
        # Names are looked up with their numbers as digits.
        for word, number in numbers.items():
            if word in self._readings and number < 10:
                readings = (*self._readings.get(str(number), ()), *self._readings[word])
                self._readings[str(number)] = readings
        self._alike = lru_cache(maxsize=50_000)(self._compare)

    def reads(self, word: str) -> bool:
        """Whether every character of a word is known, so that it can be compared by sound."""
        return bool(word) and all(character in self._readings for character in word)

    def key(self, word: str) -> str:
        """How a word is said, sounds that are confused written alike."""
        return " ".join(self._sounds(character)[0] for character in word)

    def keys(self, word: str) -> Iterator[str]:
        """All keys of a word: a character may be said in two ways."""
        ways = [dict.fromkeys(self._sounds(character)) for character in word]
        for number, way in enumerate(product(*ways)):
            if number == _MOST_KEYS:
                return
            yield " ".join(way)

    def likeness(self, said: str, name: str) -> float:
        """1.0 for the same characters, 0.0 where nothing sounds alike or one is longer."""
        if len(said) != len(name):
            return 0.0
        return sum(map(self._alike, said, name)) / len(name)

    def homophones(self, character: str) -> Iterable[str]:
        """Other characters that are said the same, tones left aside."""
        mine = set(self._readings.get(character, ())[:1])
        return [c for c, found in self._readings.items() if c != character and found[0] in mine]

    def confused(self, character: str) -> Iterable[str]:
        """Other characters that are said nearly the same: of "zi" those of "zhi"."""
        mine, same = set(self.keys(character)), set(self.homophones(character))
        return [
            c
            for c in self._readings
            if c not in same and c != character and self._sounds(c)[0] in mine
        ]

    def _sounds(self, character: str) -> tuple[str, ...]:
        readings = self._readings.get(character)
        return tuple(self._merged[r] for r in readings) if readings else (character,)

    def _compare(self, said: str, name: str) -> float:
        if said == name:
            return 1.0
        mine, its = self._readings.get(said, ()), self._readings.get(name, ())
        if set(mine) & set(its):
            return _SAME
        mine, its = self._sounds(said), self._sounds(name)
        if set(mine) & set(its):
            return _CONFUSED
        near = [(a, b) for a in mine for b in its if self._begins(a) == self._begins(b)]
        return _NEAR * max((fuzz.ratio(a, b) / 100 for a, b in near), default=0.0)

    def _begins(self, syllable: str) -> str:
        return self._class.get(syllable[0], syllable[0])


def _merge(
    syllable: str, beginnings: Sequence[tuple[str, str]], ends: Sequence[tuple[str, str]]
) -> str:
    for said, heard in beginnings:
        if syllable.startswith(said):
            syllable = heard + syllable[len(said) :]
            break
    for said, heard in ends:
        if syllable.endswith(said):
            return syllable[: len(syllable) - len(said)] + heard
    return syllable


@lru_cache(maxsize=4)
def read_table(name: str) -> str:
    """A table beside the language files: a syllable a line, and the characters said so."""
    return files("lapel.brain.language").joinpath(name).read_text(encoding="utf-8")
