"""New orders as phrases, read by forms: asked where a catalogue's names leave something open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from lapel.brain.chunks import Chunk, Sentence
from lapel.brain.forms.menus import ITEM, places_of, schema_of
from lapel.brain.forms.orders import Ordered, Said
from lapel.brain.forms.parse import Parser
from lapel.brain.language import Language, Word
from lapel.brain.lexicon import MenuIndex, Name
from lapel.brain.phrases import Head, Mode, Phrase, Reading, ValueWord

_LEADS_TO_A_PLACE = frozenset({Word.TO, Word.IN, Word.FROM, Word.DEFINITE, Word.SEND})
_COUNTS = frozenset({Word.NUMBER, Word.ARTICLE, Word.MORE})
_FITS_IN_PART = 0.5
_MOST_ITEMS = 500
"""A larger catalogue is a shop's shelf, not a counter, and its forms take too long to build."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The same reading with its things read by forms.

    `unknown` are words that mean nothing, as they were said; `talk` counts what no order is made
    of, `said` the names that were, by `tokens`. `sure` is true when all of these stand in the
    catalogue so.
    """

    reading: Reading
    unknown: tuple[str, ...]
    talk: int
    said: int
    tokens: frozenset[int]
    sure: bool

    @property
    def exact(self) -> bool:
        """Whether all names are the catalogue's and nothing else was said that could be one."""
        return self.sure and not self.unknown

    @property
    def clear(self) -> bool:
        """Whether so much of it are names of the catalogue that it can be nothing but an order."""
        return self.sure and self.said >= 3 + 2 * (len(self.unknown) + self.talk)


class OrderReader:
    """Reads orders at one merchant."""

    def __init__(self, index: MenuIndex, language: Language) -> None:
        self._index = index
        self._parser = Parser(schema_of(index.menu, language), language.code)
        self._places = places_of(index.menu)

    def read(self, sentence: Sentence, chunks: Sequence[Chunk], reading: Reading) -> Orders | None:
        """None where the words order nothing, or something that forms cannot tell."""
        kept = _without_places(chunks)
        read = self._parser.read([sentence.tokens[at] for at in kept])
        phrases: list[Phrase] = []
        for order in read.orders:
            phrase = self._phrase(order, sentence, kept, alone=len(read.orders) == 1)
            if phrase is None:
                return None
            phrases.append(phrase)
        if not phrases:
            return None
        names = [n for p in phrases for n in (p.name, *(v.name for v in p.values))]
        sure = all(n is not None and (n.exact_items or n.value or len(n.items) == 1) for n in names)
        new = replace(reading, phrases=phrases, strange=[])
        unknown = _together(read.unknown, sentence, kept)
        tokens = frozenset(
            kept[at] for o in read.orders for said in o.said for at in range(said.start, said.end)
        )
        return Orders(new, unknown, read.talk, len(names), tokens, sure)

    def _phrase(
        self, order: Ordered, sentence: Sentence, kept: Sequence[int], *, alone: bool
    ) -> Phrase | None:
        places = self._places[int(order.form)]
        item = next((said for said in order.said if said.slot.startswith(ITEM)), None)
        others = [said for said in order.said if said is not item]
        if item is not None and item.negative:
            return None
        spans = [(said.opens, said.end) for said in order.said]
        spans += [order.noun] if order.noun else []
        first, last = min(a for a, _ in spans), max(b for _, b in spans)
        while first > 0 and any(m.word in _COUNTS for m in sentence.phrases[kept[first - 1]]):
            first -= 1
        start, end = kept[first], kept[last - 1] + 1
        if item is not None:
            name = self._name(item, sentence, kept)
        elif len(places) == 1 and (order.noun or (alone and len(others) > 1)):
            name = Name("", {places[0]: 1.0})
        elif order.noun is not None:
            name = Name("", dict.fromkeys(places, _FITS_IN_PART), category=True)
        else:
            return None
        phrase = Phrase(Mode.ADD, Head.ITEM, start, end, name)
        phrase.quantity = order.number if order.number > 1 else None
        for said in others:
            phrase.values += self._values(said, places[0], sentence, kept)
        return phrase

    def _name(self, said: Said, sentence: Sentence, kept: Sequence[int]) -> Name:
        key = "".join(sentence.stems[at] for at in kept[said.start : said.end])
        known = self._index.names.get(key)
        if known is not None and known.items:
            return known
        return Name(key, {int(place): 1.0 for place in said.values})

    def _values(
        self, said: Said, place: int, sentence: Sentence, kept: Sequence[int]
    ) -> list[ValueWord]:
        groups = self._index.menu.items[place].groups
        start, end, opens = kept[said.start], kept[said.end - 1] + 1, kept[said.opens]
        offered = self._index.items[place].values
        key = "".join(sentence.stems[at] for at in kept[said.start : said.end])
        keys = [key] if key in offered else []
        for group in groups if not keys else ():
            for value in group.values:
                if value.id in said.values:
                    keys.append("".join(self._index.stems(value.title)))
        words = sentence.words(opens, end)
        names = [self._index.names[key] for key in keys if key in offered][:1]
        return [ValueWord(start, end, words, n, said.negative, said.amount) for n in names]


def _together(unknown: Sequence[int], sentence: Sentence, kept: Sequence[int]) -> tuple[str, ...]:
    """Unknown words, those beside each other as one."""
    runs: list[list[int]] = []
    for at in unknown:
        if runs and at == runs[-1][-1] + 1 and not sentence.tokens[kept[at]].gap:
            runs[-1].append(at)
        else:
            runs.append([at])
    return tuple(sentence.words(kept[run[0]], kept[run[-1]] + 1) for run in runs)


def _without_places(chunks: Sequence[Chunk]) -> list[int]:
    """The tokens that are about things, not about where they come from or go to."""
    left: list[Chunk] = []
    for chunk in chunks:
        if chunk.place is None:
            left.append(chunk)
            continue
        while left and left[-1].name is None and left[-1].word in _LEADS_TO_A_PLACE:
            left.pop()
    return [at for chunk in left for at in range(chunk.start, chunk.end)]


_READERS: WeakKeyDictionary[MenuIndex, OrderReader] = WeakKeyDictionary()


def order_reader(index: MenuIndex, language: Language) -> OrderReader | None:
    """The reader of a catalogue, built when it is first needed; None for one that is too large."""
    if len(index.menu.items) > _MOST_ITEMS:
        return None
    reader = _READERS.get(index)
    if reader is None:
        reader = _READERS[index] = OrderReader(index, language)
    return reader
