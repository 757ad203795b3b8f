"""Cuts an utterance into names from the catalogue, places, function words, and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lapel.brain.alike import Alike, AlikeFinder, Said
from lapel.brain.language import Language, PhraseMatch, Word
from lapel.brain.lexicon import MenuIndex, Name
from lapel.brain.places import Place, PlaceIndex
from lapel.brain.sound import Sounds
from lapel.brain.tokens import Token

_VERB_LIKE_ENOUGH = 0.75
_WINDOW = 3
_SAME_SOUND = 0.9
_MAY_BE_NAMES = frozenset({Word.AMOUNT, Word.FILLER, Word.CONTAINER})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens `start` to `end` (exclusive). At most one of `name` and `place` is set."""

    start: int
    end: int
    gap: str = ""
    word: Word | None = None
    number: int = 0
    amount: str = ""
    name: Name | None = None
    place: Place | None = None
    likeness: float = 1.0
    rivals: tuple[Name, ...] = ()
    plural: bool = False

    @property
    def is_item(self) -> bool:
        return self.name is not None and bool(self.name.items)

    @property
    def is_value(self) -> bool:
        return self.name is not None and (self.name.value or self.name.weak_value)

    @property
    def is_other(self) -> bool:
        return self.word is None and self.name is None and self.place is None


