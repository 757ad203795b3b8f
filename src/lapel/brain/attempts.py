"""One utterance tried on one catalogue: cut, read, judged and carried out on a copy of the cart."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lapel.brain.cart import Cart
from lapel.brain.chunks import Chunk, Chunker, Sentence
from lapel.brain.counts import counts_first
from lapel.brain.edits import Editor, Outcome
from lapel.brain.frame import CartLine, Frame, Slot
from lapel.brain.gate import Kind, Verdict, blocks_within, judge, without_remarks
from lapel.brain.kinds import fold_kinds
from lapel.brain.language import Language, Word
from lapel.brain.lexicon import MenuIndex
from lapel.brain.menu import Menu
from lapel.brain.ordering import order_reader
from lapel.brain.phrases import Head, Mode, Reading
from lapel.brain.reading import Reader, repair_numbers
from lapel.brain.restating import items_of, plain_items

_MAY_BE_ORDERS = frozenset({"strange", "nothing", Word.NOT.value, Word.STATEMENT.value})
_RESTATED_AT = frozenset({Slot.ADDRESS, Slot.OPTION, Slot.WHICH_ITEM})


@dataclass(slots=True)
class Attempt:
    """What the utterance would mean at this merchant."""

    index: MenuIndex
    chunks: list[Chunk]
    reading: Reading
    verdict: Verdict
    cart: Cart
    outcome: Outcome
    had_lines: bool = False
    folded: int = 0
    """Names of other items that were read as the kind of an item beside them."""
    restated: frozenset[int] = frozenset()

    @property
    def menu(self) -> Menu:
        return self.index.menu

    @property
    def asks_for_order(self) -> bool:
        return self.verdict.kind in {Kind.REQUEST, Kind.BARE}

    @property
    def lacking(self) -> int:
        """Things that were asked for and are not to be had here."""
        return len(self.reading.unknowns) + self.outcome.sold_out + len(self.cart.unknown)

    @property
    def well_named(self) -> bool:
        found = self.outcome.found
        return found > 0 and self.outcome.fit / found >= 0.85


class Attempts:
    """Makes attempts for one utterance."""

    def __init__(
        self,
        language: Language,
        chunker: Chunker,
        sentence: Sentence,
        frame: Frame,
        *,
        talking: bool = False,
        restated: frozenset[int] | None = None,
    ) -> None:
        self._language = language
        self._chunker = chunker
        self._frame = frame
        self._talking = talking or bool(frame.lines or frame.question)
        self._said_again = restated
        self.sentence = sentence

    def at(self, index: MenuIndex, lines: tuple[CartLine, ...]) -> Attempt:
        attempt = self._once(index, lines, bold=False)
        if _needs_a_name(attempt):
            again = self._once(index, lines, bold=True)
            if again.outcome.found:
                return again
        return self._by_forms(attempt, lines)

    def _once(self, index: MenuIndex, lines: tuple[CartLine, ...], *, bold: bool) -> Attempt:
        chunks, folded, reading = self._read(self.sentence, index, bold=bold)
        verdict = judge(chunks, reading, talking=self._talking, spaced=self._language.spaced)
        cart = Cart(index, self._language, lines)
        question = self._frame.question
        focus = question.line if question and question.slot is Slot.OPTION else None
        settled = dict(self._frame.settled)
        restated = self._restated(index, chunks, reading) if lines else frozenset[int]()
        waiting = frozenset(key for key, _ in question.choices) if question else frozenset[str]()
        editor = Editor(cart, self.sentence, self._language, settled, focus, restated, waiting)
        asks = verdict.kind in {Kind.REQUEST, Kind.BARE}
        outcome = editor.apply(reading) if asks else editor.outcome
        return Attempt(
            index, chunks, reading, verdict, cart, outcome, bool(lines), folded, restated
        )

    def _by_forms(self, first: Attempt, lines: tuple[CartLine, ...]) -> Attempt:
        """The same by forms, where these understand more of the words; else the first attempt."""
        doubt = _doubt(first)
        if not doubt or not _only_orders(first.reading, lines) or not self._wanted(first):
            return first
        reader = order_reader(first.index, self._language)
        orders = reader and reader.read(self.sentence, first.chunks, first.reading)
        if orders is None or len(orders.unknown) >= doubt:
            return first
        verdict = first.verdict
        whole = not orders.unknown and not orders.talk and first.outcome.found > 0
        if verdict.kind is Kind.TALK and not blocks_within(first.chunks, orders.tokens):
            return first
        if not (orders.clear or (verdict.kind is not Kind.TALK and (whole or orders.exact))):
            return first
        if verdict.kind is Kind.TALK:
            verdict = Verdict(Kind.REQUEST, opener=Word.ORDER)
        cart = Cart(first.index, self._language, lines)
        question = self._frame.question
        waiting = frozenset(key for key, _ in question.choices) if question else frozenset[str]()
        editor = Editor(
            cart,
            self.sentence,
            self._language,
            dict(self._frame.settled),
            None,
            first.restated,
            waiting,
        )
        outcome = editor.apply(orders.reading)
        cart.unknown.extend(orders.unknown)
        second = replace(first, reading=orders.reading, verdict=verdict, cart=cart, outcome=outcome)
        return second if _doubt(second) < doubt else first

    def _wanted(self, attempt: Attempt) -> bool:
        """Whether it is an order, or may be one in spite of the words about it."""
        talk = attempt.verdict.kind is Kind.TALK and attempt.verdict.reason in _MAY_BE_ORDERS
        return attempt.asks_for_order or talk

    def _read(
        self, sentence: Sentence, index: MenuIndex, *, bold: bool = False
    ) -> tuple[list[Chunk], int, Reading]:
        cut = self._chunker.cut(sentence, index, bold=bold)
        chunks, folded = fold_kinds(sentence, cut, index, self._language)
        chunks = without_remarks(repair_numbers(sentence, chunks, self._language))
        if self._language.counts_after:
            chunks = counts_first(chunks)
        return chunks, folded, Reader(sentence, chunks, index).read()

    def _restated(self, index: MenuIndex, chunks: list[Chunk], reading: Reading) -> frozenset[int]:
        """The items that were named when the open question was raised, if they are named again."""
        if self._said_again is not None:
            return self._said_again
        question, said = self._frame.question, self._frame.said
        if question is None or question.slot not in _RESTATED_AT or not said:
            return frozenset()
        again = items_of(plain_items(chunks, reading))
        return again and items_of(self.read_before(index, said[-1]).items)

    def read_before(self, index: MenuIndex, text: str) -> Reading:
        """What an earlier utterance says at this merchant."""
        return self._read(self._chunker.sentence(text), index)[2]


def _needs_a_name(attempt: Attempt) -> bool:
    """A request with options of this catalogue and strange words, but nothing that has them."""
    if attempt.verdict.opener not in {Word.ORDER, Word.WANT} or attempt.cart.lines:
        return False
    strange = any(chunk.is_other for chunk in attempt.chunks)
    options = any(chunk.is_value and chunk.likeness >= 1.0 for chunk in attempt.chunks)
    return strange and options and attempt.outcome.found == 0


def _doubt(attempt: Attempt) -> int:
    """How much of what was said found no place in the order."""
    outcome, reading = attempt.outcome, attempt.reading
    left = len(reading.unknowns) + len(reading.strange) + len(attempt.cart.unknown)
    unsure = sum(not (p.name and p.name.exact_items) for p in reading.items)
    talk = attempt.verdict.kind is Kind.TALK
    first = next((at for at, p in enumerate(reading.phrases) if p.head is Head.ITEM), None)
    # A count or an option before anything that it could be about.
    early = 0 if attempt.had_lines else len(reading.phrases[:first])
    return early + left + outcome.refused + len(outcome.unclear) + unsure + 9 * talk


def _only_orders(reading: Reading, lines: tuple[CartLine, ...]) -> bool:
    """Whether nothing is said about what is in the cart already, or about strange places."""
    if reading.cancel or reading.exchanged or reading.unknown_address or reading.unknown_shop:
        return False
    if reading.restarts or reading.instead or Word.CORRECT in reading.words:
        return False
    return all(
        p.into is None
        and p.where is None
        and p.mode in ({Mode.ADD} if lines else {Mode.ADD, Mode.MAKE})
        and not (p.refers or p.again or p.only or p.ordinal or (lines and (p.corrects or p.more)))
        and not (lines and p.head is Head.NOTHING)
        for p in reading.phrases
    )
