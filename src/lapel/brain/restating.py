"""What an utterance says again: an order is often said whole when a part of it is asked about."""

from __future__ import annotations

from collections.abc import Iterable

from lapel.brain.chunks import Chunk
from lapel.brain.language import Word
from lapel.brain.phrases import Head, Mode, Phrase, Reading

_ADDS = frozenset({Word.AND, Word.ADD, Word.MORE, Word.EXTRA_NUMBER, Word.AGAIN})


def plain_items(chunks: list[Chunk], reading: Reading) -> list[Phrase]:
    """The items of an utterance that only names them; none when it edits or adds to a cart."""
    first = next((c for c in chunks if c.name is None and c.word is not Word.YES), None)
    if first is not None and first is chunks[0] and first.word is Word.AND:
        return []
    if (_ADDS - {Word.AND}) & reading.words:
        return []
    plain = all(_is_plain(phrase) for phrase in reading.phrases)
    return [p for p in reading.phrases if p.head is Head.ITEM] if plain else []


def _is_plain(phrase: Phrase) -> bool:
    edits = phrase.into or phrase.where or phrase.more or phrase.corrects or phrase.instead
    return phrase.mode is Mode.ADD and not edits


def items_of(phrases: Iterable[Phrase]) -> frozenset[int]:
    """Places in the menu that the phrases name."""
    found: set[int] = set()
    for phrase in phrases:
        if phrase.name is not None:
            found.update(phrase.name.exact_items or phrase.name.items)
    return frozenset(found)
