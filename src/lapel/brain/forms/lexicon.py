"""What each run of words in a sentence may mean to a schema: values, nouns, counts, amounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from lapel.brain.forms.schema import Schema, Slot, Values
from lapel.brain.language import Language, PhraseMatch, Word
from lapel.brain.sound import Sounds
from lapel.brain.tokens import Token


class Kind(IntEnum):
    """What a run of words does."""

    VALUE = 0
    NOUN = 1
    NUMBER = 2
    AMOUNT = 3
    NOT = 4
    WORD = 5
    UNKNOWN = 6
    TOPIC = 7
    ONE = 8


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of tokens up to `end`. `forms` is a bit set of the forms that it can be about."""

    end: int
    kind: Kind
    cost: float
    forms: int = 0
    slot: int = -1
    values: Values = ()
    number: int = 0
    weak: bool = False
    amount: str = ""
    word: Word | None = None


@dataclass(slots=True)
class SlotInfo:
    """A slot of one or more forms. `core` is a bit set of the forms that it names by itself."""

    slot: Slot
    forms: int = 0
    core: int = 0
    many: bool = False


VALUE, NOUN, COUNT, WORDS, TALK, UNKNOWN = 0.1, 0.1, 0.1, 0.2, 0.8, 1.5
"""What a run of words costs by what it is taken for. TALK are words that no order is made of."""
_OTHER_FORM = 0.15
_PART, _GUESS, _WEAK = 0.3, 0.8, 0.5
_SOUNDS = 2.0
_LIKE_ENOUGH, _SOUNDS_LIKE_ENOUGH = 0.8, 0.62
_HOMOPHONE, _OF_KNOWN = 0.4, 0.5
_LONGEST_ALIKE = 3
_LETTERS = 3
_SHORT = 4
_SAME_LENGTH = 0.75
_NAMED = frozenset({Kind.VALUE, Kind.NOUN, Kind.TOPIC})
_TALK = frozenset(word for word in Word if word.startswith("block_"))
_NOTHING_SURE = _TALK | {Word.SOMETHING, Word.FILLER}


@dataclass(slots=True)
class _Entry:
    kind: Kind
    slot: int = -1
    forms: int = 0
    values: Values = ()
    number: int = 0
    amount: str = ""
    bonus: float = 0.0
    words: str = ""
    last: bool = True
    short: bool = False


