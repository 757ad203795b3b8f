"""From an edited cart to an answer: the actions, the new frame, and the next thing to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lapel.brain import wording
from lapel.brain.actions import (
    Action,
    AddLine,
    ChangeLine,
    ChooseAddress,
    ChooseMerchant,
    RemoveLine,
    Understanding,
)
from lapel.brain.attempts import Attempt
from lapel.brain.cart import Cart
from lapel.brain.chunks import Sentence
from lapel.brain.edits import Unclear
from lapel.brain.frame import CartLine, Frame, Question, Slot, Span
from lapel.brain.gate import Kind
from lapel.brain.language import Word
from lapel.brain.lexicon import MenuIndex
from lapel.brain.places import AddressLabel
from lapel.brain.tokens import span_of

_LONGEST_PENDING = 600


class Finisher:
    """Completes an understanding. `sentence` is None where no words are behind it."""

    def __init__(self, addresses: Sequence[AddressLabel], sentence: Sentence | None) -> None:
        self._addresses = addresses
        self._sentence = sentence
        self._asked = False

    def order(self, attempt: Attempt, frame: Frame, pending: tuple[str, ...]) -> Understanding:
        """The understanding of a request at one merchant."""
        self._asked = frame.question is not None and frame.question.slot is Slot.ADDRESS
        unknown = self._unknown(attempt)
        closed = self._closed(attempt, frame)
        if closed:
            return Understanding(frame, notes=(closed,), unknown=unknown, is_order=True)
        if self._is_empty(attempt):
            return self._nothing(attempt, frame, unknown)
        actions = self._edits(attempt, frame)
        lines = tuple(attempt.cart.dump(line) for line in attempt.cart.lines)
        new = replace(frame, lines=lines, question=None, pending=())
        new, chosen = self._places(attempt, new)
        waiting = attempt.outcome.unclear
        understood = self.complete(
            new,
            attempt.index,
            (*chosen, *actions),
            waiting,
            pending,
            attempt.cart,
        )
        notes = tuple(dict.fromkeys(attempt.cart.notes))
        likeness = min((p.likeness for p in attempt.reading.items), default=1.0)
        given_up = attempt.outcome.given_up
        if given_up:
            return replace(understood, notes=notes)
        if not understood.actions and understood.question is None and not (unknown or notes):
            return Understanding(frame, reply="" if frame.lines else wording.EMPTY_CART)
        return replace(understood, unknown=unknown, notes=notes, is_order=True, confidence=likeness)

    @staticmethod
    def _unknown(attempt: Attempt) -> tuple[str, ...]:
        reading = attempt.reading
        places = [words for words in (reading.unknown_shop, reading.unknown_address) if words]
        return tuple(dict.fromkeys([*attempt.cart.unknown, *places]))

    @staticmethod
    def _closed(attempt: Attempt, frame: Frame) -> str:
        if attempt.menu.open_now or not (attempt.outcome.found or attempt.reading.merchants):
            return ""
        return wording.closed(attempt.menu.merchant_name, attempt.menu.opens_text)

    @staticmethod
    def _is_empty(attempt: Attempt) -> bool:
        touched = attempt.outcome.found or attempt.cart.lines or attempt.outcome.unclear
        touched = touched or attempt.outcome.given_up
        return not touched

    def _nothing(self, attempt: Attempt, frame: Frame, unknown: tuple[str, ...]) -> Understanding:
        """A request for nothing that is known here, or for nothing yet."""
        reading, notes = attempt.reading, tuple(attempt.cart.notes)
        cart_emptied = bool(frame.lines) and not attempt.cart.lines
        if cart_emptied:
            actions = self._edits(attempt, frame)
            empty = replace(frame, lines=(), question=None, pending=())
            return Understanding(empty, actions, is_order=True)
        open_question = frame.question
        if open_question is not None and open_question.slot is not Slot.WHICH_ITEM:
            open_question = None
        if attempt.outcome.nothing_there and open_question and self._sentence and frame.pending:
            # "Make it two" is about what waits for the answer, and waits with it.
            first = f"{frame.pending[0]}. {self._sentence.text}"[-_LONGEST_PENDING:]
            kept = replace(frame, pending=(first, *frame.pending[1:]))
            return Understanding(kept, question=open_question, unknown=unknown, is_order=True)
        if attempt.outcome.nothing_there:
            return Understanding(frame, unknown=unknown, reply=wording.EMPTY_CART)
        shop = reading.merchants[0] if len(reading.merchants) == 1 else ""
        ordering = attempt.verdict.opener is Word.ORDER or bool(notes) or bool(shop)
        something = Word.SOMETHING in reading.words or not (reading.phrases or reading.strange)
        if not ordering and not something:
            return Understanding(frame, unknown=unknown)
        if reading.strange and not unknown and not shop:
            return Understanding(frame)
        new, actions = self._places(attempt, frame) if shop else self._address(attempt, frame)
        question = open_question or Question(Slot.ITEM, wording.ASK_ITEM)
        new = replace(new, question=question)
        return Understanding(new, actions, question, unknown, is_order=True, notes=notes)

    def _places(self, attempt: Attempt, frame: Frame) -> tuple[Frame, tuple[Action, ...]]:
        """The merchant and the address that were said or follow."""
        reading = attempt.reading
        actions: list[Action] = []
        merchant_id = attempt.menu.merchant_id
        if merchant_id and frame.merchant_id != merchant_id:
            actions.append(ChooseMerchant(merchant_id, self._span(reading.merchant_at)))
            frame = replace(frame, merchant_id=merchant_id)
        frame, chosen = self._address(attempt, frame)
        return frame, (*actions, *chosen)

    def _address(self, attempt: Attempt, frame: Frame) -> tuple[Frame, tuple[Action, ...]]:
        """The address that was said; one that the user does not have leaves it open."""
        reading = attempt.reading
        said = reading.address_marked or self._asked or attempt.verdict.kind is Kind.BARE
        said = said or attempt.outcome.found > 0
        if reading.address and said:
            same = reading.address == frame.address
            chosen = ChooseAddress(reading.address, self._span(reading.address_at))
            frame = replace(frame, address=reading.address, address_unknown=False, pickup=False)
            return frame, () if same else (chosen,)
        if reading.unknown_address:
            frame = replace(frame, address=None, address_unknown=True)
        return frame, ()

    def _span(self, tokens: tuple[int, int]) -> tuple[Span, ...]:
        if self._sentence is None or tokens[0] == tokens[1]:
            return ()
        return (span_of(self._sentence.tokens, *tokens),)

    @staticmethod
    def _edits(attempt: Attempt, frame: Frame) -> tuple[Action, ...]:
        """Changes first, then removals from the end, then what is new: indexes stay true."""
        cart = attempt.cart
        changed: list[Action] = []
        added: list[Action] = []
        kept: set[int] = set()
        moved = frame.merchant_id not in (None, attempt.menu.merchant_id)
        for line in cart.lines:
            new, spans = cart.dump(line), tuple(dict.fromkeys(line.spans))
            if line.was is None or moved:
                added.append(AddLine(new, spans))
                continue
            kept.add(line.was)
            if new != frame.lines[line.was]:
                changed.append(ChangeLine(line.was, new, spans))
        gone = [RemoveLine(i) for i in reversed(range(len(frame.lines))) if i not in kept]
        return (*changed, *gone, *added)

    def complete(
        self,
        frame: Frame,
        index: MenuIndex,
        actions: Sequence[Action],
        unclear: Sequence[Unclear] = (),
        pending: tuple[str, ...] = (),
        cart: Cart | None = None,
    ) -> Understanding:
        """Fills in the default address and asks for the first thing that is missing."""
        needs_address = not frame.pickup and not frame.address_unknown
        if frame.address is None and frame.lines and needs_address:
            default = next((a.label for a in self._addresses if a.default), None)
            if default is not None:
                frame = replace(frame, address=default)
                actions = (*actions, ChooseAddress(default))
        question = self._question(frame, index, unclear, cart)
        waiting = tuple(u.pending for u in unclear) + pending if unclear else ()
        frame = replace(frame, question=question, pending=waiting)
        return Understanding(frame, tuple(actions), question, is_order=True)

    def _question(
        self, frame: Frame, index: MenuIndex, unclear: Sequence[Unclear], cart: Cart | None
    ) -> Question | None:
        if unclear:
            first = unclear[0]
            titles = [words for _, words in first.choices]
            text = wording.ask_which(first.words, titles)
            return Question(Slot.WHICH_ITEM, text, first.choices, group=first.words)
        missing = self._missing_option(frame.lines, index, cart)
        if missing is not None:
            return missing
        if not frame.lines:
            return Question(Slot.ITEM, wording.ASK_ITEM)
        if frame.address is None and not frame.pickup:
            labels = [address.label for address in self._addresses]
            choices = tuple((label, label) for label in labels)
            return Question(Slot.ADDRESS, wording.ask_address(labels), choices)
        return None

    @staticmethod
    def _missing_option(
        lines: tuple[CartLine, ...], index: MenuIndex, cart: Cart | None
    ) -> Question | None:
        items = {item.id: item for item in index.menu.items}
        for place, line in enumerate(lines):
            item = items.get(line.item_id)
            asked = {g for ln, g in cart.asked if ln is cart.lines[place]} if cart else set[int]()
            chosen = dict(line.options)
            for group_place, group in enumerate(item.groups if item else ()):
                wanted = group.required or group_place in asked
                if wanted and not chosen.get(group.id) and item is not None:
                    values = [v for v in group.values if v.available]
                    choices = tuple((v.id, v.title) for v in values)
                    text = wording.ask_option(group.title, item.title, [t for _, t in choices])
                    return Question(Slot.OPTION, text, choices, place, group.id)
        return None
