"""What is said around a wish out of politeness, for every grammar; and yes and no.

A grammar covers each word of an utterance, so it has to be told which words mean nothing. It tries
what is left, the shortest first: "I would like to fly to Oslo" may be read with or without its
beginning.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files

from lapel.assistant.grammar import Found, Reading

__all__ = ["forms", "is_no", "is_yes", "plain", "spans", "whole"]

_Phrases = tuple[tuple[str, ...], ...]


@lru_cache
def _table(code: str = "en") -> dict[str, _Phrases]:
    """The phrases of a language in words, the longest first."""
    data = tomllib.loads(files(__name__).joinpath(f"{code}.toml").read_text("utf-8"))
    return {
        name: tuple(sorted((tuple(x.split()) for x in phrases), key=len, reverse=True))
        for name, phrases in data.items()
    }


def spans(words: Sequence[str], after: Sequence[str] = ()) -> Iterator[tuple[int, int]]:
    """Where the wish may begin and end within `words`, which are in lower case.

    At least one word is left. First those with the words at their end that may be part of a free
    text. `after` are further phrases without meaning at the end.
    """
    table = _table()
    usual = (*table["after"], *(tuple(phrase.split()) for phrase in after))
    ends = dict.fromkeys((_end(words, usual), _end(words, (*usual, *table["after_all"]))))
    for end in ends:
        starts = [0]
        while (start := _start(words, starts[-1], end, table["before"])) != starts[-1]:
            starts.append(start)
        yield from ((start, end) for start in reversed(starts))


def forms(text: str, marks: str = ",;:!?") -> list[str]:
    """The text in lower case without these marks, with less and less taken from its beginning."""
    bare = re.sub(rf"[{marks}]+|\.(?=\s|$)", " ", text.lower().replace("\u2019", "'")).split()
    found = list(spans([word.strip(",") for word in bare]))
    shortest = min(end for _, end in found)
    return [" ".join(bare[x:y]).strip(" ,") for x, y in found if y == shortest]


def plain(text: str) -> str:
    """Lower case, one space, no marks at the ends, no polite words around."""
    return forms(text)[0]


def whole(reading: Reading, rule: str, after: Sequence[str] = ()) -> Found | None:
    """What a rule fits, politeness left out. `after` as for `spans`."""
    words = [token.word for token in reading.tokens]
    fits = (reading.whole(rule, start, end) for start, end in spans(words, after))
    return next((found for found in fits if found is not None), None)


def is_yes(text: str, *also: str) -> bool:
    """`also` are further words that agree to what was asked, such as "cancel it"."""
    said = plain(text)
    return tuple(said.split()) in _table()["yes"] or said.removeprefix("yes ") in also


def is_no(text: str) -> bool:
    return tuple(plain(text).split()) in _table()["no"]


def _start(words: Sequence[str], at: int, end: int, phrases: _Phrases) -> int:
    """Behind the longest phrase at that place; there, where none is, or nothing is left behind."""
    for phrase in phrases:
        if at + len(phrase) < end and tuple(words[at : at + len(phrase)]) == phrase:
            return at + len(phrase)
    return at


def _end(words: Sequence[str], phrases: _Phrases) -> int:
    end = len(words)
    phrases = tuple(sorted(phrases, key=len, reverse=True))
    while True:
        fits = (x for x in phrases if len(x) < end and tuple(words[end - len(x) : end]) == x)
        phrase = next(fits, None)
        if phrase is None:
            return end
        end -= len(phrase)
