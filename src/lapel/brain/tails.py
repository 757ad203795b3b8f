"""Reads what follows a noun: "with oat milk and a little sugar, no cream, extra hot"."""

from __future__ import annotations

from enum import Enum

from lapel.brain.chunks import Chunk, Sentence
from lapel.brain.language import Word
from lapel.brain.lexicon import MenuIndex
from lapel.brain.nouns import NounMatch
from lapel.brain.phrases import Head, Phrase, ValueWord

_PASSED_OVER = frozenset({Word.FILLER, Word.POLITE, Word.OF, Word.CONTAINER})
_COUNTS = frozenset({Word.ARTICLE, Word.NUMBER, Word.DEFINITE, Word.ONLY})
_STARTS_NOUN = _COUNTS | {Word.MORE, Word.ORDINAL, Word.ALL, Word.PRONOUN, Word.THAT, Word.ONE}


class _After(Enum):
    """What the words just read make likely: options follow "with" and "no"."""

    NOTHING = 0
    LIST = 1
    JOIN = 2


class TailReader:
    """Collects options into a phrase until something else begins."""

    def __init__(self, sentence: Sentence, chunks: list[Chunk], index: MenuIndex) -> None:
        self._sentence = sentence
        self._chunks = chunks
        self._index = index

    def read(self, phrase: Phrase, at: int, *, stop_at_to: bool = False) -> int:
        """Adds options to `phrase`; returns the place of the first chunk that is not part of it."""
        tail = _Tail(self._sentence, self._chunks, self._index, phrase, at, stop_at_to)
        return tail.run()


