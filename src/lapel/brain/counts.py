"""Counts that follow what they count, put where the reader looks for them: "拿铁两杯可颂一个"."""

from __future__ import annotations

from dataclasses import replace

from lapel.brain.chunks import Chunk
from lapel.brain.language import Word

_PASSED_OVER = frozenset({Word.CONTAINER, Word.FILLER, Word.POLITE, Word.THANKS})
_OPENS = frozenset({Word.AND, Word.ORDER, Word.WANT, Word.ADD, Word.MAKE, Word.CHANGE, Word.REMOVE})


def counts_first(chunks: list[Chunk]) -> list[Chunk]:
    """The chunks with every count before its item, in clauses whose counts come behind."""
    clauses: list[list[Chunk]] = [[]]
    for chunk in chunks:
        if clauses[-1] and (chunk.gap or (chunk.word in _OPENS and chunk.name is None)):
            clauses.append([])
        clauses[-1].append(chunk)
    return [chunk for clause in clauses for chunk in _turned(clause)]


def _turned(clause: list[Chunk]) -> list[Chunk]:
    """Such a clause begins with a thing that has no count and ends with a count."""
    told = [chunk for chunk in clause if chunk.is_item or _counts(chunk)]
    ends = next((chunk for chunk in reversed(clause) if chunk.word not in _PASSED_OVER), None)
    if not told or not told[0].is_item or ends is None or not _counts(ends):
        return clause
    turned: list[Chunk] = []
    item = -1
    for chunk in clause:
        if chunk.is_item:
            item = len(turned)
        if item >= 0 and _counts(chunk):
            counted = turned[item]
            # It takes no words of the item: an empty place before it.
            count = replace(chunk, start=counted.start, end=counted.start, gap=counted.gap)
            turned[item : item + 1] = [count, replace(counted, gap="")]
            item = -1
        else:
            turned.append(chunk)
    return turned


def _counts(chunk: Chunk) -> bool:
    return chunk.word is Word.NUMBER and chunk.name is None
