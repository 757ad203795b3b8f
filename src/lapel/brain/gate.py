"""Decides what kind of speech an utterance is. Only a request may change a cart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from lapel.brain.chunks import Chunk
from lapel.brain.language import Word
from lapel.brain.phrases import Head, Reading

_BLOCKS = frozenset(
    {Word.HYPOTHETICAL, Word.PAST, Word.FUTURE, Word.PERSON, Word.STATEMENT, Word.NOT}
)
_QUESTIONS = frozenset({Word.QUESTION, Word.MENU, Word.MENU_QUESTION, Word.MENU_HAVE})
_SILENT = frozenset(
    {
        Word.FILLER,
        Word.POLITE,
        Word.GREETING,
        Word.THANKS,
        Word.YES,
        Word.NO,
        Word.CORRECT,
        Word.AND,
    }
    | {Word.DENY, Word.ONLY, Word.CANCEL}
)
_OPENERS = frozenset(
    {Word.ORDER, Word.WANT, Word.ADD, Word.REMOVE, Word.CHANGE, Word.MAKE, Word.SEND}
)
_TURNS = frozenset({Word.NO, Word.CORRECT, Word.YES, Word.AND, Word.POLITE})
_STARTS_CLAUSE = frozenset({Word.AND, Word.CORRECT})
_WHO_AND_VERB = 2
_BARE = frozenset({Word.PRONOUN, Word.THAT, Word.CART, Word.DEFINITE})


class Kind(StrEnum):
    """`REQUEST` was said as one, `BARE` has order words alone, `TALK` must change nothing."""

    REQUEST = "request"
    BARE = "bare"
    TALK = "talk"
    YES = "yes"
    DENY = "deny"
    CANCEL = "cancel"
    STATUS = "status"
    MENU = "menu"
    REPEAT = "repeat"
    THANKS = "thanks"
    GREETING = "greeting"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The kind, and for talk the reason: a block word's kind, "question" or "strange"."""

    kind: Kind
    reason: str = ""
    opener: Word | None = None


def judge(chunks: list[Chunk], reading: Reading, *, talking: bool, spaced: bool = True) -> Verdict:
    """`talking` is true while there is a cart or a question: then shorter things are requests.

    `spaced` is false for a script without spaces, where each character is a token.
    """
    free = [c for c in chunks if c.start not in reading.exchanged]
    words = [c.word for c in free if c.name is None and c.place is None]
    simple = _simple(chunks, reading, words)
    if simple is not None:
        return simple
    blocked = next((w for w in words if w in _BLOCKS), None)
    if blocked is not None and (
        _corrects(chunks, reading) if talking else spaced and _begs(chunks, reading)
    ):
        return Verdict(Kind.REQUEST)
    if blocked is not None:
        return Verdict(Kind.TALK, blocked.value)
    if _asks(chunks):
        return Verdict(Kind.TALK, "question")
    opener = _opener(chunks)
    if opener is not None:
        return _request(chunks, reading, opener)
    return _bare(chunks, reading, talking)


def _corrects(chunks: list[Chunk], reading: Reading) -> bool:
    """A no to the cart that is shown, and then an option: "no, I wanted it with oat milk"."""
    refuses = chunks[0].name is None and chunks[0].word in {Word.NO, Word.DENY, Word.CORRECT}
    return refuses and not reading.unknowns and any(p.values for p in reading.all_phrases)


def _begs(chunks: list[Chunk], reading: Reading) -> bool:
    """What is liked is wanted with a "please": "I like a large tea, please"."""
    words = {c.word for c in chunks if c.name is None}
    likes = words & _BLOCKS == {Word.STATEMENT} and Word.POLITE in words and not _QUESTIONS & words
    first = next(c for c in chunks if c.word not in _SILENT)
    opens = first.word is Word.STATEMENT and first.end - first.start == _WHO_AND_VERB
    return likes and opens and bool(reading.items) and not (reading.unknowns or reading.strange)


def blocks_within(chunks: list[Chunk], named: frozenset[int]) -> bool:
    """Whether all words that make talk of a request are, by their tokens, parts of names.

    A refusal is no such word: "avoid onions" says how an order shall be.
    """
    return all(
        named.issuperset(range(chunk.start, chunk.end))
        for chunk in chunks
        if chunk.name is None and chunk.word in _BLOCKS - {Word.NOT}
    )


def without_remarks(chunks: list[Chunk]) -> list[Chunk]:
    """Leaves out whole sentences that are talk and name nothing: "I am hungry. Get me a pizza."."""
    sentences: list[list[Chunk]] = []
    for chunk in chunks:
        if chunk.gap == "." or not sentences:
            sentences.append([])
        sentences[-1].append(chunk)
    kept = [s for s in sentences if not _is_talk(s)]
    if not kept or len(kept) == len(sentences):
        return chunks
    return [chunk for sentence in kept for chunk in sentence]


def _is_talk(sentence: list[Chunk]) -> bool:
    names = any(c.is_item or c.place is not None for c in sentence)
    blocked = any(c.name is None and c.word in _BLOCKS for c in sentence)
    return (blocked or _asks(sentence)) and not names