class _Tail:
    def __init__(
        self,
        sentence: Sentence,
        chunks: list[Chunk],
        index: MenuIndex,
        phrase: Phrase,
        at: int,
        stop_at_to: bool,
    ) -> None:
        self._sentence = sentence
        self._chunks = chunks
        self._index = index
        self._phrase = phrase
        self._at = at
        self._start = at
        self._end = at
        self._stop_at_to = stop_at_to
        self._after = _After.NOTHING
        self._negative = False
        self._amount: Chunk | None = None
        self._number = 0
        self._correcting = False

    def run(self) -> int:
        """Words that only lead to an option are given back when no option follows."""
        while self._at < len(self._chunks):
            chunk = self._chunks[self._at]
            if (chunk.gap == "." and self._at > self._start) or not self._step(chunk):
                break
            self._at += 1
        if self._end > self._start:
            self._phrase.end = max(self._phrase.end, self._chunks[self._end - 1].end)
        return self._end

    def _step(self, chunk: Chunk) -> bool:
        if chunk.gap == "," and self._after is _After.NOTHING:
            self._after = _After.JOIN
        if chunk.gap == "." and self._at == self._start and self._phrase.head is not Head.NOTHING:
            return False
        if chunk.place is not None:
            return False
        if (chunk.is_value or chunk.is_item) and self._is_option(chunk):
            return self._take(chunk)
        if self._noun_follows(chunk) and not self._stays_negative(chunk):
            return False
        if chunk.is_value:
            return self._take(chunk)
        if chunk.is_other or chunk.is_item:
            self._negative = self._negative or self._stays_negative(chunk)
            return self._strange(chunk)
        if chunk.name is not None:
            return True
        return self._word(chunk)

    def _is_option(self, chunk: Chunk) -> bool:
        """A name that is a dish and an option is an option where one is offered and listed."""
        if not chunk.is_item:
            following = self._chunks[self._at + 1 : self._at + 2]
            alone = (
                not following
                or bool(following[0].gap)
                or not (following[0].is_item or following[0].is_value)
            )
            return alone and self._number == 0 and self._offered(chunk)
        if self._makes_variant(chunk) or self._divides_into(chunk):
            return True
        if chunk.is_value and chunk.name and not chunk.name.exact_items:
            return self._number == 0 and self._offered(chunk)
        listed = self._after is not _After.NOTHING or self._negative or self._amount is not None
        return listed and self._number == 0 and self._offered(chunk)

    def _makes_variant(self, chunk: Chunk) -> bool:
        """Whether it names another dish, as in "an americano, iced"."""
        name = self._phrase.name
        if name is None or chunk.name is None or chunk.name.exact_items or self._number:
            return False
        words = self._sentence.stems[chunk.start : chunk.end]
        return any(self._index.variant(p, words) is not None for p in name.exact_items)

    def _stays_negative(self, chunk: Chunk) -> bool:
        """Whether "without" goes on after "and": "without pickles and onion"."""
        last = self._phrase.values[-1] if self._phrase.values else None
        joined = self._after is _After.JOIN and not chunk.gap and self._at > self._start
        exact = chunk.name is not None and bool(chunk.name.exact_items)
        return bool(joined and last and last.negative and chunk.word is None and not exact)

    def _divides_into(self, chunk: Chunk) -> bool:
        """Whether part of a line becomes another dish: "one of them iced"."""
        phrase, name = self._phrase, chunk.name
        if phrase.head is not Head.NOTHING or not phrase.quantity or name is None:
            return False
        following = self._chunks[self._at + 1 : self._at + 2]
        alone = not following or not (following[0].is_item or following[0].is_value)
        if name.exact_items or not alone or not (phrase.part or self._at == self._start):
            return False
        words = self._sentence.stems[chunk.start : chunk.end]
        places = range(len(self._index.items))
        return any(self._index.variant(place, words) is not None for place in places)

    def _offered(self, chunk: Chunk) -> bool:
        if self._phrase.name is None or chunk.name is None:
            return self._phrase.head is not Head.ITEM and not chunk.is_item
        places = self._phrase.name.exact_items or tuple(self._phrase.name.items)
        return any(chunk.name.key in self._index.items[place].values for place in places)

    def _noun_follows(self, chunk: Chunk) -> bool:
        joined = self._after is _After.JOIN or self._at == self._start
        starts = chunk.word in _STARTS_NOUN and chunk.name is None
        directly = chunk.is_value or chunk.is_item
        if self._negative or not (starts or directly or joined):
            return False
        following = self._chunks[self._at + 1 : self._at + 2]
        if chunk.word is Word.AMOUNT and following and self._offered(following[0]):
            return False
        match = NounMatch(self._sentence, self._chunks, self._at, self._phrase.mode)
        if not match.run():
            return False
        if match.phrase.head is Head.ITEM and match.phrase.modifiers and not starts:
            return joined
        return True

    def _take(self, chunk: Chunk) -> bool:
        if self._correcting and self._phrase.values:
            self._phrase.values.pop()
        self._correcting = False
        amount = self._amount
        start = amount.start if amount else chunk.start
        self._phrase.values.append(
            ValueWord(
                chunk.start,
                chunk.end,
                self._sentence.words(start, chunk.end),
                chunk.name,
                self._negative,
                amount.amount if amount else "",
                self._number,
            )
        )
        self._taken()
        return True

    def _taken(self) -> None:
        self._negative, self._amount, self._number = False, None, 0
        self._after = _After.NOTHING
        self._end = self._at + 1

    def _strange(self, chunk: Chunk) -> bool:
        """Words that no catalogue knows are an option only where an option must stand."""
        if not (self._after is _After.LIST or self._negative or self._amount is not None):
            return False
        end = self._at + 1
        while end < len(self._chunks) and self._chunks[end].is_other and not self._chunks[end].gap:
            end += 1
        first, last = self._chunks[self._at], self._chunks[end - 1]
        start = self._amount.start if self._amount else first.start
        self._at = end - 1
        words = self._sentence.words(start, last.end)
        amount = self._amount.amount if self._amount else ""
        self._phrase.values.append(
            ValueWord(first.start, last.end, words, None, self._negative, amount, self._number)
        )
        self._taken()
        return True

    def _word(self, chunk: Chunk) -> bool:
        word = chunk.word
        if word in {Word.WITH, Word.WITHOUT, Word.NO}:
            return self._with(chunk)
        if word is Word.AMOUNT:
            self._amount = chunk
            return True
        if word is Word.AND:
            if self._after is not _After.LIST:
                self._after = _After.JOIN
            return True
        if word in _COUNTS:
            whole = self._phrase.quantity or 0
            part = self._phrase.head is Head.NOTHING or chunk.number < whole
            if whole and chunk.number and part and self._after is _After.JOIN:
                return False
            self._number = chunk.number
            return self._leads_to_option()
        if word is Word.IN:
            # "A club sandwich on rye".
            following = self._chunks[self._at + 1 : self._at + 2]
            self._after = _After.LIST
            return bool(following) and following[0].is_value and self._offered(following[0])
        if word is Word.CORRECT:
            self._correcting = bool(self._phrase.values)
            return self._correcting and self._leads_to_option()
        return word in _PASSED_OVER

    def _with(self, chunk: Chunk) -> bool:
        if chunk.word is Word.WITH:
            self._after = _After.LIST
            return not self._stop_at_to
        following = self._chunks[self._at + 1 : self._at + 2]
        if chunk.word is Word.NO and following and following[0].gap == ",":
            self._correcting = bool(self._phrase.values)
            return self._correcting and following[0].is_value
        if chunk.word is Word.NO and not self._leads_to_option():
            return False
        self._negative = True
        return True

    def _leads_to_option(self) -> bool:
        following = self._chunks[self._at + 1 : self._at + 2]
        if not following or following[0].gap == ".":
            return False
        chunk = following[0]
        return chunk.is_value or chunk.is_other or chunk.is_item or chunk.word is Word.AMOUNT
