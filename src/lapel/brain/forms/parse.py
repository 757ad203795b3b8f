"""Reads a sentence against a schema: a search for the cheapest way to understand all of it.

Word by word, hypotheses are kept of what has been ordered so far and of what is pending (a count,
a refusal, an amount). Each step costs what it leaves unexplained: words that mean nothing, a new
order where none is announced, an order that is never named. The cheapest at the end is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lapel.brain.forms.lexicon import TALK, Kind, Lexicon, Meaning
from lapel.brain.forms.orders import Ordered, Read, Said
from lapel.brain.forms.schema import Schema
from lapel.brain.forms.shares import share
from lapel.brain.forms.state import Link, State, items_of, repeats, told
from lapel.brain.language import Word, load_language
from lapel.brain.sound import Sounds
from lapel.brain.tokens import Token

_BEAM = 24


# What each doubtful step costs. Words cost nothing where they are what one expects.
IGNORED_ARTICLE, IGNORED_NUMBER = 0.8, 2.5
NEW_AFTER = {
    "or": 1.6,
    "correct": 1.3,
    "noun": 1.3,
    "and": 0.9,
    "open": 0.6,
    "": 1.3,
    "with": 1.5,
    "for": 2.4,
    "not": 3.0,
}
NEW_BY_CORE = 0.6
SAME_AFTER = {
    "or": 0.1,
    "correct": 0.3,
    "noun": 0.05,
    "and": 0.05,
    "open": 0.3,
    "": 0.1,
    "with": 0.0,
    "for": 0.1,
    "not": 0.0,
}
LATE_CORE, NEW_CORRECTED, COUNTED_VALUE = 1.6, 0.5, 0.3
COUNT_AFTER, HANGING = 0.2, 0.5
UNNAMED, BARE, SECOND_NOUN, DANGLING = 1.0, 0.5, 1.5, 0.3
KEEPS_REFUSING = {"or": 0.0, "and": 0.1, "": 0.6}

_REQUEST = frozenset({Word.ORDER, Word.WANT, Word.ADD, Word.MAKE, Word.GREETING, Word.SEND})
_JOINS = {Word.AND: "and", Word.OR: "or", Word.WITH: "with", Word.IN: "for"}


class Parser:
    """Reads orders by one schema. Read-only after construction."""

    def __init__(self, schema: Schema, language: str = "en") -> None:
        self._language = load_language(language)
        self._lexicon = Lexicon(schema, self._language, Sounds(self._language))
        self._schema = schema
        slots = self._lexicon.slots
        self._measured = frozenset(info.slot.name for info in slots if info.slot.qualified)
        self._once = frozenset(info.slot.name for info in slots if not info.many)
        self._all = (1 << len(schema.forms)) - 1

    def parse(self, text: str, limit: int = 150) -> tuple[Ordered, ...]:
        """What is ordered, in the order in which it was said; nothing for words about nothing."""
        return self.read(self._language.tokens(text)[:limit]).orders

    def read(self, tokens: Sequence[Token]) -> Read:
        """The cheapest reading of the words."""
        meanings = self._lexicon.meanings(tokens)
        first = State()
        first.forms = self._all
        frontier: list[dict[tuple[object, ...], State]] = [{} for _ in range(len(tokens) + 1)]
        frontier[0][first.key()] = first
        for at in range(len(tokens)):
            states = sorted(frontier[at].values(), key=lambda x: x.cost)[:_BEAM]
            stop = tokens[at].gap
            for state in states:
                if stop:
                    state = self._paused(state, stop)
                state.at = at
                for meaning in meanings[at]:
                    for after in self._steps(state, meaning):
                        key = after.key()
                        known = frontier[meaning.end].get(key)
                        if known is None or after.cost < known.cost:
                            frontier[meaning.end][key] = after
        ended = [self._closed(state, last=True) for state in frontier[-1].values()]
        best = min(ended, key=lambda x: x.cost)
        orders = [x for x in items_of(best.done) if isinstance(x, Ordered)]
        shared = share(orders, self._schema, self._once, self._measured)
        unknown = tuple(x for x in items_of(best.unknown) if isinstance(x, int))
        return Read(shared, best.cost, unknown, best.talk)

    def _paused(self, state: State, stop: str) -> State:
        """Where counts may follow, one that hangs in the air before a pause is rather no count."""
        hangs = self._language.counts_after and (state.count or state.amount or state.refused)
        if state.empty and not hangs:
            return state
        after = state.copy(HANGING if hangs else 0.0)
        if not state.empty:
            after.join = "open" if stop == "." else state.join or "and"
        return after

    def _steps(self, state: State, meaning: Meaning) -> list[State]:
        match meaning.kind:
            case Kind.VALUE:
                return self._value(state, meaning)
            case Kind.NOUN:
                return self._noun(state, meaning)
            case Kind.NUMBER:
                return self._number(state, meaning)
            case Kind.AMOUNT:
                return self._amount(state, meaning)
            case Kind.NOT:
                return self._not(state, meaning)
            case Kind.WORD:
                return [self._word(state, meaning)]
            case Kind.ONE:
                return self._one(state, meaning)
            case Kind.TOPIC:
                after = state.copy(meaning.cost)
                after.count, after.weak, after.join, after.refused = 0, False, "with", False
                return [after]
            case Kind.UNKNOWN:
                after = state.copy(meaning.cost)
                after.refused, after.amount, after.definite = False, "", False
                after.unknown = Link(state.at, after.unknown)
                return [after]

    def _number(self, state: State, meaning: Meaning) -> list[State]:
        """A count of what follows; after a correction ("two, no, three") of what was said."""
        corrects = not meaning.weak and (state.join == "correct" or state.refused)
        ignored = 0.0 if corrects else self._ignored(state)
        after = state.copy(meaning.cost + ignored)
        after.count, after.weak = meaning.number, meaning.weak
        after.refused = after.refused and meaning.weak
        after.amount = ""
        if state.empty or state.count or meaning.weak:
            return [after]
        follows = self._language.counts_after and state.join != "with"
        if not corrects and (state.number or not follows):
            return [after]
        counted = state.copy(meaning.cost + (0.1 if corrects else COUNT_AFTER))
        counted.number, counted.refused = meaning.number, False
        counted.join = "noun" if corrects else ""
        counted.each, counted.shared = counted.each or state.shared, False
        return [after, counted]

    def _not(self, state: State, meaning: Meaning) -> list[State]:
        """A refusal of what follows, or of what was said: "洋葱不要"."""
        after = state.copy(meaning.cost)
        after.refused, after.join, after.last = True, "not", -1
        before = self._just_before(state)
        if before is None or before.slot in self._once:
            return [after]
        refused = state.copy(meaning.cost + COUNT_AFTER)
        refused.said = Link(replace(before, negative=True), state.said and state.said.before)
        return [after, refused]

    def _just_before(self, state: State) -> Said | None:
        """The value that was said last, where words about it may follow it."""
        if not self._language.counts_after or state.said is None or state.join:
            return None
        before = state.said.item
        plain = isinstance(before, Said) and not (before.amount or before.negative)
        return before if isinstance(before, Said) and plain else None

    def _amount(self, state: State, meaning: Meaning) -> list[State]:
        """How much of what follows, or of what was said: "芝士多一点"."""
        after = state.copy(meaning.cost + (DANGLING if state.amount else 0.0))
        after.amount, after.opens, after.last = meaning.amount, state.at, -1
        before = self._just_before(state)
        if before is None or before.slot not in self._measured:
            return [after]
        measured = state.copy(meaning.cost + COUNT_AFTER)
        measured.said = Link(
            replace(before, amount=meaning.amount), state.said and state.said.before
        )
        return [after, measured]

    def _word(self, state: State, meaning: Meaning) -> State:
        after = state.copy(meaning.cost)
        word = meaning.word
        after.talk += meaning.cost >= TALK
        if word is Word.WANT and self._language.counts_after and state.join in ("", "noun"):
            # Without a pause before it, it tells how a thing is wanted: "拿铁要大杯".
            after.join, after.refused, after.last = "open" if state.empty else "with", False, -1
        elif word in (Word.WITH, Word.MAKE) and self._language.counts_after and state.count:
            pass  # "一杯加糖": what was counted begins here
        elif word is Word.MAKE and self._language.counts_after and not state.empty:
            after.join, after.refused, after.last = "correct", False, -1
        elif word in _REQUEST:
            after.join, after.refused, after.last = "open", False, -1
        elif word is not None and word in _JOINS:
            after.join = _JOINS[word]
            if word is Word.WITH:
                after.cost += DANGLING if state.refused else 0.0
                after.refused, after.last = False, -1
        elif word is Word.DEFINITE:
            after.definite = True
        elif word is Word.ALL:
            after.shared = True
        elif word is Word.CORRECT:
            after.join, after.refused, after.amount, after.last = "correct", False, "", -1
        return after

    @staticmethod
    def _ignored(state: State) -> float:
        if not state.count:
            return 0.0
        return IGNORED_ARTICLE if state.weak else IGNORED_NUMBER

    def _value(self, state: State, meaning: Meaning) -> list[State]:
        info = self._lexicon.slots[meaning.slot]
        found: list[State] = []
        negatives = [state.refused]
        if not state.refused and state.last >= 0 and not state.count:
            negatives.append(True)
        for negative in negatives:
            cost = meaning.cost
            if negative and not info.slot.negatable:
                cost += 1.0
            if negative and not state.refused:
                cost += KEEPS_REFUSING.get(state.join, 9.0) + (0.5 if state.amount else 0.0)
            elif not negative and state.last >= 0:
                cost += 0.2
            if state.amount and not info.slot.qualified:
                cost += 1.0
            if not negative:
                found += self._corrected(state, meaning)
            same = self._same(state, meaning, cost, negative)
            if same is not None:
                found.append(same)
            if not state.empty and (not negative or (state.refused and state.count)):
                found.append(self._new(state, meaning, cost, negative))
        return found

    def _same(self, state: State, meaning: Meaning, cost: float, negative: bool) -> State | None:
        """One value more of the current order."""
        info = self._lexicon.slots[meaning.slot]
        forms = state.forms & meaning.forms
        bit = 1 << meaning.slot
        once = not info.many and not negative
        if not forms or (once and state.filled & bit and not self._just_said(state, meaning)):
            return None
        counts = state.empty or not (state.content or state.number)
        if not state.empty:
            counted = info.many and state.join == "with" and self._language.counts_after
            ignored = COUNTED_VALUE if counted and state.count else self._ignored(state)
            cost += SAME_AFTER[state.join] + (0.0 if counts else ignored)
            cost += LATE_CORE if state.join == "for" and info.core & forms else 0.0
        after = state.copy(cost)
        if counts:
            after.number = state.count
        self._put(after, meaning, forms, negative)
        return after

    def _corrected(self, state: State, meaning: Meaning) -> list[State]:
        if state.join != "correct":
            return []
        anew = [self._anew(state, meaning)] if state.count and not state.empty else []
        return self._instead(state, meaning) + anew

    def _instead(self, state: State, meaning: Meaning) -> list[State]:
        """A value in the place of the last one like it: "with milk, sorry, cream"."""
        info = self._lexicon.slots[meaning.slot]
        said = items_of(state.said)
        like = [i for i, x in enumerate(said) if isinstance(x, Said) and x.slot == info.slot.name]
        if not like or (info.many and like[-1] != len(said) - 1):
            return []
        before = said.pop(like[-1])
        assert isinstance(before, Said)
        forms = state.forms & meaning.forms
        if not forms:
            return []
        ignored = 0.0 if state.weak or not state.count else IGNORED_NUMBER
        after = state.copy(meaning.cost + ignored + (0.0 if like[-1] == len(said) else 0.2))
        after.said = None
        for item in said:
            after.said = Link(item, after.said)
        self._put(after, meaning, forms, before.negative)
        if self._language.counts_after:
            after.join = "correct"  # a new count may follow
        return [after]

    def _anew(self, state: State, meaning: Meaning) -> State:
        """Another order in the place of the last one: "one latte, no, one mocha"."""
        after = State()
        after.cost, after.done = state.cost + meaning.cost, state.done
        after.number = state.count
        self._put(after, meaning, self._all & meaning.forms, False)
        return after

    @staticmethod
    def _just_said(state: State, meaning: Meaning) -> bool:
        before = state.said.item if state.said is not None else None
        return isinstance(before, Said) and before.values == meaning.values and not state.count

    def _new(self, state: State, meaning: Meaning, cost: float, negative: bool) -> State:
        """A value that begins the next order."""
        info = self._lexicon.slots[meaning.slot]
        if not state.count:
            cost += NEW_AFTER[state.join] - (NEW_BY_CORE if info.core else 0.0)
        elif state.join == "correct":
            cost += NEW_CORRECTED
        after = self._closed(state).copy(cost)
        after.number = state.count
        self._put(after, meaning, self._all & meaning.forms, negative)
        return after

    def _put(self, after: State, meaning: Meaning, forms: int, negative: bool) -> None:
        info = self._lexicon.slots[meaning.slot]
        before = after.said.item if after.said is not None else None
        opens = after.opens if after.amount else after.at
        said = Said(
            info.slot.name, meaning.values, negative, after.amount, after.shared,
            after.at, meaning.end, opens,
        )  # fmt: skip
        after.forms = forms
        if not info.many and not negative:
            after.filled |= 1 << meaning.slot
        after.core = after.core or bool(info.core & forms)
        if not repeats(before, said):
            after.said = Link(said, after.said)
        after.content += 1
        after.last = meaning.slot if negative else -1
        after.count, after.weak, after.refused, after.amount = 0, False, False, ""
        after.join, after.definite = "", False

    def _one(self, state: State, meaning: Meaning) -> list[State]:
        """One more of the form before: "a small one"."""
        before = state.done.item if state.done is not None else None
        if not isinstance(before, Ordered) or not state.content or state.nouns or state.count:
            return []
        place = next(i for i, form in enumerate(self._schema.forms) if form.name == before.form)
        if not state.forms & 1 << place:
            return []
        after = state.copy(meaning.cost)
        self._named(after, 1 << place, meaning.end)
        return [after]

    def _noun(self, state: State, meaning: Meaning) -> list[State]:
        found: list[State] = []
        if state.refused:
            without = state.copy(meaning.cost)
            without.refused, without.join, without.last = False, "", -1
            return [without]
        forms = state.forms & meaning.forms
        if forms:
            cost = meaning.cost
            if not state.empty:
                cost += 0.0 if state.join == "for" else self._ignored(state)
                again = state.nouns and not (state.definite or state.join == "noun")
                cost += SECOND_NOUN if again else 0.0
            same = state.copy(cost)
            if state.empty:
                same.number = state.count
            self._named(same, forms, meaning.end)
            found.append(same)
        if state.join == "correct" and state.nouns and state.weak >= bool(state.count):
            renamed = state.copy(meaning.cost)
            renamed.nouns = 0
            self._named(renamed, self._all & meaning.forms, meaning.end)
            found.append(renamed)
        if not state.empty:
            cost = meaning.cost + (0.0 if state.count else NEW_AFTER[state.join] - 0.4)
            new = self._closed(state).copy(cost)
            new.number = state.count
            self._named(new, self._all & meaning.forms, meaning.end)
            found.append(new)
        return found

    @staticmethod
    def _named(after: State, forms: int, end: int) -> None:
        after.forms = forms
        after.noun = (after.at, end)
        after.nouns += 1
        after.count, after.weak, after.refused, after.amount = 0, False, False, ""
        after.join, after.definite, after.last = "noun", False, -1
        if after.nouns == 1:
            after.named_at = after.content

    def _closed(self, state: State, *, last: bool = False) -> State:
        """The current order is complete: a state with nothing begun."""
        cost = 0.0
        if last:
            cost = self._ignored(state) + DANGLING * (state.refused + bool(state.amount))
        after = State()
        after.forms = self._all
        after.done = state.done
        after.at, after.unknown, after.talk = state.at, state.unknown, state.talk
        if not state.empty:
            if not state.nouns and not state.core:
                cost += UNNAMED
            elif not state.content:
                cost += BARE
            named = 2 if state.nouns else int(state.core)
            form = (state.forms & -state.forms).bit_length() - 1
            said = told(items_of(state.said), state.named_at)
            name = self._schema.forms[form].name
            ordered = Ordered(name, state.number, said, state.each, named, state.noun)
            after.done = Link(ordered, state.done)
        after.cost = state.cost + cost
        return after