@dataclass(slots=True)
class Lexicon:
    """All names of a schema, by their joined stems. Built once a schema."""

    schema: Schema
    language: Language
    sounds: Sounds
    slots: list[SlotInfo] = field(default_factory=list[SlotInfo])
    _names: dict[str, list[_Entry]] = field(default_factory=lambda: defaultdict(list))
    _parts: dict[str, list[_Entry]] = field(default_factory=lambda: defaultdict(list))
    _alike: list[str] = field(default_factory=list[str])
    _by_sound: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _noun_stems: set[str] = field(default_factory=set[str])
    _amounts: dict[str, str] = field(default_factory=dict[str, str])
    _longest: int = 1

    def __post_init__(self) -> None:
        nouns = [noun for form in self.schema.forms for noun in form.nouns]
        self._noun_stems = {stem for noun in nouns for stem in self._stems(noun)}
        self._add_slots()
        for words, number in self.schema.numbers.items():
            self._add(words, _Entry(Kind.NUMBER, number=number))
        for words, amount in self.schema.amounts.items():
            self._add(words, _Entry(Kind.AMOUNT, amount=amount))
            if size := self.language.amount_of(words):
                self._amounts.setdefault(size, amount)
        for words in (*self.schema.refusals, *self.language.refusals):
            self._add(words, _Entry(Kind.NOT))
        for place, form in enumerate(self.schema.forms):
            for noun in form.nouns:
                self._add_noun(noun, 1 << place)
        self._add_topics()
        self._add_sounds()

    def _add_topics(self) -> None:
        """The names of the slots: what is said about may be told first."""
        for info in self.slots:
            titles = info.slot.titles
            for word in info.slot.name.lower().split("_") if titles is None else titles:
                stem = self.language.stem(word)
                if not self._names.get(stem):
                    self._add(word, _Entry(Kind.TOPIC))
                self._parts.pop(stem, None)

    def _add_sounds(self) -> None:
        """The names that may be told by how they sound."""
        self._alike = [
            key
            for key, found in self._names.items()
            if len(key) >= self.language.shortest
            and any(e.kind in (Kind.VALUE, Kind.NOUN) for e in found)
        ]
        if self.sounds.syllables is not None:
            for name in filter(self.sounds.syllables.reads, self._alike):
                for sound in self.sounds.syllables.keys(name):
                    self._by_sound[sound].append(name)

    def _add_slots(self) -> None:
        by_name: dict[str, int] = {}
        users: dict[str, int] = defaultdict(int)
        for place, form in enumerate(self.schema.forms):
            for slot in form.slots:
                users[slot.name] |= 1 << place
                if slot.name not in by_name:
                    by_name[slot.name] = len(self.slots)
                    self.slots.append(SlotInfo(slot))
        for info in self.slots:
            info.forms = users[info.slot.name]
            slot = info.slot
            info.many = slot.qualified or slot.negatable or bool(slot.before)
        self._find_cores(users, by_name)
        for number, info in enumerate(self.slots):
            for words, values in self._said(info.slot).items():
                self._add_value(number, info, words, values)
            for words, values in info.slot.short.items():
                if not self._means_something(words):
                    self._add(words, _Entry(Kind.VALUE, number, info.forms, values, short=True))
            if info.slot.qualified:
                self._add_all(number, info)

    def _find_cores(self, users: dict[str, int], by_name: dict[str, int]) -> None:
        """The slot by which a form is known without being named: the largest of its own."""
        for place, form in enumerate(self.schema.forms):
            bit = 1 << place
            own = [
                self.slots[by_name[slot.name]]
                for slot in form.slots
                if users[slot.name] == bit and not (slot.qualified or slot.negatable)
            ]
            marked = [info for info in own if info.slot.core]
            if own:
                core = marked[0] if marked else max(own, key=lambda x: len({*x.slot.said.values()}))
                core.core |= bit

    def _said(self, slot: Slot) -> dict[str, Values]:
        """The names of a slot's values, and what else these are called in this language."""
        others = {
            other: values
            for words, values in slot.said.items()
            for other in self.language.other_names(words)
        }
        return others | dict(slot.said)

    def _add_value(self, number: int, info: SlotInfo, words: str, values: Values) -> None:
        entry = _Entry(Kind.VALUE, number, info.forms, values)
        self._add(words, entry)
        if shorter := self._without_glue(words):
            self._add(shorter, _Entry(Kind.VALUE, number, info.forms, values))
        for before in info.slot.before:
            bonus = 0.6 if " " in before else 0.0
            marked = _Entry(Kind.VALUE, number, info.forms, values, bonus=bonus)
            self._add(f"{before} {words}", marked)
        for after in info.slot.after:
            bonus = 0.6 if " " in after else 0.0
            marked = _Entry(Kind.VALUE, number, info.forms, values, bonus=bonus)
            self._add(f"{words} {after}", marked)
        if self.sounds.syllables is not None:
            self._add_halves(words, entry)
            return
        stems = self._stems(words)
        while len(stems) > 1 and stems[-1] in self._noun_stems:
            stems.pop()
        for stem in set(stems):
            if len(stem) > _LETTERS and not self._means_something(stem):
                self._parts[stem].append(replace(entry, last=stem == stems[-1]))

    def _add_halves(self, words: str, entry: _Entry) -> None:
        """Beginnings and ends of a name that is written without spaces."""
        stems = self._stems(words)
        for size in range(2, len(stems)):
            for part, last in ((stems[:size], False), (stems[-size:], True)):
                self._parts["".join(part)].append(replace(entry, last=last))

    def _without_glue(self, words: str) -> str:
        """What is left of a name without its little words: people leave them out."""
        tokens = [token.text for token in self.language.tokens(words)]
        kept = [word for word in tokens if word not in self.language.name_glue]
        return " ".join(kept) if 1 < len(kept) < len(tokens) else ""

    def _means_something(self, word: str) -> bool:
        """Whether the language knows the word for anything but chatter."""
        found = self.language.match(self.language.tokens(word), 0) if word.isalpha() else []
        return any(match.word not in _NOTHING_SURE for match in found)

    def _add_noun(self, words: str, forms: int) -> None:
        self._add(words, _Entry(Kind.NOUN, forms=forms))
        for word in words.split():
            means = self._names.get(self.language.stem(word), ())
            taken = any(entry.kind is Kind.VALUE for entry in means)
            if len(word) > _LETTERS and not taken and not self.language.is_function(word):
                self._add(word, _Entry(Kind.NOUN, forms=forms))

    def _add_all(self, number: int, info: SlotInfo) -> None:
        """Every value of a slot, by the slot's own name: "all the fillings"."""
        words = info.slot.name.lower().split("_")
        value = f"all_{info.slot.name.lower()}s"
        for all_of in self.language.everything:
            for end in range(1, len(words) + 1):
                entry = _Entry(Kind.VALUE, number, info.forms, (value,))
                self._add(f"{all_of} {' '.join(words[:end])}", entry)

    def _add(self, words: str, entry: _Entry) -> None:
        stems = self._stems(words)
        if not stems:
            return
        known = self._names["".join(stems)]
        entry.words = " ".join(token.text for token in self.language.tokens(words))
        for old in known:
            same = (old.kind, old.slot, old.values, old.words)
            if same == (entry.kind, entry.slot, entry.values, entry.words):
                old.forms |= entry.forms
                return
        known.append(entry)
        self._longest = max(self._longest, len(stems))

    def _stems(self, words: str) -> list[str]:
        return [self.language.stem(token.text) for token in self.language.tokens(words)]

    def meanings(self, tokens: Sequence[Token]) -> list[list[Meaning]]:
        """For each token, what may begin there; something always does."""
        stems = [self.language.stem(token.text) for token in tokens]
        found: list[list[Meaning]] = [[] for _ in tokens]
        covered = [False] * len(tokens)
        matches = [self.language.match(list(tokens), start) for start in range(len(tokens))]
        for start, token in enumerate(tokens):
            self._look_up(tokens, stems, start, found, covered)
            for match in matches[start]:
                if match.word is not Word.AMOUNT or token.text not in self.language.halves:
                    found[start].append(self._word(match))
        self._topics(found, matches)
        for start, token in enumerate(tokens):
            if token.text in self.language.pronouns and start:
                found[start].append(Meaning(start + 1, Kind.ONE, NOUN))
            if token.text in self.language.roles:
                found[start].append(Meaning(start + 1, Kind.WORD, WORDS, word=Word.IN))
        strange = [
            not covered[at] and all(match.word in _NOTHING_SURE for match in matches[at])
            for at in range(len(tokens))
        ]
        self._repair(tokens, stems, found, strange)
        for start, here in enumerate(found):
            if not any(m.end == start + 1 and m.kind in (Kind.WORD, Kind.NUMBER) for m in here):
                here.append(Meaning(start + 1, Kind.UNKNOWN, UNKNOWN))
        return found

    def _look_up(
        self,
        tokens: Sequence[Token],
        stems: list[str],
        start: int,
        found: list[list[Meaning]],
        covered: list[bool],
    ) -> None:
        """Adds the names that begin at `start`, and marks the words that they account for."""
        key = ""
        for end in range(start + 1, min(start + self._longest + 1, len(tokens)) + 1):
            key += stems[end - 1]
            if key not in self._names:
                continue
            said = " ".join(token.text for token in tokens[start:end])
            found[start] += _as_said(self._names[key], said, end)
            if any(entry.kind in _NAMED and not entry.short for entry in self._names[key]):
                covered[start:end] = [True] * (end - start)

    def _word(self, match: PhraseMatch) -> Meaning:
        end, word, number, amount = match.end, match.word, match.number, match.amount
        if word is Word.NUMBER:
            return Meaning(end, Kind.NUMBER, COUNT, number=number)
        if word in (Word.ARTICLE, Word.MORE):
            more = 0.0 if word is Word.ARTICLE else 0.2
            return Meaning(end, Kind.NUMBER, COUNT + more, number=1, weak=word is Word.ARTICLE)
        if word is Word.EXTRA_NUMBER:
            amount, word = "lot", Word.AMOUNT
        if word is Word.AMOUNT:
            named = self._amounts.get(amount) if self.schema.amounts else amount
            if named:
                return Meaning(end, Kind.AMOUNT, COUNT, amount=named)
        if word in (Word.WITHOUT, Word.NO, Word.NOT, Word.REMOVE):
            return Meaning(end, Kind.NOT, COUNT)
        cost = TALK if word in _TALK else WORDS
        return Meaning(end, Kind.WORD, cost + (_WEAK if word is Word.SOMETHING else 0), word=word)

    @staticmethod
    def _topics(found: list[list[Meaning]], matches: list[list[PhraseMatch]]) -> None:
        """What stands between "for" and "I want" is what the rest is about."""
        for start in range(1, len(found)):
            if not any(match.word is Word.IN for match in matches[start - 1]):
                continue
            for at, meaning in enumerate(found[start]):
                asks = meaning.end < len(found) and any(
                    match.word in (Word.ORDER, Word.WANT) for match in matches[meaning.end]
                )
                if asks and meaning.kind is Kind.VALUE:
                    found[start][at] = Meaning(meaning.end, Kind.TOPIC, COUNT)

    def _repair(
        self,
        tokens: Sequence[Token],
        stems: list[str],
        found: list[list[Meaning]],
        strange: list[bool],
    ) -> None:
        """Names said in part, misheard or misspelt: of words that mean nothing by themselves."""
        by_sound = self.sounds.syllables is not None
        longest = self._longest if by_sound else _LONGEST_ALIKE
        for start, odd in enumerate(strange):
            if odd and not by_sound:
                parts = self._parts.get(stems[start]) or self._shortened(stems[start])
                self._add_parts(parts, start, start + 1, found)
            key = ""
            for end in range(start + 1, min(start + longest, len(strange)) + 1):
                if by_sound and key and tokens[end - 1].gap:
                    break
                key += stems[end - 1]
                if key in self._names:
                    continue
                odd = strange[start:end]
                if by_sound:
                    self._add_homophones(key, start, end, found, any(odd))
                    if any(odd):
                        self._add_parts(self._parts.get(key, ()), start, end, found)
                if all(odd) and len(key) >= self.language.shortest:
                    self._add_alike(key, start, end, found)

    def _add_parts(
        self, parts: Iterable[_Entry], start: int, end: int, found: list[list[Meaning]]
    ) -> None:
        after = found[end] if end < len(found) else []
        describes = any(x.kind is Kind.VALUE for x in after)
        for entry, doubt in _distinct(parts):
            if entry.last or not describes or self.sounds.syllables is not None:
                found[start].append(_meaning(entry, end, doubt))

    def _add_homophones(
        self, key: str, start: int, end: int, found: list[list[Meaning]], strange: bool
    ) -> None:
        """Names that are said exactly so: even words that mean something else may be one."""
        if self.sounds.syllables is None or not self.sounds.syllables.reads(key):
            return
        cost = _HOMOPHONE + (0.0 if strange else _OF_KNOWN)
        names = {n for s in self.sounds.syllables.keys(key) for n in self._by_sound.get(s, ())}
        for name in sorted(names):
            for entry in self._names[name]:
                if entry.kind in (Kind.VALUE, Kind.NOUN):
                    found[start].append(_meaning(entry, end, cost))

    def _shortened(self, stem: str) -> list[_Entry]:
        """Names with a word of which only the beginning was said."""
        if len(stem) < _SHORT:
            return []
        return [
            replace(entry, last=True)
            for word, entries in self._parts.items()
            if word.startswith(stem)
            for entry in entries
        ]

    def _add_alike(self, key: str, start: int, end: int, found: list[list[Meaning]]) -> None:
        by_sound = self.sounds.syllables is not None and self.sounds.syllables.reads(key)
        enough = _SOUNDS_LIKE_ENOUGH if by_sound else _LIKE_ENOUGH
        for name in self.sounds.closest(key, self._alike, 3, 55):
            lengths = sorted((len(key), len(name)))
            likeness = self.sounds.likeness(key, name)
            if likeness >= enough and lengths[0] >= lengths[1] * _SAME_LENGTH:
                for entry in self._names[name]:
                    if entry.kind in (Kind.VALUE, Kind.NOUN):
                        found[start].append(_meaning(entry, end, _SOUNDS * (1.2 - likeness)))


