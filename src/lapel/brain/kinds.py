"""Takes "margherita pizza" as one thing: a dish beside a word for the kind of thing that it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lapel.brain.chunks import Chunk, Sentence
from lapel.brain.language import Language, Word
from lapel.brain.lexicon import MenuIndex, Name

_MAY_BE_KINDS = frozenset({None, Word.SOMETHING, Word.CONTAINER, Word.FILLER})


def fold_kinds(
    sentence: Sentence, chunks: list[Chunk], index: MenuIndex, language: Language
) -> tuple[list[Chunk], int]:
    """Chunks in which a dish has swallowed its kind: "a pizza margherita", "a latte coffee".

    With them, how many kinds could have been items themselves.
    """
    folder = _Folder(sentence, index, language)
    folded: list[Chunk] = []
    items = 0
    for chunk in chunks:
        last = folded[-1] if folded else None
        if last is not None and not chunk.gap:
            if folder.tells_kind(chunk, last):
                items += _is_an_item(chunk)
                folded[-1] = replace(last, end=chunk.end, plural=last.plural or folder.many(chunk))
                continue
            if folder.tells_kind(last, chunk):
                items += _is_an_item(last)
                folded[-1] = replace(
                    chunk,
                    start=last.start,
                    gap=last.gap,
                    plural=chunk.plural or folder.many(last),
                )
                continue
        folded.append(chunk)
    return folded, items


def _is_an_item(chunk: Chunk) -> bool:
    return chunk.name is not None and bool(chunk.name.exact_items)


class _Folder:
    def __init__(self, sentence: Sentence, index: MenuIndex, language: Language) -> None:
        self._sentence = sentence
        self._index = index
        self._language = language

    def many(self, chunk: Chunk) -> bool:
        return self._language.is_plural(self._sentence.tokens[chunk.end - 1].text)

    def tells_kind(self, kind: Chunk, dish: Chunk) -> bool:
        """Whether the words of `kind` say nothing about `dish` but what it is anyway."""
        if dish.name is None or not dish.is_item or kind.place is not None:
            return False
        if kind.word not in _MAY_BE_KINDS or kind.likeness < 1.0:
            return False
        if dish.likeness < 1.0 or not dish.name.exact_items:
            return False
        stems = self._sentence.stems[kind.start : kind.end]
        places = dish.name.exact_items
        if kind.name is not None and self._chooses(kind.name, stems, places):
            return False
        another = _is_an_item(kind)
        return all(self._index.is_kind(place, stems, closely=another) for place in places)

    def _chooses(self, name: Name, stems: list[str], places: Iterable[int]) -> bool:
        """Whether the words set an option of the dish, or make another dish of it."""
        return any(
            name.key in self._index.items[place].values
            or self._index.variant(place, stems) is not None
            for place in places
        )
