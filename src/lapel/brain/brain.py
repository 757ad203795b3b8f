"""Understanding of orders from catalogues alone: no model, no network, no state of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from lapel.brain import wording
from lapel.brain.actions import (
    Affirm,
    AskMenu,
    AskStatus,
    CancelOrder,
    ChangeLine,
    ChooseAddress,
    ChooseMerchant,
    Deny,
    RepeatLast,
    Understanding,
)
from lapel.brain.answers import answer
from lapel.brain.attempts import Attempt, Attempts
from lapel.brain.choosing import choose
from lapel.brain.chunks import Chunker, Sentence
from lapel.brain.describe import Description, describe
from lapel.brain.destinations import only_a_strange_place
from lapel.brain.endpoint import complete_hint
from lapel.brain.finish import Finisher
from lapel.brain.frame import Frame, Question, Slot, Span
from lapel.brain.gate import Kind
from lapel.brain.language import Word, language_of, load_language
from lapel.brain.lexicon import MenuIndex
from lapel.brain.menu import Menu
from lapel.brain.moving import move_lines
from lapel.brain.phrases import Head, Reading
from lapel.brain.places import AddressLabel, PlaceIndex
from lapel.brain.provenance import USERS_OWN, Facts, Thing, Utterance
from lapel.brain.questions import QuestionPhrases
from lapel.brain.reorder import ReorderPhrases
from lapel.brain.restating import items_of, plain_items
from lapel.brain.sound import Sounds
from lapel.brain.tokens import span_of
from lapel.brain.wishes import Wishes, said_of, wishes_in

# Below this the recogniser itself does not believe what it heard.
_HEARD = 0.25
_MOST_ATTEMPTS = 8
_MOST_SAID = 8
_LONGEST_PENDING = 600
_FIXED = ""


class Brain:
    """Understands one user's orders at these merchants. Indexes are cached by menu."""

    _indexes: ClassVar[dict[tuple[str, Menu], MenuIndex]] = {}

    def __init__(
        self,
        menus: Sequence[Menu],
        addresses: Sequence[AddressLabel] = (),
        favourites: Sequence[str] = (),
        language: str = "en",
    ) -> None:
        self.menus = tuple(menus)
        self._language = load_language(language)
        self._menus = {menu.merchant_id: self._index(menu, language) for menu in menus}
        self._addresses = tuple(addresses)
        self._favourites = tuple(favourites)
        self._places = PlaceIndex(menus, addresses, self._language)
        self._sounds = _sounds(language)
        vocabulary = frozenset[str]().union(*(i.vocabulary for i in self._menus.values()))
        options = frozenset[str]().union(*(i.options for i in self._menus.values()))
        self._chunker = Chunker(self._language, self._sounds, self._places, vocabulary, options)
        self._nowhere = MenuIndex(Menu("", "", ()), self._language)
        self._questions = QuestionPhrases(self._language)
        self.reorder_phrases = ReorderPhrases(self._language)
        self._others: dict[str, Brain] = {}

    def _reader(self, text: str) -> Brain:
        """Itself, or a brain for the language in whose script the text is written."""
        code = language_of(text, self._language.code)
        if code == self._language.code:
            return self
        if code not in self._others:
            self._others[code] = Brain(self.menus, self._addresses, self._favourites, code)
        return self._others[code]

    def understand(self, utterance: Utterance, frame: Frame) -> Understanding:
        """What the words mean for the frame. Words that are not the user's own mean nothing."""
        reader = self._reader(utterance.text)
        if reader is not self:
            return reader.understand(utterance, frame)
        if utterance.source not in USERS_OWN or utterance.confidence < _HEARD:
            return Understanding(frame, confidence=0.0)
        wishes = wishes_in(utterance.text, frame)
        if wishes.actions:
            return self._wished(wishes, utterance)
        return self._read(utterance, frame)

    def _wished(self, wishes: Wishes, utterance: Utterance) -> Understanding:
        """Wishes about the whole order, and the rest of the words as if they stood alone."""
        if wishes.alone:
            frame = wishes.frame
            if frame.lines and frame.address is None and frame.question is None:
                frame = self._finish(frame).frame  # fetched no more: it goes to the usual place
            said = (*frame.said, utterance.text)[-_MOST_SAID:]
            understood = Understanding(replace(frame, said=said), question=frame.question)
        else:
            understood = self._read(replace(utterance, text=wishes.rest), wishes.frame)
        has_cart = bool(understood.frame.lines)
        return replace(
            understood,
            actions=(*wishes.actions, *understood.actions),
            is_order=understood.is_order or has_cart or understood.question is not None,
            reply=understood.reply if has_cart or understood.reply else said_of(wishes.actions),
        )

    def _read(self, utterance: Utterance, frame: Frame) -> Understanding:
        sentence = self._chunker.sentence(utterance.text)
        if not sentence.tokens:
            return Understanding(frame, confidence=0.0)
        understood = self._answered(sentence, frame) or self._understand(sentence, frame)
        understood = self._asked(sentence, understood, frame)
        if understood.frame is not frame:
            said = (*understood.frame.said, utterance.text)[-_MOST_SAID:]
            understood = replace(understood, frame=replace(understood.frame, said=said))
        return replace(understood, confidence=understood.confidence * utterance.confidence)

    def _asked(self, sentence: Sentence, understood: Understanding, frame: Frame) -> Understanding:
        """A question about the menu that the grammar took for talk, or did not read exactly."""
        if any(not isinstance(action, AskMenu) for action in understood.actions):
            return understood
        if understood.frame.lines != frame.lines or not (
            found := self._questions.read(sentence.text)
        ):
            return understood
        if understood.actions:
            (asked,) = understood.actions
            if not isinstance(asked, AskMenu) or asked.merchant_id:
                return understood
            return replace(understood, actions=(replace(asked, query=found.what, asks=found.asks),))
        if found.vague and not self._sold(found.what):
            return understood
        spans = (span_of(sentence.tokens, 0, len(sentence.tokens)),)
        what = found.what or next(iter(understood.unknown), "")
        return Understanding(frame, (AskMenu(what, spans, asks=found.asks),))

    def _sold(self, words: str) -> bool:
        stems = self._chunker.sentence(words).stems
        return any(stem in index.vocabulary for index in self._menus.values() for stem in stems)

    @property
    def places_on_record(self) -> Facts:
        """The user's addresses by their labels."""
        return Facts({Thing.ADDRESS: {each.label: each.label for each in self._addresses}})

    def address_called(self, words: str) -> str | None:
        """The label of the user's address that these words name."""
        return self._places.address(words)

    def complete_hint(self, text: str, frame: Frame | None = None) -> bool | None:
        """Whether a partial transcript looks finished; None when nothing speaks for either."""
        sentence = self._chunker.sentence(text)
        index = self._frame_index(frame) or self._fitting(sentence)[0]
        if self._language.trails_off(text):
            return False
        return complete_hint(self._chunker.cut(sentence, index))

    def describe(self, frame: Frame) -> Description:
        """The cart as a sentence to say and as lines to show."""
        index = self._frame_index(frame)
        return describe(frame, index.menu if index else None, self._language)

    def hints(self, frame: Frame) -> tuple[str, ...]:
        """Names worth biasing the recogniser with, the most likely first.

        Dishes and options are in lower case: a recogniser that is shown titles writes titles.
        """
        words = [text.lower() for _, text in frame.question.choices] if frame.question else []
        index = self._frame_index(frame)
        indexes = [index] if index else list(self._menus.values())
        for known in indexes:
            words.extend(item.title.lower() for item in known.menu.items)
        for known in indexes:
            groups = [g for item in known.menu.items for g in item.groups]
            words.extend(value.title.lower() for group in groups for value in group.values)
        words.extend(known.menu.merchant_name for known in self._menus.values())
        words.extend(address.label for address in self._addresses)
        return tuple(dict.fromkeys(words))

    @classmethod
    def _index(cls, menu: Menu, language: str) -> MenuIndex:
        key = (language, menu)
        found = cls._indexes.get(key)
        if found is None:
            if len(cls._indexes) >= 256:
                cls._indexes.pop(next(iter(cls._indexes)))
            found = cls._indexes[key] = MenuIndex(menu, load_language(language))
        return found

    def _frame_index(self, frame: Frame | None) -> MenuIndex | None:
        return self._menus.get(frame.merchant_id or "") if frame else None

    def _answered(self, sentence: Sentence, frame: Frame) -> Understanding | None:
        """The utterance as an answer to the open question, if it is one."""
        question = frame.question
        if question is None:
            return None
        chosen = answer(question, sentence, self._language, self._sounds, self._places.names)
        if chosen is None and question.slot is Slot.ADDRESS:
            return self._unknown_address(question, sentence, frame)
        if chosen is None:
            more = self._answered_and_more(question, sentence, frame)
            return more or self._answered_at_first(question, sentence, frame)
        whole = (span_of(sentence.tokens, 0, len(sentence.tokens)),)
        open_frame = replace(frame, question=None, pending=())
        match question.slot:
            case Slot.ADDRESS:
                return self._finish(open_frame, address=chosen, spans=whole)
            case Slot.OPTION:
                return self._choose_option(question, chosen, open_frame, whole)
            case Slot.MERCHANT:
                settled = (*frame.settled, (_FIXED, chosen))
                return self._reread(replace(open_frame, settled=settled), frame.pending, chosen)
            case Slot.WHICH_ITEM | Slot.ITEM:
                settled = (*frame.settled, (question.group, chosen))
                if frame.merchant_id is not None:
                    settled = (*settled, (_FIXED, frame.merchant_id))
                return self._reread(replace(open_frame, settled=settled), frame.pending, None)

    def _unknown_address(
        self, question: Question, sentence: Sentence, frame: Frame
    ) -> Understanding | None:
        """An answer that names none of the user's addresses is said to be unknown."""
        chunks = self._chunker.cut(sentence, self._frame_index(frame) or self._nowhere)
        place = only_a_strange_place(chunks)
        if place is None or not self._chunker.has_new_word(sentence, chunks[place[0] : place[1]]):
            return None
        words = sentence.words(chunks[place[0]].start, chunks[place[1] - 1].end)
        asked = replace(frame, address_unknown=True)
        return Understanding(asked, question=question, unknown=(words,), is_order=True)

    def _answered_and_more(
        self, question: Question, sentence: Sentence, frame: Frame
    ) -> Understanding | None:
        """An answer to which item with more in it: "the margherita, large, to my home"."""
        index = self._frame_index(frame)
        if question.slot is not Slot.WHICH_ITEM or index is None:
            return None
        attempt = Attempts(self._language, self._chunker, sentence, frame).at(index, frame.lines)
        named = items_of(plain_items(attempt.chunks, attempt.reading))
        ids = {index.menu.items[place].id: place for place in named}
        chosen = [key for key, _ in question.choices if key in ids]
        if not attempt.asks_for_order or len(chosen) != 1 or ids[chosen[0]] in attempt.restated:
            return None
        settled = (*frame.settled, (question.group, chosen[0]), (_FIXED, index.menu.merchant_id))
        waiting = replace(frame, question=None, pending=(), settled=settled)
        first = self._reread(waiting, frame.pending, None)
        restated = attempt.restated | {ids[chosen[0]]}
        attempts = Attempts(
            self._language, self._chunker, sentence, first.frame, talking=True, restated=restated
        )
        again = attempts.at(index, first.frame.lines)
        more = self._order(again, replace(first.frame, question=None, pending=()), sentence, ())
        return _both(first, more)

    def _answered_at_first(
        self, question: Question, sentence: Sentence, frame: Frame
    ) -> Understanding | None:
        """An answer, a pause, and more: "the third one, large and to my home"."""
        pause = next((token for token in sentence.tokens[1:] if token.gap), None)
        if pause is None or question.slot not in {Slot.WHICH_ITEM, Slot.MERCHANT}:
            return None
        opening = self._chunker.sentence(sentence.text[: pause.start])
        if answer(question, opening, self._language, self._sounds, self._places.names) is None:
            return None
        first = self._answered(opening, frame)
        if first is None:
            return None
        rest = self._chunker.sentence(sentence.text[pause.start :])
        more = self._understand(rest, replace(first.frame, question=None, pending=()), talking=True)
        return _both(first, more) if more.is_order else None

    def _choose_option(
        self, question: Question, value_id: str, frame: Frame, spans: tuple[Span, ...]
    ) -> Understanding | None:
        if question.line is None or question.line >= len(frame.lines):
            return None
        line = frame.lines[question.line]
        options = {**dict(line.options), question.group: (value_id,)}
        changed = replace(line, options=tuple(sorted(options.items())))
        lines = list(frame.lines)
        lines[question.line] = changed
        understood = self._finish(replace(frame, lines=tuple(lines)))
        action = ChangeLine(question.line, changed, spans)
        return replace(understood, actions=(action, *understood.actions), is_order=True)

    def _reread(
        self, frame: Frame, pending: tuple[str, ...], merchant_id: str | None
    ) -> Understanding:
        """Reads the words again that waited for an answer."""
        actions: list[ChooseMerchant] = []
        if merchant_id is not None and not frame.lines and frame.merchant_id != merchant_id:
            frame = replace(frame, merchant_id=merchant_id)
            actions.append(ChooseMerchant(merchant_id))
        if not pending:
            return replace(self._finish(frame), actions=tuple(actions), is_order=True)
        sentence = self._chunker.sentence(pending[0])
        understood = self._understand(sentence, frame, pending[1:], talking=True)
        settled = replace(understood.frame, settled=())
        if understood.question is not None and understood.question.slot is Slot.WHICH_ITEM:
            settled = replace(settled, settled=frame.settled)
        chosen = [a for a in understood.actions if not isinstance(a, ChooseMerchant) or not actions]
        return replace(understood, frame=settled, actions=(*actions, *chosen), is_order=True)

    def _fitting(self, sentence: Sentence) -> list[MenuIndex]:
        """The catalogues whose words occur most."""
        hits: Counter[str] = Counter()
        for merchant_id, index in self._menus.items():
            hits[merchant_id] = sum(stem in index.vocabulary for stem in sentence.stems)
        best = [self._menus[m] for m, _ in hits.most_common(_MOST_ATTEMPTS)]
        return best or [self._nowhere]

    def _understand(
        self,
        sentence: Sentence,
        frame: Frame,
        pending: tuple[str, ...] = (),
        *,
        talking: bool = False,
    ) -> Understanding:
        attempts = Attempts(self._language, self._chunker, sentence, frame, talking=talking)
        current = self._frame_index(frame)
        question = frame.question
        if question is not None and question.slot is Slot.MERCHANT and frame.pending:
            return self._while_asked_where(attempts, frame)
        fixed = dict(frame.settled).get(_FIXED)
        if fixed is not None and fixed in self._menus:
            return self._at_one(attempts, frame, self._menus[fixed], pending)
        if current is not None and frame.lines:
            return self._at_current(attempts, frame, current, pending)
        tried = [attempts.at(index, frame.lines) for index in self._fitting(sentence)]
        return self._among(attempts, frame, tried, pending)

    def _while_asked_where(self, attempts: Attempts, frame: Frame) -> Understanding:
        """What is added before the merchant is settled is read together with what waits for it."""
        tried = [attempts.at(index, frame.lines) for index in self._fitting(attempts.sentence)]
        asking = [attempt for attempt in tried if attempt.asks_for_order]
        if not asking:
            return self._said(tried[0], frame, attempts.sentence)
        free = replace(frame, question=None, pending=())
        again, words = asking[0].reading, frame.pending[0]
        before = attempts.read_before(asking[0].index, words)
        together = f"{words}. {attempts.sentence.text}"
        named = items_of(before.items)
        said_again = named and named <= items_of(plain_items(asking[0].chunks, again))
        if said_again and (again.address or not (before.address or before.unknown_address)):
            together = attempts.sentence.text
        together = together[-_LONGEST_PENDING:]
        return self._understand(self._chunker.sentence(together), free, talking=True)

    def _at_current(
        self, attempts: Attempts, frame: Frame, current: MenuIndex, pending: tuple[str, ...]
    ) -> Understanding:
        """There is a cart: its merchant first, another only when asked for or needed."""
        attempt = attempts.at(current, frame.lines)
        named = attempt.reading.merchants
        if not attempt.asks_for_order:
            return self._said(attempt, frame, attempts.sentence)
        if named and current.menu.merchant_id not in named and len(named) == 1:
            return self._at_one(attempts, frame, self._menus[named[0]], pending)
        if attempt.reading.unknowns:
            elsewhere = [
                attempts.at(index, ())
                for index in self._fitting(attempts.sentence)
                if index is not current and index.menu.open_now
            ]
            finding = [a for a in elsewhere if a.outcome.found > attempt.outcome.found]
            first = attempt.reading.phrases[0]
            if finding and attempt.reading.restarts and first.head is Head.UNKNOWN:
                return self._order(finding[0], frame, attempts.sentence, pending)
            if finding:
                return self._ask_other(attempt, finding[0], frame, attempts.sentence)
        return self._order(attempt, frame, attempts.sentence, pending)

    def _ask_other(
        self, attempt: Attempt, other: Attempt, frame: Frame, sentence: Sentence
    ) -> Understanding:
        menus = (attempt.menu, other.menu)
        choices = tuple((m.merchant_id, m.merchant_name) for m in menus)
        missing = wording.listed(attempt.cart.unknown)
        text = wording.other_shop(menus[0].merchant_name, menus[1].merchant_name, missing)
        question = Question(Slot.MERCHANT, text, choices)
        asked = replace(frame, question=question, pending=(sentence.text,))
        return Understanding(asked, question=question, is_order=True)

    def _at_one(
        self, attempts: Attempts, frame: Frame, index: MenuIndex, pending: tuple[str, ...]
    ) -> Understanding:
        """At this merchant and no other; a cart from elsewhere moves over as far as it can."""
        lines, lost = frame.lines, list[str]()
        if lines and frame.merchant_id != index.menu.merchant_id:
            lines, lost = move_lines(lines, self._frame_index(frame), index)
        attempt = attempts.at(index, lines)
        attempt.cart.notes.extend(lost)
        if lost and not lines and not attempt.outcome.found:
            return Understanding(frame, notes=tuple(lost), is_order=True)
        if not attempt.asks_for_order:
            return self._said(attempt, frame, attempts.sentence)
        return self._order(attempt, frame, attempts.sentence, pending)

    def _among(
        self, attempts: Attempts, frame: Frame, tried: list[Attempt], pending: tuple[str, ...]
    ) -> Understanding:
        asking = [attempt for attempt in tried if attempt.asks_for_order]
        if not asking:
            return self._said(tried[0], frame, attempts.sentence)
        named = next((a.reading.merchants for a in asking if a.reading.merchants), ())
        if named:
            wanted = [attempts.at(self._menus[m], frame.lines) for m in named]
            asking = [a for a in wanted if a.asks_for_order] or asking
        chosen = choose(asking, frame.merchant_id, self._favourites)
        if chosen.question is not None:
            asked = replace(frame, question=chosen.question, pending=(attempts.sentence.text,))
            shop = chosen.attempt.reading.unknown_shop
            unknown = (shop,) if shop else ()
            return Understanding(asked, question=chosen.question, unknown=unknown, is_order=True)
        return self._order(chosen.attempt, frame, attempts.sentence, pending)

    def _order(
        self, attempt: Attempt, frame: Frame, sentence: Sentence, pending: tuple[str, ...]
    ) -> Understanding:
        return Finisher(self._addresses, sentence).order(attempt, frame, pending)

    def _finish(
        self, frame: Frame, address: str = "", spans: tuple[Span, ...] = ()
    ) -> Understanding:
        """The frame with the next thing asked that is still missing."""
        index = self._frame_index(frame) or self._nowhere
        actions = (ChooseAddress(address, spans),) if address else ()
        if address:
            frame = replace(frame, address=address, address_unknown=False)
        finisher = Finisher(self._addresses, None)
        return finisher.complete(frame, index, actions)

    def _said(self, attempt: Attempt, frame: Frame, sentence: Sentence) -> Understanding:
        """Everything that is no order."""
        spans = (span_of(sentence.tokens, 0, len(sentence.tokens)),)
        match attempt.verdict.kind:
            case Kind.YES:
                return Understanding(frame, (Affirm(spans),))
            case Kind.DENY:
                return Understanding(frame, (Deny(spans),))
            case Kind.CANCEL:
                return Understanding(Frame(said=frame.said), (CancelOrder(spans),))
            case Kind.STATUS:
                return Understanding(frame, (AskStatus(spans),))
            case Kind.REPEAT:
                return Understanding(frame, (RepeatLast(spans),))
            case Kind.MENU:
                return Understanding(frame, (self._menu_asked(attempt, sentence, spans),))
            case Kind.THANKS:
                return Understanding(frame, reply=wording.WELCOME)
            case Kind.GREETING:
                return Understanding(frame, reply=wording.OFFER)
            case _:
                return self._talk(attempt, frame, sentence)

    def _menu_asked(self, attempt: Attempt, sentence: Sentence, spans: tuple[Span, ...]) -> AskMenu:
        query = [
            sentence.words(chunk.start, chunk.end)
            for chunk in attempt.chunks
            if chunk.name is not None or chunk.is_other
        ]
        merchants = attempt.reading.merchants
        merchant_id = merchants[0] if len(merchants) == 1 else ""
        return AskMenu(" ".join(query), spans, merchant_id)

    def _talk(self, attempt: Attempt, frame: Frame, sentence: Sentence) -> Understanding:
        reading: Reading = attempt.reading
        if attempt.verdict.reason == Word.FUTURE and reading.items:
            return Understanding(frame, reply=wording.ONLY_NOW)
        if attempt.verdict.reason == "unknown":
            words = tuple(unknown_words(attempt, sentence))
            return Understanding(frame, unknown=words)
        return Understanding(frame)


def _both(first: Understanding, second: Understanding) -> Understanding:
    """One understanding of two steps. What the first still has to ask comes first."""
    actions = [
        action
        for action in first.actions
        if not (isinstance(action, ChooseAddress) and second.frame.address != action.label)
    ]
    frame = second.frame
    if first.question is not None and first.question.slot is Slot.WHICH_ITEM:
        asked = first.frame
        frame = replace(
            frame, question=asked.question, pending=asked.pending, settled=asked.settled
        )
    return replace(
        second,
        frame=frame,
        question=frame.question,
        actions=(*actions, *second.actions),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
        unknown=tuple(dict.fromkeys((*first.unknown, *second.unknown))),
        is_order=True,
    )


def unknown_words(attempt: Attempt, sentence: Sentence) -> list[str]:
    return [sentence.words(p.start, p.end) for p in attempt.reading.unknowns]


_SOUNDS: dict[str, Sounds] = {}


def _sounds(language: str) -> Sounds:
    if language not in _SOUNDS:
        _SOUNDS[language] = Sounds(load_language(language))
    return _SOUNDS[language]
