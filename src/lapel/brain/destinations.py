"""Where an order should go, in words that are none of the user's addresses."""

from __future__ import annotations

from lapel.brain.chunks import Chunk
from lapel.brain.language import Word

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
        part = chunk.name is not None and not chunk.name.exact_items and not chunk.is_value
        goes_on = strange and (chunk.place is not None or part)
        if not (unheard or goes_on or part or chunk.word is Word.NUMBER):
            break
        strange = strange or unheard
        end += 1
    return (first, end) if strange else None
