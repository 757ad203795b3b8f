"""Finds one noun phrase: "two large iced lattes", "the second one", "two, no, three muffins"."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from lapel.brain.chunks import Chunk, Sentence
from lapel.brain.language import Word
from lapel.brain.phrases import Head, Mode, Phrase, ValueWord

_MOST_STRANGE_WORDS = 4
_PASSED_OVER = frozenset({Word.CONTAINER, Word.FILLER, Word.POLITE, Word.GREETING})


class _Step(Enum):
    GO = 1
    HEAD = 2
    STOP = 3


class NounMatch:
    """Reads chunks from `start` on.

    `run()` is true when they make a noun phrase, which then ends before `at`.
    """

    def __init__(self, sentence: Sentence, chunks: list[Chunk], start: int, mode: Mode) -> None:
        self._sentence = sentence
        self._chunks = chunks
        self.start = start
        self.at = start
        first = chunks[start].start if start < len(chunks) else 0
        self.phrase = Phrase(mode, Head.NOTHING, first, first)
        self._amount: Chunk | None = None
        self._correcting = False
        self._reference_end = start
        self._steps: dict[Word, Callable[[Chunk], _Step]] = {
            Word.NUMBER: self._number,
            Word.ARTICLE: self._article,
            Word.DEFINITE: self._definite,
            Word.THAT: self._that,
            Word.PRONOUN: self._pronoun,
            Word.ONE: self._one,
            Word.MORE: self._more,
            Word.EXTRA_NUMBER: self._extra_number,
            Word.ORDINAL: self._ordinal,
            Word.ONLY: self._only,
            Word.ALL: self._all,
            Word.AMOUNT: self._amount_word,
            Word.CORRECT: self._correct,
            Word.NO: self._no,
            Word.OF: self._of,
        }

    def run(self) -> bool:
        while self.at < len(self._chunks):
            chunk = self._chunks[self.at]
            if self.at > self.start and chunk.gap and not self._joins(chunk):
                break
            step = self._step(chunk)
            if step is _Step.STOP:
                break
            self.at += 1
            if step is _Step.HEAD:
                self.phrase.end = chunk.end
                return True
        return self._pending_reference()

    @property
    def _empty(self) -> bool:
        p = self.phrase
        return p.quantity is None and not (
            p.definite or p.ordinal or p.values or p.modifiers or p.more or p.all
        )

    def _joins(self, chunk: Chunk) -> bool:
        """Whether a phrase may go on after a pause: "a large, iced latte", "two, no, three"."""
        if chunk.gap == "." or self._empty:
            return False
        if self._correcting or chunk.word in {Word.CORRECT, Word.NO}:
            return True
        return chunk.is_value or chunk.is_item

    def _step(self, chunk: Chunk) -> _Step:
        if chunk.is_item:
            return self._item(chunk)
        if chunk.is_value:
            return self._value(chunk)
        if chunk.name is not None:
            return _Step.GO if not self._empty else _Step.STOP
        if chunk.place is not None:
            return _Step.STOP
        if chunk.word is None:
            self.phrase.modifiers.append((chunk.start, chunk.end))
            many = len(self.phrase.modifiers) > _MOST_STRANGE_WORDS
            return _Step.STOP if many else _Step.GO
        if chunk.word in _PASSED_OVER:
            return _Step.STOP if self._empty else _Step.GO
        step = self._steps.get(chunk.word)
        return step(chunk) if step else _Step.STOP

    def _next(self) -> Chunk | None:
        following = self._chunks[self.at + 1 : self.at + 2]
        return following[0] if following and not following[0].gap else None

    def _item(self, chunk: Chunk) -> _Step:
        following = self._next()
        assert chunk.name is not None
        if following is not None and following.is_item:
            if chunk.is_value:
                return self._value(chunk)
            if not chunk.name.exact_items:
                self.phrase.modifiers.append((chunk.start, chunk.end))
                return _Step.GO
        self.phrase.head = Head.ITEM
        self.phrase.name = chunk.name
        self.phrase.rivals = chunk.rivals
        self.phrase.likeness = chunk.likeness
        if chunk.plural and self.phrase.quantity is None and self.phrase.all:
            self.phrase.definite = True
        return _Step.HEAD

    def _value(self, chunk: Chunk) -> _Step:
        if self._correcting and self.phrase.values:
            self.phrase.values.pop()
        self._correcting = False
        amount = self._amount
        start = amount.start if amount else chunk.start
        self.phrase.values.append(
            ValueWord(
                chunk.start,
                chunk.end,
                self._sentence.words(start, chunk.end),
                chunk.name,
                amount=amount.amount if amount else "",
            )
        )
        self._amount = None
        return _Step.GO

    def _number(self, chunk: Chunk) -> _Step:
        named = self._leads_to_a_name() and not self.phrase.ordinal
        if chunk.number == 1 and self._describes_a_line() and not named:
            self.phrase.head = Head.LINE
            return _Step.HEAD
        if self.phrase.quantity is not None and not (self._correcting or self.phrase.article):
            return _Step.STOP
        if self.phrase.values or self.phrase.modifiers:
            return _Step.STOP
        self._correcting = False
        self.phrase.quantity = chunk.number
        self.phrase.article = False
        return _Step.GO

    def _describes_a_line(self) -> bool:
        p = self.phrase
        return p.definite or bool(p.ordinal) or bool(p.values and (p.article or p.definite))

    def _leads_to_a_name(self) -> bool:
        following = self._next()
        return following is not None and (following.is_item or following.is_value)

    def _article(self, chunk: Chunk) -> _Step:
        if self._correcting:
            self.phrase.values.clear()
            self._correcting = False
        elif not self._empty and not self.phrase.article:
            return _Step.STOP
        self.phrase.quantity = 1
        self.phrase.article = True
        return _Step.GO

    def _definite(self, chunk: Chunk) -> _Step:
        if not self._empty and not self.phrase.all and self.phrase.quantity is None:
            return _Step.STOP
        if self.phrase.values:
            return _Step.STOP
        self.phrase.definite = True
        return _Step.GO

    def _that(self, chunk: Chunk) -> _Step:
        following = self._next()
        names = following is not None and (following.is_item or following.is_other)
        one = following is not None and following.word is Word.NUMBER and following.number == 1
        after = self._chunks[self.at + 2 : self.at + 3]
        # "Make that peppermint" is no peppermint of before; "make that latte large" is one.
        becomes = self.phrase.mode is Mode.MAKE and (not after or bool(after[0].gap))
        if one or (names and not becomes):
            return self._definite(chunk)
        return self._pronoun(chunk)

    def _pronoun(self, chunk: Chunk) -> _Step:
        if not self._empty and not self.phrase.all:
            return _Step.STOP
        self.phrase.head = Head.ALL if self.phrase.all else Head.LINE
        return _Step.HEAD

    def _one(self, chunk: Chunk) -> _Step:
        if self._empty:
            return _Step.STOP
        self.phrase.head = Head.ALL if self.phrase.all else Head.LINE
        self.phrase.definite = True
        return _Step.HEAD

    def _more(self, chunk: Chunk) -> _Step:
        if not self._empty:
            return _Step.STOP
        self.phrase.more = True
        self.phrase.quantity = 1
        self.phrase.article = True
        return _Step.GO

    def _extra_number(self, chunk: Chunk) -> _Step:
        if self.phrase.quantity is None and not self.phrase.definite:
            return _Step.STOP
        self.phrase.more = self.phrase.quantity is not None
        return _Step.GO

    def _ordinal(self, chunk: Chunk) -> _Step:
        if self.phrase.values or self.phrase.modifiers or self.phrase.article:
            return _Step.STOP
        self.phrase.ordinal = chunk.number
        self._reference_end = self.at + 1
        self.phrase.definite = True
        return _Step.GO

    def _only(self, chunk: Chunk) -> _Step:
        if not self._empty:
            return _Step.STOP
        self.phrase.only = True
        return _Step.GO

    def _all(self, chunk: Chunk) -> _Step:
        if not self._empty:
            return _Step.STOP
        self.phrase.all = True
        self._reference_end = self.at + 1
        return _Step.GO

    def _amount_word(self, chunk: Chunk) -> _Step:
        self._amount = chunk
        return _Step.GO

    def _correct(self, chunk: Chunk) -> _Step:
        if self._empty:
            return _Step.STOP
        self._correcting = True
        return _Step.GO

    def _no(self, chunk: Chunk) -> _Step:
        following = self._chunks[self.at + 1 : self.at + 2]
        number = bool(following) and following[0].word in {Word.NUMBER, Word.ARTICLE}
        value = bool(following) and following[0].is_value and bool(self.phrase.values)
        if self._empty or not (number or value):
            return _Step.STOP
        self._correcting = True
        return _Step.GO

    def _of(self, chunk: Chunk) -> _Step:
        return _Step.STOP if self._empty else _Step.GO

    def is_unknown(self) -> bool:
        """After a failed run: a counted thing with strange words at its end, "a large mogo"."""
        p = self.phrase
        return bool(p.modifiers) and bool(p.values) and (p.article or p.quantity is not None)

    def _pending_reference(self) -> bool:
        """Lines are named without a noun: "the second", "the last", "both"."""
        if not (self.phrase.ordinal or self.phrase.all):
            return False
        # What was read beyond the reference is not part of it: "both large".
        self.at = self._reference_end
        self.phrase.values.clear()
        self.phrase.modifiers.clear()
        self.phrase.quantity, self.phrase.article = None, False
        self.phrase.head = Head.LINE if self.phrase.ordinal else Head.ALL
        self.phrase.end = self._chunks[self.at - 1].end
        return True
