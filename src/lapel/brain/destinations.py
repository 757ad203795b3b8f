"""Where an order should go, in words that are none of the user's addresses."""

from __future__ import annotations

from lapel.brain.chunks import Chunk
from lapel.brain.language import Word

_MOST_CHUNKS = 6
_AFTER = frozenset({Word.POLITE, Word.THANKS, Word.FILLER, Word.INSTEAD})
_BEFORE = _AFTER | {Word.TO, Word.IN, Word.NO, Word.CORRECT, Word.SEND, Word.PRONOUN}
_INSIDE = frozenset({Word.IN, Word.OF})
_LEADING = frozenset({Word.DEFINITE, Word.ARTICLE, Word.THAT})


def strange_place(chunks: list[Chunk], at: int) -> tuple[int, int] | None:
    """The chunks from `at` on that name an unknown place: "the moon", "5 Main Street".

    After "to" a name that was only guessed at is more likely a place than a dish.
    """
    first = at
    while first < len(chunks) and chunks[first].word in _LEADING and not chunks[first].gap:
        first += 1
    end, strange = first, False
    while end < len(chunks):
        chunk = chunks[end]
        if chunk.gap and end > at:
            break
        unheard = chunk.is_other or chunk.likeness < 1.0
        # "My place" is known, "Anna's place" is not; "Main Street" has a word of a menu.
        part = chunk.name is not None and not chunk.name.exact_items and not chunk.name.value
        goes_on = strange and (chunk.place is not None or part)
        if strange and chunk.word in _INSIDE and _goes_on(chunks[end + 1 : end + 2]):
            end += 1
            continue
        if not (unheard or goes_on or part or chunk.word is Word.NUMBER):
            break
        strange = strange or unheard
        end += 1
    return (first, end) if strange else None


def _goes_on(following: list[Chunk]) -> bool:
    """Whether a place goes on after "in" or "of": "my mother in law's house"."""
    return bool(following) and following[0].is_other and not following[0].gap


def only_a_strange_place(chunks: list[Chunk]) -> tuple[int, int] | None:
    """The chunks of an answer to "where to?" that names an unknown place and says no more."""
    at = 0
    while at < len(chunks) and chunks[at].word in _BEFORE:
        at += 1
    place = strange_place(chunks, at)
    if place is None or not all(chunk.word in _AFTER for chunk in chunks[place[1] :]):
        return None
    return place if place[1] - place[0] <= _MOST_CHUNKS else None