def _as_said(entries: Iterable[_Entry], said: str, end: int) -> list[Meaning]:
    """What these words mean; another number of them counts for less."""
    found: dict[tuple[Kind, int], list[_Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.kind, entry.slot].append(entry)
    meanings: list[Meaning] = []
    for same in found.values():
        exact = [entry for entry in same if entry.words == said]
        if not exact and same[0].kind not in _NAMED:
            continue
        more = 0.0 if exact else _OTHER_FORM
        meanings += [_meaning(entry, end, more) for entry in exact or same]
    return meanings


def _meaning(entry: _Entry, end: int, more: float = 0.0) -> Meaning:
    cost = {Kind.VALUE: VALUE, Kind.NOUN: NOUN}.get(entry.kind, COUNT) + more - entry.bonus
    cost += _PART if entry.short else 0.0
    return Meaning(
        end,
        entry.kind,
        cost,
        entry.forms,
        entry.slot,
        entry.values,
        entry.number,
        False,
        entry.amount,
    )


def _distinct(entries: Iterable[_Entry]) -> list[tuple[_Entry, float]]:
    """Of each slot the one value that a part means, with what it costs to believe it.

    Where several have the part in their names it is the one that is called so most often.
    """
    by_slot: dict[int, dict[Values, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        by_slot[entry.slot][entry.values].append(entry)
    found: list[tuple[_Entry, float]] = []
    for named in by_slot.values():
        ranked = sorted(named.values(), key=lambda x: sum(entry.last for entry in x), reverse=True)
        most, *others = (sum(entry.last for entry in x) for x in ranked)
        best = next((entry for entry in ranked[0] if entry.last), ranked[0][0])
        if not others:
            found.append((best, _PART))
        elif most > others[0]:
            found.append((best, _GUESS))
    return found
