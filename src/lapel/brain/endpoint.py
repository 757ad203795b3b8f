"""Whether a partial transcript looks finished, for the decision to wait for more."""

from __future__ import annotations

from lapel.brain.chunks import Chunk
from lapel.brain.language import Word

_LEADS_ON = frozenset(
    {Word.AND, Word.OR, Word.WITH, Word.WITHOUT, Word.TO, Word.FROM, Word.IN, Word.OF}
    | {Word.ARTICLE, Word.DEFINITE, Word.MORE, Word.ORDER, Word.WANT, Word.ADD, Word.REMOVE}
    | {Word.CHANGE, Word.MAKE, Word.SEND, Word.INSTEAD_OF, Word.CONTAINER, Word.AMOUNT}
    | {Word.CORRECT, Word.EXTRA_NUMBER, Word.ORDINAL, Word.QUESTION}
)
_ENDS = frozenset(
    {Word.POLITE, Word.THANKS, Word.YES, Word.DENY, Word.CANCEL, Word.STATUS, Word.REPEAT}
    | {Word.PRONOUN, Word.INSTEAD, Word.AGAIN, Word.ALL, Word.MENU}
)


def complete_hint(chunks: list[Chunk]) -> bool | None:
    """True finished, False surely not, None unknown."""
    if not chunks:
        return None
    last = chunks[-1]
    if last.is_item or last.place is not None:
        return True
    if last.name is not None:
        return _after_value(chunks)
    if last.word is Word.NUMBER:
        return _after_number(chunks)
    if last.word in _LEADS_ON:
        return False
    return True if last.word in _ENDS else None


def _after_value(chunks: list[Chunk]) -> bool:
    """Whether "a large" waits for its noun; "a latte with oat milk" does not."""
    for chunk in reversed(chunks[:-1]):
        if chunk.is_item or chunk.word in {Word.PRONOUN, Word.WITH, Word.ALL, Word.MAKE}:
            return True
        if chunk.word in {Word.ARTICLE, Word.NUMBER, Word.AND, Word.ORDER, Word.WANT}:
            return False
    return True


def _after_number(chunks: list[Chunk]) -> bool:
    """Whether a number ends it: "make it three" is finished, "I would like three" is not."""
    before = chunks[-2].word if len(chunks) > 1 else None
    return before in {Word.PRONOUN, Word.THAT, Word.ALL, Word.ONLY}
