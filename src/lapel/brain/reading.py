"""Reads a cut utterance into phrases: what, how many, how, where to and from whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lapel.brain.chunks import Chunk, Sentence
from lapel.brain.destinations import strange_place
from lapel.brain.language import Language, Word
from lapel.brain.lexicon import MenuIndex
from lapel.brain.nouns import NounMatch
from lapel.brain.phrases import Head, Mode, Phrase, Reading
from lapel.brain.tails import TailReader

_MODES = {
    Word.ORDER: Mode.ADD,
    Word.WANT: Mode.ADD,
    Word.ADD: Mode.ADD,
    Word.SEND: Mode.ADD,
    Word.REMOVE: Mode.REMOVE,
    Word.CHANGE: Mode.CHANGE,
    Word.MAKE: Mode.MAKE,
}
_DETERMINERS = frozenset(
    {Word.ARTICLE, Word.NUMBER, Word.MORE, Word.DEFINITE, Word.AND, Word.ORDER, Word.WANT, Word.ADD}
    | {Word.REMOVE, Word.ONLY, Word.CONTAINER, Word.EXTRA_NUMBER}
)
_AFTER_A_CORRECTION = frozenset({*_MODES, Word.ARTICLE, Word.NUMBER, Word.PRONOUN})
_BETWEEN = frozenset({Word.FILLER, Word.AND, Word.WANT, Word.ORDER})
_SILENT = frozenset({Word.FILLER, Word.POLITE, Word.THANKS, Word.GREETING})


def repair_numbers(sentence: Sentence, chunks: list[Chunk], language: Language) -> list[Chunk]:
    """A number is believed where one must stand: "to iced lattes" is two of them."""
    changing = False
    repaired: list[Chunk] = []
    for at, chunk in enumerate(chunks):
        changing = changing or chunk.word in {Word.CHANGE, Word.SEND, Word.INSTEAD_OF}
        number = 0
        if chunk.end - chunk.start == 1 and chunk.name is None:
            number = language.homophones.get(sentence.tokens[chunk.start].text, 0)
        if number and not changing and _wants_number(repaired, chunks[at + 1 :], chunk):
            chunk = replace(chunk, word=Word.NUMBER, number=number, place=None)
        repaired.append(chunk)
    return repaired


def _wants_number(before: list[Chunk], after: list[Chunk], chunk: Chunk) -> bool:
    previous = next((c for c in reversed(before) if c.word not in _SILENT), None)
    ends_make = (
        not after
        and len(before) > 1
        and before[-1].word in {Word.PRONOUN, Word.THAT}
        and before[-2].word is Word.MAKE
    )
    if ends_make:
        return True
    opens = previous is None or chunk.gap == "." or previous.word in _DETERMINERS - {Word.DEFINITE}
    if not opens or (previous is not None and previous.word in {Word.NUMBER, Word.ARTICLE}):
        return False
    for following in after:
        if following.is_item:
            return following.plural
        if not (following.is_value or following.word is Word.CONTAINER):
            return False
    return False


class Reader:
    """Reads one sentence against one catalogue. Use once."""

    def __init__(self, sentence: Sentence, chunks: list[Chunk], index: MenuIndex) -> None:
        self._sentence = sentence
        self._chunks = chunks
        self._at = 0
        self._mode = Mode.ADD
        self._sending = False
        self._correcting = False
        self._changing: Phrase | None = None
        self._after_and = False
        self._tails = TailReader(sentence, chunks, index)
        self.reading = Reading()
        self._handlers: dict[Word, Callable[[Chunk], None]] = {
            **dict.fromkeys(_MODES, self._verb),
            Word.CANCEL: self._cancel,
            Word.CORRECT: self._correct,
            Word.NO: self._no,
            Word.TO: self._to,
            Word.IN: self._to,
            Word.FROM: self._from,
            Word.INSTEAD: self._instead,
            Word.INSTEAD_OF: self._instead_of,
            Word.NOT: self._not,
            Word.AGAIN: self._again,
            Word.NUMBER: self._number,
            Word.ARTICLE: self._determiner,
            Word.MORE: self._determiner,
            Word.WITH: self._values,
            Word.WITHOUT: self._values,
            Word.AMOUNT: self._values,
            Word.AND: self._and,
            Word.OF: self._of,
        }

    def read(self) -> Reading:
        while self._at < len(self._chunks):
            before = self._at
            self._step(self._chunks[self._at])
            self._at = max(self._at, before + 1)
        return self.reading

    def _step(self, chunk: Chunk) -> None:
        if chunk.gap == ".":
            self._mode, self._correcting, self._changing = Mode.ADD, False, None
        if chunk.word is not None and chunk.name is None:
            self.reading.words.add(chunk.word)
        if chunk.place is not None:
            self._place(chunk)
        elif self._takes_noun():
            return
        elif chunk.is_value:
            self._values(chunk)
        elif chunk.is_other:
            self._other()
        elif chunk.word is not None and (handler := self._handlers.get(chunk.word)):
            handler(chunk)

    def _peek(self, ahead: int = 1) -> Chunk | None:
        at = self._at + ahead
        return self._chunks[at] if at < len(self._chunks) else None

    def _takes_noun(self) -> bool:
        match = NounMatch(self._sentence, self._chunks, self._at, self._mode)
        if not match.run():
            if match.at == self._at or not match.is_unknown():
                return False
            match.phrase.head = Head.UNKNOWN
            match.phrase.start, match.phrase.end = match.phrase.modifiers[-1]
            match.phrase.modifiers.clear()
        for chunk in self._chunks[self._at : match.at]:
            if chunk.word is not None and chunk.name is None:
                self.reading.words.add(chunk.word)
        self._at = match.at
        self._noun(match.phrase)
        return True

    def _noun(self, phrase: Phrase) -> None:
        if self._is_compound(phrase):
            return
        stop = self._mode is Mode.CHANGE and self._changing is None
        self._at = self._tails.read(phrase, self._at, stop_at_to=stop)
        phrase.corrects, self._correcting = self._correcting, False
        self._place_phrase(phrase)
        self._after_and = False

    def _is_compound(self, phrase: Phrase) -> bool:
        """An item's name followed at once by a strange word: "a coffee table" is no coffee."""
        chunk = self._chunks[self._at] if self._at < len(self._chunks) else None
        if phrase.head is not Head.ITEM or chunk is None or chunk.gap:
            return False
        part = phrase.name is not None and not phrase.name.exact_items
        about = chunk.name is not None and chunk.name.group and not chunk.is_value
        if not chunk.is_other and not (part and about):
            return False
        end = self._at + 1
        while end < len(self._chunks) and self._chunks[end].is_other:
            end += 1
        phrase.head, phrase.name = Head.UNKNOWN, None
        phrase.end = self._chunks[end - 1].end
        self._at = end
        self._place_phrase(phrase)
        return True

    def _place_phrase(self, phrase: Phrase) -> None:
        """Puts a phrase where it belongs: a thing of its own, or what another becomes."""
        if self._changing is not None:
            if self._changing is not phrase:
                self._changing.into = phrase
                self._changing = None
            return
        self.reading.phrases.append(phrase)
        takes_more = self._mode is Mode.CHANGE or (self._mode is Mode.MAKE and phrase.refers)
        if takes_more and not (self._mode is Mode.MAKE and phrase.values):
            self._changing = phrase

    def _verb(self, chunk: Chunk) -> None:
        assert chunk.word is not None
        self._mode = _MODES[chunk.word]
        self._correcting = self._correcting and chunk.word is not Word.ADD
        if chunk.word not in {Word.MAKE, Word.ORDER, Word.WANT}:
            self._changing = None
        self._sending = self._sending or chunk.word is Word.SEND
        self._at += 1

    def _cancel(self, chunk: Chunk) -> None:
        self._at += 1
        following = self._peek(0)
        thing = following is not None and following.word is Word.DEFINITE and not following.gap
        if (thing or chunk.end - chunk.start == 1) and following is not None:
            match = NounMatch(self._sentence, self._chunks, self._at, Mode.REMOVE)
            if match.run():
                self._mode = Mode.REMOVE
                return
        self.reading.cancel = True
        self.reading.cleared = not self.reading.phrases

    def _correct(self, chunk: Chunk) -> None:
        # "Sorry, a mocha" may open politely; "no wait, a mocha" does not.
        self._correcting = bool(self.reading.phrases) or chunk.end - chunk.start > 1
        self.reading.restarts = self.reading.restarts or not self.reading.phrases
        self._at += 1

    def _no(self, chunk: Chunk) -> None:
        following = self._peek()
        self._at += 1
        if following is None or following.gap or following.word in _AFTER_A_CORRECTION:
            self._correcting = True
            self.reading.restarts = self.reading.restarts or not self.reading.phrases
        elif following.is_item and not following.is_value:
            match = NounMatch(self._sentence, self._chunks, self._at, Mode.REMOVE)
            if match.run():
                self._at = match.at
                self.reading.phrases.append(match.phrase)
        else:
            self._at -= 1
            self._values(chunk)

    def _values(self, chunk: Chunk) -> None:
        """Options without a noun: they belong to what was named last, or to a line of the cart."""
        phrase = Phrase(self._mode, Head.NOTHING, chunk.start, chunk.end)
        start = self._at
        self._at = self._tails.read(phrase, self._at, stop_at_to=self._mode is Mode.CHANGE)
        if self._at == start or not phrase.values:
            self._at = max(self._at, start + 1)
            return
        phrase.corrects, self._correcting = self._correcting, False
        self._take_where(phrase)
        last = self.reading.phrases[-1] if self.reading.phrases else None
        if last is not None and last.head is Head.NOTHING and last.quantity and not last.values:
            last.values.extend(phrase.values)
            last.end = max(last.end, phrase.end)
            return
        joins = last is not None and last.head in {Head.ITEM, Head.ALL, Head.LINE, Head.UNKNOWN}
        free = phrase.where is None and self._changing is None and self._mode is Mode.ADD
        if joins and free and last is not None and last.mode is not Mode.REMOVE:
            target = last.into or last
            target.values.extend(phrase.values)
            target.end = max(target.end, phrase.end)
        else:
            self._place_phrase(phrase)

    def _take_where(self, phrase: Phrase) -> None:
        """Reads on which line: "oat milk in the second one", "sugar to the latte"."""
        chunk = self._chunks[self._at] if self._at < len(self._chunks) else None
        if chunk is None or chunk.word not in {Word.IN, Word.TO, Word.FROM}:
            return
        if self._mode is Mode.CHANGE:
            return
        match = NounMatch(self._sentence, self._chunks, self._at + 1, self._mode)
        if match.run() and (match.phrase.refers or match.phrase.head is Head.ITEM):
            self._at = match.at
            phrase.where = match.phrase

    def _number(self, chunk: Chunk) -> None:
        """A number alone is how many, or how something unknown is counted."""
        following = self._peek()
        if following is not None and following.is_other and not following.gap:
            self._at += 1
            return
        phrase = Phrase(self._mode, Head.NOTHING, chunk.start, chunk.end, quantity=chunk.number)
        phrase.corrects, self._correcting = self._correcting, False
        phrase.more = following is not None and following.word is Word.EXTRA_NUMBER
        self._at += 2 if phrase.more else 1
        following = self._peek(0)
        if following is not None and following.word is Word.OF:
            whole = self._peek()
            each = whole is not None and whole.word is Word.ALL
            phrase.head = Head.ALL if each else phrase.head
            phrase.part = not each
            self._at += 2 if whole and whole.word in {Word.PRONOUN, Word.THAT, Word.ALL} else 1
        last = self.reading.phrases[-1] if self.reading.phrases else None
        counts = phrase.corrects or (last is not None and last.quantity is None)
        if (
            counts
            and not phrase.part
            and self._changing is None
            and last
            and last.head is not Head.NOTHING
        ):
            last.quantity = chunk.number
            return
        self._at = self._tails.read(phrase, self._at)
        self._place_phrase(phrase)

    def _determiner(self, chunk: Chunk) -> None:
        following = self._peek()
        if chunk.word is Word.MORE and (following is None or not self._names(following)):
            self._again(chunk)
            return
        self._at += 1
        if following is not None and (following.is_value or following.word is Word.AMOUNT):
            self._values(following)

    @staticmethod
    def _names(chunk: Chunk) -> bool:
        return chunk.is_other or chunk.name is not None

    def _and(self, chunk: Chunk) -> None:
        self._after_and = True
        self._at += 1

    def _instead(self, chunk: Chunk) -> None:
        self._at += 1
        self.reading.instead = True
        if self.reading.phrases:
            self.reading.phrases[-1].instead = True

    def _instead_of(self, chunk: Chunk) -> None:
        """Both "A instead of B" and "instead of B, A" change B into A."""
        match = NounMatch(self._sentence, self._chunks, self._at + 1, Mode.CHANGE)
        self._at += 1
        if not match.run():
            return
        self._at = match.at
        old = match.phrase
        if self.reading.phrases and self._changing is None:
            old.into = self.reading.phrases.pop()
            self.reading.phrases.append(old)
        else:
            self.reading.phrases.append(old)
            self._changing = old

    def _not(self, chunk: Chunk) -> None:
        """Changes A into B by "not the A, the B": the only refusal that is a request."""
        self._at += 1
        old = NounMatch(self._sentence, self._chunks, self._at, Mode.CHANGE)
        if not old.run() or not old.phrase.refers:
            return
        new = NounMatch(self._sentence, self._chunks, self._after_joint(old.at), Mode.ADD)
        paused = old.at < len(self._chunks) and self._chunks[old.at].gap == ","
        if not new.run() or not (paused or new.start > old.at) or new.phrase.head is not Head.ITEM:
            return
        self.reading.exchanged.add(chunk.start)
        self._at = self._tails.read(new.phrase, new.at)
        old.phrase.into = new.phrase
        self.reading.phrases.append(old.phrase)

    def _after_joint(self, at: int) -> int:
        """The place after "but" and the like."""
        while at < len(self._chunks) and self._chunks[at].word in _BETWEEN:
            at += 1
        return at

    def _again(self, chunk: Chunk) -> None:
        self._at += 1
        phrase = Phrase(Mode.ADD, Head.LINE, chunk.start, chunk.end, again=True, more=True)
        if not self.reading.phrases:
            self.reading.phrases.append(phrase)

    def _of(self, chunk: Chunk) -> None:
        """What hangs on an unknown thing is not ordered: "a picture of a latte"."""
        self._at += 1
        unknown = bool(self.reading.phrases) and self.reading.phrases[-1].head is Head.UNKNOWN
        if unknown or self.reading.strange:
            self._skip_noun()

    def _skip_noun(self) -> None:
        match = NounMatch(self._sentence, self._chunks, self._at, Mode.ADD)
        if self._at < len(self._chunks) and match.run():
            self._at = match.at
            if self.reading.phrases and self.reading.phrases[-1].head is Head.UNKNOWN:
                self.reading.phrases[-1].end = match.phrase.end

    def _to(self, chunk: Chunk) -> None:
        """An address, or the second half of a change."""
        self._at += 1
        last = self.reading.phrases[-1] if self.reading.phrases else None
        if last is not None and last.head is Head.UNKNOWN and chunk.word is Word.IN:
            self._skip_noun()
            return
        if chunk.word is Word.TO and self._changing is None:
            place = strange_place(self._chunks, self._at)
            if place is not None:
                first, self._at = place
                last = self._chunks[self._at - 1]
                self.reading.unknown_address = self._sentence.words(
                    self._chunks[first].start, last.end
                )
            return
        words = self._strange_after(self._at)
        if words and not self.reading.phrases:
            self.reading.strange.append(words)

    def _from(self, chunk: Chunk) -> None:
        self._at += 1
        words = self._strange_after(self._at)
        if words:
            self.reading.unknown_shop = words

    def _strange_after(self, at: int) -> str:
        """A run of strange words, after an optional "the" or "my", taken whole."""
        end = at
        if end < len(self._chunks) and self._chunks[end].word is Word.DEFINITE:
            end += 1
        first = end
        while end < len(self._chunks) and self._chunks[end].is_other:
            if end > first and self._chunks[end].gap:
                break
            end += 1
        if end == first:
            return ""
        self._at = end
        return self._sentence.words(self._chunks[first].start, self._chunks[end - 1].end)

    def _place(self, chunk: Chunk) -> None:
        assert chunk.place is not None
        marked = self._sending or self._marked(self._chunks[: self._at])
        before = self._chunks[self._at - 1] if self._at else None
        self._at += 1
        if before is not None and before.is_other and not chunk.gap:
            # "My mum's place" is not "my place".
            self.reading.unknown_address = self._sentence.words(before.start, chunk.end)
            return
        if chunk.place.address and not (self._after_from() and chunk.place.merchants):
            self.reading.address = chunk.place.address
            self.reading.address_marked = marked
            self.reading.address_at = (chunk.start, chunk.end)
        elif chunk.place.merchants:
            whole = tuple(m for m, full in chunk.place.merchants.items() if full)
            self.reading.merchants = whole or tuple(chunk.place.merchants)
            self.reading.merchant_marked = marked
            self.reading.merchant_at = (chunk.start, chunk.end)

    def _after_from(self) -> bool:
        before = self._chunks[: self._at - 1]
        return bool(before) and before[-1].word is Word.FROM

    @staticmethod
    def _marked(before: Sequence[Chunk]) -> bool:
        for chunk in reversed(before):
            if chunk.word in {Word.TO, Word.IN, Word.FROM}:
                return True
            if chunk.word not in {Word.DEFINITE, Word.FILLER}:
                return False
        return False

    def _other(self) -> None:
        """Strange words: an unknown thing where a noun must stand, else simply strange."""
        start = self._at
        while self._at < len(self._chunks) and self._chunks[self._at].is_other:
            if self._at > start and self._chunks[self._at].gap:
                break
            self._at += 1
        before = self._chunks[start - 1] if start else None
        first, last = self._chunks[start], self._chunks[self._at - 1]
        listed = before is not None and before.word in _DETERMINERS
        listed = listed or (first.gap == "," and bool(self.reading.phrases))
        if not listed:
            self.reading.strange.append(self._sentence.words(first.start, last.end))
            return
        phrase = Phrase(self._mode, Head.UNKNOWN, first.start, last.end)
        phrase.definite = before is not None and before.word is Word.DEFINITE
        self._at = self._tails.read(phrase, self._at)
        self._place_phrase(phrase)
