"""Carries a reading out on a cart: which line is meant, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lapel.brain.cart import Cart, Line
from lapel.brain.chunks import Sentence
from lapel.brain.frame import Span
from lapel.brain.items import bare_words, candidates, portions
from lapel.brain.language import Language
from lapel.brain.lexicon import Name
from lapel.brain.phrases import Head, Mode, Phrase, Reading, ValueWord
from lapel.brain.tokens import span_of


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words that may mean several things: (id, words) choices, and the words to read again then."""

    words: str
    choices: tuple[tuple[str, str], ...]
    pending: str
    quantity: int = 1


@dataclass(slots=True)
class Outcome:
    """What came of a reading beyond the cart itself."""

    unclear: list[Unclear] = field(default_factory=list[Unclear])
    sold_out: int = 0
    found: int = 0
    fit: float = 0.0
    refused: int = 0
    nothing_there: bool = False
    given_up: bool = False


class Editor:
    """Applies phrases in the order in which they were said. Use once."""

    def __init__(
        self,
        cart: Cart,
        sentence: Sentence,
        language: Language,
        settled: dict[str, str],
        focus: int | None = None,
        restated: frozenset[int] = frozenset(),
        waiting: frozenset[str] = frozenset(),
    ) -> None:
        self._cart = cart
        self._sentence = sentence
        self._language = language
        self._settled = settled
        self._restated = restated
        self._waiting = waiting
        self._focus = next((line for line in cart.lines if line.was == focus), None)
        self._new: list[Line] = []
        self._touched: list[Line] = []
        self._whole = ""
        self._restarts = False
        self._divided: Line | None = None
        self._early: list[ValueWord] = []
        self.outcome = Outcome()

    def apply(self, reading: Reading) -> Outcome:
        self._whole = self._sentence.text
        self._restarts = reading.restarts
        first = reading.phrases[0] if reading.phrases else None
        if reading.cleared and first and first.head is Head.ITEM and first.mode is Mode.ADD:
            self._cart.lines.clear()
        for phrase in reading.phrases:
            self._apply(phrase)
        self._settle_announced()
        self._cart.merge()
        return self.outcome

    def _settle_announced(self) -> None:
        """Asks nothing after "three pizzas: a margherita, a diavola and a hawaii"."""
        for unclear in list(self.outcome.unclear):
            ids = {key for key, _ in unclear.choices}
            named = [ln for ln in self._new if self._cart.item(ln).id in ids]
            if unclear.quantity > 1 and unclear.quantity == sum(ln.quantity for ln in named):
                self.outcome.unclear.remove(unclear)
                self.outcome.found -= 1
                self.outcome.fit -= 0.5

    def _apply(self, phrase: Phrase) -> None:
        if phrase.into is not None:
            self._change(phrase, phrase.into)
        elif phrase.where is not None:
            self._options_at(phrase, phrase.where)
        elif phrase.mode is Mode.REMOVE:
            self._remove(phrase)
        elif phrase.head is Head.ITEM:
            self._item(phrase)
        elif phrase.head is Head.UNKNOWN:
            self._unknown(phrase)
        else:
            self._edit(phrase)

    # Which lines are meant

    def _last(self) -> list[Line]:
        for line in self._touched[-1:] or [self._focus]:
            if line is not None and line in self._cart.lines:
                return [line]
        return self._cart.lines[-1:]

    def _targets(self, phrase: Phrase) -> list[Line]:
        """Lines of the cart that a phrase refers to."""
        lines = self._cart.lines
        if phrase.head is Head.ITEM and phrase.name is not None:
            lines = [line for line in lines if self._names(phrase, line)]
            lines = self._described(phrase, lines)
        elif phrase.head is Head.ALL:
            return list(self._new or lines)
        elif phrase.values and phrase.definite and phrase.head is Head.LINE and not phrase.ordinal:
            lines = self._described(phrase, lines)
        elif not phrase.ordinal:
            return self._last()
        if phrase.ordinal:
            place = phrase.ordinal - 1 if phrase.ordinal > 0 else len(lines) - 1
            return lines[place : place + 1]
        if phrase.name is not None and len(lines) > 1 and not phrase.all:
            return self._told_apart(phrase, lines)
        return list(lines)

    def _names(self, phrase: Phrase, line: Line) -> bool:
        names = [n for n in (phrase.name, *phrase.rivals) if n is not None]
        return any(line.item in name.items for name in names)

    def _described(self, phrase: Phrase, lines: list[Line]) -> list[Line]:
        """Options before the noun tell lines apart, where they do: "the iced one"."""
        if phrase.mode is Mode.MAKE or not phrase.values:
            return lines
        having = [ln for ln in lines if all(self._cart.has(ln, v) for v in phrase.values)]
        return having or lines

    def _told_apart(self, phrase: Phrase, lines: list[Line]) -> list[Line]:
        """Several lines fit a name: an earlier answer, a plural for all, else it is unclear."""
        words = self._words(phrase)
        answer = self._settled.get(words, "")
        if answer.startswith("line:"):
            place = int(answer.removeprefix("line:"))
            return [line for line in lines if line.was == place]
        plural = self._language.is_plural(self._sentence.tokens[phrase.end - 1].text)
        if plural or self._is_plural_head(phrase):
            return lines
        if phrase.name is not None:
            exact = [line for line in lines if line.item in phrase.name.exact_items]
            if len(exact) == 1:
                return exact
        choices = tuple(
            (f"line:{line.was}", self._cart.item(line).title)
            for line in lines
            if line.was is not None
        )
        if len(choices) == len(lines):
            self.outcome.unclear.append(Unclear(words, choices, self._whole))
        return []

    def _is_plural_head(self, phrase: Phrase) -> bool:
        tokens = self._sentence.tokens[phrase.start : phrase.end]
        key = phrase.name.key if phrase.name else ""
        return any(
            self._language.is_plural(t.text) and key.endswith(self._language.stem(t.text))
            for t in tokens
        )

    def _words(self, phrase: Phrase) -> str:
        return self._sentence.words(phrase.start, phrase.end).lower()

    # What becomes of them

    def _item(self, phrase: Phrase) -> None:
        edits = phrase.definite or phrase.mode is Mode.MAKE or phrase.only
        if edits and (targets := self._targets(phrase)):
            self._alter(phrase, targets)
            self._keep_only(phrase, targets)
            return
        if self.outcome.unclear and edits:
            return
        if phrase.mode is Mode.CHANGE:
            self.outcome.nothing_there = True
            return
        if self._describes_a_line(phrase):
            return
        place = self._resolve(phrase)
        if place is not None:
            self._order(phrase, place)

    def _describes_a_line(self, phrase: Phrase) -> bool:
        """Whether part of a name changed a line of the cart: "iced", "16 pieces", "beef"."""
        counts = phrase.quantity is not None and not phrase.article
        if counts and self._makes_variant(phrase, self._counted_lines(phrase)):
            return True
        if phrase.quantity is None and self._makes_variant(phrase, self._last()):
            return True
        return self._is_option_of_last(phrase)

    def _order(self, phrase: Phrase, place: int) -> None:
        """Puts an item into the cart: in place of another, as more of a line, or as a new one."""
        if (phrase.corrects or phrase.instead) and not phrase.only and self._last():
            self._turn_into(self._akin(self._last(), place)[0], phrase, place)
            return
        if place in self._restated and (said := self._said_before(place)):
            self._alter(phrase, said)
            return
        same = [line for line in self._cart.lines if line.item == place]
        if phrase.more and same and not phrase.values:
            self._cart.set_quantity(same[-1], same[-1].quantity + (phrase.quantity or 1))
            self._touch(same[-1], phrase)
            return
        title = self._cart.index.items[place].words
        line = self._cart.add(place, portions(self._sentence, phrase, title))
        phrase.values = [v for v in phrase.values if not self._is_count(v, place)]
        self._cart.count_pieces(line)
        self._new.append(line)
        phrase.values[:0] = self._early
        self._early = []
        self._with_options(line, phrase)
        self._keep_only(phrase, [line])

    def _is_count(self, value: ValueWord, place: int) -> bool:
        """Whether "12 pieces" counts what is sold by the piece, and chooses nothing."""
        stems = self._sentence.stems[value.start : value.end]
        unit = len(stems) == 2 and stems[0].isdigit() and stems[1]
        return unit in self._cart.index.items[place].words and not self._cart.offers(place, value)

    def _counted_lines(self, phrase: Phrase) -> list[Line]:
        """The line of another size that a count of pieces changes: "16 pieces"."""
        stems = self._sentence.stems[phrase.start : phrase.end]
        if len(stems) != 2 or not stems[0].isdigit():
            return []
        variant = self._cart.index.variant
        having = [line for line in self._cart.lines if stems[1] in self._words_of(line)]
        return [line for line in having if variant(line.item, stems) is not None][-1:]

    def _words_of(self, line: Line) -> tuple[str, ...]:
        return self._cart.index.items[line.item].words

    def _akin(self, lines: list[Line], place: int) -> list[Line]:
        """The line that "it" means when it becomes another item: the last of the same category."""
        category = self._cart.index.menu.items[place].category
        if self._touched or not category:
            return lines
        same = [ln for ln in self._cart.lines if self._cart.item(ln).category == category]
        return same[-1:] or lines

    def _is_option_of_last(self, phrase: Phrase) -> bool:
        """Takes "beef instead" as an option of a kung pao, though it is a word of other dishes."""
        name, last = phrase.name, self._last()
        counted = phrase.quantity is not None or phrase.definite or phrase.more
        if name is None or name.exact_items or not name.value or counted or not last:
            return False
        words = self._words(phrase)
        value = ValueWord(phrase.start, phrase.end, words, name)
        items = self._cart.index.menu.items
        if self._restated & set(name.items) or any(
            items[p].id in self._waiting for p in name.items
        ):
            return False
        if phrase.modifiers or not self._cart.offers(last[0].item, value):
            return False
        phrase.values.append(value)
        self._with_options(last[0], phrase)
        return True

    def _keep_only(self, phrase: Phrase, lines: list[Line]) -> None:
        """Takes back all else: "just the latte", "no wait, just two lattes"."""
        if phrase.only and (phrase.definite or self._restarts) and phrase.mode is Mode.ADD:
            self._cart.lines[:] = [line for line in self._cart.lines if line in lines]

    def _said_before(self, place: int) -> list[Line]:
        lines = [ln for ln in self._cart.lines if ln.item == place and ln.was is not None]
        return [line for line in lines if line not in self._touched][:1]

    def _turn_into(self, line: Line, phrase: Phrase, place: int) -> None:
        if line.item != place:
            self._cart.become(line, place)
        if phrase.quantity is not None and not (phrase.article and line.was is not None):
            self._cart.set_quantity(line, phrase.quantity)
        self._with_options(line, phrase)

    def _alter(self, phrase: Phrase, lines: list[Line]) -> None:
        for line in lines:
            if phrase.quantity is not None and not phrase.article:
                more = line.quantity if phrase.more else 0
                self._cart.set_quantity(line, phrase.quantity + more)
            self._with_options(line, phrase)

    def _with_options(self, line: Line, phrase: Phrase) -> None:
        self._touch(line, phrase)
        for value in phrase.values:
            self._option(line, value)
        for start, end in phrase.modifiers:
            self._modifier(line, start, end)

    def _touch(self, line: Line, phrase: Phrase) -> None:
        if line in self._touched:
            self._touched.remove(line)
        self._touched.append(line)
        line.spans.append(self._span(phrase.start, phrase.end))
        line.spans.extend(self._span(v.start, v.end) for v in phrase.values)

    def _span(self, start: int, end: int) -> Span:
        return span_of(self._sentence.tokens, start, end)

    def _option(self, line: Line, value: ValueWord) -> None:
        if self._cart.choose(line, value):
            return
        stems = tuple(self._sentence.stems[value.start : value.end])
        variant = None if value.negative else self._cart.index.variant(line.item, stems)
        if variant is not None:
            self._cart.become(line, variant)
        elif value.negative and (other := self._other_line(line, value)):
            self._cart.remove(other)
        elif value.negative:
            line.notes.append(f"no {self._sentence.words(value.start, value.end)}")
        elif value.amount and value.name is None:
            line.notes.append(value.words)
        else:
            self._refuse(line, value)

    def _other_line(self, line: Line, value: ValueWord) -> Line | None:
        """The line that "without the croissant" takes away."""
        key = "".join(self._sentence.stems[value.start : value.end])
        name = self._cart.index.names.get(key)
        others = [ln for ln in self._cart.lines if ln is not line or ln.was is not None]
        return next((ln for ln in others if name and ln.item in name.exact_items), None)

    def _refuse(self, line: Line, value: ValueWord) -> None:
        words = self._sentence.words(value.start, value.end)
        title = self._cart.item(line).title
        if value.name is None:
            self._cart.unknown.append(words)
        else:
            self.outcome.refused += 1
            self._cart.notes.append(f"{title} cannot be ordered with {words}.")

    def _modifier(self, line: Line, start: int, end: int) -> None:
        variant = self._cart.index.variant(line.item, tuple(self._sentence.stems[start:end]))
        if variant is not None:
            self._cart.become(line, variant)
        else:
            self._cart.unknown.append(self._sentence.words(start, end))

    def _remove(self, phrase: Phrase) -> None:
        if phrase.head is Head.NOTHING:
            self._remove_options(phrase, self._last())
            for line in self._last() if phrase.quantity and not phrase.values else ():
                self._take_away(line, phrase.quantity or 1, phrase)
            return
        if phrase.head is Head.UNKNOWN:
            self._unknown(phrase)
            return
        targets = self._targets(phrase)
        if not targets and self._is_waiting(phrase):
            self.outcome.given_up = True
            return
        if not targets and not self.outcome.unclear:
            self.outcome.nothing_there = True
            self._cart.unknown.append(self._words(phrase))
        for line in targets:
            less = phrase.quantity if phrase.head is Head.ITEM else None
            self._take_away(line, less or line.quantity, phrase)

    def _take_away(self, line: Line, less: int, phrase: Phrase) -> None:
        if less < line.quantity:
            self._cart.set_quantity(line, line.quantity - less)
            self._touch(line, phrase)
        else:
            self._cart.remove(line)

    def _is_waiting(self, phrase: Phrase) -> bool:
        """Whether a phrase is about what the open question is about, and not in the cart."""
        if not self._waiting:
            return False
        if phrase.head is Head.LINE and not phrase.ordinal:
            return True
        items = self._cart.index.menu.items
        places = phrase.name.items if phrase.name is not None else ()
        return any(items[place].id in self._waiting for place in places)

    def _remove_options(self, phrase: Phrase, lines: list[Line]) -> None:
        for value in phrase.values:
            having = [line for line in self._cart.lines if self._cart.has(line, value)]
            targets = [line for line in lines if line in having] or having
            if not targets:
                for line in lines:
                    line.notes.append(f"no {self._sentence.words(value.start, value.end)}")
            for line in targets:
                self._cart.clear(line, value)
                self._touch(line, phrase)

    def _options_at(self, phrase: Phrase, where: Phrase) -> None:
        lines = self._targets(where)
        if not lines and where.head is Head.ITEM and not self.outcome.unclear:
            place = self._resolve(where)
            if place is not None:
                lines = [self._cart.add(place, where.quantity or 1)]
                self._new.extend(lines)
        if not lines and not self.outcome.unclear:
            self.outcome.nothing_there = True
        if phrase.mode is Mode.REMOVE:
            self._remove_options(phrase, lines)
            return
        for line in lines:
            self._with_options(line, phrase)
            self._touch(line, where)

    def _change(self, phrase: Phrase, into: Phrase) -> None:
        """Carries out "change the muffin to a croissant" and "swap oat for soy"."""
        lines = self._last() if phrase.head is Head.NOTHING else self._targets(phrase)
        if not lines:
            if into.head is Head.ITEM and self._is_waiting(phrase):
                self._item(replace(into, mode=Mode.ADD, definite=False))
            elif not self.outcome.unclear:
                self.outcome.nothing_there = True
            return
        if phrase.head is Head.NOTHING:
            self._remove_options(phrase, lines)
        if into.head is Head.UNKNOWN:
            self._unknown(into)
            return
        if phrase.part and phrase.quantity:
            lines = [self._split(line, phrase.quantity) for line in lines]
        if into.head is Head.ITEM and self._becomes_variant(phrase, into, lines):
            return
        place = self._resolve(into) if into.head is Head.ITEM else None
        if place is not None and phrase.head is Head.LINE and not phrase.ordinal:
            lines = self._akin(lines, place)
        if into.head is not Head.ITEM or place is not None:
            self._replace(phrase, into, lines, place)

    def _replace(self, phrase: Phrase, into: Phrase, lines: list[Line], place: int | None) -> None:
        for line in lines:
            if phrase.head is Head.ITEM and phrase.quantity and not phrase.article:
                line = self._split(line, phrase.quantity)
            if place is not None:
                self._turn_into(line, into, place)
            else:
                self._alter(into, [line])

    def _makes_variant(self, phrase: Phrase, lines: list[Line]) -> bool:
        """Turns a latte into the iced latte when "iced" names no dish by itself."""
        if phrase.name is None or phrase.name.exact_items or phrase.definite:
            return False
        stems = self._sentence.stems[phrase.start : phrase.end]
        variants = [self._cart.index.variant(line.item, stems) for line in lines]
        for line, variant in zip(lines, variants, strict=True):
            if variant is not None:
                self._cart.become(line, variant)
                self._touch(line, phrase)
        return any(variant is not None for variant in variants)

    def _becomes_variant(self, phrase: Phrase, into: Phrase, lines: list[Line]) -> bool:
        if self._makes_variant(into, lines):
            return True
        pronoun = phrase.head is Head.LINE and not phrase.ordinal
        return pronoun and self._makes_variant(into, self._with_variant(into))

    def _with_variant(self, phrase: Phrase) -> list[Line]:
        """The last line that can become what was said: "make it iced" means the latte."""
        stems = self._sentence.stems[phrase.start : phrase.end]
        variant = self._cart.index.variant
        return [ln for ln in self._cart.lines if variant(ln.item, stems) is not None][-1:]

    def _split(self, line: Line, quantity: int) -> Line:
        if quantity >= line.quantity:
            return line
        part = line.copy()
        part.quantity = quantity
        line.quantity -= quantity
        self._cart.lines.insert(self._cart.lines.index(line) + 1, part)
        return part

    def _edit(self, phrase: Phrase) -> None:
        """A reference or bare options: "make it three", "another one", "actually iced"."""
        if self._divide(phrase) or self._one_more_of_its_kind(phrase):
            return
        lines = self._best_for(phrase) if phrase.head is Head.NOTHING else self._targets(phrase)
        if not lines and phrase.head is Head.NOTHING and phrase.values:
            # "A double shot, the americano": options before their item.
            self._early = phrase.values
        if not lines:
            if not self.outcome.unclear:
                self.outcome.nothing_there = True
            return
        if phrase.again or (phrase.more and phrase.quantity):
            for line in lines:
                self._cart.set_quantity(line, line.quantity + (phrase.quantity or 1))
                self._touch(line, phrase)
            return
        self._alter(phrase, lines)

    def _divide(self, phrase: Phrase) -> bool:
        """Takes a part of a line: "two lattes, one with soy milk"."""
        last = self._last()
        part = phrase.quantity
        if part is None or not phrase.values or phrase.head is not Head.NOTHING or not last:
            return False
        if self._divided is not None and self._divided.quantity == part:
            self._with_options(self._divided, phrase)
            self._divided = None
            return True
        whole = next((ln for ln in reversed(self._new) if ln.quantity > part), last[0])
        if phrase.article or whole.quantity <= part:
            return False
        self._with_options(self._split(whole, part), phrase)
        self._divided = whole
        return True

    def _one_more_of_its_kind(self, phrase: Phrase) -> bool:
        """Adds "a small one" after "a large latte", and "one with oats" after "one with rye"."""
        other = phrase.head is Head.LINE and phrase.article and not phrase.definite
        again = phrase.again or phrase.more or self._contradicts(phrase)
        if (
            not (other or again)
            or phrase.mode is not Mode.ADD
            or not phrase.values
            or not self._new
        ):
            return False
        line = self._cart.add(self._new[-1].item, phrase.quantity or 1)
        self._new.append(line)
        self._with_options(line, phrase)
        return True

    def _contradicts(self, phrase: Phrase) -> bool:
        """Whether something counted has an option in place of which the last thing has another."""
        if phrase.head is not Head.NOTHING or not phrase.quantity or phrase.corrects:
            return False
        return any(self._cart.differs(self._new[-1], v) for v in phrase.values if self._new)

    def _best_for(self, phrase: Phrase) -> list[Line]:
        """Bare options belong to the last line that can have them."""
        last = self._last()
        if not phrase.values or not last:
            return last
        value = phrase.values[0]
        can = [line for line in self._cart.lines if self._can_take(line, value)]
        if not can or last[0] in can:
            return last
        return can[-1:]

    def _can_take(self, line: Line, value: ValueWord) -> bool:
        stems = tuple(self._sentence.stems[value.start : value.end])
        offered = self._cart.offers(line.item, value)
        return offered or self._cart.index.variant(line.item, stems) is not None

    # Which item is meant

    def _resolve(self, phrase: Phrase) -> int | None:
        assert phrase.name is not None
        places = candidates(self._cart, phrase, self._answer_to(self._words(phrase)))
        if not places:
            self._unknown(phrase)
            return None
        items = self._cart.index.menu.items
        open_places = [place for place in places if items[place].available]
        if not open_places:
            self.outcome.sold_out += 1
            for place in places[:1]:
                self._cart.notes.append(f"{items[place].title} is sold out.")
            return None
        if len(open_places) == 1:
            self._count(phrase.name, open_places[0], phrase.likeness)
            return open_places[0]
        self.outcome.found += 1
        self.outcome.fit += 0.5
        choices = tuple((items[place].id, items[place].title) for place in open_places)
        words = self._sentence.words(phrase.start, phrase.end)
        unclear = Unclear(self._words(phrase), choices, words, phrase.quantity or 1)
        self.outcome.unclear.append(unclear)
        return None

    def _answer_to(self, words: str) -> str | None:
        """What was answered about the words, also where more of them came later."""
        found = (answer for key, answer in self._settled.items() if words.startswith(f"{key}. "))
        return self._settled.get(words) or next(found, None)

    def _count(self, name: Name, place: int, likeness: float) -> None:
        self.outcome.found += 1
        self.outcome.fit += name.items.get(place, 0.8) * likeness

    def _unknown(self, phrase: Phrase) -> None:
        words = bare_words(self._sentence, self._language, phrase.start, phrase.end)
        self._cart.unknown.append(words)