@dataclass(slots=True)
class Sentence:
    """The words of one utterance, matched against the language once for all catalogues."""

    text: str
    tokens: list[Token]
    stems: list[str]
    phrases: list[list[PhraseMatch]]
    known: list[bool]
    guesses: dict[int, Word] = field(default_factory=dict[int, Word])

    def words(self, start: int, end: int) -> str:
        """The user's own words from token `start` to `end` (exclusive)."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end]


class Chunker:
    """Finds the cut of a sentence that explains most of it."""

    def __init__(
        self,
        language: Language,
        sounds: Sounds,
        places: PlaceIndex,
        vocabulary: frozenset[str],
        options: frozenset[str],
    ) -> None:
        # What any catalogue knows was not misheard, whichever catalogue is being read.
        self._vocabulary = vocabulary
        self._options = options
        self._language = language
        self._sounds = sounds
        self._places = places
        self._finder = AlikeFinder(sounds, places)

    def sentence(self, text: str, limit: int = 120) -> Sentence:
        tokens = self._language.tokens(text)[:limit]
        phrases = [self._language.match(tokens, i) for i in range(len(tokens))]
        known = [any(m.end == i + 1 for m in found) for i, found in enumerate(phrases)]
        stems = [self._language.stem(t.text) for t in tokens]
        sentence = Sentence(text, tokens, stems, phrases, known)
        self._guess_verbs(sentence)
        return sentence

    def _guess_verbs(self, sentence: Sentence) -> None:
        """A misheard verb ("brue" for "brew") is believed only where one must stand."""
        for i, token in enumerate(sentence.tokens[:-1]):
            following = sentence.phrases[i + 1]
            opens = i == 0 or token.gap == "."
            if not opens or sentence.phrases[i] or len(token.text) < 3:
                continue
            if not any(m.word in {Word.ARTICLE, Word.NUMBER} for m in following):
                continue
            for verb, word in self._language.verbs.items():
                if self._sounds.likeness(token.text, verb) >= _VERB_LIKE_ENOUGH:
                    sentence.guesses[i] = word
                    break

    def cut(self, sentence: Sentence, index: MenuIndex, *, bold: bool = False) -> list[Chunk]:
        """The best cut against one catalogue, left to right.

        `bold` believes less likeness: for a request in which a name must stand and none was found.
        """
        count = len(sentence.tokens)
        found: dict[tuple[int, int], Chunk] = {}
        self._add_phrases(sentence, found)
        self._add_exact(sentence, index, found)
        self._add_alike(sentence, index, found, bold)
        best: list[tuple[float, Chunk | None]] = [(0.0, None)] * (count + 1)
        by_end: dict[int, list[Chunk]] = {}
        for chunk in found.values():
            by_end.setdefault(chunk.end, []).append(chunk)
        for end in range(1, count + 1):
            best[end] = (best[end - 1][0], Chunk(end - 1, end, sentence.tokens[end - 1].gap))
            for chunk in by_end.get(end, ()):
                score = best[chunk.start][0] + _score(chunk)
                if score > best[end][0]:
                    best[end] = (score, chunk)
        chunks: list[Chunk] = []
        at = count
        while at > 0:
            chunk = best[at][1]
            assert chunk is not None
            chunks.append(chunk)
            at = chunk.start
        return _amounts_told_apart(chunks[::-1])

    def has_new_word(self, sentence: Sentence, chunks: list[Chunk]) -> bool:
        """Whether a word is in no catalogue at all, or in a name of a place."""
        return any(
            chunk.place is not None
            or (chunk.is_other and sentence.stems[chunk.start] not in self._vocabulary)
            for chunk in chunks
        )

    def _add_phrases(self, sentence: Sentence, found: dict[tuple[int, int], Chunk]) -> None:
        for start, matches in enumerate(sentence.phrases):
            for match in matches:
                found[start, match.end] = Chunk(
                    start,
                    match.end,
                    sentence.tokens[start].gap,
                    match.word,
                    match.number,
                    match.amount,
                )
        for start, word in sentence.guesses.items():
            chunk = Chunk(start, start + 1, sentence.tokens[start].gap, word, likeness=0.8)
            found.setdefault((start, start + 1), chunk)

    def _add_exact(
        self, sentence: Sentence, index: MenuIndex, found: dict[tuple[int, int], Chunk]
    ) -> None:
        # A word of a name may be spoken as two ("blue berry"): allow one token more.
        longest = max(index.longest, self._places.longest) + 1
        for start, end, key in _windows(sentence, longest):
            name = index.names.get(key)
            elsewhere = key in self._options and key not in index.telling_apart
            if name is not None and elsewhere and not (name.exact_items or name.value):
                # "Large" is an option somewhere, and no short name of the "large sushi set" here.
                name = None
            place = self._places.names.get(key)
            if name is None and place is None:
                continue
            if name is not None and place is not None:
                part = not (place.address or any(place.merchants.values()))
                name = name if name.exact_items or part else None
            phrase = found.get((start, end))
            if name is not None and phrase is not None and not name.exact_items:
                # "Two" as a catalogue's word for an option still is a number.
                name = name if phrase.word in _MAY_BE_NAMES else None
            if name is None and place is None:
                continue
            self._put(sentence, found, start, end, name, place if name is None else None)

    def _put(
        self,
        sentence: Sentence,
        found: dict[tuple[int, int], Chunk],
        start: int,
        end: int,
        name: Name | None,
        place: Place | None,
        alike: Alike | None = None,
    ) -> None:
        old = found.get((start, end)) or Chunk(start, end, sentence.tokens[start].gap)
        plural = self._language.is_plural(sentence.tokens[end - 1].text)
        found[start, end] = replace(
            old,
            name=name,
            place=place,
            likeness=alike.likeness if alike else 1.0,
            rivals=alike.rivals if alike else (),
            plural=plural,
        )

    def _add_alike(
        self,
        sentence: Sentence,
        index: MenuIndex,
        found: dict[tuple[int, int], Chunk],
        bold: bool,
    ) -> None:
        """Misheard or misspelt names: only where at least one word names nothing by itself."""
        strange = self._strange(sentence, found)
        if not any(strange):
            return
        foreign = {s for s in sentence.stems if s in self._vocabulary} - index.vocabulary
        # A syllable is no word: as many of them as a name has may have been misheard.
        by_sound = self._sounds.syllables is not None
        for start, end, key in _windows(sentence, index.longest if by_sound else _WINDOW):
            if foreign.intersection(sentence.stems[start:end]):
                continue
            if key in index.names or key in self._options:
                continue
            if (start, end) in found or not any(strange[start:end]):
                continue
            joins = self._joins(sentence, start, end)
            if len(key) < min(3, self._sounds.shortest) or (joins and not by_sound):
                continue
            little = any(m.word is Word.AMOUNT for m in sentence.phrases[start])
            inside = sentence.tokens[start + 1 : end - 1]
            little = little or any(self._language.is_function(t.text) for t in inside)
            stems, odd = tuple(sentence.stems[start:end]), tuple(strange[start:end])
            said = Said(key, stems, odd, bold, little)
            alike = self._finder.name(said, index)
            if joins and (alike is None or alike.likeness < _SAME_SOUND):
                continue
            if alike is not None:
                self._put(sentence, found, start, end, index.names[alike.key], None, alike)
                continue
            alike = self._finder.place(said)
            if alike is not None:
                self._put(sentence, found, start, end, None, self._places.names[alike.key], alike)

    def _joins(self, sentence: Sentence, start: int, end: int) -> bool:
        """Whether a function word stands in the words: at an end always, inside if it is no "a"."""
        words = [token.text for token in sentence.tokens[start:end]]
        edges = {words[0], words[-1]}
        return any(
            self._language.is_function(word) and (word in edges or len(word) > 2) for word in words
        )

    @staticmethod
    def _strange(sentence: Sentence, found: dict[tuple[int, int], Chunk]) -> list[bool]:
        """The words that neither the language nor a name of the catalogue accounts for."""
        strange = [not known for known in sentence.known]
        for (start, end), chunk in found.items():
            sure = chunk.place is not None or chunk.word is not None
            if chunk.name is not None:
                sure = sure or bool(chunk.name.exact_items) or chunk.is_value
            if sure:
                strange[start:end] = [False] * (end - start)
        return strange


def _amounts_told_apart(chunks: list[Chunk]) -> list[Chunk]:
    """Words such as "light" are an amount before an option and an option elsewhere."""
    told: list[Chunk] = []
    for at, chunk in enumerate(chunks):
        if chunk.name is not None and chunk.word is Word.AMOUNT and not chunk.is_item:
            following = chunks[at + 1] if at + 1 < len(chunks) else None
            measures = following is not None and following.gap != "."
            if measures and following and (following.is_other or following.is_value):
                chunk = replace(chunk, name=None)
            else:
                chunk = replace(chunk, word=None, amount="")
        told.append(chunk)
    return told


def _windows(sentence: Sentence, longest: int) -> Iterable[tuple[int, int, str]]:
    """Runs of words with no stop inside, with their joined stems."""
    count = len(sentence.tokens)
    for start in range(count):
        key = ""
        for end in range(start + 1, min(start + longest, count) + 1):
            if end > start + 1 and sentence.tokens[end - 1].gap:
                break
            key += sentence.stems[end - 1]
            yield start, end, key


def _score(chunk: Chunk) -> float:
    """A longer chunk explains more; the catalogue explains better than the language."""
    size = chunk.end - chunk.start
    if chunk.name is None and chunk.place is None:
        return size * 0.9 + 0.3 * (size - 1)
    worth = 1.0 if chunk.likeness >= 1.0 else 0.85 * chunk.likeness
    if chunk.name is not None and not chunk.name.exact_items and not chunk.name.value:
        worth *= 0.95
    return size * worth + 0.3 * (size - 1)