def _simple(chunks: list[Chunk], reading: Reading, words: list[Word | None]) -> Verdict | None:
    """Things said with a set phrase and nothing that could be an order beside it."""
    if Word.STATUS in words:
        return Verdict(Kind.STATUS)
    if Word.REPEAT in words and not reading.phrases:
        return Verdict(Kind.REPEAT)
    asks_menu = Word.MENU in words
    if Word.MENU_HAVE in words and any(w in {Word.MENU_QUESTION, Word.QUESTION} for w in words):
        asks_menu = True
    if asks_menu or (Word.MENU_HAVE in words and chunks[0].word is Word.MENU_HAVE):
        return Verdict(Kind.MENU)
    if reading.cancel and not (reading.items or reading.unknowns):
        return Verdict(Kind.CANCEL)
    if reading.phrases or reading.address or reading.merchants or reading.strange:
        return None
    if any(w in _BLOCKS for w in words):
        return None
    for word, kind in (
        (Word.DENY, Kind.DENY),
        (Word.YES, Kind.YES),
        (Word.NO, Kind.DENY),
        (Word.THANKS, Kind.THANKS),
        (Word.GREETING, Kind.GREETING),
    ):
        if word in words:
            return Verdict(kind)
    return None


def _asks(chunks: list[Chunk]) -> bool:
    """A sentence that opens with a question word which is no request."""
    for chunk in _openings(chunks):
        if chunk.name is None and chunk.word in {Word.QUESTION, Word.MENU_QUESTION, Word.MENU_HAVE}:
            return True
    return False


def _openings(chunks: list[Chunk]) -> list[Chunk]:
    """The first chunk with a meaning of its own of each sentence."""
    found: list[Chunk] = []
    waiting = True
    for chunk in chunks:
        waiting = waiting or chunk.gap == "."
        if waiting and (chunk.word not in _SILENT or chunk.name is not None):
            found.append(chunk)
            waiting = False
    return found


def _opener(chunks: list[Chunk]) -> Word | None:
    """The verb of a request, where a clause starts."""
    starts = True
    for chunk in chunks:
        verb = chunk.name is None and chunk.word in _OPENERS
        starts = starts or bool(chunk.gap)
        if verb and starts:
            return chunk.word
        if chunk.word in _STARTS_CLAUSE:
            starts = True
        elif chunk.word not in _SILENT and chunk.word not in _BARE:
            # After a place or a thing a new clause needs a pause or a joining word.
            starts = chunk.place is not None
    return None


def _request(chunks: list[Chunk], reading: Reading, opener: Word) -> Verdict:
    """A verb with nothing that could be ordered is talk: "I want to go home"."""
    for verb, to, what in zip(chunks, chunks[1:], chunks[2:], strict=False):
        if verb.word in _OPENERS and to.word is Word.TO and what.is_other:
            return Verdict(Kind.TALK, "strange")
    unknowns = reading.unknowns
    if _is_guess(chunks, reading):
        return Verdict(Kind.TALK, "strange")
    if reading.strange and not (reading.phrases or reading.address or reading.merchants):
        return Verdict(Kind.TALK, "strange")
    if unknowns and len(unknowns) == len(reading.phrases) and all(p.definite for p in unknowns):
        return Verdict(Kind.TALK, "strange")
    return Verdict(Kind.REQUEST, opener=opener)


def _bare(chunks: list[Chunk], reading: Reading, talking: bool) -> Verdict:
    """No verb: then every word must belong to an order."""
    if reading.strange:
        return Verdict(Kind.TALK, "strange")
    if any(c.word in {Word.QUESTION, Word.MENU_QUESTION, Word.OR} and not c.name for c in chunks):
        return Verdict(Kind.TALK, "question")
    items = [p for p in reading.items if p.name is not None]
    if talking and _sends(chunks, reading):
        return Verdict(Kind.BARE)
    if _is_remark(chunks, reading, talking) or _is_guess(chunks, reading):
        return Verdict(Kind.TALK, "strange")
    if items:
        counted = any(p.quantity is not None or p.values for p in items)
        exact = all(p.likeness >= 1.0 and p.name and p.name.exact_items for p in items)
        sure = counted or exact or _courteous(chunks)
        asked = _courteous(chunks) or reading.address_marked or reading.merchant_marked
        if talking or (sure and (counted or asked or len(chunks) <= 3)):
            return Verdict(Kind.BARE)
        return Verdict(Kind.TALK, "strange")
    if reading.phrases and not talking:
        unknown_only = all(p.head is Head.UNKNOWN for p in reading.phrases) and _courteous(chunks)
        return Verdict(Kind.TALK, "unknown" if unknown_only else "nothing")
    if talking and (reading.phrases or reading.address or reading.merchants):
        return Verdict(Kind.BARE)
    if reading.merchants or reading.address:
        return Verdict(Kind.TALK, "place")
    return Verdict(Kind.TALK, "nothing")


def _sends(chunks: list[Chunk], reading: Reading) -> bool:
    """Nothing but an address that is not known: "to the moon"."""
    opening = [c for c in chunks if c.word not in _TURNS][:1]
    alone = not reading.phrases and not reading.merchants
    return alone and bool(reading.unknown_address) and bool(opening) and opening[0].word is Word.TO


def _is_guess(chunks: list[Chunk], reading: Reading) -> bool:
    """Nothing but misheard names among words that nobody knows is no order."""
    strange = sum(chunk.end - chunk.start for chunk in chunks if chunk.is_other)
    sure = any(c.likeness >= 1.0 and (c.is_item or c.is_value) for c in chunks)
    return strange > 1 and bool(reading.items) and not sure


def _is_remark(chunks: list[Chunk], reading: Reading, talking: bool) -> bool:
    """Things are spoken of, not asked for: "that muffin looks great"."""
    if any(p.definite for p in reading.unknowns):
        return True
    if not reading.items and (reading.unknown_address or reading.unknown_shop):
        return True
    if not talking and any(p.definite and p.quantity is None for p in reading.items):
        return True
    return any(a.is_item and b.word is Word.YES and not b.gap for a, b in pairwise(chunks))


def _courteous(chunks: list[Chunk]) -> bool:
    return any(c.word in {Word.POLITE, Word.THANKS} for c in chunks)
